"""Decimals are rounded to the safe side, and Gram matrices of dyadic vectors are exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from certify.balls import decimal_above, decimal_below
from certify.balls.enclosures import ball, exact_gram
from relax.errors import InputError

INTEGERS = st.integers(-(10**45), 10**45)


def ends(x: arb) -> tuple[Fraction, Fraction]:
    mid, rad = x.mid().fmpq(), x.rad().fmpq()
    low, high = mid - rad, mid + rad
    return Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q))


def near(number: arb, exponent: int, radius: int) -> arb:
    with ctx.workprec(300):
        scale = arb(2) ** exponent
        return arb((number * scale).mid(), (abs(number) * scale / arb(2) ** radius).upper())


@given(
    mantissa=INTEGERS,
    exponent=st.integers(-2000, 2000),
    radius=st.integers(1, 200),
    digits=st.integers(1, 40),
)
def test_decimals_lie_outside_the_ball_and_close(
    mantissa: int, exponent: int, radius: int, digits: int
) -> None:
    x = near(arb(mantissa), exponent, radius)
    low, high = ends(x)
    below, above = decimal_below(x, digits), decimal_above(x, digits)
    assert Fraction(below) <= low and high <= Fraction(above)
    for text, end in ((below, low), (above, high)):
        assert len(Decimal(text).as_tuple().digits) <= digits
        assert (
            abs(Fraction(text) - end)
            <= abs(end) * Fraction(10) ** (2 - digits) + abs(end) * Fraction(2) ** -100
        )


@given(mantissa=st.integers(-(10**12), 10**12), exponent=st.integers(-12, 12))
def test_decimals_of_short_numbers_are_those_numbers(mantissa: int, exponent: int) -> None:
    number = Fraction(mantissa) * Fraction(2) ** exponent
    x = ball(float(number))
    assert Fraction(decimal_below(x)) == Fraction(decimal_above(x)) == number


@pytest.mark.parametrize("power", [10**4, 10**6, 10**8])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_far_beyond_floats(power: int, sign: int) -> None:
    with ctx.workprec(200):
        for exponent in (power, -power):
            x = sign * arb(3) * arb(2) ** exponent / 7
            below, above = decimal_below(x, 12), decimal_above(x, 12)
            assert arb(below) < x < arb(above)
            assert arb(above) - arb(below) < abs(x) * arb("1e-10")


def test_numbers_beyond_decimals() -> None:
    with ctx.workprec(100):
        tiny = arb(2) ** (-(10**11))
    assert (decimal_below(tiny), decimal_above(tiny)) == ("0", "1e-1000000000")
    assert (decimal_below(-tiny), decimal_above(-tiny)) == ("-1e-1000000000", "0")
    assert decimal_below(1 / tiny) == "1e1000000000"
    for unbounded in (arb("inf"), arb("nan"), arb(0, arb("inf"))):
        with pytest.raises(InputError, match="no decimal bound"):
            decimal_below(unbounded)
    with pytest.raises(InputError, match="beyond decimals"):
        decimal_above(1 / tiny)


def test_spelling() -> None:
    assert [decimal_below(arb(x)) for x in (0, 1, -2.5, 2.0**-30, 1e22)] == [
        "0",
        "1",
        "-2.5",
        "9.31322574615478515625e-10",
        "1e22",
    ]
    assert decimal_above(arb(1) / 3, 3) == "0.334" and decimal_below(-arb(1) / 3, 3) == "-0.334"


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.integers(1, 4).flatmap(lambda r: st.lists(st.lists(FLOATS, min_size=r, max_size=r), min_size=1)))
def test_gram_of_dyadic_vectors_is_exact(rows: list[list[float]]) -> None:
    gram = exact_gram(np.array(rows))
    for i, u in enumerate(rows):
        for j, v in enumerate(rows):
            product = sum((Fraction(x) * Fraction(y) for x, y in zip(u, v, strict=True)), Fraction(0))
            assert gram[i, j].fmpq() == fmpq(product.numerator, product.denominator)


def test_gram_of_vectors_without_coordinates_is_zero() -> None:
    assert all(x == 0 for x in exact_gram(np.zeros((3, 0))).ravel())
