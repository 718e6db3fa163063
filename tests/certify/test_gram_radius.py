"""No matrix as good as a point is farther from it than the proven radius, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from flint import arb, ctx

from certify.balls import FactoredPoint, ProvenBounds, decimal_above, factored, prove
from certify.balls.bounds import lower_bound, objective, slack, upper_bound
from certify.balls.radius import pair_radii
from relax import Ball, Problem, Ridge, solve
from relax.bounds import Witness, feasible
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Fixed, Rule
from relax.solution import Solution
from relax.solvers import barrier
from tests.certify import dense
from tests.relax.programs import log_sum_exp

PROBLEMS = {
    "balanced": Problem([30] * 4, temperature=0.3),
    "step": Problem.step(2, 2, 100, 10, temperature=0.3),
    "two": Problem([7, 2], temperature=0.5),
    "collapse": Problem([1000, 10, 10, 10], temperature=1.0),
    "within": Problem([1000, 10, 10, 10], temperature=1.0),
    "singletons": Problem([10, 5, 1, 1, 1], temperature=0.3),
    "joined": Problem([400, 3, 1], temperature=1.0),
    "ball": Problem([20, 20, 5], temperature=0.3, norm=Ball()),
    "nonnegative": Problem([20, 10, 10], temperature=0.3, nonnegative=True),
}


@cache
def solved(name: str) -> Solution:
    if name != "within":
        return solve(PROBLEMS[name])
    solution = solve(PROBLEMS["collapse"])  # the cluster of one group, said with Y: Y² = κ w
    (cluster,) = solution.witness.clusters
    within = np.zeros((2, 1, 1))
    within[cluster.groups, 0, 0] = np.sqrt(cluster.kappa * cluster.weight)
    return replace(
        solution,
        answer=replace(solution.answer, witness=replace(solution.witness, within=within, clusters=())),
    )


def proven(solution: Solution, point: FactoredPoint | None = None) -> ProvenBounds:
    there = factored(solution.program, solution.point) if point is None else point
    return prove(solution.program, solution.witness, there)


def float_excess(program: GramProgram, gram: np.ndarray) -> float:
    """The excess of a matrix over all nodes, invariant or not; targets are on own entries."""
    group = np.repeat(np.arange(program.groups), program.multiplicity.astype(int))
    rows, value = log_sum_exp(program)[0], 0.0
    for t, a in enumerate(rows.anchor.tolist()):
        for i in np.flatnonzero(group == a):
            m = rows.peer_multiplicity[t, group] / rows.own_multiplicity[t]
            m[i] = 0.0
            tail = m @ np.exp((gram[i] - gram[i, i]) / program.tau)
            value += rows.weight[t] / program.multiplicity[a] * np.log1p(tail)
    return value / float(program.normaliser)


def scaled(vectors: np.ndarray, ball: bool) -> np.ndarray:
    norm = np.linalg.norm(vectors, axis=1)[:, None]
    return vectors / (np.maximum(norm, 1.0) if ball else norm)


def farthest_share(
    program: GramProgram,
    witness: Witness,
    good: FactoredPoint,
    seed: int = 0,
    excess_of: Callable[[GramProgram, np.ndarray], float] = float_excess,
) -> float:
    """Walk from a good point as far as the excess of a worse one allows; return the share of its radius."""
    rng, share = np.random.default_rng(seed), 0.0
    is_ball, off = isinstance(program.rules[0], Bounded), ~np.eye(len(dense.nodes(program)), dtype=bool)
    best = np.array(dense.vectors_of(program, worse(program, good, 0.0, rng)), dtype=float)
    for size in (1e-4, 1e-3, 1e-2):  # a worse point allows a larger gap, and so more room to miss
        point = worse(program, good, size, rng)
        found = prove(program, witness, point)
        if found.gram_radius is None:
            continue
        radius, excess = float(found.gram_radius), float(found.excess_upper)
        ours = np.array(dense.scaled_gram(program, dense.vectors_of(program, point)), dtype=float)
        for _ in range(40):
            direction = rng.normal(size=best.shape) * (rng.random(best.shape) < rng.uniform(0, 1))
            for length in 0.8 ** np.arange(70):
                moved = scaled(best + length * direction, is_ball)
                gram = moved @ moved.T
                if excess_of(program, gram) <= excess and (not program.nonnegative or gram.min() >= 0):
                    share = max(share, float(np.abs(gram - ours)[off].max()) / radius)
                    break
    return share


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_matrix_as_good_as_the_point_is_farther_than_the_radius(name: str) -> None:
    solution = solved(name)
    point = factored(solution.program, solution.point)
    share = farthest_share(solution.program, solution.witness, point)
    # The slack holds points on a boundary much closer than √gap, which is what curvature alone can say.
    assert (0.05 if name in ("balanced", "step", "singletons", "ball") else 0.0) < share <= 1


@pytest.mark.parametrize("rule", [Fixed(np.arange(2)), Bounded(np.arange(2))], ids=["fixed", "bounded"])
def test_pairs_that_one_row_reads_are_bounded_by_that_row(rule: Rule) -> None:
    """The row of the larger classes does not see the smaller one, whose own row sees them."""
    read = np.array([[20.0, 0.0], [20.0, 5.0]])
    rows = LogSumExp(np.array([0, 1]), np.array([40.0, 5.0]), np.array([19.0, 4.0]), np.ones(2), read)
    program = GramProgram(np.array([2.0, 1.0]), Fraction(3, 10), (rows,), Fraction(45), (rule,))
    candidate = barrier.solve(program, 1e-10, np.inf)
    point = factored(program, feasible(program, candidate.point))
    witness = candidate.witness
    if isinstance(rule, Bounded):  # whose condition is that own entries are those of the rule
        own = np.ones_like(witness.base.own)
        witness = replace(witness, base=OrbitMatrix(program.multiplicity, own, witness.base.peer))
    assert 0.05 < farthest_share(program, witness, point) <= 1


def worse(program: GramProgram, point: FactoredPoint, size: float, rng: np.random.Generator) -> FactoredPoint:
    """A point moved off the optimum into a direction of its own."""
    step = size * rng.uniform(0, 1, len(point.vectors))
    within = point.within if program.nonnegative else point.within * (1 + step)
    return FactoredPoint(np.column_stack([point.vectors, step]), within)


@pytest.mark.parametrize("settled", [1e-4, 1e9])
@pytest.mark.parametrize("size", [0.0, 1e-3])
@pytest.mark.parametrize("name", PROBLEMS)
def test_radii_are_what_the_conditions_say(
    name: str, size: float, settled: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the search in floats gives up at once, with a ρ that is too small."""
    monkeypatch.setattr("certify.balls.radius.SETTLED", settled)
    solution = solved(name)
    program, witness = solution.program, solution.witness
    point = worse(program, factored(program, solution.point), size, np.random.default_rng(0))
    with ctx.workprec(200):
        goal, given = objective(program), slack(program, witness)
        above = upper_bound(goal, point)
        below = lower_bound(goal, given, above.excess)
        assert below.excess is not None
        gap = (above.excess - below.excess).upper()
        found = pair_radii(goal, given, above, below, gap)
        assert found is not None
        if found[1] is None:
            assert size > 0
            return
        exact = dense.radii(program, witness, point, dense.real(Fraction(decimal_above(gap, 60))), found[1])
        assert all(abs(found[0][pair] - arb(radius)) < 1e-20 * arb(radius) for pair, radius in exact.items())
        everywhere = prove(program, witness, point).gram_radius
        assert everywhere is not None and everywhere > arb(max(exact.values())) * (1 - 1e-15)


