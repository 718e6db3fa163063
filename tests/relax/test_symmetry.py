"""Samples → classes → groups and back, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.problem import Ball, Norm, Problem, Ridge, Sphere
from relax.symmetry import merge, merge_labels, spread
from relax.testing.orbit_search import collapse, find_orbits, orbits
from tests.relax.programs import PROGRAMS, cross_entropy, log_sum_exp, random_matrix

COUNTS = [[4, 4, 3, 2], [5, 2, 2, 1, 1], [3, 3], [6, 1, 1, 1]]


def plain(full: np.ndarray) -> OrbitMatrix:
    return OrbitMatrix(np.ones(len(full)), np.diag(full)[:, None, None].copy(), full)


@pytest.mark.parametrize("norm", [Sphere(), Ball(), Ridge(0.02)])
@pytest.mark.parametrize("counts", COUNTS)
def test_samples_reduce_to_the_class_program(counts: list[int], norm: Norm) -> None:
    problem = Problem(counts, temperature=0.3, norm=norm)
    samples = problem.program("samples")
    labels = np.repeat(np.arange(len(counts)), counts)
    by_class = collapse(orbits(samples, labels))
    direct = problem.program("classes")
    rng = np.random.default_rng(0)
    for _ in range(5):
        matrix = random_matrix(direct, rng, obedient=True)
        lifted = plain(matrix.expand()[np.ix_(labels, labels)])
        assert by_class.value(matrix) == pytest.approx(direct.value(matrix), rel=1e-13)
        assert samples.value(lifted) == pytest.approx(direct.value(matrix), rel=1e-13)


@pytest.mark.parametrize("counts", COUNTS)
def test_classes_reduce_to_groups(counts: list[int]) -> None:
    problem = Problem(counts, temperature=0.3)
    classes, groups = problem.program("classes"), problem.program()
    reduced = orbits(classes)
    np.testing.assert_array_equal(reduced.multiplicity, groups.multiplicity)
    rng = np.random.default_rng(0)
    for _ in range(5):
        matrix = random_matrix(groups, rng, obedient=True)
        value = classes.value(plain(matrix.expand()))
        assert reduced.value(matrix) == pytest.approx(value, rel=1e-13)
        assert groups.value(matrix) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("counts", COUNTS)
def test_orbits_are_those_that_brute_force_finds(counts: list[int]) -> None:
    program = Problem(counts, temperature=0.3).program("samples")
    label = find_orbits(program)
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(program.groups, program.groups))
    matrix = matrix + matrix.T
    value = program.value(plain(matrix))
    for i in range(program.groups):
        for j in range(i):
            swap = np.arange(program.groups)
            swap[[i, j]] = j, i
            unchanged = abs(program.value(plain(matrix[np.ix_(swap, swap)])) - value) < 1e-12 * abs(value)
            assert (label[i] == label[j]) == unchanged


@pytest.mark.parametrize("name", ["supcon-groups", "mixed-targets", "cross-entropy", "negatives-only-groups"])
def test_a_merged_program_is_the_program_on_coinciding_members(name: str) -> None:
    program = PROGRAMS[name]
    for clusters in ([[0]], [[0, 1]], [[0], [1]]):
        if any(program.rules[0].__class__ is not program.rules[-1].__class__ for _ in clusters):
            clusters = [[0]]  # members of a cluster obey one rule
        merged = merge(program, clusters)
        rng = np.random.default_rng(0)
        for _ in range(3):
            small = random_matrix(merged, rng, obedient=True)
            large = spread(small, program.multiplicity, clusters)
            assert program.value(large) == pytest.approx(merged.value(small), rel=1e-12)
            assert np.linalg.eigvalsh(large.expand()).min() > -1e-12


def test_equal_rows_of_a_merged_node_become_one() -> None:
    program = Problem([10, 4, 3], temperature=0.5).program()
    merged = merge(program, [[1, 2]])
    rows = log_sum_exp(merged)[0]
    assert rows.anchor.tolist() == [0, 1]
    assert rows.weight.tolist() == [10.0, 7.0]
    assert rows.own_multiplicity.tolist() == [9.0, 6.0]


def test_a_cluster_stands_where_its_first_group_stood() -> None:
    assert merge_labels(5, [[1, 3]]).tolist() == [0, 1, 2, 1, 3]


def test_refusals() -> None:
    program = Problem([3, 3, 2], temperature=0.3).program("classes")
    with pytest.raises(InputError, match="would change the program"):
        orbits(program, np.array([0, 1, 1]))
    with pytest.raises(InputError, match="plain program"):
        orbits(Problem([3, 3, 2], temperature=0.3).program())
    with pytest.raises(InputError, match="need not coincide"):
        collapse(Problem([3, 3, 2], temperature=0.3).program())
    with pytest.raises(InputError, match="need not coincide"):
        collapse(cross_entropy([2, 2]))
