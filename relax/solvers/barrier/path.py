"""The central path: minimisers of f − μ (Σ log det X_k + Σ log s) over positive definite blocks and slacks.

X_k are the blocks of M (`relax.solvers.blocks`), s the slacks of its inequalities. The multiplier Z of M ⪰ 0
is the dual slack, positive definite by construction (Boyd & Vandenberghe, Convex Optimization, §11.7;
Mehrotra, doi 10.1137/0802028).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from jaxtyping import Float

from relax.bounds import Witness
from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.solvers.barrier.coordinates import Coordinates
from relax.solvers.barrier.nesterov_todd import Bend, Direction, Iterate, Scaled, scaled
from relax.solvers.blocks import derivative
from relax.solvers.worth import Worth, worth

NEARLY = 0.99  # of the way to the boundary
LEAST_CENTRING = 1e-3  # of μ in one step
OFF_CENTRE = 0.3  # least eigenvalue of X Z over their mean, up to which μ falls by no more than this
FEW_HALVINGS, MOST_HALVINGS = 3, 30  # of a step, with and without a correction of second order
CENTRAL = 1e-2  # the same, below which a Z is not taken
RESIDUAL = 3.0  # a gap over that of the central path, up to which a multiplier counts as stationary
COMMON = 0.1  # what the entries of a non-negative start are beside its diagonal
ROUNDING = 1e-13  # what the objective is known to


def _size(program: GramProgram, point: OrbitMatrix) -> float:
    """Return what the objective can be expected to move by."""
    return program.excess(point) if np.isfinite(program.floor) else max(1.0, abs(program.value(point)))


@brief
@dataclass(frozen=True, eq=False)
class Path:
    """The central path of one program."""

    coordinates: Coordinates

    def start(self) -> Iterate:
        """Return a point strictly inside and the multipliers that make it central."""
        program = self.coordinates.program
        g, s, m = program.multiplicity, program.roles, program.groups
        level = np.empty(m * s)
        for rule in program.rules:
            level[rule.slots] = rule.interior(program.slot_multiplicity[rule.slots])
        common = COMMON if program.nonnegative else 0.0
        own = np.repeat(((1 - common) * np.eye(s) + common)[None], m, axis=0)
        point = OrbitMatrix(g, own, np.full((m * s, m * s), common)).scaled(np.sqrt(level))
        primal = tuple(np.linalg.cholesky(block) for block in self.coordinates.of(point))
        walls, bound = self.coordinates.inequalities
        slack = bound - walls @ self.coordinates.triangle([one @ one.T for one in primal])
        mu = _size(program, point) / (sum(self.coordinates.sizes) + len(slack))
        dual = tuple(np.sqrt(mu) * np.linalg.inv(one).T for one in primal)
        return Iterate(primal, dual, slack, mu / slack, np.zeros(len(self.coordinates.equalities[1])))

    def matrix(self, here: Iterate) -> OrbitMatrix:
        """Return M."""
        return self.coordinates.matrix([one @ one.T for one in here.primal])

    def own_worth(self, here: Iterate) -> Worth:
        """Return what an iterate proves by its own Z."""
        program, matrix = self.coordinates.program, self.matrix(here)
        several, s = program.multiplicity > 1, program.roles
        within = np.zeros((program.groups, s, s))
        within[several] = np.array(here.dual[1:]).reshape(-1, s, s)
        root = np.sqrt(program.slot_multiplicity)[:, None]
        return worth(program, matrix, Witness(matrix, here.dual[0] / root, within))

    def proven(self, here: Iterate) -> Worth:
        """Return what an iterate proves, by its own Z or by the multipliers that stationarity suggests.

        The first is better until slacks are too small to be exact, the second at the end.
        """
        other = worth(self.coordinates.program, self.matrix(here))
        return min(self.own_worth(here), other, key=lambda one: one.gap)

    def newton(self, here: Iterate) -> Iterate:
        """Return the iterate after one step: towards μ = 0 first, to see how much centring is needed.

        Raises
        ------
        numpy.linalg.LinAlgError
            If float64 allows no step.
        """
        at = scaled(here)
        step = self._steps(here, at)
        ahead = step(0.0, at.straight)
        shrunk = at.mu_after(ahead, at.room(ahead)) / at.mu
        least = LEAST_CENTRING if at.spread > OFF_CENTRE else OFF_CENTRE
        mu = at.mu * (float(np.clip(shrunk**3, least, 1.0)) if here.stationary else 1.0)
        for bend, most in ((at.bend(ahead), FEW_HALVINGS), (at.straight, MOST_HALVINGS)):
            with contextlib.suppress(np.linalg.LinAlgError):  # Mehrotra's correction, unless it leads astray
                return self._stationary(self._along(here, at, step(mu, bend), mu, most))
        raise np.linalg.LinAlgError("no fraction of the step lowers the barrier function")

    def _stationary(self, here: Iterate) -> Iterate:
        """Return the iterate with a Z that is nearly ∇f + Aᵀ y + Bᵀ z: its own, or this if it will do.

        Its own is near enough where its gap is hardly more than X Z and s z make it.
        """
        at = scaled(here)
        dimension = sum(self.coordinates.sizes) + len(here.slack)
        if self.proven(here).gap <= RESIDUAL * dimension * at.mu:
            return here._replace(stationary=True)
        with contextlib.suppress(np.linalg.LinAlgError):
            blocks = self.coordinates.matrices(self._residual(here))
            dual = tuple(np.linalg.cholesky(block) for block in blocks)
            exact = here._replace(dual=dual, stationary=True)
            if scaled(exact).spread > min(CENTRAL, CENTRAL**0.5 * at.spread):
                return exact
        return here

    def _steps(self, here: Iterate, at: Scaled) -> Callable[[float, Bend], Direction]:
        """Factor what a Newton step needs; return the map from μ and a bend (C, c) to the direction.

        With H the Hessian of f in E, A E = b − A x the equalities and B x + s = c the inequalities,

            (I + H) E + Aᵀ Δy + Bᵀ Δz = μ Λ⁻¹ − C − (∇f + Aᵀ y + Bᵀ z),   B E − (s/z) Δz = s − (μ − c)/z.

        The right side is small near the optimum, so that nothing cancels.
        """
        coordinates, matrix = self.coordinates, self.matrix(here)
        (lines, bound), (walls, _) = coordinates.equalities, coordinates.inequalities
        form = coordinates.hessian(coordinates.program.states(matrix))
        half = coordinates.scaled(form.toarray(), at.primal)
        hessian = coordinates.scaled(half.T, at.primal)
        hessian[np.diag_indices_from(hessian)] += 1.0
        kept = coordinates.scaled(sp.vstack([lines, walls]).toarray(), at.primal)
        downhill = -coordinates.scaled(self._residual(here)[None], at.primal)[0]
        off = bound - lines @ coordinates.triangle([one @ one.T for one in here.primal])
        solve = _saddle_point(hessian, kept, np.append(0.0 * off, at.slack / at.multiplier))

        def direction(mu: float, bend: Bend) -> Direction:
            towards = [np.diag(mu / middle) - bent for middle, bent in zip(at.middle, bend[0], strict=True)]
            aside = np.append(off, at.slack - (mu - bend[1]) / at.multiplier)
            step, pull = solve(downhill + coordinates.isometric(towards), aside)
            primal = tuple(coordinates.symmetric(step))
            dual = tuple(
                to - np.diag(middle) - one for to, middle, one in zip(towards, at.middle, primal, strict=True)
            )
            change = [g @ one @ g.T for g, one in zip(at.primal, primal, strict=True)]
            slack = -(walls @ coordinates.triangle(change))
            return Direction(primal, dual, slack, pull[len(bound) :], pull[: len(bound)])

        return direction

    def _residual(self, here: Iterate) -> Float[np.ndarray, " N"]:
        """Return ∇f + Aᵀ y + Bᵀ z, which the dual slack is at the end."""
        (lines, _), (walls, _) = self.coordinates.equalities, self.coordinates.inequalities
        return self.gradient(self.matrix(here)) + lines.T @ here.price + walls.T @ here.multiplier

    def gradient(self, matrix: OrbitMatrix) -> Float[np.ndarray, " N"]:
        """Return the derivative of the objective in x."""
        program = self.coordinates.program
        quotient, within = derivative(program, program.gradient(matrix))
        blocks = [quotient, *within[program.multiplicity > 1]]
        return self.coordinates.triangle([2.0 * block - np.diag(np.diag(block)) for block in blocks])

    def _along(self, here: Iterate, at: Scaled, way: Direction, mu: float, most: int) -> Iterate:
        """Return the farthest iterate on the way at which f − μ (Σ log det X_k + Σ log s) has fallen.

        Raises
        ------
        numpy.linalg.LinAlgError
            If there is none.
        """
        program, fraction = self.coordinates.program, min(1.0, NEARLY * at.room(way))
        value = program.excess(self.matrix(here))
        noise = ROUNDING * (abs(value) + mu * abs(at.volume))
        for _ in range(most):
            after, grown = at.moved(way, fraction)
            if program.excess(self.matrix(after)) - value - mu * grown <= noise:
                return after
            fraction /= 2.0
        raise np.linalg.LinAlgError("no fraction of the step lowers the barrier function")


def _saddle_point(
    hessian: Float[np.ndarray, "N N"], kept: Float[np.ndarray, "p N"], give: Float[np.ndarray, " p"]
) -> Callable[[Float[np.ndarray, " N"], Float[np.ndarray, " p"]], tuple[np.ndarray, np.ndarray]]:
    """Factor H u + Kᵀ v = ahead, K u − give · v = aside; return the map from right sides to (u, v)."""
    factor = scipy.linalg.cho_factor(hessian, lower=True, check_finite=False)
    normal = scipy.linalg.cho_solve(factor, kept.T, check_finite=False)
    complement = scipy.linalg.lu_factor(kept @ normal + np.diag(give), check_finite=False)

    def solve(ahead: np.ndarray, aside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        free = scipy.linalg.cho_solve(factor, ahead, check_finite=False)
        pull = scipy.linalg.lu_solve(complement, kept @ free - aside, check_finite=False)
        return free - normal @ pull, pull

    return solve
