"""What a gap is measured against: min(excess, range), in floats, in balls and in checker.py."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from mpmath import mp

from certify import certify, checker
from certify.verification import verify
from relax import Problem, solve
from relax.answer import Answer, Status
from relax.bounds import witness_at
from relax.losses import parse
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere
from relax.orbits import OrbitMatrix
from relax.program import GramProgram

LOSSES = [
    ("supcon", 1),
    ("supcon:positives_weight=1/2", 1),
    ("ntxent-labels", 1),
    ("negatives-only", 2),
    ("decoupled", 2),
    ("kernel", 1),
    ("cross-entropy", 1),
]


def balanced(k: int, n: int, entry: float, temperature: str) -> tuple[GramProgram, OrbitMatrix]:
    """The program of k classes of n, and the matrix of equal cosines."""
    program = Problem([n] * k, temperature=float(temperature)).program()
    return program, OrbitMatrix(np.array([float(k)]), np.ones((1, 1, 1)), np.full((1, 1), entry))


@pytest.mark.parametrize("temperature", ["1e-1", "1e3", "1e6", "1e9", "1e12"])
@pytest.mark.parametrize("k", [2, 4, 10])
def test_an_orthogonal_frame_is_never_certified(k: int, temperature: str) -> None:
    """However little the geometry matters to the loss: at τ = 10⁹ the frame is 10⁻¹⁰ above the optimum."""
    program, frame = balanced(k, 100, 0.0, temperature)
    best = solve(Problem([100] * k, temperature=float(temperature)))
    answer = Answer(program, frame, best.witness, Status.CONVERGED, 0)
    proof = certify(answer)
    assert proof.verdict.name == "UNDECIDED"
    assert proof.relative_gap > 0.09
    if float(temperature) > 10:
        assert proof.relative_gap == pytest.approx(1 / (k - 1), rel=1e-2)  # beside the frame's own range
        known = max(1e-6, 1e-14 * float(temperature))  # differences of excesses, in float64
        assert answer.relative_gap() == pytest.approx(proof.relative_gap, rel=known)


@pytest.mark.parametrize("temperature", ["1e3", "1e6", "1e9", "1e12"])
@pytest.mark.parametrize(("loss", "views"), LOSSES)
@pytest.mark.parametrize("norm", [Sphere(), Ball()])
def test_optima_of_large_temperatures_are_certified(
    norm: Norm, loss: str, views: int, temperature: str
) -> None:
    if loss == "kernel" and isinstance(norm, Ball):  # it is about spheres
        norm = Sphere(1.5)
    problem = Problem([50, 20, 20, 5], parse(loss), float(temperature), norm, views=views)
    solution = solve(problem)
    assert solution.relative_gap() <= 1e-9
    proof = certify(solution)
    assert proof.verdict.name == "CERTIFIED", proof.relative_gap
    assert proof.scale is not None and Decimal(proof.scale) < Decimal(100) / Decimal(temperature)
    assert float(proof.scale) == pytest.approx(solution.answer.scale, rel=1e-3)
    ours, theirs = verify(proof.document), checker.check(proof.to_json())
    assert ours.accepted and ours.named, ours.message
    assert theirs.accepted and theirs.named, theirs.message


@pytest.mark.parametrize("temperature", [0.01, 0.25, 3.0, 30.0, 1e6])
@pytest.mark.parametrize("norm", [Sphere(), Ball(1.5), MeanSquare(2), Ridge(0.001)])
def test_the_scale_is_that_of_the_definition(norm: Norm, temperature: float) -> None:
    """min(L, R − U) from the loss written out with mpmath; L alone with a ridge."""
    counts = [6, 4, 4, 2]
    proof = certify(solve(Problem(counts, temperature=temperature, norm=norm)))
    assert proof.scale is not None and proof.lower is not None and proof.excess_lower is not None
    with mp.workdps(300):
        total = mp.mpf(sum(counts))
        equal = mp.fsum(n / total * mp.log(total - 1) for n in counts)
        least = mp.fsum(n / total * mp.log(n - 1) for n in counts)
        span = equal - mp.mpf(proof.upper)
        expected = mp.mpf(proof.excess_lower)
        if not isinstance(norm, Ridge):
            expected = min(expected, span)
        assert abs(mp.mpf(proof.scale) - expected) <= abs(expected) * mp.mpf(10) ** -15 + mp.mpf(10) ** -22
        assert mp.mpf(proof.lower) >= least - mp.mpf(10) ** -20
    assert (float(proof.scale) < float(proof.excess_lower)) == (
        temperature > 2 and not isinstance(norm, Ridge)
    )


def test_where_no_vectors_are_best_the_excess_decides() -> None:
    """A ridge so heavy that M = 0 is optimal, and the range is nothing."""
    proof = certify(solve(Problem([12, 6, 3], temperature=1, norm=Ridge(100))))
    assert proof.verdict.name == "CERTIFIED"
    assert proof.scale == proof.excess_lower


@pytest.mark.parametrize("temperature", [0.03, 0.3, 3.0, 3e3, 3e6])
def test_nothing_worse_than_equal_similarities_has_a_scale(temperature: float) -> None:
    program, worse = balanced(4, 10, 0.5, str(temperature))
    worse = OrbitMatrix(worse.multiplicity, np.full((1, 1, 1), -1.0), np.full((1, 1), 0.5))
    assert program.scale_of_gap(worse) < 0
    answer = Answer(program, worse, witness_at(program, frame_of(program)), Status.STALLED, 0)
    assert answer.relative_gap() == np.inf


def frame_of(program: GramProgram) -> OrbitMatrix:
    m = program.groups
    return OrbitMatrix(program.multiplicity, np.ones((m, 1, 1)), np.zeros((m, m)))


@pytest.mark.parametrize("temperature", np.geomspace(0.05, 1e13, 15).tolist())
def test_the_range_in_floats_keeps_its_digits(temperature: float) -> None:
    """Where a difference of excesses has lost them, against mpmath."""
    problem = Problem([50, 20, 20, 5], temperature=temperature)
    program = problem.program()
    solution = solve(problem)
    gram, n = solution.gram, [50, 20, 20, 5]
    with mp.workdps(60):
        tau, total = mp.mpf(problem.temperature), 95
        exact = mp.mpf(0)
        for c, size in enumerate(n):
            rest = mp.fsum(
                (x - (b == c)) * mp.exp((mp.mpf(gram[c, b]) - mp.mpf(gram[c, c])) / tau)
                for b, x in enumerate(n)
            )
            exact += mp.mpf(size) / total * (mp.log(total - 1) - mp.log(rest))
        found = program.range(solution.point)
        assert abs(found - exact) <= exact * mp.mpf("2e-3"), temperature
        if temperature < 1e4:
            assert abs(found - exact) <= exact * mp.mpf("1e-10")
