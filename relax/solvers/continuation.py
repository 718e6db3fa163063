"""Newton's method on the dual-vector equations, and continuation from balanced counts where it fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from relax.dual_equations import DualEquations
from relax.facts import brief

ACCURATE = 1e-13  # residual at which float64 has nothing more to give
ACCEPTABLE = 1e-8  # residual at which a step that no longer improves counts as rounding
ROUNDING = 1e-12  # a step in log z and log Z that means nothing
LONGEST_STEP = 3.0  # in log z and log Z
NEAR = 8  # Newton steps from a matrix that is said to be near
SHORTEST_ADVANCE = 1e-4  # of the continuation parameter


@brief
@dataclass(frozen=True, eq=False)
class Root:
    """A solution (u, v) = (log z, log Z) of the equations, its Gram matrix, and the Newton steps so far."""

    u: Float[np.ndarray, " m"]
    v: Float[np.ndarray, " m"]
    gram: Float[np.ndarray, "m m"]
    steps: int


@dataclass
class StepCount:
    """How many Newton steps were taken (each one factorisation), and when to stop taking them."""

    deadline: float = np.inf
    steps: int = 0

    def out_of_time(self) -> bool:
        """Return whether the deadline has passed."""
        return time.monotonic() > self.deadline


def solve_equations(
    equations: DualEquations, count: StepCount, near: Float[np.ndarray, "m m"] | None = None
) -> Root | None:
    """Return the root near a matrix or the simplex ETF, by Newton's method, or else by continuation.

    Returns None when continuation stops short (the path turns or ends) or time is up.
    """
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # a step too far; what is not finite ends the search
        root = None if near is None else newton(equations, *equations.start(near), count, patience=NEAR)
        root = newton(equations, *equations.start(), count, patience=30) if root is None else root
        return root if root is not None else _continue_from_balance(equations, count)


def newton(
    equations: DualEquations,
    u: Float[np.ndarray, " m"],
    v: Float[np.ndarray, " m"],
    count: StepCount,
    patience: int,
) -> Root | None:
    """Damped Newton steps until the residual is at rounding level; None if it does not get there."""
    m, previous = len(u), np.inf
    here = equations.linearise(u, v)
    for _ in range(patience):
        error = np.abs(here.residual).max()
        if not np.isfinite(error) or count.out_of_time():
            return None
        if error <= ACCURATE or previous / 2 < error <= ACCEPTABLE:
            return Root(u, v, here.gram, count.steps)
        previous = error
        step = here.newton_step()
        count.steps += 1
        if step is None:
            return None
        if np.abs(step).max() <= ROUNDING:
            return Root(u + step[:m], v + step[m:], here.gram, count.steps)
        length, size = min(1.0, LONGEST_STEP / np.abs(step).max()), np.linalg.norm(here.residual)
        for _ in range(6):
            there = equations.linearise(u + length * step[:m], v + length * step[m:])
            if np.linalg.norm(there.residual) < (1 - 1e-4 * length) * size or error <= ACCEPTABLE:
                break
            length /= 2
        else:
            return None
        u, v, here = u + length * step[:m], v + length * step[m:], there
    return None


def _continue_from_balance(equations: DualEquations, count: StepCount) -> Root | None:
    """Follow the root from balanced numbers (t = 0) to ours (t = 1) with a tangent predictor."""
    balanced = equations.towards_balance(0.0)
    root = newton(balanced, *balanced.start(), count, patience=30)
    t, advance = 0.0, 0.5
    while root is not None and t < 1.0:
        tangent = _tangent(equations, t, root)
        if tangent is None:
            return None
        while True:
            to = min(1.0, t + advance)
            m, delta = len(root.u), (to - t) * tangent
            ahead = newton(
                equations.towards_balance(to), root.u + delta[:m], root.v + delta[m:], count, patience=8
            )
            if ahead is not None:
                break
            advance /= 2
            if advance < SHORTEST_ADVANCE or count.out_of_time():
                return None
        root, t, advance = ahead, to, 2 * advance
    return root


def _tangent(equations: DualEquations, t: float, root: Root) -> np.ndarray | None:
    """Return d(u, v)/dt: the Jacobian is exact, the derivative in t a central difference (a predictor)."""
    h = 1e-6
    after = equations.towards_balance(t + h).linearise(root.u, root.v).residual
    before = equations.towards_balance(t - h).linearise(root.u, root.v).residual
    here = equations.towards_balance(t).linearise(root.u, root.v)
    return replace(here, residual=(after - before) / (2 * h)).newton_step()