@pytest.mark.parametrize("name", PROBLEMS)
def test_solutions_have_small_radii(name: str) -> None:
    found = proven(solved(name))
    assert found.gram_radius is not None and found.deviation is not None
    assert found.gram_radius.is_exact()
    assert 0 < found.gram_radius < (1e-3 if name == "nonnegative" else 1e-5)


def test_radius_is_nearly_the_smallest_that_the_condition_allows() -> None:
    """Condition 1 for one group of classes: ½ ρ² · 2 h > G, by bisection at 60 digits."""
    solution = solved("balanced")
    found, mp = proven(solution), dense.mp
    assert found.gap is not None and found.deviation is not None
    gap, tau = mp.mpf(float(found.gap)), dense.real(solution.program.temperature)
    each = 30 * mp.exp((dense.real(solution.witness.base.peer[0, 0]) - 1) / tau) / 29
    weight = mp.mpf(30 * 4) / 4 / 120 / tau**2

    def excess_of_curvature(rho: float) -> float:
        f = mp.exp(rho / tau)
        return float(mp.mpf(rho) ** 2 * weight * each / (f * (1 + f * 3 * each) ** 2) - gap)

    low, high = 0.0, float(tau)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess_of_curvature(middle) < 0 else (low, middle)
    assert high <= found.deviation <= 1.01 * high


def test_nothing_is_claimed_where_the_theory_does_not_reach() -> None:
    assert proven(solve(Problem([20, 10, 5], norm=Ridge(1e-3)))).gram_radius is None
    lift = Problem([3, 2]).program("samples")  # targets on peers
    signs = np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    there = OrbitMatrix(np.ones(5), np.ones((5, 1, 1)), np.outer(signs, signs))
    witness = Witness(there, np.zeros((5, 0)), np.zeros((5, 1, 0)))
    assert prove(lift, witness, FactoredPoint(signs[:, None], np.zeros(5))).gram_radius is None
    solution = solved("step")
    point = factored(solution.program, solution.point)
    far = worse(solution.program, point, 0.5, np.random.default_rng(0))
    assert proven(solution, far).gram_radius is None
    once = prove(solution.program, solution.witness, point, radius=False)
    assert once.gram_radius is None and once.deviation is None


def test_bounded_entries_must_be_pushed_outward() -> None:
    """In a ball with multipliers that are not positive, own entries are free, and nothing is proven."""
    solution = solved("ball")
    point = factored(solution.program, solution.point)
    inside = replace(solution.witness.base, own=solution.witness.base.own * 0.999)
    for witness in (
        replace(solution.witness, factor=0 * solution.witness.factor),
        replace(solution.witness, base=inside),
    ):
        assert prove(solution.program, witness, point).gram_radius is None


def shifted(solution: Solution, by: float) -> Witness:
    """The same linearisation, seen from own entries that are not those of the rule."""
    point = solution.witness.base
    return replace(solution.witness, base=OrbitMatrix(point.multiplicity, point.own + by, point.peer + by))


def test_shifted_linearisation_points_pay_for_the_shift() -> None:
    """Adding a constant to M₀ changes no row, so L stays; what is known of entries does not."""
    solution = solved("step")
    straight, by = proven(solution), 2.0**-12
    moved = prove(solution.program, shifted(solution, by), factored(solution.program, solution.point))
    assert straight.gram_radius is not None and moved.gram_radius is not None
    assert straight.excess_lower is not None and moved.excess_lower is not None
    assert abs(moved.excess_lower - straight.excess_lower) < 1e-13 * straight.excess_lower
    assert moved.gram_radius >= straight.gram_radius + by
