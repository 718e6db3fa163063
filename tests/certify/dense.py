"""Bounds from their definitions, at 60 digits, with dense matrices over all nodes; no code of ours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from flint import arb, ctx, fmpq

from certify.balls import FactoredPoint
from relax.bounds import Witness
from relax.program import GramProgram
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule
from tests.relax.programs import log_sum_exp

mp = mpmath.mp.clone()
mp.dps = 60


def real(number: Any) -> Any:
    exact = Fraction(number)
    return mp.mpf(int(exact.numerator)) / int(exact.denominator)


def contains(ball: arb, value: Any) -> bool:
    """Whether a ball contains a number known to 50 digits."""
    with ctx.workprec(400):
        center = arb(value)
        slop = arb(fmpq(1, 10**50)) * max(arb(1), abs(center))
        return bool(abs(ball.mid() - center) <= ball.rad() + slop)


def nodes(program: GramProgram) -> list[int]:
    """The group of every node."""
    return [a for a, g in enumerate(program.multiplicity) for _ in range(int(g))]


def dense(program: GramProgram, own: np.ndarray, peer: np.ndarray) -> list[list[Any]]:
    group = nodes(program)
    return [
        [real(own[a]) if i == j else real(peer[min(a, b), max(a, b)]) for j, b in enumerate(group)]
        for i, a in enumerate(group)
    ]


def each_row(program: GramProgram) -> list[tuple[Any, int, list[Any], list[Any]]]:
    """Weight of one anchor, the anchor, and m and p on every node (its own entry at its own place)."""
    group, found = nodes(program), []
    for rows in log_sum_exp(program):
        for t, a in enumerate(rows.anchor.tolist()):
            for i in (i for i, b in enumerate(group) if b == a):
                m = [real(rows.peer_multiplicity[t, b]) for b in group]
                p = [real(0 if rows.peer_target is None else rows.peer_target[t, b]) for b in group]
                m[i], p[i] = real(rows.own_multiplicity[t]), real(rows.own_target[t])
                weight = real(rows.weight[t]) / real(program.multiplicity[a]) / real(program.normaliser)
                found.append((weight, i, m, p))
    return found


def floor(program: GramProgram) -> Any:
    """Σ weight Σ p log(m/p), or None."""
    found = mp.mpf(0)
    for weight, _, m, p in each_row(program):
        on = [(x, q) for x, q in zip(m, p, strict=True) if q != 0]
        if any(x <= 0 or q < 0 for x, q in on) or abs(mp.fsum(q for _, q in on) - 1) > 1e-40:
            return None
        found += weight * mp.fsum(q * mp.log(x / q) for x, q in on)
    return found


def row_value(program: GramProgram, matrix: list[list[Any]]) -> Any:
    tau, value = real(program.temperature), mp.mpf(0)
    for weight, i, m, p in each_row(program):
        tilted = mp.fsum(x * mp.exp(y / tau) for x, y in zip(m, matrix[i], strict=True))
        value += weight * (mp.log(tilted) - mp.fsum(q * y for q, y in zip(p, matrix[i], strict=True)) / tau)
    return value - (floor(program) or 0)


def gradient(program: GramProgram, matrix: list[list[Any]]) -> list[list[Any]]:
    n, tau = len(matrix), real(program.temperature)
    slope = [[mp.mpf(0)] * n for _ in range(n)]
    for weight, i, m, p in each_row(program):
        tilted = [x * mp.exp(y / tau) for x, y in zip(m, matrix[i], strict=True)]
        total = mp.fsum(tilted)
        for j in range(n):
            slope[i][j] += weight * (tilted[j] / total - p[j]) / tau
    return [[(slope[i][j] + slope[j][i]) / 2 for j in range(n)] for i in range(n)]


def dot(u: Any, v: Any) -> Any:
    return mp.fsum(real(x) * real(y) for x, y in zip(u, v, strict=True))


def dual_slack(program: GramProgram, witness: Witness) -> list[list[Any]]:
    """Gram matrix of vectors (Z_a, Y_a ⊗ (e_i − 1/g_a)), plus κ (diag(w) − w wᵀ/Σw) for every cluster."""
    group, n = nodes(program), len(nodes(program))
    slack = [[mp.mpf(0)] * n for _ in range(n)]
    for i, a in enumerate(group):
        for j, b in enumerate(group):
            slack[i][j] += dot(witness.factor[a], witness.factor[b])
            if a == b:
                centred = (1 if i == j else 0) - 1 / real(program.multiplicity[a])
                slack[i][j] += centred * dot(witness.within[a, 0], witness.within[a, 0])
    for cluster in witness.clusters:
        weight = dict(zip(cluster.groups.tolist(), map(real, cluster.weight), strict=True))
        w = [weight.get(a, mp.mpf(0)) for a in group]
        kappa, total = max(real(cluster.kappa), 0), mp.fsum(w)
        for i in range(n):
            slack[i][i] += kappa * w[i]
            for j in range(n):
                slack[i][j] -= kappa * w[i] * w[j] / total
    return slack


def needed_diagonal(program: GramProgram, witness: Witness) -> list[Any]:
    n, point = len(nodes(program)), dense(program, witness.base.own[:, 0, 0], witness.base.peer)
    slope, slack = gradient(program, point), dual_slack(program, witness)
    left = [[slope[i][j] - slack[i][j] for j in range(n)] for i in range(n)]
    if program.nonnegative:
        left = [[min(mp.mpf(0), x) for x in row] for row in left]
    return [
        slack[i][i] - slope[i][i] + mp.fsum(abs(left[i][j]) for j in range(n) if j != i) for i in range(n)
    ]


def lower_bound(program: GramProgram, witness: Witness, level: Any) -> Any:
    point = dense(program, witness.base.own[:, 0, 0], witness.base.peer)
    slope, n = gradient(program, point), len(point)
    bound = row_value(program, point)
    bound -= mp.fsum(slope[i][j] * point[i][j] for i in range(n) for j in range(n))
    needed = needed_diagonal(program, witness)
    return bound - mp.fsum(charge(rule, nodes(program), needed, level) for rule in program.rules)


def charge(rule: Rule, group: list[int], needed: list[Any], level: Any) -> Any:
    inside = [i for i, a in enumerate(group) if a in rule.slots]
    if isinstance(rule, Fixed):
        return real(rule.value) * mp.fsum(needed[i] for i in inside)
    if isinstance(rule, Bounded):
        return real(rule.value) * mp.fsum(max(0, needed[i]) for i in inside)
    assert isinstance(rule, (Budget, RidgeCost))
    weight = weights(rule, group)
    if isinstance(rule, Budget):
        return real(rule.total) * max(mp.mpf(0), *(needed[i] / weight[i] for i in inside))
    return level * max(mp.mpf(0), *((needed[i] - weight[i]) / weight[i] for i in inside))


def weights(rule: Budget | RidgeCost, group: list[int]) -> dict[int, Any]:
    weight = dict(zip(rule.slots.tolist(), map(real, rule.weight), strict=True))
    return {i: weight[a] for i, a in enumerate(group) if a in weight}


def scaled_gram(program: GramProgram, vectors: list[list[Any]]) -> list[list[Any]]:
    """The Gram matrix of one vector a node after scaling to the rules."""
    group = nodes(program)
    scale = [mp.mpf(1)] * len(group)
    norm = [mp.fsum(x * x for x in vector) for vector in vectors]
    for rule in program.rules:
        inside = [i for i, a in enumerate(group) if a in rule.slots]
        spent = 1
        if isinstance(rule, Budget):
            weight = weights(rule, group)
            spent = max(1, mp.fsum(weight[i] * norm[i] for i in inside) / real(rule.total))
        for i in inside:
            if isinstance(rule, Fixed):
                scale[i] = mp.sqrt(real(rule.value) / norm[i])
            elif isinstance(rule, Bounded):
                scale[i] = 1 / mp.sqrt(max(1, norm[i] / real(rule.value)))
            else:
                scale[i] = 1 / mp.sqrt(spent)
    gram = [[mp.fsum(x * y for x, y in zip(u, v, strict=True)) for v in vectors] for u in vectors]
    return [[s * t * x for t, x in zip(scale, row, strict=True)] for s, row in zip(scale, gram, strict=True)]


def vectors_of(program: GramProgram, point: FactoredPoint) -> list[list[Any]]:
    """(v_a, y_a (e_i − 1/g_a)), the second part in coordinates of the group's own."""
    group, found = nodes(program), []
    for i, a in enumerate(group):
        apart = [
            real(point.within[a]) * ((i == j) - 1 / real(program.multiplicity[a])) if a == b else mp.mpf(0)
            for j, b in enumerate(group)
        ]
        found.append([real(x) for x in point.vectors[a]] + apart)
    return found


