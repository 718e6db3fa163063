"""Other rows than the supervised-contrastive loss's: gaps, how near classes come, what a status says."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from benchmarks.grid import FAMILIES
from benchmarks.rows import KINDS, cells, program
from benchmarks.scaling import counted
from relax import datasets
from relax.answer import Answer, Status
from relax.bounds import feasible, lower_bound
from relax.program import GramProgram
from relax.solvers import barrier, dual_vector, low_rank, solve_program
from tests.relax.programs import gap, long_tail

OTHERS = [kind for kind in KINDS if kind != "supcon"]
COUNTS = {
    "step": [1000, 1000, 10, 10, 10],
    "long tail": long_tail(20),
    "nearly one point": [1000, 600, 5, 3],
    "equal minorities": [1000, 800, 4, 4, 4, 3],
    "with singletons": [50, 20, 5, 1, 1],
    "two classes": [30, 4],
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("tau", [2.0, 1.0, 0.3, 0.1])
def test_the_gap_is_proven_by_recomputed_bounds(kind: str, name: str, tau: float) -> None:
    stated = program(kind, COUNTS[name], tau)
    found = solve_program(stated)
    point = feasible(stated, found.point)
    excess = stated.excess(point)
    proven = excess - lower_bound(stated, found.witness, excess).excess
    assert proven <= 1e-9 * stated.scale_of_gap(point)
    assert found.status is Status.CONVERGED


def agrees(stated: GramProgram, other: Callable[..., Answer]) -> None:
    """Both answers lie within the gaps of each other."""
    first, second = solve_program(stated), other(stated, 1e-10, np.inf)
    assert gap(stated, second) <= 1e-9
    values = [stated.excess(feasible(stated, one.point)) for one in (first, second)]
    assert abs(values[0] - values[1]) <= 2e-9 * stated.scale_of_gap(first.point)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(("tau", "other"), [(1.0, barrier), (0.2, low_rank)], ids=["barrier", "low_rank"])
def test_another_solver_agrees(kind: str, name: str, tau: float, other: ModuleType) -> None:
    agrees(program(kind, COUNTS[name], tau), other.solve)


@pytest.mark.parametrize("kind", OTHERS)
def test_groups_of_equal_classes_say_what_classes_say(kind: str) -> None:
    counts = [200, 200, 30, 30, 30, 8]
    values = [solve_program(program(kind, counts, 0.3, level=level)).value for level in ("groups", "classes")]
    assert values[0] == pytest.approx(values[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "angle"),
    [("ntxent-labels", 3.70e-4), ("negatives-only", 1.34e-4), ("class weights", 1.30e-4), ("supcon", 0.0)],
)
def test_different_sizes_come_near_but_coincide_under_supcon_only(kind: str, angle: float) -> None:
    stated = program(kind, [1000, 600, 5, 3], 1.0)  # groups by falling size
    found = solve_program(stated, tolerance=1e-12)
    cosine = float(found.point.peer[2, 3])
    # 1 − cos θ = θ²/2; the gap leaves about its root of an entry
    assert 2.0 * (1.0 - cosine) == pytest.approx(angle**2, rel=2e-2, abs=1e-13)
    assert found.relative_gap() <= 1e-12


@pytest.mark.parametrize("kind", ["ntxent-labels", "negatives-only", "class weights"])
def test_the_slack_then_has_rank_two(kind: str) -> None:
    stated = program(kind, [1000, 600, 5, 3], 1.0)
    answer = solve_program(stated, tolerance=1e-12)
    gram = answer.point.peer - np.diag(np.diag(answer.point.peer))
    gradient = stated.gradient(answer.point).peer
    pull = -(gradient * gram).sum(axis=1)  # the multipliers for which the slack annihilates M
    values = np.linalg.eigvalsh(gradient - np.diag(np.diag(gradient)) + np.diag(pull))[::-1]
    assert values[1] > 1e-6 * values[0]
    assert abs(values[2]) < 1e-9 * values[0]


@pytest.mark.parametrize("kind", OTHERS)
def test_equal_classes_coincide_exactly_under_any_rows(kind: str) -> None:
    """A group that coincides gets κ ≥ 0 from the dual-vector method, and low_rank finds the same."""
    stated = program(kind, [1000, 10, 10, 10], 1.0)
    found = dual_vector.solve(stated, 1e-9, np.inf)
    assert gap(stated, found) <= 1e-9
    assert found.point.peer[1, 1] == 1.0
    assert len(found.witness.clusters) == 1
    assert found.witness.clusters[0].kappa >= 0.0
    agrees(stated, low_rank.solve)


@pytest.mark.parametrize("kind", [*OTHERS, "supcon"])
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("tau", [2.0, 1.0, 0.3])
def test_a_status_follows_the_gap(kind: str, name: str, tau: float) -> None:
    found = solve_program(program(kind, COUNTS[name], tau), "dual_vector")
    assert (found.status is Status.CONVERGED) == (found.relative_gap() <= 1e-9)


@pytest.mark.parametrize("kind", ["ntxent-labels", "class weights"])
def test_a_slack_of_higher_rank_is_handed_over_at_once(kind: str) -> None:
    found = solve_program(program(kind, list(datasets.counts("places-lt")), 1.0), "dual_vector")
    assert found.status is Status.STALLED
    assert found.relative_gap() > 1e-9
    assert found.iterations <= 20


@pytest.mark.parametrize(
    ("kind", "tau", "steps"),
    [
        ("ntxent-labels", 0.1, 25),
        ("negatives-only", 0.1, 8),
        ("negatives-only", 1.0, 6),
        ("class weights", 0.1, 10),
        ("w = 1/2", 0.1, 8),
        ("w = 1/2", 1.0, 6),
        ("w = 1/100", 0.1, 8),
    ],
)
def test_a_slack_of_rank_one_takes_few_newton_steps(kind: str, tau: float, steps: int) -> None:
    stated = program(kind, list(datasets.counts("places-lt")), tau)
    with counted() as count:
        found = solve_program(stated)
    assert found.solver == "dual_vector"
    assert found.relative_gap() <= 1e-12
    assert 0 < found.iterations <= steps
    assert count["products"] + count["factorisations"] <= 12 * steps


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "products"), [("ntxent-labels", 800), ("class weights", 800)])
def test_a_slack_of_higher_rank_takes_a_bounded_number_of_products(kind: str, products: int) -> None:
    found = solve_program(program(kind, list(datasets.counts("places-lt")), 1.0))
    assert found.solver == "low_rank"
    assert found.relative_gap() <= 1e-9
    assert found.iterations <= products


@pytest.mark.slow
@pytest.mark.parametrize("kind", OTHERS)
def test_imbalanced_problems_are_solved(kind: str) -> None:
    small = [cell for cell in cells() if cell[2] <= 30]
    for family, ratio, k, tau in small[:60]:
        found = solve_program(program(kind, FAMILIES[family](k, ratio), tau))
        assert found.relative_gap() <= 1e-9, (family, ratio, k, tau)
