"""What a solver owes its callers, checked on programs whose optimum is known."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import feasible, lower_bound
from relax.program import GramProgram
from relax.testing.conformance.cases import Case

Solve = Callable[[GramProgram, float, float], Answer]
ROUNDING = 1e-12  # of known values and of bounds in float64, relative to what gaps are measured against


def assert_conforms(solve: Solve, case: Case, tolerance: float = 1e-9) -> None:
    """Check that a solver finds and proves a known optimum.

    Its matrix, made feasible, must have a value within `tolerance` above the known optimum, its witness a
    bound within `tolerance` below, both relative to `GramProgram.scale_of_gap`; entries must be those of
    the known Gram matrix up to 30 √tolerance; and CONVERGED must mean a gap within it.

    Parameters
    ----------
    solve : callable
        `solve(program, tolerance, deadline)`, returning a `Answer`.
    case : Case
        One of `cases()` that the solver supports.
    tolerance : float
        Wanted relative gap, which is passed on.

    Raises
    ------
    AssertionError
        Naming the case and the number that is off.
    """
    program = case.program
    found = solve(program, tolerance, np.inf)
    excess, bound, scale = _worth(program, found)
    above, below = (excess - case.excess) / scale, (case.excess - bound) / scale
    assert above >= -ROUNDING, f"{case}: {excess:.17g} is below the known optimum {case.excess:.17g}"
    assert below >= -ROUNDING, f"{case}: the bound {bound:.17g} is above the optimum {case.excess:.17g}"
    assert above <= tolerance, f"{case}: the value is {above:.1e} above the optimum, not {tolerance:.0e}"
    assert below <= tolerance, f"{case}: the bound is {below:.1e} below the optimum, not {tolerance:.0e}"
    off = float(np.abs(feasible(program, found.point).expand() - case.gram.expand()).max())
    assert off <= 30.0 * np.sqrt(tolerance), f"{case}: an entry of the Gram matrix is off by {off:.1e}"
    _assert_honest(case, found, (excess - bound) / scale if scale > 0 else np.inf, tolerance)


def assert_keeps_time(solve: Solve, case: Case, tolerance: float = 1e-9) -> None:
    """Check that a solver whose time is up says so, or has converged, and proves what it says.

    Raises
    ------
    AssertionError
        If its status is another, or it did not converge, or its bound is none, or a number is not finite.
    """
    found = solve(case.program, tolerance, time.monotonic() - 1.0)
    late = found.status in (Status.TIME_LIMIT, Status.CONVERGED)
    assert late, f"{case}: out of time, it says {found.status.name}"
    excess, bound, scale = _worth(case.program, found)
    assert np.isfinite(excess), f"{case}: out of time, the matrix has no value"
    assert bound <= case.excess + ROUNDING * scale, f"{case}: out of time, {bound:.17g} is no lower bound"
    _assert_honest(case, found, (excess - bound) / scale if scale > 0 else np.inf, tolerance)


def _worth(program: GramProgram, found: Answer) -> tuple[float, float, float]:
    """Return the excess of what the matrix becomes when made feasible, the bound, and the scale of gaps."""
    point = feasible(program, found.point)
    excess = program.excess(point)
    return excess, lower_bound(program, found.witness, excess).excess, program.scale_of_gap(point)


def _assert_honest(case: Case, found: Answer, gap: float, tolerance: float) -> None:
    if found.status is Status.CONVERGED:
        assert gap <= tolerance + ROUNDING, f"{case}: it says CONVERGED and its relative gap is {gap:.1e}"
