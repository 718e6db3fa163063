"""Proven decimals in fewer digits, each on the side on which it is still proven."""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal

Number = str | float | Decimal


def upward(number: Number, digits: int) -> str:
    """Return a number of at most so many digits that is not less, e.g. "4.91e-24"."""
    return _written(number, digits, ROUND_CEILING)


def downward(number: Number, digits: int) -> str:
    """Return a number of at most so many digits that is not more."""
    return _written(number, digits, ROUND_FLOOR)


def ratio_upward(above: Number, below: Number, digits: int) -> str:
    """Return a number of so many digits that is not less than a quotient of two, the second positive."""
    exact = Context(digits, ROUND_CEILING, MIN_EMIN, MAX_EMAX).divide(Decimal(above), Decimal(below))
    return upward(exact, digits)


def difference_downward(first: Number, second: Number, digits: int) -> str:
    """Return a number of so many digits that is not more than a difference."""
    exact = Context(digits, ROUND_FLOOR, MIN_EMIN, MAX_EMAX).subtract(Decimal(first), Decimal(second))
    return downward(exact, digits)


def outward(decimal: Number, up: bool) -> float:
    """Return the float64 nearest to a decimal on its safe side."""
    number = float(decimal)
    if up and Decimal(number) < Decimal(decimal):
        return math.nextafter(number, math.inf)
    if not up and Decimal(number) > Decimal(decimal):
        return math.nextafter(number, -math.inf)
    return number


def _written(number: Number, digits: int, rounding: str) -> str:
    rounded = Context(digits, rounding, MIN_EMIN, MAX_EMAX).create_decimal(Decimal(number))
    return f"{rounded:.{digits - 1}e}" if rounded else "0"  # Decimal writes 0.00e+2
