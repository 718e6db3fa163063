"""Sums of exponentials against their definition in mpmath, finite differences and CVXPY."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from relax.program import GramProgram
from relax.rows import LogSumExp, Rows, RowState, RowTable, SumExp
from relax.rules import Bounded, Fixed, RidgeCost
from relax.solvers import conic, solve_program
from tests.relax.programs import random_matrix

G = np.array([3.0, 1.0, 2.0])


def rows() -> SumExp:
    """Several rows an anchor, targets on peers, on its own entry, on nothing; exact numbers."""
    return SumExp(
        anchor=np.array([0, 0, 1, 2]),
        weight=np.array([Fraction(1, 3), Fraction(2), Fraction(1), Fraction(1, 2)]),
        own_multiplicity=np.array([0.0, 1.0, 0.5, 0.0]),
        own_target=np.array([1.0, 0.25, 0.0, 0.5]),
        peer_multiplicity=np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]]),
        floor=np.array([Fraction(-1, 3), Fraction(0), Fraction(1, 7), Fraction(2)]),
        peer_target=np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.5]]),
    )


def program() -> GramProgram:
    """Both kinds of rows in one program."""
    ones = np.ones(3)
    other = LogSumExp(np.arange(3), ones, ones, ones, np.ones((3, 3)))
    rules = (Fixed(np.array([0])), Bounded(np.array([1]), 2.0), RidgeCost(np.array([2]), np.array([0.3])))
    return GramProgram(G, Fraction(1, 2), (rows(), other), Fraction(2), rules)


def entries(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(4, 4)) * 2.0


def value(table: Any, entry: np.ndarray) -> np.ndarray:
    return table.state(entry).excess


def test_it_satisfies_the_protocols() -> None:
    assert isinstance(rows(), Rows)
    table = rows().table(G)
    assert isinstance(table, RowTable)
    assert isinstance(table.state(entries(np.random.default_rng(0))), RowState)


def test_the_excess_is_the_definition() -> None:
    given, entry = rows(), entries(np.random.default_rng(1))
    table = given.table(G)
    np.testing.assert_array_equal(table.floor, given.floor.astype(float))
    for t, a in enumerate(given.anchor):
        single = [(given.own_multiplicity[t], given.own_target[t], entry[t, 0])]
        assert given.peer_target is not None
        for b in range(3):
            for _ in range(int(G[b]) - (a == b)):
                peer = (given.peer_multiplicity[t, b], given.peer_target[t, b], entry[t, b + 1])
                single.append(peer)
        mean = mpmath.fsum(p * x for _, p, x in single)
        expected = mpmath.fsum(m * mpmath.exp(x - mean) for m, _, x in single)
        assert value(table, entry)[t] == pytest.approx(float(expected), rel=1e-14)


def test_derivatives_are_those_of_finite_differences() -> None:
    rng, table = np.random.default_rng(2), rows().table(G)
    entry, step = entries(rng), 1e-5
    state, hessian = table.state(entry), table.state(entry).hessian()
    for e in range(4):
        up, down = entry.copy(), entry.copy()
        up[:, e] += step
        down[:, e] -= step
        by_column = (value(table, up) - value(table, down)) / (2 * step)
        np.testing.assert_allclose(table.members[:, e] * state.slope[:, e], by_column, rtol=1e-6, atol=1e-7)
        turned = (table.state(up).slope - table.state(down).slope) / (2 * step)
        unit = np.zeros((4, 4))
        unit[:, e] = 1.0
        np.testing.assert_allclose(state.along(unit), turned, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(hessian[:, e], table.members * state.along(unit), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(state.single()[:, e], state.along(unit)[:, e], rtol=1e-12, atol=1e-12)
    assert np.linalg.eigvalsh(hessian).min() >= -1e-12 * hessian.max()


def test_a_sum_beyond_float64_is_infinite() -> None:
    entry = np.zeros((4, 4))
    entry[0, 1] = 1e4
    assert value(rows().table(G), entry)[0] == np.inf


def test_the_value_is_floor_and_excess() -> None:
    """The program's floor is that of all rows together."""
    given, rng = program(), np.random.default_rng(3)
    matrix = random_matrix(given, rng, True)
    states = given.states(matrix)
    expected = sum(
        float(block.weights @ (table.floor + state.excess))
        for block, table, state in zip(given.rows, given.tables, states, strict=True)
    )
    assert given.value(matrix) == pytest.approx(expected / 2 + given.rule_cost(matrix), rel=1e-13)


def test_solvers_agree() -> None:
    found = [solve_program(program(), name) for name in ("low_rank", "barrier", "clarabel")]
    assert found[0].relative_gap() <= 1e-9
    for other in found[1:]:
        assert other.excess == pytest.approx(found[0].excess, rel=1e-6)
        assert other.bound.excess <= found[0].excess * (1 + 1e-12)


def test_the_cvxpy_expression_is_the_excess() -> None:
    given = program()
    answer = solve_program(given)
    solved = conic.model(given)
    solved.problem.solve(solver="CLARABEL")
    assert solved.problem.value == pytest.approx(answer.excess, rel=1e-5)