def excess(program: GramProgram, matrix: list[list[Any]]) -> Any:
    group, value = nodes(program), row_value(program, matrix)
    for rule in program.rules:
        if isinstance(rule, RidgeCost):
            value += mp.fsum(w * matrix[i][i] for i, w in weights(rule, group).items())
    return value


def curvature(program: GramProgram, matrix: list[list[Any]], rho: Any) -> list[list[Any]]:
    """h_ij of every anchor i and node j over the box of deviations ≤ ρ; 0 where no row of i reads j."""
    n, tau = len(matrix), real(program.temperature)
    h, f = [[mp.mpf(0)] * n for _ in range(n)], mp.exp(rho / tau)
    for weight, i, m, _ in each_row(program):
        tilted = [x * mp.exp((y - matrix[i][i]) / tau) for x, y in zip(m, matrix[i], strict=True)]
        total = m[i] + f * mp.fsum(tilted[j] for j in range(n) if j != i)
        for j in range(n):
            h[i][j] = weight / tau**2 * (m[i] / total) * (tilted[j] / (f * total)) if j != i else mp.mpf(0)
    return h


def radii(program: GramProgram, witness: Witness, point: FactoredPoint, gap: Any, rho: Any) -> Any:
    """What ρ proves of all pairs of groups, by conditions 1 and 2; None where 1 fails."""
    group, needed = nodes(program), needed_diagonal(program, witness)
    rule = [next(rule for rule in program.rules if a in rule.slots) for a in group]
    ours = scaled_gram(program, vectors_of(program, point))
    center = dense(program, witness.base.own[:, 0, 0], witness.base.peer)
    h, nodes_ = curvature(program, center, rho), range(len(group))
    shift = max(abs(real(rule[i].value) - center[i][i]) for i in nodes_)  # type: ignore[attr-defined]
    play = max(shift, *(gap / needed[i] for i in nodes_ if isinstance(rule[i], Bounded)), 0)
    found = {}
    for i in nodes_:
        for j in (j for j in nodes_ if j != i):
            both = isinstance(rule[i], Fixed) and isinstance(rule[j], Fixed)
            heard = [x for x in (h[i][j], h[j][i]) if x > 0]
            mu = sum(heard) if both else min(heard, default=0)
            if heard and (rho - 2 * shift) ** 2 * mu / 2 <= gap:
                return None
            bounds = [rho + play + abs(center[i][j] - ours[i][j])] if heard else []
            bounds += [x + abs(1 - ours[i][j]) for x in reaches(program, witness, group, i, j, gap) if both]
            found[group[i], group[j]] = min(bounds)
    return found


def reaches(program: GramProgram, witness: Witness, group: list[int], i: int, j: int, gap: Any) -> list[Any]:
    """How far below 1 the entry of two nodes can be that W draws together, by every part of W that does."""
    a, b, found = group[i], group[j], []
    for cluster in witness.clusters:
        weight = dict(zip(cluster.groups.tolist(), map(real, cluster.weight), strict=True))
        if a in weight and b in weight and cluster.kappa > 0:
            total = mp.fsum(weight.get(c, mp.mpf(0)) for c in group)
            found.append(gap * total / (2 * real(cluster.kappa) * weight[a] * weight[b]))
    strength = dot(witness.within[a, 0], witness.within[a, 0])
    if a == b and strength > 0:
        found.append(gap * real(program.multiplicity[a]) / (2 * strength))
    return found
