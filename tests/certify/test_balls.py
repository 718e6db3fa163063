"""Bounds in ball arithmetic against their definitions, and their soundness whatever the witness."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import logsumexp

from certify.balls import FactoredPoint, ProvenBounds, factored, prove
from relax import Ball, Problem, Ridge, solve
from relax.bounds import Cluster, Witness, witness_at
from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rules import RidgeCost
from relax.solution import Solution
from tests.certify import dense
from tests.certify.random_programs import random_point, random_program, random_witness
from tests.relax.programs import PROGRAMS, cross_entropy, log_sum_exp, random_matrix

SOLVED = {
    "balanced": Problem([30] * 4),
    "step": Problem.step(2, 2, 100, 10),
    "two": Problem([7, 2], temperature=0.5),
    "collapse": Problem([1000, 10, 10, 10, 10], temperature=1.0),
    "singletons": Problem([50, 20, 1, 1, 1], temperature=0.2),
    "ball": Problem([100, 20, 5], norm=Ball()),
    "ridge": Problem([100, 20, 5], norm=Ridge(1e-3)),
    "nonnegative": Problem([100, 20, 20, 5], nonnegative=True),
    "cold": Problem([40, 20, 10, 5], temperature=0.002),
}


@cache
def solved(name: str) -> tuple[Solution, ProvenBounds]:
    solution = solve(SOLVED[name])
    return solution, prove(solution.program, solution.witness, factored(solution.program, solution.point))


@settings(max_examples=80)
@given(seed=st.integers(0, 2**32 - 1))
def test_balls_contain_what_the_definitions_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    witness, point = random_witness(program, rng), random_point(program, rng)
    found = prove(program, witness, point)
    upper = dense.excess(program, dense.scaled_gram(program, dense.vectors_of(program, point)))
    floor = dense.floor(program)
    assert dense.contains(found.excess_upper, upper)
    assert (found.floor is None) == (floor is None)
    assert found.floor is None or dense.contains(found.floor, floor)
    if floor is None and any(isinstance(rule, RidgeCost) for rule in program.rules):
        assert found.excess_lower is None and found.gap is None
        return
    lower = dense.lower_bound(program, witness, upper)
    assert found.excess_lower is not None and dense.contains(found.excess_lower, lower)
    assert found.gap is not None and dense.contains(found.gap, upper - lower)
    assert found.gap.rad() <= 1e-9 * abs(found.gap) + 1e-30 * abs(found.excess_upper)


@settings(max_examples=120)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_feasible_gram_lies_below_the_bound_of_any_witness(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    witness = random_witness(program, rng)
    found = prove(program, witness, random_point(program, rng), radius=False)
    if found.excess_lower is None:
        return
    nodes = len(dense.nodes(program))
    vectors = rng.normal(size=(nodes, int(rng.integers(1, 5))))  # each node its own, not only invariant ones
    vectors = np.abs(vectors) if program.nonnegative else vectors
    gram = dense.scaled_gram(program, [[dense.real(x) for x in vector] for vector in vectors.tolist()])
    assert arb(dense.excess(program, gram)) + 1e-50 > found.excess_lower.lower()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if PROGRAMS[name].roles == 1])
def test_a_point_close_to_stationary_gives_sound_bounds_for_every_kind_of_loss(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(0)
    points = [factored(program, random_matrix(program, rng, obedient=True)) for _ in range(6)]
    witnesses = [witness_at(program, random_matrix(program, rng, obedient=True)) for _ in range(6)]
    proven = [prove(program, witness, point) for witness, point in zip(witnesses, points, strict=True)]
    lower = [p.excess_lower for p in proven if p.excess_lower is not None]
    assert all(not p.excess_upper < bound for p in proven for bound in lower)


def best_value(counts: list[int], tau: float) -> float:
    """The optimum on the sphere by BFGS on class vectors, an upper bound for whatever it finds."""
    n, k = np.array(counts, dtype=float), len(counts)
    multiplicity = np.tile(n, (k, 1)) - np.eye(k)

    def loss(flat: np.ndarray) -> float:
        v = flat.reshape(k, k)
        v = v / np.linalg.norm(v, axis=1)[:, None]
        return float(n @ logsumexp((v @ v.T - 1) / tau, b=multiplicity, axis=1)) / n.sum()

    rng = np.random.default_rng(0)
    return min(float(minimize(loss, rng.normal(size=k * k), tol=1e-12).fun) for _ in range(3))


@pytest.mark.parametrize(("counts", "tau"), [([9, 3, 3], 0.5), ([8, 8, 2, 2], 1.0), ([400, 3, 2], 1.0)])
def test_spoilt_witnesses_stay_below_the_optimum(counts: list[int], tau: float) -> None:
    solution, rng = solve(Problem(counts, temperature=tau)), np.random.default_rng(0)
    program, best = solution.program, best_value(counts, tau)
    point = factored(program, solution.point)
    for spoil in (0.0, 1e-9, 1e-5, 1e-2, 1.0, 30.0):
        good = solution.witness
        moved = good.base.peer + spoil * rng.normal(size=good.base.peer.shape)
        witness = replace(
            good,
            base=OrbitMatrix(good.base.multiplicity, good.base.own, (moved + moved.T) / 2),
            factor=good.factor * (1 + spoil * rng.normal(size=good.factor.shape)),
            within=good.within + spoil * rng.normal(size=good.within.shape),
            clusters=tuple(replace(c, kappa=c.kappa + spoil) for c in good.clusters),
        )
        found = prove(program, witness, point)
        assert found.lower is not None and float(found.lower) <= best + 1e-13
        if spoil == 0.0:
            assert float(found.upper) == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize("name", SOLVED)
def test_solutions_have_small_proven_gaps(name: str) -> None:
    found = solved(name)[1]
    assert found.gap is not None and found.excess_lower is not None
    assert found.gap.upper() >= 0 and found.gap < 1e-9 * found.excess_lower
    assert found.precision == 128
    if name not in (
        "ridge",
        "nonnegative",
        "cold",
    ):  # a solver that stops earlier; entries rounded at 1e-16/τ
        assert found.gap < 1e-12 * found.excess_lower


def test_ranks_are_those_of_the_geometry() -> None:
    expected = {"balanced": 3, "step": 3, "two": 1, "collapse": 1, "singletons": 2, "cold": 3}
    assert {name: solved(name)[1].rank for name in expected} == expected


@pytest.mark.parametrize("tau", [0.05, 0.04, 0.02, 0.002])
def test_the_orthogonal_frame_is_far_from_optimal_however_small_the_gap(tau: float) -> None:
    problem = Problem([100] * 4, temperature=tau)
    solution, rng = solve(problem), np.random.default_rng(0)
    frame = FactoredPoint(np.array([[0.5]]), np.ones(1))  # exact: 1/4 + 3/4 = 1, 1/4 − 1/4 = 0
    for witness in (solution.witness, random_witness(solution.program, rng)):
        found = prove(solution.program, witness, frame)
        inverse = 1 / dense.real(Fraction(repr(tau)))
        simplex = arb(dense.mp.log1p(300 * dense.mp.exp(-4 * inverse / 3) / 99))
        assert dense.contains(found.excess_upper, dense.mp.log1p(300 * dense.mp.exp(-inverse) / 99))
        assert found.excess_lower is not None and found.gap is not None
        assert found.excess_lower < simplex * (1 + 1e-40)
        assert found.gap > 0.9 * found.excess_upper


def test_precision_grows_where_rounding_would_hide_the_excess() -> None:
    problem = Problem([4, 4], temperature=0.01)  # targets 1/3 on siblings: their entries cancel to e^−200
    lift = problem.program("samples")
    vector = np.array([[1.0, 0.0]] * 4 + [[-1.0, 2.0**-60]] * 4)
    signs = np.sign(vector[:, 0])
    peer = np.outer(signs, signs)
    matrix = OrbitMatrix(np.ones(8), np.ones((8, 1, 1)), peer)
    found = prove(lift, witness_at(lift, matrix), FactoredPoint(vector, np.zeros(8)))
    assert found.precision > 128
    exact = dense.mp.log1p(4 * dense.mp.exp(-200) / 3)
    assert abs(found.excess_upper - arb(exact)) < 1e-30 * arb(exact)


def test_groups_and_classes_prove_the_same() -> None:
    grouped, _ = solved("step")
    classes = grouped.problem.program("classes")
    label = grouped.problem.counts.group_of_class()
    witness = grouped.witness
    full = OrbitMatrix(np.ones(len(label)), witness.base.own[label], witness.base.peer[np.ix_(label, label)])
    point = factored(classes, OrbitMatrix(np.ones(len(label)), full.own, grouped.gram))
    found = prove(classes, witness_at(classes, full), point)
    once = solved("step")[1]
    assert found.excess_lower is not None and once.excess_lower is not None
    assert abs(found.excess_lower - once.excess_lower) < 1e-11 * once.excess_lower
    assert abs(found.excess_upper - once.excess_upper) < 1e-11 * once.excess_upper


def test_working_precision_is_left_as_it_was() -> None:
    before = ctx.prec
    solved.__wrapped__("two")
    assert ctx.prec == before


def two_groups() -> tuple[GramProgram, Witness, FactoredPoint]:
    solution = solve(Problem([7, 7, 2], temperature=0.5))
    return solution.program, solution.witness, factored(solution.program, solution.point)


def with_cluster(witness: Witness, groups: list[int], weight: list[float], kappa: float = 1.0) -> Witness:
    return replace(witness, clusters=(Cluster(np.array(groups), np.array(weight), kappa),))


def test_unusable_input_is_refused_in_one_sentence() -> None:
    program, witness, point = two_groups()
    rows, nan = log_sum_exp(program)[0], np.full(point.vectors.shape, np.nan)
    negative = replace(rows, weight=-rows.weight)
    infinite = replace(rows, peer_multiplicity=np.full((2, 2), np.inf))
    free = replace(program, nonnegative=True)
    refused = [
        (cross_entropy([2, 1]), witness, point, "2 roles"),
        (replace(program, rows=(negative,)), witness, point, "not negative"),
        (replace(program, rows=(infinite,)), witness, point, "finite"),
        (replace(program, temperature=Fraction(0)), witness, point, "temperature"),
        (replace(program, multiplicity=np.array([2.5, 1.0])), witness, point, "whole numbers"),
        (replace(program, rules=(replace(program.rules[0], value=-1.0),)), witness, point, "positive"),
        (program, replace(witness, factor=np.full((2, 1), np.nan)), point, "NaN"),
        (program, replace(witness, factor=np.zeros((3, 1))), point, "shapes"),
        (program, with_cluster(witness, [0, 0], [1.0, 1.0]), point, "distinct"),
        (program, with_cluster(witness, [0, 2], [1.0, 1.0]), point, "distinct"),
        (program, with_cluster(witness, [0, 1], [1.0, 0.0]), point, "positive weights"),
        (program, with_cluster(witness, [0, 1], [1.0, 1.0], np.inf), point, "finite kappa"),
        (program, witness, FactoredPoint(nan, point.within), "NaN"),
        (program, witness, FactoredPoint(point.vectors[:1], point.within[:1]), "shapes"),
        (program, witness, FactoredPoint(point.vectors, -point.within), "negative"),
        (program, witness, FactoredPoint(0 * point.vectors, 0 * point.within), "zero"),
        (free, witness, point, "negative entry"),
    ]
    for given_program, given_witness, given_point, words in refused:
        with pytest.raises(InputError, match=words) as caught:
            prove(given_program, given_witness, given_point)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="2 roles"):
        factored(cross_entropy([2, 1]), random_matrix(cross_entropy([2, 1]), np.random.default_rng(0), True))


@pytest.mark.parametrize("size", [1e300, 1e154, 1e-300])
def test_absurd_witnesses_cost_gap_and_nothing_else(size: float) -> None:
    program, good, point = two_groups()
    wild = OrbitMatrix(good.base.multiplicity, good.base.own * size, good.base.peer * -size)
    for witness in (replace(good, base=wild), replace(good, factor=good.factor * size)):
        found = prove(program, witness, point)
        best = prove(program, good, point).excess_upper
        assert found.excess_lower is None or not found.excess_lower > best
