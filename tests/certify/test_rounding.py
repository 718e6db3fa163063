"""Nothing printed that is not proven: fewer digits are on the safe side, and points refute what they can."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify import certify
from certify.balls import decimal_below
from certify.certificate import Verdict
from certify.features import certify_point, loss_of_features
from certify.rounding import difference_downward, downward, outward, ratio_upward, upward
from relax import Problem, solve

TEXTS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x.adjusted()) < 300).map(str)


@given(TEXTS, st.integers(1, 17))
def test_fewer_digits_are_on_their_side(text: str, digits: int) -> None:
    above, below = upward(text, digits), downward(text, digits)
    assert Fraction(below) <= Fraction(text) <= Fraction(above)
    assert Decimal(upward(above, digits)) == Decimal(above)
    assert Fraction(outward(text, up=False)) <= Fraction(text) <= Fraction(outward(text, up=True))


@given(TEXTS, TEXTS)
def test_quotients_and_differences_are_rounded_once(first: str, second: str) -> None:
    exact = Fraction(first) - Fraction(second)
    assert Fraction(difference_downward(first, second, 3)) <= exact
    if Fraction(second) > 0:
        assert Fraction(ratio_upward(first, second, 3)) >= Fraction(first) / Fraction(second)


@pytest.mark.parametrize("seed", range(30))
def test_what_a_certificate_prints_is_proven(seed: int) -> None:
    """Two digits of a radius, three of a gap: none is less than the certificate's own."""
    rng = np.random.default_rng(seed)
    counts = sorted(rng.integers(2, 60, size=4).tolist(), reverse=True)
    proof = certify(solve(Problem(counts, temperature=float(rng.uniform(0.2, 2)))))
    said = dict(proof.facts())
    assert proof.gram_radius is not None and proof.gap is not None and proof.scale is not None
    assert Decimal(said["Gram radius"]) >= Decimal(proof.gram_radius)
    numbers = re.fullmatch(r"(\S+), (\S+) of its scale", said["gap ≤"])
    assert numbers is not None
    assert Decimal(numbers[1]) >= Decimal(proof.gap)
    exact = Fraction(proof.gap) / Fraction(proof.scale)
    assert Fraction(numbers[2]) >= Fraction(proof.relative_gap) >= exact
    assert Fraction(proof.excess) >= Fraction(str(proof.excess_upper))


@pytest.mark.parametrize("counts", [[2, 2, 2], [2] * 6, [6, 4, 4, 3, 2, 2]])
def test_non_negative_features_are_refuted_by_explicit_ones(counts: list[int]) -> None:
    """Beyond four nodes a doubly non-negative matrix need not be the Gram matrix of non-negative vectors."""
    problem = Problem(counts, temperature=1.0, nonnegative=True)
    poor = np.abs(np.random.default_rng(0).normal(size=(sum(counts), len(counts))))
    axes = np.repeat(np.eye(len(counts)), counts, axis=0)
    found = certify_point(poor, problem)
    assert found.verdict is Verdict.REFUTED
    assert Decimal(found.optimum[1]) >= Decimal(decimal_below(loss_of_features(axes, problem)))
    assert certify_point(axes, problem).verdict is Verdict.CERTIFIED


def test_zero_is_written_without_an_exponent() -> None:
    assert downward(0.0, 3) == upward("0e-7", 2) == "0"
