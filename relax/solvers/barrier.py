"""A general fall-back: path following with a log-determinant barrier, for any program of moderate size.

Minimises f(M) + μ φ(M), φ = −log det Q − Σ log det A_a − Σ log(slacks), for μ ↓ 0 by Newton's method with the
equalities eliminated by their multipliers. μ Q⁻¹ and μ A_a⁻¹ are then a dual slack, positive definite by
construction (Boyd & Vandenberghe, Convex Optimization, §11.2–11.6).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from jaxtyping import Float

from relax.bounds import Witness
from relax.orbits import OrbitMatrix, from_parts
from relax.program import GramProgram
from relax.rules import Fixed, RidgeCost
from relax.solution import Status
from relax.solvers.candidate import Candidate

LARGEST = 60  # slots; the Newton matrix has the square of half their square
MOST_STEPS = 400
SHRINK = 0.1  # of μ, once the point is central
CENTRAL = 1e-2  # Newton decrement over μ below which it is


def supports(program: GramProgram) -> str | None:
    """Return None for programs of a size the dense Newton matrix allows, else the reason why not."""
    slots = program.groups * program.roles
    return (
        None if slots <= LARGEST else f"{slots} slots are too many for the barrier method; it takes {LARGEST}"
    )


@dataclass(frozen=True, eq=False)
class Coordinates:
    """x = upper triangles of the quotient Q and of each A_a with g_a ≥ 2, and entries as linear maps of x."""

    program: GramProgram

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """(offset, size) in x of Q and then of each A_a."""
        s, several = self.program.roles, int(np.count_nonzero(self.program.multiplicity > 1))
        sizes = [self.program.groups * s] + [s] * several
        ends = np.cumsum([q * (q + 1) // 2 for q in sizes])
        return [(int(end) - q * (q + 1) // 2, q) for end, q in zip(ends, sizes, strict=True)]

    @cached_property
    def length(self) -> int:
        """The number of coordinates."""
        offset, q = self.blocks[-1]
        return offset + q * (q + 1) // 2

    def matrices(self, x: Float[np.ndarray, " N"]) -> list[Float[np.ndarray, "q q"]]:
        """Return Q and the A_a."""
        return [_symmetric(x[o : o + q * (q + 1) // 2], q) for o, q in self.blocks]

    def orbit_matrix(self, x: Float[np.ndarray, " N"]) -> OrbitMatrix:
        """Return M."""
        quotient, *apart = self.matrices(x)
        s, g = self.program.roles, self.program.multiplicity
        within = np.zeros((len(g), s, s))
        within[g > 1] = np.array(apart).reshape(-1, s, s)
        return from_parts(g, quotient, within)

    @cached_property
    def entries(self) -> tuple[sp.csr_array, sp.csr_array]:
        """Linear maps from x to own entries (m·s·s rows) and to peer entries (ms·ms rows)."""
        columns = [self.orbit_matrix(unit) for unit in np.eye(self.length)]
        own = np.array([c.own.reshape(-1) for c in columns]).T
        peer = np.array([c.peer.reshape(-1) for c in columns]).T
        return sp.csr_array(own), sp.csr_array(peer)

    @cached_property
    def diagonal(self) -> sp.csr_array:
        """Linear map from x to the diagonal, one row a slot."""
        m, s = self.program.groups, self.program.roles
        slot = np.arange(m * s)
        pick = sp.csr_array((np.ones(m * s), (slot, slot * s + slot % s)), shape=(m * s, m * s * s))
        return sp.csr_array(pick @ self.entries[0])

    @cached_property
    def equalities(self) -> Float[np.ndarray, "p N"]:
        """The rows of the fixed diagonal entries."""
        fixed = [rule.slots for rule in self.program.rules if isinstance(rule, Fixed)]
        slots = np.concatenate(fixed) if fixed else np.zeros(0, dtype=int)
        return self.diagonal[slots].toarray()

    @cached_property
    def inequalities(self) -> tuple[sp.csr_array, Float[np.ndarray, " q"]]:
        """(A, b) with A x ≤ b: bounds, budgets, and non-negative entries."""
        lines, bounds = [sp.csr_array((0, self.length))], [np.zeros(0)]
        for rule in self.program.rules:
            matrix, bound = rule.inequalities(self.program.slot_multiplicity[rule.slots])
            lines.append(sp.csr_array(matrix @ self.diagonal[rule.slots]))
            bounds.append(bound)
        if self.program.nonnegative:
            own, peer = self.entries
            read = _read_peers(self.program)
            lines += [-own, -peer[read]]
            bounds.append(np.zeros(self.program.groups * self.program.roles**2 + len(read)))
        return sp.csr_array(sp.vstack(lines)), np.concatenate(bounds)

    @cached_property
    def ridge(self) -> Float[np.ndarray, " N"]:
        """Gradient of what ridges cost."""
        total = np.zeros(self.length)
        for rule in self.program.rules:
            if isinstance(rule, RidgeCost):
                g = self.program.slot_multiplicity[rule.slots]
                total += (g * rule.weights) @ self.diagonal[rule.slots]
        return total

    def start(self) -> Float[np.ndarray, " N"]:
        """Return the coordinates of a strictly feasible point: a multiple of the identity, or (I + 11ᵀ)/2."""
        g, s, m = self.program.multiplicity, self.program.roles, self.program.groups
        level = np.empty(m * s)
        for rule in self.program.rules:
            level[rule.slots] = rule.interior(self.program.slot_multiplicity[rule.slots])
        common = 0.5 if self.program.nonnegative else 0.0
        root = np.sqrt(level)
        own = np.repeat(((1 - common) * np.eye(s) + common)[None], m, axis=0)
        point = OrbitMatrix(g, own, np.full((m * s, m * s), common)).scaled(root)
        apart = point.within()[g > 1]
        return np.concatenate([_triangle(point.quotient()), *map(_triangle, apart)])


def solve(program: GramProgram, tolerance: float, deadline: float) -> Candidate:
    """Return a point and witness whose relative gap is about `tolerance` (the bounds say what it is)."""
    path = _Path(Coordinates(program))
    x = path.coordinates.start()
    mu = program.scale_of_gap(path.coordinates.orbit_matrix(x)) / path.parameter
    status, steps = Status.ITERATION_LIMIT, 0
    while steps < MOST_STEPS:
        steps += 1
        if time.monotonic() > deadline:
            status = Status.TIME_LIMIT
            break
        x, decrement, moved = path.newton(x, mu)
        if decrement > CENTRAL * mu and moved:
            continue
        wanted = 0.3 * tolerance * program.scale_of_gap(path.coordinates.orbit_matrix(x)) / path.parameter
        if mu <= wanted or not moved:
            status = Status.CONVERGED if mu <= wanted else Status.STALLED
            break
        mu = max(SHRINK * mu, wanted)
    return Candidate(path.coordinates.orbit_matrix(x), path.witness(x, mu), status, steps)


@dataclass(frozen=True, eq=False)
class _Path:
    """The central path of one program."""

    coordinates: Coordinates

    @cached_property
    def parameter(self) -> float:
        """The parameter of the barrier: its gap on the path is this times μ."""
        return sum(q for _, q in self.coordinates.blocks) + len(self.coordinates.inequalities[1])

    def value(self, x: Float[np.ndarray, " N"], mu: float) -> float:
        """Return f + μ φ; infinite outside the interior."""
        slack = self._slack(x)
        factors = [_cholesky(block) for block in self.coordinates.matrices(x)]
        if np.any(slack <= 0) or any(factor is None for factor in factors):
            return np.inf
        barrier = -sum(2 * np.log(np.diag(factor)).sum() for factor in factors if factor is not None)
        barrier -= np.log(slack).sum()
        return self.coordinates.program.excess(self.coordinates.orbit_matrix(x)) + mu * barrier

    def newton(self, x: Float[np.ndarray, " N"], mu: float) -> tuple[Float[np.ndarray, " N"], float, bool]:
        """Return the point after a damped Newton step, the squared decrement, and whether it moved."""
        gradient, hessian = self._derivatives(x, mu)
        equal = self.coordinates.equalities
        p = len(equal)
        scale = np.sqrt(np.diag(hessian))  # a Jacobi scaling: entries and slacks differ by many orders
        scaled = equal / scale
        kkt = np.block([[hessian / np.outer(scale, scale), scaled.T], [scaled, np.zeros((p, p))]])
        right = np.concatenate([-gradient / scale, np.zeros(p)])
        direction = scipy.linalg.solve(kkt, right, assume_a="sym", check_finite=False)[: len(x)] / scale
        decrement = float(-gradient @ direction)
        here, length = self.value(x, mu), 1.0
        while length > 1e-10:
            if self.value(x + length * direction, mu) <= here - 0.1 * length * decrement:
                return x + length * direction, decrement, True
            length /= 2
        return x, decrement, False

    def witness(self, x: Float[np.ndarray, " N"], mu: float) -> Witness:
        """Return μ Q⁻¹ and μ A_a⁻¹ as a dual slack."""
        program = self.coordinates.program
        g, s = program.multiplicity, program.roles
        quotient, *apart = self.coordinates.matrices(x)
        within = np.zeros((program.groups, s, s))
        for a, block in zip(np.flatnonzero(g > 1), apart, strict=True):
            within[a] = np.sqrt(mu / (g[a] - 1)) * _inverse_factor(block)
        factor = np.sqrt(mu) * _inverse_factor(quotient) / np.sqrt(program.slot_multiplicity)[:, None]
        return Witness(self.coordinates.orbit_matrix(x), factor, within)

    def _slack(self, x: Float[np.ndarray, " N"]) -> Float[np.ndarray, " q"]:
        matrix, bound = self.coordinates.inequalities
        return bound - matrix @ x

    def _derivatives(self, x: Float[np.ndarray, " N"], mu: float) -> tuple[np.ndarray, np.ndarray]:
        gradient, hessian = self._rows(x)
        gradient = gradient + self.coordinates.ridge
        matrix, slack = self.coordinates.inequalities[0], self._slack(x)
        gradient = gradient + mu * (matrix.T @ (1 / slack))
        hessian = hessian + mu * (matrix.T @ sp.diags_array(1 / slack**2) @ matrix).toarray()
        for (offset, q), block in zip(self.coordinates.blocks, self.coordinates.matrices(x), strict=True):
            inverse = np.linalg.inv(block)
            inverse = (inverse + inverse.T) / 2
            part = slice(offset, offset + q * (q + 1) // 2)
            gradient[part] -= mu * _triangle(inverse * (2 - np.eye(q)))
            hessian[part, part] += mu * _log_det_hessian(inverse)
        return gradient, hessian

    def _rows(self, x: Float[np.ndarray, " N"]) -> tuple[np.ndarray, np.ndarray]:
        """Return gradient and Hessian of the rows: (w/τ²) Σ_e π_e (e − ē)(e − ē)ᵀ with softmax π."""
        program = self.coordinates.program
        point = self.coordinates.orbit_matrix(x)
        gradient, hessian = np.zeros(len(x)), np.zeros((len(x), len(x)))
        for rows, table, state in zip(program.rows, program.tables, program.states(point), strict=True):
            weight = rows.floats.weight / float(program.normaliser)
            slope = table.members * state.slope
            softmax = slope + table.members * table.target
            for t in range(len(weight)):
                entry = self._row_entries(int(rows.anchor[t]), rows.roles)
                gradient += (weight[t] / program.tau) * (entry.T @ slope[t])
                mean = entry.T @ softmax[t]
                curvature = (entry.T @ sp.diags_array(softmax[t]) @ entry).tocoo()
                scale = weight[t] / program.tau**2
                hessian[curvature.row, curvature.col] += scale * curvature.data
                used = np.flatnonzero(mean)
                hessian[np.ix_(used, used)] -= scale * np.outer(mean[used], mean[used])
        return gradient, hessian

    def _row_entries(self, anchor: int, roles: tuple[int, int]) -> sp.csr_array:
        """Return the map from x to the entries an anchor reads: its own, then one for each group."""
        m, s = self.coordinates.program.groups, self.coordinates.program.roles
        (r, q), (own, peer) = roles, self.coordinates.entries
        line = (anchor * s + r) * m * s + np.arange(m) * s + q
        return sp.csr_array(sp.vstack([own[[(anchor * s + r) * s + q]], peer[line]]))


def _read_peers(program: GramProgram) -> np.ndarray:
    """Return the flat positions of peer entries that mean something, each once."""
    s, g = program.roles, program.multiplicity
    slots = len(g) * s
    group = np.arange(slots) // s
    meaningful = (group[:, None] != group) | (g[group] > 1)[:, None]
    return np.flatnonzero((meaningful & np.triu(np.ones((slots, slots), dtype=bool))).ravel())


def _triangle(matrix: Float[np.ndarray, "q q"]) -> Float[np.ndarray, " N"]:
    return matrix[np.triu_indices(len(matrix))]


def _symmetric(triangle: Float[np.ndarray, " N"], q: int) -> Float[np.ndarray, "q q"]:
    matrix = np.zeros((q, q))
    matrix[np.triu_indices(q)] = triangle
    return matrix + np.triu(matrix, 1).T


def _cholesky(matrix: Float[np.ndarray, "q q"]) -> Float[np.ndarray, "q q"] | None:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None


def _inverse_factor(matrix: Float[np.ndarray, "q q"]) -> Float[np.ndarray, "q q"]:
    """Return F with F Fᵀ = matrix⁻¹."""
    return np.linalg.inv(np.linalg.cholesky(matrix)).T


def _log_det_hessian(inverse: Float[np.ndarray, "q q"]) -> Float[np.ndarray, "N N"]:
    """Return the Hessian of −log det X in the upper triangle of X: tr(X⁻¹ E_ij X⁻¹ E_kl)."""
    i, j = np.triu_indices(len(inverse))
    half = np.where(i == j, 0.5, 1.0)
    products = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
    return 2.0 * products * np.outer(half, half)
