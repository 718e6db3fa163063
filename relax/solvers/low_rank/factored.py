"""A Gram program in factors: the quotient is Q = V Vᵀ, the blocks within groups are A_a = Y_a Y_aᵀ.

With ŷ = √(g_a − 1) y, a diagonal entry of M is (|v|² + |ŷ|²)/g_a, so that every diagonal rule but the ridge
puts the vectors (v, ŷ) of its slots on spheres (Burer & Monteiro, doi 10.1007/s10107-002-0352-8):

- `Fixed`: each (v, ŷ) on a sphere of square g_a · value;
- `Bounded`: the same with one more coordinate, the root of what is left of the bound;
- `Budget`: all √weight · (v, ŷ), and the root of what is left, on one sphere of square `total`;
- `RidgeCost`: free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import RowState
from relax.rules import Bounded, Budget, Fixed
from relax.solvers.blocks import assembled, derivative
from relax.solvers.low_rank.spheres import Spheres, Vector
from relax.solvers.low_rank.walls import Walls, ones_like

NEARBY = 1e-6  # the same of a start near a given matrix
ASYMMETRY = 1e-3  # of the start: what is equal by symmetry alone could otherwise never part


class Parts(NamedTuple):
    """V, Ŷ, and the roots of what is left of bounds and budgets."""

    quotient: Float[np.ndarray, "ms r"]
    within: Float[np.ndarray, "ms s"]
    left: Float[np.ndarray, " q"]


@brief
@dataclass(frozen=True, eq=False)
class Factors:
    """Flat coordinates x of V (with `rank` columns), Ŷ and what is left.

    x holds (v, ŷ) slot by slot, times √weight under a budget, then what is left. Walls stand for M ≥ 0.
    """

    program: GramProgram
    rank: int
    walls: Walls | None = None

    @cached_property
    def slots(self) -> int:
        """The number of slots ms."""
        return self.program.groups * self.program.roles

    @property
    def width(self) -> int:
        """The length of (v, ŷ)."""
        return self.rank + self.program.roles

    @cached_property
    def root_weight(self) -> Float[np.ndarray, "ms 1"]:
        """√weight of slots under a budget, one elsewhere."""
        root = np.ones((self.slots, 1))
        for rule in self.program.rules:
            if isinstance(rule, Budget):
                root[rule.slots, 0] = np.sqrt(rule.weights)
        return root

    @cached_property
    def spheres(self) -> Spheres:
        """The spheres of the diagonal rules."""
        of_slot, square, left = np.full(self.slots, -1), np.zeros(0), np.zeros(0, dtype=int)
        for rule in self.program.rules:
            sphere = len(square) + np.arange(len(rule.slots))
            if isinstance(rule, (Fixed, Bounded)):
                square = np.append(square, rule.square * self.program.slot_multiplicity[rule.slots])
            elif isinstance(rule, Budget):
                sphere = np.full(1, len(square))
                square = np.append(square, rule.allowance)
            else:
                continue
            of_slot[rule.slots] = sphere
            left = left if isinstance(rule, Fixed) else np.append(left, sphere)
        return Spheres(np.where(of_slot < 0, len(square), of_slot), self.width, left, square)

    def parts(self, x: Vector) -> Parts:
        """Return V, Ŷ and what is left."""
        by_slot = x[: self.slots * self.width].reshape(self.slots, self.width) / self.root_weight
        return Parts(by_slot[:, : self.rank], by_slot[:, self.rank :], x[self.slots * self.width :])

    def cotangent(self, quotient: Float[np.ndarray, "ms r"], within: Float[np.ndarray, "ms s"]) -> Vector:
        """Return derivatives with respect to V and Ŷ as derivatives with respect to x."""
        result = np.zeros(self.spheres.end + len(self.spheres.left))
        by_slot = result[: self.spheres.end].reshape(self.slots, self.width)
        np.divide(quotient, self.root_weight, out=by_slot[:, : self.rank])
        np.divide(within, self.root_weight, out=by_slot[:, self.rank :])
        return result

    def matrix(self, x: Vector) -> OrbitMatrix:
        """Return M."""
        v, y, _ = self.parts(x)
        return assembled(self.program, v @ v.T, self.products(y, y))

    def objective(self, x: Vector) -> float:
        """Return what is minimised at x; −∞ where its logarithm is none."""
        matrix = self.matrix(x)
        cost = 0.0 if self.walls is None else self.walls.value(matrix)
        return self.measured(self.program.excess(matrix) + cost)

    def measured(self, excess: float) -> float:
        """Return the logarithm of an excess, or the value itself where the program has no floor.

        At low temperature excesses span hundreds of orders of magnitude, their logarithm does not.
        """
        if np.isinf(self.program.floor):
            return excess
        return float(np.log(excess)) if excess > 0 else -np.inf

    def products(
        self, first: Float[np.ndarray, "ms s"], second: Float[np.ndarray, "ms s"]
    ) -> Float[np.ndarray, "m s s"]:
        """Return Ŷ_a Ŷ'_aᵀ for each group."""
        shape = (self.program.groups, self.program.roles, self.program.roles)
        return first.reshape(shape) @ second.reshape(shape).transpose(0, 2, 1)

    def start(self) -> Vector:
        """Return x near M = I ⊗ 11ᵀ: members orthogonal, the roles of each parallel; always the same."""
        s, rng = self.program.roles, np.random.default_rng(0)
        group = np.arange(self.slots) // s
        v, y = np.eye(self.rank)[group % self.rank], np.zeros((self.slots, s))
        y[:, 0] = np.sqrt(np.maximum(self.program.slot_multiplicity - 1.0, 0.0))
        v += ASYMMETRY * rng.normal(size=v.shape)
        y += ASYMMETRY * rng.normal(size=y.shape) * y[:, :1]
        by_slot = np.hstack([v, y]) * self.root_weight
        left = np.ones(len(self.spheres.left))
        return self.spheres.retract(np.append(by_slot, left))

    def near(self, point: OrbitMatrix) -> Vector:
        """Return x near a matrix of these nodes: its factors, and what they leave of bounds."""
        rng, g = np.random.default_rng(0), self.program.slot_multiplicity
        v = _root(point.quotient())[:, ::-1][:, : self.rank]
        v = np.pad(v, ((0, 0), (0, self.rank - v.shape[1])))
        several = point.multiplicity[:, None, None] > 1
        y = _root(np.where(several, point.within(), 0.0)).reshape(self.slots, -1)
        y *= np.sqrt(np.maximum(g - 1.0, 0.0))[:, None]
        v += NEARBY * rng.normal(size=v.shape)
        y += NEARBY * rng.normal(size=y.shape) * (g > 1)[:, None]
        by_slot = np.hstack([v, y]) * self.root_weight
        row, square = self.spheres.row, self.spheres.square
        spent = np.bincount(row, np.einsum("ij,ij->i", by_slot, by_slot), len(square) + 1)[:-1]
        left = np.sqrt(np.maximum(square - spent, NEARBY**2 * square))[self.spheres.left]
        return self.spheres.retract(np.append(by_slot, left))

    def widened(self, x: Vector, columns: Float[np.ndarray, "ms q"]) -> tuple[Factors, Vector]:
        """Return factors with these columns more, and x with them in V."""
        wider = replace(self, rank=self.rank + columns.shape[1])
        v, y, left = self.parts(x)
        by_slot = np.hstack([v, columns, y]) * self.root_weight
        return wider, wider.spheres.retract(np.append(by_slot, left))


