"""A general solver for programs of moderate size: primal–dual path following, to full relative accuracy.

It follows the central path (`path`) in the coordinates of Nesterov and Todd (`nesterov_todd`), keeping the
iterate that proves most.
"""

from __future__ import annotations

import contextlib
import time

import numpy as np

from relax.answer import Answer, Status
from relax.program import GramProgram
from relax.solvers.barrier.coordinates import Coordinates
from relax.solvers.barrier.nesterov_todd import scaled
from relax.solvers.barrier.path import Path

LARGEST = 60  # slots; the Newton matrix has the square of half their square
MOST_STEPS = 150
PATIENCE = 12  # steps that bring neither the gap nor μ down


def supports(program: GramProgram) -> str | None:
    """Return None for programs of up to 60 slots, else the reason why not."""
    slots = program.groups * program.roles
    return (
        None if slots <= LARGEST else f"{slots} slots are too many for the barrier method; it takes {LARGEST}"
    )


def solve(program: GramProgram, tolerance: float, deadline: float) -> Answer:
    """Return a point and a witness; `iterations` counts Newton steps, each one factorisation.

    Parameters
    ----------
    program : GramProgram
        Of up to 60 slots.
    tolerance : float
        Wanted relative gap.
    deadline : float
        On the clock of `time.monotonic`.
    """
    path = Path(Coordinates(program))
    here = path.start()
    best, least = path.proven(here), np.inf
    status, steps, idle = Status.STALLED, 0, 0
    try:
        with np.errstate(all="ignore"), contextlib.suppress(np.linalg.LinAlgError, ZeroDivisionError):
            while idle < PATIENCE and best.relative_gap > tolerance:
                if steps == MOST_STEPS or time.monotonic() > deadline:
                    status = Status.ITERATION_LIMIT if steps == MOST_STEPS else Status.TIME_LIMIT
                    break
                here, steps = path.newton(here), steps + 1
                found, mu = path.proven(here), scaled(here).mu
                idle = 0 if found.gap < 0.9 * best.gap or mu < 0.9 * least else idle + 1
                best, least = min(best, found, key=lambda one: one.gap), min(least, mu)
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    if best.relative_gap <= tolerance:
        status = Status.CONVERGED
    return Answer(program, best.point, best.witness, status, steps)
