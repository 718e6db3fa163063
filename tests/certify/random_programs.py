"""Programs of every kind with one role, and witnesses and points with nothing right about them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from certify.balls import FactoredPoint
from relax.bounds import Cluster, Witness
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule


def random_program(rng: np.random.Generator) -> GramProgram:
    """Any kind of program with one role: rational numbers, all rules, rows with and without a floor."""
    m = int(rng.integers(1, 4))
    g = rng.integers(1, 4, size=m).astype(float)
    g[0] += float(g.sum() == 1)
    blocks = [random_rows(rng, g, int(rng.integers(0, 3))) for _ in range(rng.integers(1, 3))]
    rules = tuple(random_rule(rng, np.array([a])) for a in range(m))
    tau, nonnegative = Fraction(int(rng.integers(1, 20)), 10), bool(rng.integers(2))
    return GramProgram(g, tau, tuple(blocks), fraction(rng), rules, nonnegative=nonnegative)


def random_rule(rng: np.random.Generator, at: np.ndarray) -> Rule:
    number, kind = float(rng.uniform(0.5, 2)), int(rng.integers(0, 4))
    rules = (Fixed(at, number), Bounded(at, number), Budget(at, rng.uniform(0.5, 2, 1), number))
    rule = (*rules, RidgeCost(at, np.array([number])))[kind]
    if isinstance(rule, (Fixed, Bounded)) and rng.integers(2):
        object.__setattr__(rule, "value", fraction(rng))  # exact numbers are exact here too
    if isinstance(rule, RidgeCost) and rng.integers(2):
        object.__setattr__(rule, "weight", np.array([fraction(rng)], dtype=object))
    return rule


def fraction(rng: np.random.Generator) -> Fraction:
    return Fraction(int(rng.integers(1, 12)), int(rng.integers(1, 12)))


def random_rows(rng: np.random.Generator, g: np.ndarray, kind: int) -> LogSumExp:
    """Target on the own entry (kind 0), a distribution on peers (1), or anything (2: no floor)."""
    m, count = len(g), int(rng.integers(1, 4))
    anchor = rng.integers(0, m, size=count)
    weight = np.array([fraction(rng) for _ in range(count)], dtype=object)
    multiplicity = np.array([[fraction(rng) for _ in range(m)] for _ in range(count)], dtype=object)
    if kind == 0:
        return LogSumExp(anchor, weight, rng.uniform(0.5, 3, count), np.ones(count), multiplicity)
    own, target = np.full((count,), Fraction(0), dtype=object), np.full((count, m), Fraction(0), dtype=object)
    for t in range(count):
        share = [Fraction(int(x)) for x in rng.integers(0, 4, size=m)]
        members = [int(x) - (b == anchor[t]) for b, x in enumerate(g)]
        own[t] = Fraction(int(rng.integers(1, 4)))
        total = own[t] + sum(x * y for x, y in zip(share, members, strict=True))
        own[t], target[t] = own[t] / total, [x / total for x in share]
    if kind == 2:
        own = own - Fraction(1, 3)
    return LogSumExp(anchor, weight, np.ones(count), own, multiplicity, target)


def random_witness(program: GramProgram, rng: np.random.Generator) -> Witness:
    """A witness with nothing right about it."""
    m = program.groups
    peer = rng.normal(size=(m, m))
    point = OrbitMatrix(program.multiplicity, rng.normal(size=(m, 1, 1)), peer + peer.T)
    factor = rng.normal(size=(m, int(rng.integers(0, 3)))) * 10.0 ** rng.uniform(-6, 1)
    within = rng.normal(size=(m, 1, int(rng.integers(0, 3)))) * 10.0 ** rng.uniform(-6, 1)
    inside = rng.permutation(m)[: int(rng.integers(1, m + 1))]
    cluster = Cluster(inside, rng.uniform(0.1, 5, len(inside)), float(rng.normal()))
    return Witness(point, factor, within, (cluster,))


def random_point(program: GramProgram, rng: np.random.Generator) -> FactoredPoint:
    v = rng.normal(size=(program.groups, int(rng.integers(1, 4))))
    y = rng.uniform(0, 1, program.groups) * (program.multiplicity > 1)
    if program.nonnegative:
        v = np.abs(v)
        y *= np.sqrt((v**2).sum(axis=1)) / 2
    return FactoredPoint(v, y)