def _root(matrix: Float[np.ndarray, "*k n n"]) -> Float[np.ndarray, "*k n n"]:
    """Return F with F Fᵀ the positive part of a matrix; columns by rising norm."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]


@brief
@dataclass(frozen=True, eq=False)
class Model:
    """Value, gradient and Hessian of the objective at x, and what they are made of.

    Attributes
    ----------
    factors : Factors
        The coordinates.
    x : array, shape (N,)
        The point, on the spheres.
    """

    factors: Factors
    x: Vector

    @cached_property
    def matrix(self) -> OrbitMatrix:
        """M."""
        return self.factors.matrix(self.x)

    @cached_property
    def _linear(self) -> tuple[float, OrbitMatrix]:
        program, walls = self.factors.program, self.factors.walls
        rows, gradient = program.linearise(self.matrix)
        excess = rows + program.rule_cost(self.matrix)
        if walls is None:
            return excess, gradient
        return excess + walls.value(self.matrix), gradient - walls.push(self.matrix)

    @cached_property
    def value(self) -> float:
        """The objective."""
        return self.factors.measured(self._linear[0])

    @cached_property
    def unit(self) -> float:
        """What derivatives of the excess are divided by to be those of the objective."""
        return 1.0 if np.isinf(self.factors.program.floor) else self._linear[0]

    @cached_property
    def blocks(self) -> tuple[Float[np.ndarray, "ms ms"], Float[np.ndarray, "m s s"]]:
        """D, the derivative of the excess with respect to Q, and D_A, that with respect to (g_a − 1) A_a."""
        return derivative(self.factors.program, self._linear[1])

    @cached_property
    def states(self) -> tuple[RowState, ...]:
        """The rows at M."""
        return self.factors.program.states(self.matrix)

    @cached_property
    def single(self) -> OrbitMatrix:
        """Second derivatives of the excess in single entries."""
        return self._walled(self.factors.program.single_curvature(self.states), ones_like(self.matrix))

    def _walled(self, turned: OrbitMatrix, direction: OrbitMatrix) -> OrbitMatrix:
        walls = self.factors.walls
        return turned if walls is None else turned + walls.applied(self.matrix, direction)

    @cached_property
    def euclidean(self) -> Vector:
        """The derivative of the objective in x, spheres forgotten: 2 D V and 2 D_A Ŷ."""
        v, y, _ = self.factors.parts(self.x)
        return self._pulled(*self.blocks, v, y) / self.unit

    @cached_property
    def pull(self) -> Float[np.ndarray, " J"]:
        """The multiplier of each sphere, −2ν/weight of its slots when x is stationary."""
        return self.factors.spheres.sums(self.x, self.euclidean) / self.factors.spheres.square

    @cached_property
    def gradient(self) -> Vector:
        """The derivative in the tangent space."""
        return self.factors.spheres.tangent(self.x, self.euclidean)

    def hessian(self, u: Vector) -> Vector:
        """Return the second derivative of the objective along the spheres, applied to a tangent vector."""
        factors, spheres = self.factors, self.factors.spheres
        (v, y, _), (dv, dy, _) = factors.parts(self.x), factors.parts(u)
        quotient, apart = dv @ v.T, factors.products(dy, y)
        direction = assembled(factors.program, quotient + quotient.T, apart + apart.transpose(0, 2, 1))
        turned = self._walled(factors.program.curvature(self.states, direction), direction)
        result = self._pulled(*self.blocks, dv, dy)
        result = (result + self._pulled(turned.quotient(), turned.within(), v, y)) / self.unit
        if not np.isinf(factors.program.floor):
            result -= float(self.euclidean @ u) * self.euclidean
        return spheres.tangent(self.x, result - spheres.along(self.pull, u))

    def _pulled(self, quotient: np.ndarray, within: np.ndarray, v: np.ndarray, y: np.ndarray) -> Vector:
        several = self.factors.program.multiplicity > 1
        blocks = np.where(several[:, None, None], within, 0.0) @ y.reshape(within.shape)
        return self.factors.cotangent(2.0 * quotient @ v, 2.0 * blocks.reshape(y.shape))

    def slot_pull(self) -> Float[np.ndarray, " ms"]:
        """Return the multiplier of the sphere of each slot, zero where it is free."""
        return np.append(self.pull, 0.0)[self.factors.spheres.row]

    def dual_slack(self) -> Float[np.ndarray, "ms ms"]:
        """Return D + diag(ν) on the quotient, in units of the objective; it annihilates V when stationary."""
        multiplier = self.slot_pull() * self.factors.root_weight[:, 0] ** 2 / 2.0
        return self.blocks[0] / self.unit - np.diag(multiplier)
