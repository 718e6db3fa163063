"""Every solver on every kind of program with a known answer; and the suite itself can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize

from relax.answer import Answer, Status
from relax.bounds import feasible
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.solvers import barrier, conic, dual_vector, low_rank, orthogonal_frame
from relax.testing import conformance

CASES = conformance.cases()
SOLVERS = {
    "dual_vector": dual_vector,
    "orthogonal_frame": orthogonal_frame,
    "low_rank": low_rank,
    "barrier": barrier,
}
COLD = {"balanced, k = 3, τ = 0.1, ball, classes", "two classes, [1000, 2]", "ridge 1, norm 0"}


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_our_solvers_conform(case: conformance.Case, name: str) -> None:
    reason = SOLVERS[name].supports(case.program)
    if reason is not None:
        pytest.skip(reason)
    conformance.assert_conforms(SOLVERS[name].solve, case)
    conformance.assert_keeps_time(SOLVERS[name].solve, case)


@pytest.mark.parametrize("name", ["clarabel", "scs"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conic_solvers_conform_as_far_as_absolute_tolerances_go(case: conformance.Case, name: str) -> None:
    if str(case) in COLD:
        pytest.skip("an absolute tolerance of 1e-9 says nothing of this excess, or of a norm of zero")
    conformance.assert_conforms(partial(conic.solve, name=name), case, tolerance=1e-3)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_known_optima_are_attained(case: conformance.Case) -> None:
    scale = case.program.scale_of_gap(case.gram)
    assert abs(case.program.excess(case.gram) - case.excess) <= 1e-12 * scale
    assert np.linalg.eigvalsh(case.gram.expand())[0] >= -1e-12 * np.abs(case.gram.expand()).max()


SMALL = [
    pytest.param(c, marks=[pytest.mark.slow] if c.program.nonnegative and c.program.groups > 2 else [])
    for c in CASES
    if c.program.groups * c.program.roles <= 4
]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_no_random_point_is_better_than_a_known_optimum(case: conformance.Case) -> None:
    """Local descents in plain factors from random starts, by a general optimiser, end no lower."""
    program, rng = case.program, np.random.default_rng(0)
    m, s = program.groups, program.roles
    if np.any(program.multiplicity > 1):
        pytest.skip("factors of one orbit matrix are not the whole cone")

    def at(x: np.ndarray) -> OrbitMatrix:
        v = x.reshape(m * s, -1)
        full = (np.abs(v) @ np.abs(v).T) if program.nonnegative else v @ v.T
        blocks = full.reshape(m, s, m, s)[np.arange(m), :, np.arange(m), :]
        return feasible(program, OrbitMatrix(program.multiplicity, blocks, full))

    ends = [
        minimize(lambda x: program.excess(at(x)), rng.normal(size=(m * s) ** 2), options={"maxiter": 40}).fun
        for _ in range(2)
    ]
    assert min(ends) >= case.excess - 1e-9 * program.scale_of_gap(case.gram)


def _case(name: str) -> conformance.Case:
    return next(case for case in CASES if str(case) == name)


def _spoilt(change: Callable[[Answer], Answer]) -> Callable[[GramProgram, float, float], Answer]:
    return lambda *arguments: change(barrier.solve(*arguments))


def test_a_wrong_matrix_does_not_conform() -> None:
    case = _case("two classes, [50, 3]")
    other = OrbitMatrix(np.ones(2), np.ones((2, 1, 1)), np.array([[1.0, -0.99], [-0.99, 1.0]]))
    with pytest.raises(AssertionError, match="above the optimum"):
        conformance.assert_conforms(_spoilt(lambda found: replace(found, point=other)), case)


def test_a_poor_witness_does_not_conform() -> None:
    case = _case("STEP, 3 × 20 and 3 × 5, τ = 0.5")

    def poor(found: Answer) -> Answer:
        return replace(found, witness=replace(found.witness, factor=0.9 * found.witness.factor))

    with pytest.raises(AssertionError, match="below the optimum"):
        conformance.assert_conforms(_spoilt(poor), case)


def test_a_boast_does_not_conform() -> None:
    def boasting(program: GramProgram, tolerance: float, deadline: float) -> Answer:
        return replace(barrier.solve(program, 0.5, deadline), status=Status.CONVERGED)

    case = _case("STEP, 3 × 20 and 3 × 5, τ = 0.5")
    with pytest.raises(AssertionError, match=r"above the optimum|CONVERGED"):
        conformance.assert_conforms(boasting, case)
    with pytest.raises(AssertionError, match="CONVERGED"):
        conformance.assert_keeps_time(boasting, case)


def test_the_suite_has_every_kind_of_program() -> None:
    rules = {type(rule).__name__ for case in CASES for rule in case.program.rules}
    assert rules == {"Fixed", "Bounded", "Budget", "RidgeCost"}
    programs = [case.program for case in CASES]
    assert {program.roles for program in programs} == {1, 2}
    assert {bool(np.any(program.multiplicity > 1)) for program in programs} == {False, True}
    assert {program.nonnegative for program in programs} == {False, True}
    assert any(np.isinf(program.floor) for program in programs)
    rows = [program.rows[0] for program in programs]
    assert any(len(np.unique(block.anchor)) < len(block.anchor) for block in rows)
    assert len({str(case) for case in CASES}) == len(CASES)
