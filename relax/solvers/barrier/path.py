"""The central path: minimisers of f − μ (Σ log det X_k + Σ log s) over positive definite blocks and slacks.

X_k are the blocks of M (`relax.solvers.blocks`), s the slacks of its inequalities. The multiplier Z of M ⪰ 0
is the dual slack, positive definite by construction (Boyd & Vandenberghe, Convex Optimization, §11.7;
Mehrotra, doi 10.1137/0802028).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from jaxtyping import Float

from relax.bounds import Witness
from relax.orbits import OrbitMatrix
from relax.solvers.barrier.coordinates import Coordinates
from relax.solvers.barrier.nesterov_todd import Direction, Iterate, Scaled, scaled
from relax.solvers.blocks import derivative
from relax.solvers.proof import Proof, prove

NEARLY = 0.99  # of the way to the boundary
LEAST_CENTRING = 1e-3  # of μ in one step
CENTRAL = 1e-2  # least eigenvalue of X Z over their mean
RESIDUAL = 3.0  # a gap over that of the central path, up to which a multiplier counts as stationary
COMMON = 0.1  # what the entries of a non-negative start are beside its diagonal
ROUNDING = 1e-13  # what the objective is known to


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
        mu = program.scale_of_gap(point) / (sum(self.coordinates.sizes) + len(slack))
        dual = tuple(np.sqrt(mu) * np.linalg.inv(one).T for one in primal)
        return Iterate(primal, dual, slack, mu / slack, np.zeros(len(self.coordinates.equalities[1])))

    def matrix(self, here: Iterate) -> OrbitMatrix:
        """Return M."""
        return self.coordinates.matrix([one @ one.T for one in here.primal])

    def own_proof(self, here: Iterate) -> Proof:
        """Return what an iterate proves by its own Z."""
        program, matrix = self.coordinates.program, self.matrix(here)
        several, s = program.multiplicity > 1, program.roles
        within = np.zeros((program.groups, s, s))
        within[several] = np.array(here.dual[1:]).reshape(-1, s, s)
        root = np.sqrt(program.slot_multiplicity)[:, None]
        return prove(program, matrix, Witness(matrix, here.dual[0] / root, within))

    def proof(self, here: Iterate) -> Proof:
        """Return what an iterate proves, by its own Z or by the multipliers that stationarity suggests.

        The first is better until slacks are too small to be exact, the second at the end.
        """
        other = prove(self.coordinates.program, self.matrix(here))
        return min(self.own_proof(here), other, key=lambda proof: proof.gap)

    def newton(self, here: Iterate) -> Iterate:
        """Return the iterate after one step: towards μ = 0 first, to see how much centring is needed.

        Raises
        ------
        numpy.linalg.LinAlgError
            If float64 allows no step.
        """
        at = scaled(here)
        affine, central = self._solved(here, at)
        ahead = self._direction(at, affine, 0.0)
        shrunk = at.mu_after(ahead, at.room(ahead)) / at.mu
        mu = at.mu * (float(np.clip(shrunk**3, LEAST_CENTRING, 1.0)) if here.stationary else 1.0)
        return self._stationary(self._along(here, at, self._direction(at, affine + mu * central, mu), mu))

    def _stationary(self, here: Iterate) -> Iterate:
        """Return the iterate with a Z that is nearly ∇f + Aᵀ y + Bᵀ z: its own, or this if it will do.

        Its own is near enough where its gap is hardly more than X Z and s z make it.
        """
        at = scaled(here)
        dimension = sum(self.coordinates.sizes) + len(here.slack)
        if self.proof(here).gap <= RESIDUAL * dimension * at.mu:
            return here._replace(stationary=True)
        (lines, _), (walls, _) = self.coordinates.equalities, self.coordinates.inequalities
        slope = self._gradient(self.matrix(here)) + lines.T @ here.price + walls.T @ here.multiplier
        with contextlib.suppress(np.linalg.LinAlgError):
            dual = tuple(np.linalg.cholesky(block) for block in self.coordinates.matrices(slope))
            exact = here._replace(dual=dual, stationary=True)
            if scaled(exact).spread > min(CENTRAL, CENTRAL**0.5 * at.spread):
                return exact
        return here

    def _solved(self, here: Iterate, at: Scaled) -> Float[np.ndarray, "2 _"]:
        """Return (E, Δy, Δz) of the step to μ = 0, and their derivatives in μ.

        With H the Hessian of f in E, A E = b − A x the equalities and B x + s = c the inequalities,

            (I + H) E + Aᵀ Δy + Bᵀ Δz = μ Λ⁻¹ − (∇f + Aᵀ y + Bᵀ z),   B E − (s/z) Δz = s − μ/z.

        The right side is small near the optimum, so that nothing cancels.
        """
        coordinates, matrix = self.coordinates, self.matrix(here)
        (lines, bound), (walls, _) = coordinates.equalities, coordinates.inequalities
        form = coordinates.hessian(coordinates.program.states(matrix))
        half = coordinates.scaled(form.toarray(), at.primal)
        hessian = coordinates.scaled(half.T, at.primal)
        hessian[np.diag_indices_from(hessian)] += 1.0
        kept = coordinates.scaled(sp.vstack([lines, walls]).toarray(), at.primal)
        slope = self._gradient(matrix) + lines.T @ at.price + walls.T @ at.multiplier
        towards = coordinates.isometric([np.diag(1.0 / middle) for middle in at.middle])
        ahead = np.column_stack([-coordinates.scaled(slope[None], at.primal)[0], towards])
        off = bound - lines @ coordinates.triangle([one @ one.T for one in here.primal])
        aside = np.column_stack([np.append(off, at.slack), np.append(0.0 * off, -1.0 / at.multiplier)])
        give = np.append(0.0 * off, at.slack / at.multiplier)
        return _saddle_point(hessian, kept, give, ahead, aside)

    def _gradient(self, matrix: OrbitMatrix) -> Float[np.ndarray, " N"]:
        """Return the derivative of the objective in x."""
        program = self.coordinates.program
        quotient, within = derivative(program, program.gradient(matrix))
        blocks = [quotient, *within[program.multiplicity > 1]]
        return self.coordinates.triangle([2.0 * block - np.diag(np.diag(block)) for block in blocks])

    def _direction(self, at: Scaled, step: Float[np.ndarray, " _"], mu: float) -> Direction:
        """Return the changes of everything that go with (E, Δy, Δz), the products aiming at μ."""
        size, prices = int(self.coordinates.ends[-1]), len(at.price)
        primal = tuple(self.coordinates.symmetric(step[:size]))
        pairs = zip(at.middle, primal, strict=True)
        dual = tuple(np.diag(mu / middle - middle) - one for middle, one in pairs)
        change = [g @ one @ g.T for g, one in zip(at.primal, primal, strict=True)]
        slack = -(self.coordinates.inequalities[0] @ self.coordinates.triangle(change))
        multiplier = (mu - at.multiplier * slack) / at.slack - at.multiplier
        return Direction(primal, dual, slack, multiplier, step[size : size + prices])

    def _along(self, here: Iterate, at: Scaled, way: Direction, mu: float) -> Iterate:
        """Return the farthest iterate on the way at which f − μ (Σ log det X_k + Σ log s) has fallen."""
        program, fraction = self.coordinates.program, min(1.0, NEARLY * at.room(way))
        value = program.excess(self.matrix(here))
        noise = ROUNDING * (abs(value) + mu * abs(at.volume))
        for _ in range(30):
            after, grown = at.moved(way, fraction)
            if program.excess(self.matrix(after)) - value - mu * grown <= noise:
                return after
            fraction /= 2.0
        raise np.linalg.LinAlgError("no fraction of the step lowers the barrier function")


def _saddle_point(
    hessian: Float[np.ndarray, "N N"],
    kept: Float[np.ndarray, "p N"],
    give: Float[np.ndarray, " p"],
    ahead: Float[np.ndarray, "N k"],
    aside: Float[np.ndarray, "p k"],
) -> Float[np.ndarray, "k _"]:
    """Return (u, v) of H u + Kᵀ v = ahead, K u − give · v = aside, one line a right side."""
    factor = scipy.linalg.cho_factor(hessian, lower=True, check_finite=False)
    normal = scipy.linalg.cho_solve(factor, kept.T, check_finite=False)
    free = scipy.linalg.cho_solve(factor, ahead, check_finite=False)
    if not len(give):
        return free.T
    complement = scipy.linalg.cho_factor(kept @ normal + np.diag(give), check_finite=False)
    pull = scipy.linalg.cho_solve(complement, kept @ free - aside, check_finite=False)
    return np.concatenate([free - normal @ pull, pull]).T
