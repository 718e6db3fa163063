"""The dual-vector method: closed forms, coinciding classes, hard inputs, and how many steps it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from relax.answer import Status
from relax.problem import Problem, Sphere
from relax.solvers import solve


@pytest.mark.parametrize("k", [2, 3, 10, 1000])
@pytest.mark.parametrize("n", [2, 50])
@pytest.mark.parametrize("tau", [2.0, 0.1, 0.02])
def test_balanced_counts_give_the_simplex_etf(k: int, n: int, tau: float) -> None:
    solution = solve(Problem({n: k}, temperature=tau))
    assert solution.answer.solver == "dual_vector"
    excess = math.log1p((k - 1) * n * math.exp((-1 / (k - 1) - 1) / tau) / (n - 1))
    assert solution.excess == pytest.approx(excess, rel=1e-12)
    np.testing.assert_allclose(solution.groups.gram, [[-1 / (k - 1)]], atol=1e-14)


def step_by_scan(k_major: int, k_minor: int, n_major: int, n_minor: int, tau: float) -> float:
    """The least loss of the two-unknown closed form of STEP imbalance, by a local search from many points."""

    def loss(x: np.ndarray) -> float:
        alpha, beta = x
        a, b = 1 + (k_major - 1) * alpha, 1 + (k_minor - 1) * beta
        if a < 0 or b < 0 or max(alpha, beta) > 1:
            return np.inf
        gamma = -math.sqrt(a * b / (k_major * k_minor))
        cross = math.exp((gamma - 1) / tau)
        d_major = (
            n_major - 1 + (k_major - 1) * n_major * math.exp((alpha - 1) / tau) + k_minor * n_minor * cross
        )
        d_minor = (
            n_minor - 1 + (k_minor - 1) * n_minor * math.exp((beta - 1) / tau) + k_major * n_major * cross
        )
        total = k_major * n_major * math.log(d_major) + k_minor * n_minor * math.log(d_minor)
        return total / (k_major * n_major + k_minor * n_minor)

    grid = np.linspace(0.02, 0.98, 7)
    starts = [
        (-1 / (k_major - 1) + s * (1 + 1 / (k_major - 1)), -1 / (k_minor - 1) + t * (1 + 1 / (k_minor - 1)))
        for s in grid
        for t in grid
    ]
    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 2000}
    return min(minimize(loss, x, method="Nelder-Mead", options=options).fun for x in starts)


@pytest.mark.parametrize("numbers", [(2, 2, 100, 10), (3, 5, 50, 5), (2, 4, 1000, 2)])
@pytest.mark.parametrize("tau", [1.0, 0.3, 0.1])
def test_step_imbalance_matches_its_closed_form(numbers: tuple[int, int, int, int], tau: float) -> None:
    assert solve(Problem.step(*numbers, temperature=tau)).value == pytest.approx(
        step_by_scan(*numbers, tau), rel=1e-9
    )


def test_minorities_collapse_exactly_where_theory_says() -> None:
    collapsed = solve(Problem([1000, 10, 10, 10, 10], temperature=1.0))
    assert collapsed.relative_gap() <= 1e-12
    np.testing.assert_allclose(collapsed.gram[1:, 1:], 1.0, atol=1e-12)
    np.testing.assert_allclose(collapsed.gram[0, 1:], -1.0, atol=1e-12)
    assert solve(Problem([100, 100, 10, 10], temperature=1.0)).gram[2, 3] < 0.99
    # one majority class of 10 R, four minority classes of 10, τ = 1: the threshold is R = 48.71…
    assert solve(Problem([487, 10, 10, 10, 10], temperature=1.0)).gram[1, 2] < 1 - 1e-5
    assert solve(Problem([488, 10, 10, 10, 10], temperature=1.0)).gram[1, 2] == pytest.approx(1, abs=1e-12)


def test_singletons_coincide_and_may_join_a_small_class() -> None:
    solution = solve(Problem([10, 5, 1, 1, 1], temperature=0.5))
    np.testing.assert_allclose(solution.gram[2:, 2:], 1.0, atol=1e-12)
    joined = solve(Problem([400, 3, 1], temperature=1.0))
    assert joined.relative_gap() <= 1e-12
    assert joined.gram[1, 2] == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(
    ("name", "tau"),
    [(name, tau) for name in ("places-lt", "lvis-v1") for tau in (1.0, 0.5, 0.1, 0.07)],
)
def test_real_data_sets_reach_rounding_level(name: str, tau: float) -> None:
    solution = solve(Problem.from_dataset(name, temperature=tau))
    assert solution.relative_gap() <= 1e-10
    assert solution.answer.iterations <= 15


def test_the_hard_case_takes_few_steps() -> None:
    solution = solve(Problem.from_dataset("lvis-v1-instances", temperature=0.07))
    assert solution.relative_gap() <= 1e-10
    assert solution.answer.iterations <= 30


def test_a_million_classes_cost_nothing() -> None:
    solution = solve(Problem.step(10, 10**6, 1000, 10))
    assert solution.relative_gap() <= 1e-10
    assert solution.answer.iterations <= 10
    assert solution.answer.seconds < 5


HARD = [
    ([10**7] * 2 + [10] * 2, 0.2),
    ([10**7] + [10] * 3, 0.02),
    ([10**7] * 150 + [10] * 150, 2.0),
    ([int(10 * 10**4 * 10 ** (-4 * c / 29)) for c in range(30)], 0.1),
    ([int(10 * 10**6 * 10 ** (-6 * c / 29)) for c in range(30)], 0.02),
]


@pytest.mark.parametrize(("counts", "tau"), HARD, ids=range(len(HARD)))
def test_extreme_ratios(counts: list[int], tau: float) -> None:
    solution = solve(Problem(counts, temperature=tau))
    assert solution.status is Status.CONVERGED
    assert solution.relative_gap() <= 1e-9


@settings(max_examples=150)
@given(
    pool=st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
    picks=st.lists(st.integers(0, 3), min_size=2, max_size=8),
    log_tau=st.floats(-1.7, 1.3),
)
def test_random_problems_are_all_solved(pool: list[int], picks: list[int], log_tau: float) -> None:
    counts = [pool[i % len(pool)] for i in picks]
    if max(counts) < 2:
        return
    solution = solve(Problem(counts, temperature=10**log_tau), "dual_vector")
    assert solution.relative_gap() <= 1e-9


@pytest.mark.parametrize("counts", [[3, 3], [5, 3, 2]])
def test_an_argument_that_underflows_is_no_warning(counts: list[int]) -> None:
    """Without positives in the denominator e^{−8/τ} is all there is at the simplex."""
    cold = Problem(counts, "supcon:positives_weight=0", temperature=0.01, norm=Sphere(2.0))
    assert solve(cold).relative_gap() <= 1e-9
