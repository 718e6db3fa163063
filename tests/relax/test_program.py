"""Value, excess and gradient of programs against definitions, mpmath and finite differences."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.program import GramProgram
from relax.rules import RidgeCost
from tests.relax.programs import PROGRAMS, log_sum_exp, random_matrix


def value_by_definition(program: GramProgram, matrix: OrbitMatrix) -> Any:
    """The objective over all nodes, one anchor and one term at a time."""
    mpmath.mp.dps = 40
    g, s, tau = program.multiplicity.astype(int), program.roles, mpmath.mpf(1) / 1
    tau = mpmath.mpf(program.temperature.numerator) / program.temperature.denominator
    group = np.repeat(np.arange(len(g)), g)
    full = matrix.expand()
    total = mpmath.mpf(0)
    for rows in log_sum_exp(program):
        r, q = rows.roles
        for t, a in enumerate(rows.anchor):
            for i in np.flatnonzero(group == a):
                terms = [(rows.own_multiplicity[t], rows.own_target[t], full[i * s + r, i * s + q])]
                for j in range(len(group)):
                    if j != i:
                        p = 0 if rows.peer_target is None else rows.peer_target[t, group[j]]
                        terms.append((rows.peer_multiplicity[t, group[j]], p, full[i * s + r, j * s + q]))
                inside = mpmath.fsum(
                    mpmath.mpf(float(m)) * mpmath.exp(mpmath.mpf(x) / tau) for m, _, x in terms
                )
                pulled = mpmath.fsum(mpmath.mpf(float(p)) * mpmath.mpf(x) / tau for _, p, x in terms)
                total += mpmath.mpf(float(rows.weight[t])) / int(g[a]) * (mpmath.log(inside) - pulled)
    total /= mpmath.mpf(program.normaliser.numerator) / program.normaliser.denominator
    for rule in program.rules:
        if isinstance(rule, RidgeCost):
            for slot, weight in zip(rule.slots, rule.weight, strict=True):
                total += mpmath.mpf(float(weight)) * int(g[slot // s]) * matrix.diagonal()[slot]
    return total


@pytest.mark.parametrize("name", PROGRAMS)
def test_value_is_the_definition(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(0)
    for scale in (0.1, 1.0, 30.0):
        matrix = random_matrix(program, rng, obedient=False)
        matrix = matrix.scaled(np.full(program.groups * program.roles, math.sqrt(scale)))
        assert program.value(matrix) == pytest.approx(float(value_by_definition(program, matrix)), rel=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradient_is_the_slope_of_the_value(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(1)
    here, there = (random_matrix(program, rng, obedient=True) for _ in range(2))
    step = 1e-6

    def moved(t: float) -> float:
        matrix = OrbitMatrix(here.multiplicity, here.own + t * there.own, here.peer + t * there.peer)
        return program.excess(matrix) - program.rule_cost(matrix)

    slope = (moved(step) - moved(-step)) / (2 * step)
    assert program.gradient(here).inner(there) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("temperature", [0.05, 0.02, 0.005])
def test_tiny_excess_keeps_its_relative_accuracy(temperature: float) -> None:
    problem = Problem([100] * 4, temperature=temperature)
    program = problem.program("classes")
    matrix = OrbitMatrix(np.ones(4), np.ones((4, 1, 1)), np.full((4, 4), -1 / 3) + 4 / 3 * np.eye(4))
    mpmath.mp.dps = 250
    cosine = mpmath.mpf(float(-1 / 3))
    tail = 300 * mpmath.exp((cosine - 1) / mpmath.mpf(str(temperature)))
    exact = mpmath.log(99 + tail) - mpmath.log(99)
    assert program.excess(matrix) == pytest.approx(float(exact), rel=1e-12)
    assert program.value(matrix) == pytest.approx(float(mpmath.log(99) + exact), rel=1e-14)


def test_floor_is_the_infimum() -> None:
    assert Problem([5, 3, 1], temperature=0.2).program().floor == pytest.approx(
        (5 * math.log(4) + 3 * math.log(2)) / 8
    )
    sample_level = Problem([5, 3, 1], temperature=0.2).program("samples")
    assert sample_level.floor == pytest.approx((5 * math.log(4) + 3 * math.log(2)) / 8)
    assert PROGRAMS["negatives-only"].floor == -math.inf
    assert PROGRAMS["cross-entropy"].floor == 0.0


def test_every_slot_needs_a_rule() -> None:
    program = PROGRAMS["supcon-groups"]
    with pytest.raises(ValueError, match="exactly one diagonal rule"):
        GramProgram(program.multiplicity, program.temperature, program.rows, program.normaliser, ())
