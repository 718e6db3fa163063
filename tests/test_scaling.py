"""What a solve costs in counts, which no machine changes: evaluations, Krylov products, factorisations."""

from __future__ import annotations

import pytest

from benchmarks.scaling import counted
from relax import Problem, solve


@pytest.mark.parametrize(
    ("sizes", "evaluations", "products", "factorisations"), [(10, 8, 0, 5), (100, 8, 0, 5), (300, 8, 34, 0)]
)
def test_a_solve_costs_few_evaluations(
    sizes: int, evaluations: int, products: int, factorisations: int
) -> None:
    problem = Problem({c + 2: 1 for c in range(sizes)}, temperature=0.1)
    with counted() as count:
        solution = solve(problem)
    assert solution.answer.solver == "dual_vector"
    assert solution.relative_gap() <= 1e-12
    assert 0 < count["evaluations"] <= evaluations
    assert count["products"] <= products
    assert count["factorisations"] <= factorisations


@pytest.mark.parametrize(
    ("name", "tau", "evaluations"),
    [("places-lt", 0.1, 10), ("lvis-v1", 0.07, 12), ("lvis-v1-instances", 0.07, 14)],
)
def test_real_data_sets_cost_few_evaluations(name: str, tau: float, evaluations: int) -> None:
    problem = Problem.from_dataset(name, temperature=tau)
    with counted() as count:
        solution = solve(problem)
    assert solution.relative_gap() <= 1e-9
    assert 0 < count["evaluations"] <= evaluations
    assert count["products"] + count["factorisations"] <= 60
    assert count["evaluations"] >= solution.answer.iterations  # what is counted includes the steps
