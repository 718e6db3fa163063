"""Every solver on every kind of problem: same value, same Gram matrix, proven gap; the n×n lift agrees."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from relax.answer import Answer
from relax.bounds import feasible, lower_bound, witness_at
from relax.model import expression
from relax.orbits import OrbitMatrix
from relax.problem import Ball, Norm, Problem, Ridge, Sphere
from relax.program import GramProgram
from relax.solvers import barrier, conic, dual_vector, solve
from tests.relax.programs import PROGRAMS, log_sum_exp, random_matrix

CASES: list[tuple[list[int], float, Norm]] = [
    ([5, 5], 0.5, Sphere()),
    ([20, 20, 10, 10], 0.5, Sphere()),
    ([12, 6, 3], 0.2, Sphere()),
    ([8, 8, 2, 2, 2], 1.0, Sphere()),
    ([40, 2, 2, 2], 1.0, Sphere()),
    ([9, 3, 3], 0.5, Ball()),
    ([5, 3, 2, 1, 1], 0.3, Ball()),
    ([10, 5, 1, 1, 1], 0.5, Sphere()),
    ([30, 3, 1], 1.0, Sphere()),
    ([6, 6, 6, 6], 0.3, Sphere()),
    ([4, 4, 2], 0.3, Ridge(0.01)),
    ([10, 5, 5], 0.5, Ridge(0.002)),
    ([12, 8, 4, 1], 1.0, Ridge(0.02)),
]
LARGE = (CASES[1], CASES[4])  # whose lifts take ten times as long as others'
IDS = [f"{','.join(map(str, c))}-{t}-{type(n).__name__}" for c, t, n in CASES]
PARTED = [pytest.param(*case, marks=pytest.mark.slow) if case in LARGE else case for case in CASES]


def judged(program: GramProgram, candidate: Answer) -> tuple[OrbitMatrix, float, float]:
    """Return the feasible point, its excess, and its gap."""
    point = feasible(program, candidate.point)
    excess = program.excess(point)
    return point, excess, excess - lower_bound(program, candidate.witness, excess).excess


@pytest.mark.parametrize(("counts", "tau", "norm"), PARTED, ids=IDS)
def test_lift_classes_and_groups_agree(counts: list[int], tau: float, norm: Norm) -> None:
    problem = Problem(counts, temperature=tau, norm=norm)
    ours = solve(problem)
    assert ours.relative_gap() <= 1e-9
    labels = np.repeat(np.arange(len(counts)), counts)
    for level, tolerance in (("samples", 2e-5), ("classes", 2e-5)):
        program = problem.program(level)  # type: ignore[arg-type]
        point, excess, gap = judged(program, conic.solve(program, 1e-9, np.inf, "clarabel"))
        assert abs(excess - ours.excess) <= max(1e-6 * ours.excess, abs(gap))
        expanded = ours.gram[np.ix_(labels, labels)] if level == "samples" else ours.gram
        # a value right to ε leaves entries right to about √ε; singletons' pairs are held by multipliers only
        np.testing.assert_allclose(point.expand(), expanded, atol=max(tolerance, 30 * np.sqrt(abs(gap))))


@pytest.mark.parametrize(("counts", "tau", "norm"), PARTED[:4], ids=IDS[:4])
def test_scs_on_the_lift_agrees_to_its_accuracy(counts: list[int], tau: float, norm: Norm) -> None:
    problem = Problem(counts, temperature=tau, norm=norm)
    ours, program = solve(problem), problem.program("samples")
    candidate = conic.solve(program, 1e-9, np.inf, "scs", eps_abs=1e-6, eps_rel=1e-6, max_iters=20_000)
    point, excess, _ = judged(program, candidate)
    labels = np.repeat(np.arange(len(counts)), counts)
    assert excess == pytest.approx(ours.excess, rel=1e-3)
    np.testing.assert_allclose(point.expand(), ours.gram[np.ix_(labels, labels)], atol=0.02)


@pytest.mark.parametrize("name", ["dual_vector", "barrier", "clarabel", "scs"])
@pytest.mark.parametrize(("counts", "tau", "norm"), CASES, ids=IDS)
def test_solvers_agree_on_groups(counts: list[int], tau: float, norm: Norm, name: str) -> None:
    problem = Problem(counts, temperature=tau, norm=norm)
    program = problem.program()
    if name == "dual_vector" and dual_vector.supports(program) is not None:
        pytest.skip("not one of its programs")
    reference, found = solve(problem), solve(problem, name)
    allowed = 1e-9 if name in ("dual_vector", "barrier") else 1e-5
    assert found.relative_gap() <= allowed
    assert found.excess == pytest.approx(reference.excess, rel=10 * allowed)
    np.testing.assert_allclose(found.gram, reference.gram, atol=30 * np.sqrt(allowed))


def test_auto_takes_the_first_that_fits() -> None:
    assert solve(Problem([10, 5])).answer.solver == "dual_vector"
    assert solve(Problem([10, 5], norm=Ridge(0.1))).answer.solver == "low_rank"
    assert solve(Problem([10, 5], nonnegative=True)).answer.solver == "orthogonal_frame"


def test_nonnegative_features_end_at_the_orthogonal_frame() -> None:
    counts, tau = [20, 10, 5], 0.2
    solution = solve(Problem(counts, temperature=tau, nonnegative=True))
    n = sum(counts)
    closed = sum(c * np.log(c - 1 + (n - c) * np.exp(-1 / tau)) for c in counts) / n
    assert solution.value == pytest.approx(closed, rel=1e-9)
    assert solution.relative_gap() <= 1e-9
    np.testing.assert_allclose(solution.gram, np.eye(3), atol=1e-4)


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"mixed-targets"}))  # that one is unbounded below
def test_barrier_solves_programs_of_every_kind(name: str) -> None:
    program = PROGRAMS[name]
    candidate = barrier.solve(program, 1e-9, np.inf)
    point, excess, _ = judged(program, candidate)
    witnesses = [candidate.witness, witness_at(program, point)]
    bound = max(lower_bound(program, witness, excess).excess for witness in witnesses)
    assert excess - bound <= 1e-9 * program.scale_of_gap(point)


@pytest.mark.parametrize("name", ["supcon-groups", "supcon-samples", "cross-entropy", "mixed-targets"])
def test_the_cvxpy_expression_has_the_value_of_the_program(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(0)
    matrix = random_matrix(program, rng, obedient=True)
    stated = expression(program, [cp.Constant(block) for block in matrix.own], cp.Constant(matrix.peer))
    floors = 0.0
    if np.isinf(program.floor):  # the expression leaves out the floors of rows that have one
        for rows, table in zip(log_sum_exp(program), program.tables, strict=True):
            floors += float(rows.weights @ np.where(np.isfinite(table.floor), table.floor, 0.0))
    value = float(stated.value) + floors / float(program.normaliser)
    assert value == pytest.approx(program.excess(matrix) - program.rule_cost(matrix), rel=1e-9)
