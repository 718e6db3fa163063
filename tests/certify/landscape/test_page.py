"""The tables of docs/landscape-proofs.md hold what the functions prove."""

from __future__ import annotations

import numpy as np
import pytest

from certify.landscape import critical_temperature, cross_polytope_bracket, prove_minimum
from relax import Ball, Problem
from tests.certify.landscape.seeds import (
    descended,
    labels_of,
    loss_and_gradient,
    shattered,
    stray,
)
from tests.pages import PAGES

LINES = [
    [cell.strip() for cell in line.strip("| \n").split("|")]
    for line in PAGES["docs/landscape-proofs.md"].splitlines()
]
CROSS = {int(line[0][4:]): line[1:] for line in LINES if line[0].startswith("k = ") and len(line) == 7}
FOUND = [line for line in LINES if len(line) == 6 and line[0].replace(",", "").isdigit()]
STRAY = dict(
    zip(
        *([line[1:] for line in LINES if line[0] in ("n", "τ* of the stray sample") and len(line) == 7]),
        strict=True,
    )
)


def start(counts: list[int], dim: int, tau: float) -> np.ndarray:
    """A point near the bad minimum of a line of the table."""
    if counts == [6, 6, 2, 2]:
        rng, found = np.random.default_rng(0), []
        for _ in range(20):
            h = descended(rng.normal(size=(16, 2)), counts, tau)
            found.append((loss_and_gradient(h, labels_of(counts), tau)[0], h))
        return max(found, key=lambda pair: pair[0])[1]
    if dim == 2:
        return stray(10, tau)
    seed = {4: 2}.get(dim, 0) if counts[0] == 10 else 0
    return shattered(counts, dim, tau, seed, 0 if counts[0] == 10 else 1)


def test_the_table_of_cross_polytopes() -> None:
    assert sorted(CROSS) == [2, 3, 4, 5, 10]
    for k, cells in CROSS.items():
        for n, said in zip((2, 4, 6, 8, 10, 20), cells, strict=True):
            found = cross_polytope_bracket(n, k)
            assert found.lower is not None and found.relative_width < 1e-6
            assert f"{float(found.lower):.6f}" == said


@pytest.mark.parametrize(
    "line",
    [pytest.param(line, marks=[pytest.mark.slow] if line[0] != "12,6,3" else []) for line in FOUND],
    ids=str,
)
def test_the_table_of_bad_minima(line: list[str]) -> None:
    assert len(FOUND) == 8
    counts, dim, tau = [int(n) for n in line[0].split(",")], int(line[1]), float(line[2])
    problem = Problem(counts, temperature=tau)
    found = prove_minimum(start(counts, dim, tau), problem, alone=False)
    assert found.proven, found.reason
    for said, proven in ((line[4], found.worse_by), (line[5], found.curvature)):
        assert float(said) <= float(proven or 0) <= float(said) * 1.1
    assert bool(found.negative) == (dim >= len(counts) - 1)
    held = Problem(counts, temperature=tau, norm=Ball())
    assert prove_minimum(found.features, held, alone=False).proven == (not found.negative)


@pytest.mark.parametrize("n", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 6, 10, 15, 20))])
def test_the_table_of_stray_samples(n: int) -> None:
    found = critical_temperature(stray(n, 0.1), Problem([n] * 3, temperature=0.1))
    assert found.lower is not None and found.upper is not None and found.relative_width <= 1e-3
    assert float(found.lower) * (1 - 1e-4) <= float(STRAY[str(n)]) <= float(found.upper) * (1 + 1e-4)
