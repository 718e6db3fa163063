"""The CVXPY model: its entries are those of the quotient and the blocks within groups, in few expressions."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from relax import Problem, datasets, solve
from relax.bounds import feasible
from relax.errors import InputError
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Budget
from relax.solvers import conic
from tests.relax.programs import PROGRAMS, cross_entropy, random_matrix, supcon


def grouped_cross_entropy() -> GramProgram:
    """Return `cross_entropy([5, 5, 2])` with the two equal classes in one group: two roles, two members."""
    slots, g = np.arange(4), np.array([2.0, 1.0])
    rows = LogSumExp(
        np.arange(2), np.array([10.0, 2.0]), np.ones(2), np.ones(2), np.ones((2, 2)), roles=(1, 0)
    )
    rules = tuple(Budget(slots[role::2], np.ones(2), 9.0) for role in (0, 1))
    return GramProgram(g, Fraction(1), (rows,), Fraction(12), rules, roles=2)


ALL = {**PROGRAMS, "cross-entropy-groups": grouped_cross_entropy()}


@pytest.mark.parametrize("name", sorted(ALL))
def test_entries_are_linear_maps_of_quotient_and_within(name: str) -> None:
    program = ALL[name]
    matrix = feasible(program, random_matrix(program, np.random.default_rng(1), obedient=True))
    model = conic.model(program)
    variables = sorted(model.problem.variables(), key=lambda v: v.id)  # the quotient is made first
    values = [matrix.quotient(), *matrix.within()[program.multiplicity > 1]]
    for variable, value in zip(variables, values, strict=True):
        variable.value = (value + value.T) / 2
    found = conic.matrix_of(program, model)
    np.testing.assert_allclose(found.own, matrix.own, atol=1e-12)
    read = np.kron(matrix.pair_counts() > 0, np.ones((program.roles, program.roles))) > 0
    np.testing.assert_allclose(found.peer[read], matrix.peer[read], atol=1e-12)
    assert all(constraint.violation().max() <= 1e-9 for constraint in model.problem.constraints)


def test_negative_entries_of_either_kind_are_refused() -> None:
    program = replace(grouped_cross_entropy(), nonnegative=True)
    model = conic.model(program)
    quotient, within = sorted(model.problem.variables(), key=lambda v: v.id)
    quotient.value, within.value = np.eye(4), np.array([[1.0, -0.5], [-0.5, 1.0]])
    own, peer = model.problem.constraints[-2:]
    assert own.violation().max() == pytest.approx(0.25)  # −1/2 (1 − 1/2) between roles of one member
    assert peer.violation().max() == 0
    quotient.value = np.eye(4) - 0.1 * (np.eye(4)[::-1] > 0)
    assert peer.violation().max() == pytest.approx(0.1 / np.sqrt(2))


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_a_hundred_classes_compile_without_a_word(solver: str) -> None:
    model = conic.model(supcon(datasets.long_tail(100, 2000, 20.0), "classes"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = model.problem.get_problem_data(solver.upper())[0]
    assert data["dims"].exp == 100 * 100


def test_two_roles_in_groups_have_the_optimum_of_the_program_without_groups() -> None:
    excess = []
    for program in (grouped_cross_entropy(), cross_entropy([5, 5, 2])):
        excess.append(program.excess(feasible(program, conic.solve(program, 1e-9, np.inf).point)))
    assert excess[0] == pytest.approx(excess[1], rel=1e-7)


@pytest.mark.parametrize("loss", ["supcon:batch_size=4", "jiang-ucl", "hucl"])
def test_expectations_are_refused(loss: str) -> None:
    problem = Problem([5, 3, 3], loss)
    with pytest.raises(InputError, match="rows over random draws"):
        solve(problem, "scs")
    with pytest.raises(InputError, match="CVXPY cannot express"):
        problem.cvxpy()
