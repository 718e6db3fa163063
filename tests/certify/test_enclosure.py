"""Proven digits: closed forms and mpmath root finding lie in the balls; what does not apply says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb

from certify.enclosure import enclose
from relax import Ball, Problem, Ridge, solve
from relax.errors import InputError


def contains(ball: arb, number: Any) -> bool:
    """Whether a ball contains an mpmath number, up to the 45 digits that the number has."""
    return bool(ball.overlaps(arb(mpmath.nstr(number, 45), arb(10) ** -40)))


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("tau", ["1", "0.1", "0.02"])
def test_the_simplex_lies_in_the_ball(k: int, tau: str) -> None:
    mpmath.mp.dps = 60
    found = enclose(solve(Problem({20: k}, temperature=float(tau))))
    assert found.method == "Krawczyk"
    assert contains(found.gram[0, 0], mpmath.mpf(-1) / (k - 1))
    tail = (k - 1) * 20 * mpmath.exp((mpmath.mpf(-1) / (k - 1) - 1) / mpmath.mpf(tau))
    assert contains(found.value, mpmath.log(19 + tail))
    assert found.error < 1e-30


def two_sizes(k: int, j: int, n: int, q: int, tau: str) -> tuple[Any, Any, Any]:
    """STEP by its two-unknown closed form, the gradient solved to 60 digits: (α, β, value)."""
    t = mpmath.mpf(tau)

    def loss(alpha: Any, beta: Any) -> Any:
        gamma = -mpmath.sqrt((1 + (k - 1) * alpha) * (1 + (j - 1) * beta) / (k * j))
        cross = mpmath.exp((gamma - 1) / t)
        major = n - 1 + (k - 1) * n * mpmath.exp((alpha - 1) / t) + j * q * cross
        minor = q - 1 + (j - 1) * q * mpmath.exp((beta - 1) / t) + k * n * cross
        return (k * n * mpmath.log(major) + j * q * mpmath.log(minor)) / (k * n + j * q)

    def slopes(alpha: Any, beta: Any) -> list[Any]:
        return [mpmath.diff(loss, (alpha, beta), order) for order in ((1, 0), (0, 1))]

    gram = solve(Problem.step(k, j, n, q, temperature=float(tau))).groups.gram
    alpha, beta = mpmath.findroot(slopes, (gram[0, 0], gram[1, 1]), tol=1e-80)
    return alpha, beta, loss(alpha, beta)


@pytest.mark.parametrize("numbers", [(2, 2, 100, 10), (3, 5, 50, 5)])
@pytest.mark.parametrize("tau", ["0.5", "0.1"])
def test_step_imbalance_lies_in_the_balls(numbers: tuple[int, int, int, int], tau: str) -> None:
    mpmath.mp.dps = 100
    alpha, beta, value = two_sizes(*numbers, tau)
    found = enclose(solve(Problem.step(*numbers, temperature=float(tau))))
    assert found.method == "Krawczyk"
    assert contains(found.gram[0, 0], alpha)
    assert contains(found.gram[1, 1], beta)
    assert contains(found.value, value)
    below, above = found.decimals(1, 1)
    assert Decimal(above) - Decimal(below) <= Decimal(10) ** -29


def test_collapse_and_singletons_are_enclosed() -> None:
    for counts, tau in (([1000, 10, 10, 10, 10], 1.0), ([10, 5, 1, 1, 1], 0.5)):
        solution = solve(Problem(counts, temperature=tau))
        found = enclose(solution)
        assert found.method == "Krawczyk"
        assert found.gram[-1, -1] == arb(1)
        assert np.abs(found.midpoints - solution.groups.gram).max() < 1e-12


def test_many_groups() -> None:
    counts = sorted({int(1000 * 0.9**i) + 2 for i in range(50)}, reverse=True)
    found = enclose(solve(Problem(counts, temperature=0.1)))
    assert found.method == "Krawczyk"
    assert found.error < 1e-30


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (Problem([400, 3, 1], temperature=1.0), "dual-vector"),
        (Problem([20, 10, 5], temperature=0.3, nonnegative=True), "dual-vector"),
    ],
)
def test_where_newton_does_not_apply_the_radius_stands_in_or_it_says_so(
    problem: Problem, reason: str
) -> None:
    solution = solve(problem)
    try:
        found = enclose(solution)
    except InputError as error:
        assert "no digits are proven" in str(error)
        return
    assert found.method == "gram radius"
    assert reason in found.reason
    assert found.error < 1e-3


def test_refusals() -> None:
    with pytest.raises(InputError, match="digits 0 must lie"):
        enclose(solve(Problem([10, 5])), 0)
    with pytest.raises(InputError, match="no digits are proven"):
        enclose(solve(Problem([10, 5], norm=Ridge(0.01))))


def test_a_wrong_start_proves_nothing_wrong() -> None:
    """A witness perturbed beyond the basin gives the same root or none, never another one."""
    from dataclasses import replace

    solution = solve(Problem([30, 10, 4], temperature=0.3, norm=Ball()))
    truth = enclose(solution)
    for factor in (0.9, 0.5, 3.0):
        z = solution.witness.factor * np.array([[factor], [1.0], [1 / factor]])
        try:
            found = enclose(
                replace(
                    solution, answer=replace(solution.answer, witness=replace(solution.witness, factor=z))
                )
            )
        except InputError:
            continue
        overlaps = [a.overlaps(b) for a, b in zip(truth.gram.ravel(), found.gram.ravel(), strict=True)]
        assert all(overlaps)


@pytest.mark.slow
def test_places_lt_has_twelve_digits() -> None:
    found = enclose(solve(Problem.from_dataset("places-lt")), digits=12)
    assert found.method == "Krawczyk"
    assert found.error < 1e-12
