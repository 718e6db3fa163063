"""Soundness: no feasible point ever lies below a lower bound, whatever the witness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relax.bounds import Cluster, Witness, feasible, lower_bound, witness_at
from relax.orbits import OrbitMatrix
from relax.problem import Ball, Norm, Problem, Ridge, Sphere
from relax.program import GramProgram
from relax.solvers import solve
from tests.relax.programs import PROGRAMS, random_matrix

ROUNDING = 1e-12  # bounds are in float64, and so are the values they are compared with


def garbage(program: GramProgram, rng: np.random.Generator) -> Witness:
    """A witness with nothing right about it."""
    m, s = program.groups, program.roles
    point = random_matrix(program, rng, obedient=bool(rng.integers(2)))
    factor = rng.normal(size=(m * s, int(rng.integers(0, 3)))) * 10.0 ** rng.uniform(-6, 1)
    within = rng.normal(size=(m, s, 1)) * 10.0 ** rng.uniform(-6, 1)
    clusters = ()
    if s == 1:
        inside = rng.permutation(m)[: int(rng.integers(1, m + 1))]
        clusters = (Cluster(inside, rng.uniform(0.1, 5, len(inside)), float(rng.normal())),)
    return Witness(point, factor, within, clusters)


@settings(max_examples=150)
@given(name=st.sampled_from(sorted(PROGRAMS)), seed=st.integers(0, 2**32 - 1))
def test_no_feasible_matrix_lies_below_the_bound_of_any_witness(name: str, seed: int) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(seed)
    matrix = random_matrix(program, rng, obedient=True)
    excess = program.excess(matrix)
    for witness in (garbage(program, rng), witness_at(program, random_matrix(program, rng, obedient=True))):
        bound = lower_bound(program, witness, level=excess).excess
        assert bound <= excess + ROUNDING * max(1.0, abs(excess), abs(bound))


@settings(max_examples=100)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=5).filter(lambda c: max(c) > 1),
    tau=st.floats(0.05, 3),
    norm=st.sampled_from([Sphere(), Ball(), Ridge(0.03)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_feasible_gram_lies_below_a_solution(counts: list[int], tau: float, norm: Norm, seed: int) -> None:
    solution = solve(Problem(counts, temperature=tau, norm=norm))
    classes, rng = solution.problem.program("classes"), np.random.default_rng(seed)
    k = len(counts)
    for near in (0.0, 1e-3, 1e-1, 1.0):
        vectors = solution.embedding() + near * rng.normal(size=(k, solution.embedding().shape[1]))
        full = vectors @ vectors.T
        matrix = OrbitMatrix(np.ones(k), np.diag(full)[:, None, None].copy(), full)
        excess = classes.excess(feasible(classes, matrix))
        assert excess >= solution.bound.excess - ROUNDING * excess


@pytest.mark.parametrize("name", PROGRAMS)
def test_slack_is_positive_semidefinite_by_construction(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(0)
    for _ in range(5):
        slack = garbage(program, rng).slack().expand()
        assert np.linalg.eigvalsh(slack).min() >= -1e-12 * np.abs(slack).max()


@pytest.mark.parametrize("name", PROGRAMS)
def test_multipliers_complete_the_gradient_to_a_psd_matrix(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(1)
    if program.nonnegative:
        pytest.skip("the multiplier of M ≥ 0 is part of that matrix there")
    witness = garbage(program, rng)
    multiplier = lower_bound(program, witness, level=1.0).multiplier
    gradient = program.gradient(witness.base)
    blocks = multiplier.reshape(program.groups, program.roles)[:, :, None] * np.eye(program.roles)
    full = OrbitMatrix(gradient.multiplicity, gradient.own + blocks, gradient.peer).expand()
    assert np.linalg.eigvalsh(full).min() >= -1e-10 * np.abs(full).max()


@pytest.mark.parametrize("name", PROGRAMS)
def test_feasible_is_feasible(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(2)
    for _ in range(5):
        point = feasible(program, random_matrix(program, rng, obedient=False))
        full = point.expand()
        assert np.linalg.eigvalsh(full).min() >= -1e-12 * max(1.0, np.abs(full).max())
        assert not program.nonnegative or full.min() >= -1e-13
        for rule in program.rules:
            g = program.slot_multiplicity[rule.slots]
            np.testing.assert_allclose(rule.scale(point.diagonal()[rule.slots], g), 1.0, rtol=1e-12)


def test_zero_on_the_diagonal_is_mended() -> None:
    program = Problem([4, 4, 2]).program("classes")
    nothing = OrbitMatrix(np.ones(3), np.zeros((3, 1, 1)), np.zeros((3, 3)))
    np.testing.assert_array_equal(feasible(program, nothing).expand(), np.eye(3))


@pytest.mark.parametrize("tau", [0.05, 0.04, 0.02])
def test_orthogonal_frame_is_far_from_certified_where_an_absolute_gap_is_tiny(tau: float) -> None:
    program = Problem([100] * 4, temperature=tau).program("classes")
    frame = OrbitMatrix(np.ones(4), np.ones((4, 1, 1)), np.eye(4))
    excess = program.excess(frame)
    gap = excess - lower_bound(program, witness_at(program, frame)).excess
    assert gap < 1e-6  # an absolute tolerance calls this optimal
    assert gap > 0.99 * excess
    optimum = solve(Problem([100] * 4, temperature=tau))
    assert optimum.excess < 2e-2 * excess
