"""Interval Newton (Krawczyk) on the dual-vector equations: a root exists in a box and is the only one there.

With x = (log z, log Z) and F the equations of a program with one log-sum-exp row an anchor (relax.solvers
has them for floats; this is their statement in balls, for proofs),

    M_ab = r + τ log[ 2τ z_a z_b / (ω_a U_ab/Z_a + ω_b U_ba/Z_b) ],
    F₁ = r + Σ_b (g_b − δ_ab) M_ab z_b/z_a,
    F₂ = log Z_a − log( c_a + Σ_b (g_b − δ_ab) U_ab e^{(M_ab−r)/τ} ).

For any matrix C and midpoint x̃, K(X) = x̃ − C F(x̃) + (I − C F'(X))(X − x̃); if K(X) lies inside X, F has
exactly one root in X (Krawczyk 1969; Rump, Acta Numerica 2010, §13).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat
from jaxtyping import Bool, Float64, Shaped

from certify.balls.enclosures import Balls, ball, balls, choose, exp, log, sqrt, zeros
from relax.bounds import Cluster
from relax.dual_equations import only_rows
from relax.program import GramProgram
from relax.rules import Bounded, Fixed

STEPS = 40  # of refinement; each after the first few multiplies the error by about 10⁻¹⁰


class System(NamedTuple):
    """The numbers of the equations, at the present precision."""

    multiplicity: Shaped[Balls, " m"]
    members: Shaped[Balls, "m m"]  # g_b − δ_ab
    weight: Shaped[Balls, " m"]  # ω, zero without anchors
    own: Shaped[Balls, " m"]  # c
    peer: Shaped[Balls, "m m"]  # U, zero rows without anchors
    read: Bool[np.ndarray, "m m"]  # pairs that exist and that a row reads
    tau: arb
    norm: arb


class Entries(NamedTuple):
    """M at some (u, v), e^{(M − r)/τ}, and the share of row a in the slope of each entry."""

    gram: Shaped[Balls, "m m"]
    power: Shaped[Balls, "m m"]
    share: Shaped[Balls, "m m"]


def system(program: GramProgram) -> System:
    """Read the equations off a program that has them (`relax.solvers.dual_vector.supports`)."""
    rows, m = only_rows(program), program.groups
    rule = program.rules[0]
    assert isinstance(rule, (Fixed, Bounded))
    g = balls(program.multiplicity)
    members = np.broadcast_to(g, (m, m)).copy()
    members[np.arange(m), np.arange(m)] = balls(program.multiplicity - 1.0)
    weight, own, peer = zeros(m), zeros(m) + arb(1), zeros(m, m)
    weight[rows.anchor] = balls(rows.weight) / (g[rows.anchor] * ball(program.normaliser))
    own[rows.anchor], peer[rows.anchor] = balls(rows.own_multiplicity), balls(rows.peer_multiplicity)
    anchored = np.isin(np.arange(m), rows.anchor)
    pairs = program.multiplicity - np.eye(m) > 0
    read = pairs & (anchored[:, None] | anchored)
    return System(g, members, weight, own, peer, read, ball(program.temperature), ball(rule.value))


def entries(given: System, u: Shaped[Balls, " m"], v: Shaped[Balls, " m"]) -> Entries:
    """Return M and what its derivatives need; r, 0 and 1/2 where no pair is read."""
    slope = (given.weight * exp(-v))[:, None] * given.peer
    both = choose(given.read, slope + slope.T, arb(1))
    z = exp(u)
    power = choose(given.read, 2 * given.tau * z[:, None] * z / both, arb(1))
    gram = given.norm + given.tau * log(power)
    share = choose(given.read, slope / both, arb(0.5))
    return Entries(gram, choose(given.read, power, arb(0)), share)


def residual(given: System, x: Shaped[Balls, " twice_m"]) -> Shaped[Balls, " twice_m"]:
    """Return F(x)."""
    u, v = np.split(x, 2)
    at = entries(given, u, v)
    first = given.norm + (given.members * exp(u - u[:, None]) * at.gram).sum(axis=1)
    second = v - log(given.own + (given.members * given.peer * at.power).sum(axis=1))
    return np.concatenate([first, second])


def jacobian(given: System, x: Shaped[Balls, " twice_m"]) -> Shaped[Balls, "twice_m twice_m"]:
    """Return F'(x)."""
    u, v = np.split(x, 2)
    at, diagonal = entries(given, u, v), np.arange(len(u))
    ratio = given.members * exp(u - u[:, None])
    pulled, scaled = ratio * at.gram, choose(given.read, given.tau, arb(0)) * ratio
    one_one = pulled + scaled
    one_one[diagonal, diagonal] += scaled.sum(axis=1) - pulled.sum(axis=1)
    one_two = scaled * at.share.T
    one_two[diagonal, diagonal] += (scaled * at.share).sum(axis=1)
    term = given.members * given.peer * at.power
    part = term / (given.own + term.sum(axis=1))[:, None]
    two_one = -part
    two_one[diagonal, diagonal] -= part.sum(axis=1)
    two_two = -part * at.share.T
    two_two[diagonal, diagonal] += 1 - (part * at.share).sum(axis=1)
    return np.block([[one_one, one_two], [two_one, two_two]])


def enclose_root(
    given: System, start: Float64[np.ndarray, " twice_m"], digits: int
) -> Shaped[Balls, " twice_m"] | None:
    """Return a box with exactly one root of the dual-vector equations, or None where the proof fails."""
    return enclose_zero(partial(residual, given), partial(jacobian, given), start, digits)


