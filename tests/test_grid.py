"""Sixty cells of the robustness grid, certified in ball arithmetic."""

from __future__ import annotations

import pytest

from benchmarks.grid import Cell, cells, outcome, sampled
from certify import Verdict


def test_the_grid_is_whole() -> None:
    everything = list(cells())
    assert len(everything) == len(set(everything)) == 6 * 5 * 3 * 8 + 5 * 8 + 3 * 8


@pytest.mark.slow
@pytest.mark.parametrize("cell", sampled(60), ids=str)
def test_sampled_cell_is_certified(cell: Cell) -> None:
    result = outcome(cell)
    assert result.verdict is Verdict.CERTIFIED
    assert result.gap <= 1e-9
    assert result.steps <= 120
