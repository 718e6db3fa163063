"""What both general solvers owe where float64 or the program itself has no answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from relax.answer import Answer, Status
from relax.bounds import feasible
from relax.program import GramProgram
from relax.solvers import barrier, low_rank
from tests.relax.programs import PROGRAMS, gap, supcon

Solve = Callable[[GramProgram, float, float], Answer]
pytestmark = pytest.mark.parametrize("solve", [barrier.solve, low_rank.solve], ids=["barrier", "low_rank"])


@pytest.mark.parametrize("tau", [0.004, 0.0005])
def test_an_excess_out_of_reach_of_float64_ends_in_a_status(solve: Solve, tau: float) -> None:
    program = supcon([50, 4, 3], "classes", temperature=tau)
    found = solve(program, 1e-9, np.inf)
    assert found.status is not Status.CONVERGED or gap(program, found) <= 1e-9
    assert np.isfinite(program.excess(feasible(program, found.point)))


def test_a_program_without_a_lower_bound_ends_in_a_status(solve: Solve) -> None:
    assert solve(PROGRAMS["mixed-targets"], 1e-9, time.monotonic() + 20).status is not Status.CONVERGED
