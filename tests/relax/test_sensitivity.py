"""Derivatives of the optimum against central differences of solved problems."""

from __future__ import annotations

import numpy as np
import pytest

from relax.errors import InputError
from relax.problem import Ball, Problem, Ridge
from relax.sensitivity import sensitivity
from relax.solvers import solve

SIZES = [
    ({40_000: 1, 20_000: 1, 9_000: 1}, 0.5),
    ({40_000: 2, 9_000: 3}, 0.2),
    ({50_000: 2, 5_000: 2, 1_000: 4}, 0.1),
    ({400_000: 1, 4_000: 4}, 1.0),  # the four coincide
    ({40_000: 2, 9_000: 2, 1: 3}, 0.5),
]
# the coinciding classes of unequal size: every one of three small groups moves their common point
COINCIDING = ({40_000_000: 2, 9_000: 2, 5_000: 1, 3_000: 1}, 1.0)


@pytest.mark.parametrize(("counts", "tau"), [*SIZES, COINCIDING])
def test_temperature(counts: dict[int, int], tau: float) -> None:
    found = sensitivity(solve(Problem(counts, temperature=tau)))
    h = 1e-5 * tau
    after, before = (solve(Problem(counts, temperature=tau + sign * h)) for sign in (1, -1))
    assert found.value_by_temperature == pytest.approx((after.value - before.value) / (2 * h), rel=1e-6)
    difference = (after.groups.gram - before.groups.gram) / (2 * h)
    np.testing.assert_allclose(
        found.gram_by_temperature, difference, atol=1e-6 + 1e-6 * np.abs(difference).max()
    )


@pytest.mark.parametrize(("counts", "tau"), [*SIZES, COINCIDING])
def test_sizes(counts: dict[int, int], tau: float) -> None:
    found = sensitivity(solve(Problem(counts, temperature=tau)))
    sizes = sorted(counts, reverse=True)
    for a, size in enumerate(sizes):
        if size == 1:
            assert np.isnan(found.value_by_size[a])
            continue
        h = max(1, size // 1000)
        after, before = (
            solve(Problem({n + sign * h * (n == size): g for n, g in counts.items()}, temperature=tau))
            for sign in (1, -1)
        )
        slope = (after.value - before.value) / (2 * h)
        assert found.value_by_size[a] == pytest.approx(slope, rel=1e-4)
        difference = (after.groups.gram - before.groups.gram) / (2 * h)
        allowed = 1e-4 * np.abs(difference).max() + 1e-13 / h  # rounding of a difference of entries
        np.testing.assert_allclose(found.gram_by_size[a], difference, atol=allowed)


def test_ball_and_views() -> None:
    problem = Problem({40_000: 2, 9_000: 3}, temperature=0.3, norm=Ball(), views=2)
    found = sensitivity(solve(problem))
    plain = sensitivity(solve(Problem({80_000: 2, 18_000: 3}, temperature=0.3)))
    assert found.value_by_temperature == pytest.approx(plain.value_by_temperature, rel=1e-12)
    np.testing.assert_allclose(found.value_by_size, 2 * plain.value_by_size, rtol=1e-9)


def test_other_witnesses_are_refused() -> None:
    with pytest.raises(InputError, match="need a solution by dual_vector"):
        sensitivity(solve(Problem([10, 5], norm=Ridge(0.01))))
