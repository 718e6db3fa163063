"""The Gram radius of expectations over draws: its curvature, that nothing as good is farther, forgeries."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import comb, factorial, prod
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from certify import certify
from certify.balls import factored
from certify.checker import check
from relax import Ball, Problem, Sphere, solve
from relax.losses import Scl, SupCon
from relax.norms import Norm
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.solution import Solution
from tests.certify.test_checker import hashed
from tests.certify.test_gram_radius import farthest_share
from tests.certify.test_random_rows import enclosed
from tests.relax.rows.enumeration import compositions, enumerated
from tests.relax.rows.test_random import Case, case


def populations(given: Case) -> list[int]:
    """Own first, then one for each single peer."""
    return [int(given.rows.own_population[0]), *map(int, given.rows.peer_population[0, 1:])]


def chances(draws: int, sizes: list[int], replacement: bool) -> list[tuple[tuple[int, ...], Fraction]]:
    """All outcomes of some draws with their chances."""
    if replacement:
        taken = compositions(draws, [draws] * len(sizes))
        ways = [(j, factorial(draws) // prod(map(factorial, j))) for j in taken]
        return [
            (j, Fraction(w * prod(p**i for p, i in zip(sizes, j, strict=True)), sum(sizes) ** draws))
            for j, w in ways
        ]
    taken = compositions(draws, sizes)
    return [(j, Fraction(prod(map(comb, sizes, j)), comb(sum(sizes), draws))) for j in taken]


def hessian(given: Case, rise: list[Any]) -> Any:
    """The second derivatives by enumeration, at other differences than those of the case."""
    rows = given.rows
    numbers = [rows.base, rows.own_multiplicity, rows.peer_multiplicity]
    return mpmath.matrix(enumerated(rows.draws, populations(given), rows.replacement, numbers, rise).hessian)


def least_share(above: Any, below: list[Any]) -> float:
    """The least eigenvalue of one matrix beside another, which is diagonal and positive."""
    scale = mpmath.diag([1 / mpmath.sqrt(x) for x in below])
    return float(min(mpmath.eigsy(scale * above * scale, eigvals_only=True)))


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_no_second_derivative_in_the_box_is_below_the_curvature(first: int) -> None:
    rng, closest = np.random.default_rng(first), np.inf
    for seed in range(first, first + 10):
        given = case(seed)
        with ctx.workprec(200), mpmath.workdps(60):
            found = enclosed(given)[1].curvature[0, 1:].tolist()
            curvature = [mpmath.mpf(x.mid().str(40, radius=False)) for x in found]
            for far in (0.0, 0.3, 2.0):
                signs = rng.choice([-1.0, 1.0], len(given.rise))
                moved = [mpmath.mpf(x) + far * y for x, y in zip(given.rise.tolist(), signs, strict=True)]
                share = least_share(hessian(given, moved), [c * mpmath.exp(-3 * far) for c in curvature])
                assert share >= 1 - 1e-14, (seed, far)
                closest = min(closest, share)
    assert closest < 20


def test_the_curvature_is_exact_where_all_draws_compare_alike() -> None:
    """Both of two are drawn, one own and one peer: a sigmoid."""
    rows = replace(
        case(0).rows,
        draws=2,
        replacement=False,
        base=0,
        own_multiplicity=1,
        peer_multiplicity=1,
        own_population=np.array([1]),
        peer_population=np.array([[7, 1]]),
    )
    p = 1 / (1 + np.exp(0.7))
    with ctx.workprec(128):
        found = enclosed(Case(rows, np.array([-0.7]), case(0).exact))[1].curvature[0, 1]
    assert float(found) == pytest.approx(p * (1 - p), rel=1e-14)


@pytest.mark.parametrize("seed", range(12))
def test_loads_are_those_of_enumeration(seed: int) -> None:
    given = case(seed)
    rows, load = given.rows, [Fraction(0)] * len(given.rise)
    for taken, chance in chances(rows.draws, populations(given), rows.replacement):
        own = rows.base + rows.own_multiplicity * taken[0]
        if own:
            load = [x + chance * Fraction(j) / own for x, j in zip(load, taken[1:], strict=True)]
    with ctx.workprec(128):
        nobody, *found = enclosed(given)[0].load[0].tolist()
        assert nobody == 0
        for x, y in zip(found, load, strict=True):
            assert abs(x - arb(y.numerator) / y.denominator) < 1e-30


# -------------------------------------------------------------------------------------------- certificates
PROBLEMS: dict[str, tuple[list[int], SupCon, int, Norm]] = {
    "shuffled": ([7, 4, 3], SupCon(batch_size=4), 1, Sphere()),
    "groups": ([8, 8, 3, 3], SupCon(batch_size=3), 1, Sphere()),
    "two views": ([6, 2, 2], SupCon(batch_size=3, sampler="replacement"), 2, Sphere()),
    "class-balanced": ([9, 2, 1], SupCon(batch_size=5, sampler="class-balanced"), 1, Sphere()),
    "ball": ([7, 4, 3], SupCon(batch_size=4), 1, Ball()),
}


@cache
def solved(name: str) -> Solution:
    counts, loss, views, norm = PROBLEMS[name]
    found = solve(Problem(counts, loss, temperature=0.3, norm=norm, views=views))
    if norm == Sphere():
        return found
    base = found.witness.base  # a ball's radius rests on own entries that are those of the rule
    base = OrbitMatrix(base.multiplicity, np.ones_like(base.own), base.peer)
    return replace(found, answer=replace(found.answer, witness=replace(found.witness, base=base)))


def excess_of(name: str) -> Any:
    """The loss of class vectors less its floor, by enumeration of all batches of each anchor."""
    counts, loss, views, _ = PROBLEMS[name]
    draws, shuffled = (loss.batch_size or 0) - 1, loss.sampler == "shuffle"
    table, normaliser = [], Fraction(0)
    for c, n in enumerate(counts):
        rate = 1 if loss.sampler == "class-balanced" else n
        sizes = [1] * len(counts) if loss.sampler == "class-balanced" else list(counts)
        sizes[c] -= shuffled
        drawn = [(j, p) for j, p in chances(draws, sizes, not shuffled) if views * (1 + j[c]) > 1]
        taken, weight = np.array([j for j, _ in drawn]) * float(views), [float(rate * p) for _, p in drawn]
        table.append((taken, np.array(weight), taken[:, c] + views - 1))
        normaliser += sum((rate * p for _, p in drawn), Fraction(0))

    def excess(program: GramProgram, gram: np.ndarray) -> float:
        value = 0.0
        for c, (taken, weight, own) in enumerate(table):
            rise = np.exp((gram[c] - gram[c, c]) / 0.3)
            rise[c] = 0.0
            value += weight @ np.log1p(taken @ rise / own)
        return value / float(normaliser)

    return excess


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_matrix_as_good_as_the_point_is_farther_than_the_radius(name: str) -> None:
    solution, excess = solved(name), excess_of(name)
    assert excess(solution.program, solution.gram) == pytest.approx(solution.excess, rel=1e-9)
    point = factored(solution.program, solution.point)
    share = farthest_share(solution.program, solution.witness, point, excess_of=excess)
    assert 0.02 < share <= 1


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_checker_proves_the_radius_and_no_smaller_one(name: str) -> None:
    found = certify(solved(name))
    assert found.gram_radius is not None and Decimal(found.gram_radius) < Decimal("1e-4")
    assert check(found.to_json()).accepted
    document = json.loads(found.to_json())
    document["claim"]["gram_radius"] = str(Decimal(found.gram_radius) / 3)
    message = check(hashed(document)).message
    undecided = "rejected: could not decide: numbers are too close to compare"  # of a gap at rounding level
    assert message in ("rejected: the Gram radius is not proven", undecided)


def test_risks_of_random_negatives_have_a_radius() -> None:
    found = certify(solve(Problem([5, 4, 3], Scl(q=3), temperature=0.5)))
    assert found.gram_radius is not None and Decimal(found.gram_radius) < Decimal("1e-4")
    assert check(found.to_json()).accepted
