"""Lower bounds from witnesses and upper bounds from feasible points, in float64.

A witness is untrusted: whatever it holds, the bound is a lower bound (up to rounding); a bad witness costs
gap, never truth. No eigenvalue is compared with a tolerance anywhere: the dual slack is positive
semidefinite by construction, and what does not fit is paid for by diagonal dominance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from relax.facts import brief
from relax.orbits import OrbitMatrix, from_parts
from relax.program import GramProgram
from relax.rules import Fixed

LARGEST_SPECTRUM = 400  # slots; eigenvectors beyond take twenty times as long as a Cholesky factor
NEARLY_ZERO = 1e-3  # a cosine below which M ≥ 0 counts as active in a guess of its multiplier


@brief
@dataclass(frozen=True, eq=False)
class Cluster:
    """The dual slack of members that coincide: κ (diag(w) − w wᵀ / Σ g w), κ ≥ 0.

    Attributes
    ----------
    groups : array of int, shape (q,)
        Groups whose members, all of them, stand on one point.
    weight : array, shape (q,)
        w of one member of each of these groups (its class size); exact, floats or Fractions.
    kappa : float
        κ, the curvature that holds the members together.
    """

    groups: Int[np.ndarray, " q"]
    weight: Shaped[np.ndarray, " q"]
    kappa: float


@brief
@dataclass(frozen=True, eq=False)
class Witness:
    """What a lower bound is computed from: a linearisation point and a PSD guess of the dual slack.

    The slack is W = Z Zᵀ + within-group parts (δ_ij − 1/g_a) Y_a Y_aᵀ + Σ clusters, each PSD.

    Attributes
    ----------
    base : OrbitMatrix
        M₀, where the loss is linearised; need not be feasible.
    factor : array, shape (m·s, r)
        Z, one row a slot, the same for all members of a group.
    within : array, shape (m, s, q)
        Y_a; zero columns where nothing distinguishes members.
    clusters : tuple of Cluster
        Members that coincide.
    """

    base: OrbitMatrix
    factor: Float[np.ndarray, "ms r"]
    within: Float[np.ndarray, "m s q"]
    clusters: tuple[Cluster, ...] = ()

    def slack(self) -> OrbitMatrix:
        """Return W, positive semidefinite by construction."""
        m, s = self.base.own.shape[:2]
        g, index = self.base.multiplicity, np.arange(m)
        peer = self.factor @ self.factor.T
        own = peer.reshape(m, s, m, s)[index, :, index, :].copy()
        apart = self.within @ self.within.transpose(0, 2, 1)
        own += apart * (1.0 - 1.0 / g)[:, None, None]
        peer.reshape(m, s, m, s)[index, :, index, :] -= apart / g[:, None, None]
        for cluster in self.clusters:
            w, kappa = cluster.weight, max(cluster.kappa, 0.0)
            pull = kappa * np.outer(w, w) / float(g[cluster.groups] @ w)
            slots = cluster.groups * s
            peer[np.ix_(slots, slots)] -= pull
            own[cluster.groups, 0, 0] += kappa * w - np.diag(pull)
        return OrbitMatrix(g, own, peer)


@brief
@dataclass(frozen=True, eq=False)
class LowerBound:
    """A lower bound on the objective, as an excess over the floor, and the multipliers that give it.

    Attributes
    ----------
    at_base : float
        Excess of the rows at M₀.
    shortfall : float
        What the bound lacks from it, ⟨D, M₀⟩ and what the diagonal rules charge.
    multiplier : array, shape (m·s,)
        ν.
    """

    at_base: float
    shortfall: float
    multiplier: Float[np.ndarray, " ms"]

    @property
    def excess(self) -> float:
        """The bound on the excess of every feasible matrix."""
        return self.at_base - self.shortfall

    def gap(self, rows: float, cost: float) -> float:
        """Return how far this is below a matrix, by the excess of its rows and the cost of its diagonal.

        Where M₀ is that matrix nothing cancels, however little of its excess the gap is.
        """
        return (rows - self.at_base) + (cost + self.shortfall)


def lower_bound(program: GramProgram, witness: Witness, level: float = np.inf) -> LowerBound:
    """Return a lower bound on the excess of every feasible matrix.

    With D the gradient at M₀, W the PSD slack of the witness and E what of W − D is left over off the
    diagonal, ν_c = W_cc − D_cc + Σ_c' |E_cc'| makes D + diag(ν) = W + (a diagonally dominant matrix) ⪰ 0,
    so that by convexity, for every feasible M,

        f(M) ≥ f(M₀) + ⟨D, M − M₀⟩ ≥ f(M₀) − ⟨D, M₀⟩ − (what the diagonal rules charge for ν).

    Where M ≥ 0 entrywise, positive parts of D − W are paid for by that constraint.

    Parameters
    ----------
    program : GramProgram
        The program.
    witness : Witness
        Untrusted.
    level : float
        Excess of a feasible point; needed by ridge rules only, and of use where the program has a floor.
    """
    level = level if np.isfinite(program.floor) else np.inf
    at_base, gradient = program.linearise(witness.base)
    slack = witness.slack()
    left_peer = np.abs(_left_over(gradient.peer - slack.peer, program.nonnegative))
    left_own = np.abs(_left_over(gradient.own - slack.own, program.nonnegative))
    s = program.roles
    left_own[:, np.arange(s), np.arange(s)] = 0.0
    m = program.groups
    per_member = left_peer.reshape(m, s, m, s).sum(axis=3).transpose(1, 0, 2)  # role, group, group
    rows = per_member @ program.multiplicity - np.einsum("raa->ra", per_member)
    needed = slack.diagonal() - gradient.diagonal() + (rows.T + left_own.sum(axis=2)).reshape(-1)
    g, multiplier, charge = program.slot_multiplicity, np.empty(m * s), 0.0
    for rule in program.rules:
        multiplier[rule.slots], cost = rule.charge(needed[rule.slots], g[rule.slots], level)
        charge += cost
    return LowerBound(at_base, gradient.inner(witness.base) + charge, multiplier)


def _left_over(difference: np.ndarray, nonnegative: bool) -> np.ndarray:
    return np.minimum(difference, 0.0) if nonnegative else difference


def witness_at(program: GramProgram, point: OrbitMatrix, paid: OrbitMatrix | None = None) -> Witness:
    """Return the witness of the multipliers that stationarity suggests, from any matrix.

    ν_c = −(D M)_cc / M_cc, the value for which diag(ν) completes D to a slack that annihilates M; the
    slack is projected to the PSD cone, and what that changes costs gap.

    Parameters
    ----------
    program : GramProgram
        The program.
    point : OrbitMatrix
        Where the loss is linearised.
    paid : OrbitMatrix, optional
        What the multipliers of M ≥ 0 take from the derivative. By default they pay for all of it where it
        is positive and the entry nearly zero.
    """
    gradient = program.gradient(point)
    if program.nonnegative:
        gradient = gradient - (_paid(gradient, point) if paid is None else paid)
    g, s, m = program.multiplicity, program.roles, program.groups
    products = gradient.peer * point.peer
    pairs = np.repeat(np.repeat(point.pair_counts(), s, axis=0), s, axis=1)
    pull = -(pairs * products).sum(axis=1) / program.slot_multiplicity
    pull -= (gradient.own * point.own).sum(axis=2).reshape(-1)
    diagonal, multiplier = point.diagonal(), np.empty(m * s)
    for rule in program.rules:
        slots = rule.slots
        multiplier[slots] = rule.suggested(pull[slots], diagonal[slots], program.slot_multiplicity[slots])
    own = gradient.own + multiplier.reshape(m, s)[:, :, None] * np.eye(s)
    slack = OrbitMatrix(g, own, gradient.peer)
    return Witness(point, _slot_factor(slack), _psd_factor(slack.within()))


def _paid(gradient: OrbitMatrix, point: OrbitMatrix) -> OrbitMatrix:
    """Return the multipliers of M ≥ 0 that positive derivatives of entries near zero suggest."""
    root = np.sqrt(np.maximum(point.diagonal(), 0.0))
    by_group = root.reshape(point.own.shape[:2])
    lengths = by_group[:, :, None] * by_group[:, None, :]
    own = np.where(point.own <= NEARLY_ZERO * lengths, np.maximum(gradient.own, 0.0), 0.0)
    near = point.peer <= NEARLY_ZERO * np.outer(root, root)
    return OrbitMatrix(gradient.multiplicity, own, np.where(near, np.maximum(gradient.peer, 0.0), 0.0))


def _slot_factor(slack: OrbitMatrix) -> Float[np.ndarray, "ms r"]:
    root = np.sqrt(np.repeat(slack.multiplicity, slack.roles))
    return _psd_factor(slack.quotient()) / root[:, None]


def _psd_factor(matrix: Float[np.ndarray, "*b q q"]) -> Float[np.ndarray, "*b q q"]:
    """Return F with F Fᵀ the nearest positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]