def enclose_zero(
    residual: Callable[[Shaped[Balls, " n"]], Shaped[Balls, " n"]],
    jacobian: Callable[[Shaped[Balls, " n"]], Shaped[Balls, "n n"]],
    start: Float64[np.ndarray, " n"],
    digits: int,
) -> Shaped[Balls, " n"] | None:
    """Return a box with exactly one root of some equations, near a start, or None where the proof fails.

    The box is a cube of radius 2 ‖C F(x̃)‖∞ around a refined midpoint; it is proven when
    ‖C F(x̃)‖∞ + ‖I − C F'(X)‖∞ · radius < radius.
    """
    x = balls(start)
    try:
        inverse = np.linalg.inv(midpoints(jacobian(x)))
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(inverse).all():
        return None
    preconditioner = arb_mat(inverse.tolist())
    goal, last = arb(10) ** -(digits + 3), None
    for _ in range(STEPS + digits // 8):
        step = np.array(_times(preconditioner, residual(x)), dtype=object)
        size = largest_of(step)
        if not size.is_finite() or (last is not None and not size < last):
            return None
        if size < goal:
            break
        last, x = size, np.array([(a - b).mid() for a, b in zip(x, step, strict=True)], dtype=object)
    else:
        return None
    radius = 2 * size + goal
    box = np.array([arb(a.mid(), radius.upper()) for a in x], dtype=object)
    product = preconditioner * arb_mat(jacobian(box).tolist())
    norm = distance_from_identity(product)
    return box if size + norm * radius < radius else None


def largest_of(numbers: Balls) -> arb:
    """Return a ball above all absolute values."""
    found = arb(0)
    for number in numbers:
        found = arb.max(found, abs(number).upper())
    return found


def distance_from_identity(matrix: arb_mat) -> arb:
    """Return ‖I − matrix‖∞, rounded up."""
    found = arb(0)
    for i in range(matrix.nrows()):
        row = arb(0)
        for j in range(matrix.ncols()):
            row += abs(matrix[i, j] - (1 if i == j else 0)).upper()
        found = arb.max(found, row.upper())
    return found


def midpoints(matrix: Balls) -> np.ndarray:
    """Return midpoints in float64, for preconditioners on which no proof depends."""
    return np.array([float(number.mid()) for number in matrix.ravel()]).reshape(matrix.shape)


def _times(matrix: arb_mat, vector: Balls) -> list[arb]:
    product = matrix * arb_mat(len(vector), 1, list(vector))
    return [product[i, 0] for i in range(len(vector))]


def is_positive_definite(matrix: Balls) -> bool:
    """Return whether every symmetric matrix in the balls is proven positive definite.

    With R ≈ L⁻¹ from a floating Cholesky factorisation, ‖I − R A Rᵀ‖∞ < 1 proves it (R is then regular).
    """
    try:
        root = np.linalg.inv(np.linalg.cholesky(midpoints(matrix)))
    except np.linalg.LinAlgError:
        return False
    factor = arb_mat(root.tolist())
    product = factor * arb_mat(matrix.tolist()) * arb_mat(root.T.tolist())
    return bool(distance_from_identity(product) < 1)


def is_gram(given: System, at: Entries, z: Shaped[Balls, "m r"]) -> bool:
    """Prove M ⪰ 0, knowing that M z = 0 at the root: M + z zᵀ/‖z‖² ≻ 0, and r > M_aa inside groups."""
    m = len(z)
    several = given.multiplicity > arb(1)
    inside = [given.norm - at.gram[a, a] for a in range(m) if several[a]]
    if not all(number > 0 for number in inside):
        return False
    root = sqrt(given.multiplicity)
    quotient = root[:, None] * at.gram * root
    for a in range(m):
        own = given.norm + (given.multiplicity[a] - 1) * at.gram[a, a] if several[a] else given.norm
        quotient[a, a] = own
    direction = root[:, None] * z
    size = (direction * direction).sum(axis=0)
    return is_positive_definite(quotient + (direction / size).dot(direction.T))


def stays_together(program: GramProgram, cluster: Cluster, square: arb, v: arb) -> bool:
    """Prove κ = ν/ω − ω d > 0, where D_ij = d w_i w_j inside the cluster and w are class sizes.

    `square` is ν, the slack's own entry at the merged node: z² where the slack is z zᵀ.
    """
    rows = only_rows(program)
    weight, members = balls(cluster.weight), balls(program.multiplicity[cluster.groups])
    if np.any(rows.peer_multiplicity[0][cluster.groups] != cluster.weight):
        return False
    total = (weight * members).sum()
    slope = arb(0)
    at = np.searchsorted(rows.anchor, cluster.groups)
    if np.isin(cluster.groups[0], rows.anchor):
        anchors = zip(rows.weight[at].tolist(), program.multiplicity[cluster.groups].tolist(), strict=True)
        per_member = [Fraction(w) / int(g) for w, g in anchors]
        sizes = [Fraction(size) for size in cluster.weight.tolist()]
        if any(x * sizes[0] != per_member[0] * size for x, size in zip(per_member, sizes, strict=True)):
            return False
        share = ball(per_member[0]) / (ball(program.normaliser) * weight[0])
        slope = share * (-v).exp() / ball(program.temperature)
    return bool(square / total - total * slope > 0)
