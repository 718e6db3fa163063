"""Burer–Monteiro: the Gram matrix in factors, minimised by Newton's method, proven by its dual slack.

The logarithm of the excess is minimised over (V, Ŷ) on products of spheres (`factored`), by conjugate
gradients on exact Hessian products within a trust region (`spheres`), with a preconditioner that knows the
dual slack to be of rank one or nearly (`preconditioner`). In factors the program is not convex, but a
stationary point whose dual slack is positive semidefinite is a global minimum, and one whose slack is not
shows the direction of a further column of V (Boumal, Voroninski & Bandeira, arXiv 1606.04970). Entries that
may not be negative get multipliers and penalties (`walls`).
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import feasible, witness_at
from relax.program import GramProgram
from relax.solvers.low_rank.factored import Factors, Model
from relax.solvers.low_rank.preconditioner import preconditioned
from relax.solvers.low_rank.spheres import Quadratic, Step, Vector, trust_region_step
from relax.solvers.low_rank.walls import walls_at
from relax.solvers.worth import LEAST_EXCESS, Worth, worth

LARGEST = 1_000  # slots; a Hessian product multiplies dense matrices of this size
MOST_STEPS = 100  # from one start
MOST_PRODUCTS = 500  # Hessian products in one step
MOST_PROOFS = 12
MOST_WALLS = 40  # as many descents where M ≥ 0
PATIENCE = 8  # moves of walls that do not halve the gap
TARGET, WALLED_TARGET = 100.0, 0.1  # the decrement at which a proof is tried, beside the tolerance
LOOSE = 0.1  # by how much conjugate gradients reduce the residual far from the solution
TIGHTER = 0.5  # the factor on that after each full step
ROUNDING = 3e-14  # what the objective is known to, relative to max(1, |objective|)
IDLE = 3  # steps within rounding that do not bring the gradient down
BEYOND_RESIDUAL = 100.0  # a negative eigenvalue of the slack, beside what the gradient can make it
NEW_COLUMN = 1e-2  # its length beside that of all of V
WARM = 1e-6  # decrement that a higher temperature is solved to


def supports(program: GramProgram) -> str | None:
    """Return None for programs of up to 1,000 slots, else the reason why not."""
    slots = program.groups * program.roles
    return None if slots <= LARGEST else f"{slots} slots are too many for low_rank; it takes {LARGEST}"


def solve(
    program: GramProgram,
    tolerance: float,
    deadline: float,
    rank: int | None = None,
    start: Answer | None = None,
) -> Answer:
    """Return a point and a witness; `iterations` counts Hessian products, each about a gradient's work.

    Parameters
    ----------
    program : GramProgram
        Of up to 1,000 slots.
    tolerance : float
        Wanted relative gap.
    deadline : float
        On the clock of `time.monotonic`.
    rank : int, optional
        Columns of V to start from, the number of groups by default; more are added where they are needed.
    start : Answer, optional
        For a program of as many groups and roles: its point is where the search begins.
    """
    factors, started = Factors(program, program.groups if rank is None else rank), time.monotonic()
    x = factors.start() if start is None else factors.near(start.point)
    first = worth(program, factors.matrix(x))
    search = Search(factors, x, first, deadline - (time.monotonic() - started))  # the last takes as long
    if program.nonnegative:
        search.move_walls()
    try:
        with np.errstate(all="ignore"):  # where a program has no minimum, values go to −∞ and end the search
            status = search.run(tolerance)
    except KeyboardInterrupt:
        search.prove_here()
        status = Status.INTERRUPTED
    except np.linalg.LinAlgError:  # a number out of the reach of float64; what is proven so far stands
        status = Status.STALLED
    return Answer(program, search.best.point, search.best.witness, status, search.products)


class End(Enum):
    """What ended a descent."""

    TARGET = "the gradient is as small as wanted"
    ROUNDING = "no step lowers the objective in float64"
    STEPS = "there were too many steps"
    TIME = "time is up"
    UNDERFLOW = "the excess is zero, or below what float64 holds"


@dataclass
class Search:
    """Where the search for one program stands, so that it can be left at any time.

    Attributes
    ----------
    factors : Factors
        Coordinates.
    x : array, shape (N,)
        The point.
    best : Worth
        The smallest gap so far.
    deadline : float
        When to stop.
    products : int
        Hessian products so far.
    decrement : float
        What the last descent reached (`descend`).
    proven : array, shape (N,), or None
        The point that a proof was last tried at, with these walls.
    """

    factors: Factors
    x: Vector
    best: Worth
    deadline: float = np.inf
    products: int = 0
    decrement: float = field(default=np.inf, init=False)
    proven: Vector | None = field(init=False)

    def __post_init__(self) -> None:
        self.proven = self.x

    def run(self, tolerance: float) -> Status:
        """Descend until the gap is proven; if it is not, with new walls, more columns, or from hotter."""
        walled, warmed = self.factors.walls is not None, False
        target, gaps = (WALLED_TARGET if walled else TARGET) * tolerance, [np.inf]
        for _ in range(MOST_WALLS if walled else MOST_PROOFS):
            end = self.descend(target)
            self.prove_here()
            if self.best.relative_gap <= tolerance:
                return Status.CONVERGED
            if end is End.TIME or end is End.UNDERFLOW:
                return Status.TIME_LIMIT if end is End.TIME else Status.STALLED
            if walled:
                gaps.append(self.best.gap)
                if len(gaps) > PATIENCE and gaps[-1] > 0.5 * gaps[-PATIENCE]:
                    return Status.STALLED
                if not self._widen(tolerance):
                    self.move_walls()
                continue
            if end is End.STEPS and not warmed:
                self._warm_start()
                warmed = True
            elif end is not End.STEPS and not self._widen(tolerance) and end is End.ROUNDING:
                return Status.STALLED
            target = min(target, self.decrement) / 10.0
        return Status.ITERATION_LIMIT

    def prove_here(self) -> None:
        """Keep what the present point proves, if it is the best so far."""
        if self.proven is self.x:
            return
        self.proven = self.x
        with contextlib.suppress(np.linalg.LinAlgError):  # raised for what is not finite
            program, walls, matrix = self.factors.program, self.factors.walls, self.factors.matrix(self.x)
            paid = None if walls is None else walls.push(matrix)
            point = feasible(program, matrix)
            found = worth(program, point, witness_at(program, point, paid))
            self.best = min(self.best, found, key=lambda one: one.gap)

    def out_of_time(self) -> bool:
        """Return whether the deadline has passed."""
        return time.monotonic() > self.deadline

    def descend(self, target: float) -> End:
        """Take Newton steps until the decrement is at the target, or what else ends it.

        The decrement is the length of the gradient in the norm dual to the preconditioner's; half its square
        is about how far the objective is above its minimum.
        """
        radius, reach, accuracy, idle, lowest = 1.0, 1.0, LOOSE, 0, np.inf
        for _ in range(MOST_STEPS):
            if self.out_of_time():
                return End.TIME
            model = Model(self.factors, self.x)
            if not (model.unit > LEAST_EXCESS and np.isfinite(model.gradient).all()):
                return End.UNDERFLOW
            model, inverse = preconditioned(model, min(reach, radius))
            self.x = model.x
            reach = self.decrement = float(np.sqrt(max(0.0, model.gradient @ inverse(model.gradient))))
            noise = ROUNDING * max(1.0, abs(model.value))
            idle = idle + 1 if reach**2 < noise and reach > 0.5 * lowest else 0
            lowest = min(lowest, reach)
            if reach <= target or idle >= IDLE:
                return End.TARGET if reach <= target else End.ROUNDING
            if self.out_of_time():
                return End.TIME
            quadratic = Quadratic(model.gradient, model.hessian, inverse)
            wanted = max(accuracy, min(reach, LOOSE))
            step = trust_region_step(quadratic, radius, MOST_PRODUCTS, wanted, self.deadline)
            self.products += step.products
            fraction = self._move(model, step, noise)
            if fraction == 0.0:
                return End.ROUNDING
            accuracy = LOOSE if fraction < 1.0 or step.at_boundary else TIGHTER * wanted
            grown = 2.5 if step.at_boundary else 1.0
            radius = radius * grown if fraction == 1.0 else fraction * step.length
        return End.STEPS

    def _move(self, model: Model, step: Step, noise: float) -> float:
        """Go along the step as far as the model can be trusted; return which fraction that was."""
        spheres, fraction = self.factors.spheres, 1.0
        while fraction > 1e-8:
            x = spheres.retract(self.x + fraction * step.direction)
            value = self.factors.objective(x)
            promised = fraction * step.slope - 0.5 * fraction**2 * step.curvature
            if np.isfinite(value) and model.value - value + noise > 0.1 * (promised + noise):
                self.x = x
                return fraction
            fraction /= 2.0
        return 0.0

    def move_walls(self) -> None:
        """Take multipliers of M ≥ 0 from the present point, and penalties from second derivatives there."""
        model = Model(replace(self.factors, walls=None), self.x)
        self.factors = replace(self.factors, walls=walls_at(model.matrix, model.single, self.factors.walls))
        self.proven = None

    def _widen(self, tolerance: float) -> bool:
        """Add the columns that the dual slack asks for, up to as many as there are; return whether it did."""
        factors, room = self.factors, min(self.factors.rank, self.factors.slots - self.factors.rank)
        values, vectors = np.linalg.eigh(Model(factors, self.x).dual_slack())
        size = float(np.trace(factors.matrix(self.x).quotient()))
        wanted = -values[:room] * size > max(tolerance, BEYOND_RESIDUAL * self.decrement)
        if not wanted.any():
            return False
        columns = NEW_COLUMN * np.sqrt(size) * vectors[:, :room][:, wanted]
        self.factors, self.x = factors.widened(self.x, columns)
        return True

    def _warm_start(self) -> None:
        """Solve at temperatures as high as the entries, then halve the temperature down to ours.

        Nodes that attract each other, many times as strongly as others repel, are then together already.
        """
        ours, self.x = self.factors, self.factors.start()
        program = ours.program
        height = 0.5 * float(ours.matrix(self.x).diagonal().max())
        halvings = int(np.ceil(np.log2(max(1.0, height / program.tau))))
        for i in range(halvings, 0, -1):
            hotter = replace(program, temperature=program.temperature * Fraction(2**i))
            self.factors = replace(ours, program=hotter)
            self.descend(WARM)
        self.factors = ours
