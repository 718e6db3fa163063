"""Two roles as nodes of one: the same value, the same bounds, the same feasible matrices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from relax.answer import Answer, Status
from relax.bounds import Cluster, Witness, feasible, lower_bound
from relax.by_slot import by_slot, program_by_slot
from relax.errors import InputError
from relax.losses import CrossEntropy
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.solvers import solve_program
from tests.relax.programs import random_matrix

NORMS: list[tuple[Norm, Norm]] = [
    (Ball(2.0), Sphere(1.5)),
    (MeanSquare(1.0), MeanSquare(5.0)),
    (Ridge(0.01), Ridge(0.002)),
    (Sphere(), Ball()),
    (Ridge(0.02), MeanSquare(2.0)),
]
COUNTS = [[6, 6, 6, 2, 2, 1], [5, 3, 2], [4, 4]]


def cross_entropy(counts: list[int], norms: tuple[Norm, Norm]) -> GramProgram:
    return Problem(counts, CrossEntropy(norms[0]), norm=norms[1], temperature=0.7).program()


def every_reading() -> GramProgram:
    """Rows between all pairs of roles, own targets and peers', exact numbers, three members and one."""
    third = Fraction(1, 3)

    def block(roles: tuple[int, int], exact: bool) -> LogSumExp:
        own, peer = np.array([third, third]), np.array([[third, third], [Fraction(2, 9), 0]])
        if not exact:
            own, peer = np.array([0.25, 1.0]), np.array([[0.25, 0.25], [0.0, 0.0]])
        reads = np.array([[1.0, 2.0], [3.0, 1.0]])
        return LogSumExp(
            np.array([0, 1]), np.array([1.0, 2.0]), np.array([2.0, 1.0]), own, reads, peer, roles
        )

    blocks = tuple(block((r, q), r == q) for r in (0, 1) for q in (0, 1))
    rules = cross_entropy([3, 3, 3, 2], (MeanSquare(1.0), Ball())).rules
    return GramProgram(np.array([3.0, 1.0]), Fraction(1, 2), blocks, Fraction(3), rules, roles=2)


PROGRAMS = [cross_entropy(counts, norms) for counts in COUNTS for norms in NORMS] + [every_reading()]


def as_plain(matrix: OrbitMatrix) -> OrbitMatrix:
    full = matrix.expand()
    return OrbitMatrix(np.ones(len(full)), np.diag(full)[:, None, None].copy(), full)


def random_answer(program: GramProgram, rng: np.random.Generator) -> Answer:
    """An answer with every part of a witness, each of them random."""
    m, s = program.groups, program.roles
    point, base = random_matrix(program, rng, True), random_matrix(program, rng, False)
    clusters = (Cluster(np.array([m - 1, 0]), rng.uniform(1, 2, 2), 0.3),) if m > 1 else ()
    witness = Witness(base, rng.normal(size=(m * s, 3)), rng.normal(size=(m, s, 2)), clusters)
    return Answer(program, point, witness, Status.CONVERGED, 1)


@pytest.mark.parametrize("program", PROGRAMS)
def test_rows_have_the_value_and_the_gradient_of_two_roles(program: GramProgram) -> None:
    rng, plain = np.random.default_rng(1), program_by_slot(program)
    assert plain.roles == 1 and np.all(plain.multiplicity == 1)
    for obedient in (True, False):
        matrix = random_matrix(program, rng, obedient)
        assert plain.value(as_plain(matrix)) == pytest.approx(program.value(matrix), rel=1e-12)
        assert plain.excess(as_plain(matrix)) == pytest.approx(program.excess(matrix), rel=1e-12)
        full, of_plain = program.gradient(matrix).expand(), plain.gradient(as_plain(matrix)).expand()
        np.testing.assert_allclose(of_plain, full, atol=1e-14 + 1e-12 * np.abs(full).max())
    assert plain.floor == pytest.approx(program.floor, rel=1e-13)


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_obedient_matrix_stays_and_a_disobedient_one_is_scaled_alike(program: GramProgram) -> None:
    rng, plain = np.random.default_rng(2), program_by_slot(program)
    matrix = random_matrix(program, rng, True)
    same = feasible(plain, as_plain(matrix))
    np.testing.assert_allclose(same.expand(), matrix.expand(), rtol=1e-9, atol=1e-9)
    wild = OrbitMatrix(matrix.multiplicity, 3.0 * matrix.own, 3.0 * matrix.peer)
    scaled, of_plain = feasible(program, wild).expand(), feasible(plain, as_plain(wild)).expand()
    np.testing.assert_allclose(of_plain, scaled, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_random_witness_bounds_alike(program: GramProgram) -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        answer = random_answer(program, rng)
        plain = by_slot(answer)
        np.testing.assert_allclose(
            plain.witness.slack().expand(), answer.witness.slack().expand(), rtol=1e-11, atol=1e-11
        )
        level = answer.excess
        first = lower_bound(program, answer.witness, level)
        second = lower_bound(plain.program, plain.witness, level)
        assert second.excess == pytest.approx(first.excess, rel=1e-11)
        slot = np.repeat(np.arange(program.groups), program.multiplicity.astype(int) * program.roles)
        slot = slot * program.roles + np.arange(len(slot)) % program.roles
        np.testing.assert_allclose(second.multiplier, first.multiplier[slot], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("norms", NORMS)
def test_a_solved_answer_keeps_its_gap(norms: tuple[Norm, Norm]) -> None:
    answer = solve_program(cross_entropy(COUNTS[0], norms))
    plain = by_slot(answer)
    assert plain.program.roles == 1
    assert plain.excess == pytest.approx(answer.excess, rel=1e-12)
    assert plain.bound.excess == pytest.approx(answer.bound.excess, rel=1e-10)
    assert plain.relative_gap() <= 2e-9
    assert plain.primal_residual() <= 1e-9


def test_one_role_is_left_as_it_is() -> None:
    answer = solve_program(Problem([5, 3, 2]).program())
    assert by_slot(answer) is answer


def test_rows_without_an_anchor_stay_empty() -> None:
    program = cross_entropy([5, 3], NORMS[0])
    none = np.zeros(0)
    empty = LogSumExp(np.zeros(0, dtype=int), none, none, none, np.zeros((0, 2)), roles=(1, 0))
    matrix = random_matrix(program, np.random.default_rng(0), True)
    plain = program_by_slot(replace(program, rows=(*program.rows, empty)))
    assert plain.value(as_plain(matrix)) == pytest.approx(program.value(matrix), rel=1e-12)


def test_too_many_nodes_are_refused_in_words() -> None:
    answer = random_answer(cross_entropy([2] * 501, NORMS[0]), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"1002 vectors of 2 roles are too many.*it takes 1000"):
        by_slot(answer)
