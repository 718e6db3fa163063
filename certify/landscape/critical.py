"""The temperature above which a bad minimum ceases to be one: followed in floats, proven at both ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64

from certify.landscape.bracket import Bracket
from certify.landscape.proof import prove_minimum, prove_saddle
from certify.landscape.roots import box, polish
from certify.landscape.second import second_order, spectrum
from certify.landscape.setting import PRECISION, Setting, held_by, setting
from certify.landscape.system import system
from relax.counts import exact_rational
from relax.errors import between
from relax.problem import Problem

STEP, SMALLEST_STEP = 1.08, 1.0005  # from one temperature to the next
NEAR = 0.4  # of the wanted width, on either side of the root in floats
DIGITS = 9  # significant, of temperatures that are tried

Branch = tuple[float, Float64[np.ndarray, "n d"], float]  # temperature, features, smallest eigenvalue
Next = Callable[[float, Float64[np.ndarray, "n d"]], Branch | None]


def critical_temperature(
    features: Any, problem: Problem, labels: Any = None, relative: float = 1e-3, highest: float = 10.0
) -> Bracket:
    """Return temperatures around the one above which a local minimum ceases to be one.

    The stationary point is followed from the problem's temperature upwards until its smallest eigenvalue
    modulo rotation changes sign, all in floats. Then the point of the lower end is proven to be a strict
    local minimum, and that of the upper end to be stationary with a direction in which the loss falls. That
    both are of one curve of stationary points is seen, not proven.

    Parameters
    ----------
    features, problem, labels
        As in `prove_minimum`; the problem's temperature is where to start.
    relative : float
        How wide the bracket may be, relative to its lower end.
    highest : float
        Where to give up.

    Returns
    -------
    Bracket
        Without an end where it is not proven, `reason` says why.

    Raises
    ------
    InputError
        As `prove_minimum`, or if a number is out of its range.
    """
    relative = between(relative, 0, 1, "relative", "1e-3")
    highest = between(highest, 0, np.inf, "highest", "10")
    start = setting(features, problem, labels)
    follow = _follow(start)
    here = follow(problem.temperature, start.features)
    if here is None or here[2] <= 0:
        return Bracket(None, None, "the features are not near a local minimum at the problem's temperature")
    found = _crossing(here, follow, relative, highest)
    if isinstance(found, str):
        return Bracket(None, None, found)
    return _proven(problem, found, relative)


def _follow(start: Setting) -> Next:
    """Return what finds the stationary point at another temperature, near one; None where it does not."""

    def follow(temperature: float, features: Float64[np.ndarray, "n d"]) -> Branch | None:
        with ctx.workprec(PRECISION):
            problem = replace(start.problem, temperature=temperature)
            there = start._replace(program=problem.program("samples"), features=features)
            held = held_by(there)
            near = polish(there.program, features, held, turned=False)
            if isinstance(near, str):
                return None
            given = system(there.program, near, held)
            try:
                values, _, _ = spectrum(second_order(given, box(given, arb(0))))
            except np.linalg.LinAlgError:
                return None
        return temperature, near, float(values[0])

    return follow


def _crossing(here: Branch, follow: Next, relative: float, highest: float) -> tuple[Branch, Branch] | str:
    """Return the branch below and above the change of sign, or why there is none."""
    step = STEP
    while True:
        ahead = _rounded(here[0] * step)
        if ahead > highest:
            return f"the minimum is still one at temperature {here[0]:g}, and the search ends at {highest:g}"
        found = follow(ahead, here[1])
        if found is None:
            step = step**0.5
            if step < SMALLEST_STEP:
                return f"the curve of stationary points is lost at temperature {here[0]:g}: it may turn back"
        elif found[2] > 0:
            here = found
        else:
            return _narrowed(here, found, follow, relative)


def _narrowed(low: Branch, high: Branch, follow: Next, relative: float) -> tuple[Branch, Branch]:
    """Return both ends, nearer to each other, by halving."""
    while high[0] / low[0] - 1 > relative * NEAR / 4:
        middle = _rounded((low[0] + high[0]) / 2)
        found = follow(middle, low[1])
        if found is None or middle in (low[0], high[0]):
            break
        low, high = (found, high) if found[2] > 0 else (low, found)
    root = (low[0] + high[0]) / 2
    ends = [follow(_rounded(root * (1 + side * relative * NEAR)), low[1]) for side in (-1, 1)]
    first, last = ends
    return (first or low, last or high)


def _proven(problem: Problem, ends: tuple[Branch, Branch], relative: float) -> Bracket:
    """Prove both ends."""
    (low, below, _), (high, beyond, _) = ends
    minimum = prove_minimum(below, replace(problem, temperature=low), alone=False)
    saddle = prove_saddle(beyond, replace(problem, temperature=high), alone=False)
    reason = "a strict local minimum at the lower end, and a saddle at the upper end"
    if not minimum.proven:
        reason = f"at temperature {low:g}: {minimum.reason}"
    elif not saddle.proven:
        reason = f"at temperature {high:g}: {saddle.reason}"
    return Bracket(
        exact_rational(low) if minimum.proven else None,
        exact_rational(high) if saddle.proven else None,
        reason,
        minimum if minimum.proven else None,
        saddle if saddle.proven else None,
    )


def _rounded(temperature: float) -> float:
    """Return a temperature with few digits near one."""
    return float(f"{temperature:.{DIGITS}g}")