def _in_the_cone(matrix: OrbitMatrix) -> OrbitMatrix:
    """Return a PSD matrix near: the nearest one, or for a large one M + δ I with a Cholesky factor."""
    if len(matrix.peer) <= LARGEST_SPECTRUM:
        quotient, within = _psd_factor(matrix.quotient()), _psd_factor(matrix.within())
        return from_parts(matrix.multiplicity, quotient @ quotient.T, within @ within.transpose(0, 2, 1))
    identity = np.eye(matrix.roles)
    lift = np.finfo(float).eps * float(matrix.diagonal().max())
    while True:
        lifted = OrbitMatrix(matrix.multiplicity, matrix.own + lift * identity, matrix.peer)
        try:
            np.linalg.cholesky(lifted.quotient())
            np.linalg.cholesky(lifted.within()[matrix.multiplicity > 1])
        except np.linalg.LinAlgError:
            lift *= 10.0
        else:
            return lifted


def feasible(program: GramProgram, matrix: OrbitMatrix) -> OrbitMatrix:
    """Return a feasible matrix near `matrix`: projected to the cone, then scaled to the diagonal rules.

    With M ≥ 0 entrywise, the most negative entry is first added to all (a PSD change). A zero on the
    diagonal, which no scaling mends, is lifted first as well.
    """
    near = _in_the_cone(matrix)
    empty = (near.diagonal() <= 0.0).reshape(near.own.shape[:2])[:, :, None] * np.eye(program.roles)
    near = OrbitMatrix(near.multiplicity, near.own + empty, near.peer)
    if program.nonnegative:
        read = near.pair_counts().repeat(program.roles, 0).repeat(program.roles, 1) > 0
        lift = max(0.0, -float(np.min(near.peer, where=read, initial=0.0)), -float(near.own.min()))
        near = OrbitMatrix(near.multiplicity, near.own + lift, near.peer + lift)
    diagonal, g = near.diagonal(), program.slot_multiplicity
    factor = np.empty_like(diagonal)
    for rule in program.rules:
        factor[rule.slots] = rule.scale(diagonal[rule.slots], g[rule.slots])
    return on_fixed_diagonal(program, near.scaled(factor))


def on_fixed_diagonal(program: GramProgram, matrix: OrbitMatrix) -> OrbitMatrix:
    """Return the matrix with the diagonal entries that a rule fixes at exactly that value."""
    own, s = matrix.own.copy(), program.roles
    for rule in program.rules:
        if isinstance(rule, Fixed):
            own[rule.slots // s, rule.slots % s, rule.slots % s] = rule.square
    return OrbitMatrix(matrix.multiplicity, own, matrix.peer)
