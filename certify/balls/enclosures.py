"""Numbers as balls, exact Gram matrices of dyadic vectors, and decimals rounded to the safe side.

Matrices of balls are NumPy arrays of `flint.arb` objects: their arithmetic is Arb's, at the precision of
`flint.ctx`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from flint import arb, ctx, fmpq, fmpz_mat
from jaxtyping import Float64, Int, Shaped

from relax.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Balls = NDArray[np.object_]
else:
    Balls = np.ndarray

SPARE = 256  # bits beyond those of the digits and of the number, so that decimals of dyadic numbers are exact
LARGEST_POWER = 10**9  # of ten, in decimals


class BallMatrix(NamedTuple):
    """A group-invariant symmetric matrix of balls: own entries, and entries between different members."""

    own: Shaped[Balls, " m"]
    peer: Shaped[Balls, "m m"]


def elementwise(function: Callable[..., arb], inputs: int = 1) -> Callable[..., Any]:
    """Return a function of balls as a function of arrays of balls."""
    return np.frompyfunc(function, inputs, 1)


exp, expm1 = elementwise(arb.exp), elementwise(arb.expm1)
log, log1p = elementwise(arb.log), elementwise(arb.log1p)
sqrt, upper = elementwise(arb.sqrt), elementwise(arb.upper)
least, largest = elementwise(arb.min, 2), elementwise(arb.max, 2)


def rational(number: Any) -> fmpq:
    """Return a float or `Fraction` as exactly the number it is."""
    exact = Fraction(number)
    return fmpq(exact.numerator, exact.denominator)


def ball(number: Any) -> arb:
    """Return a ball around a float, an integer or a `Fraction`; exact for what is dyadic."""
    return arb(rational(number)) if type(number) is Fraction else arb(number)


def balls(numbers: Any) -> Balls:
    """Return an array of balls, one for each float, integer or `Fraction`."""
    given = np.asarray(numbers)
    if given.ndim == 2 and len(given) > 1 and given.strides[0] == 0:  # the same row for all
        return np.broadcast_to(balls(given[0]), given.shape)
    enclosed = np.empty(given.size, dtype=object)
    enclosed[:] = [ball(number) for number in given.ravel().tolist()]
    return enclosed.reshape(given.shape)


def zeros(*shape: int) -> Balls:
    """Return an array of exact zeros."""
    return np.full(shape, arb(0), dtype=object)


def choose(condition: Any, yes: Any, no: Any) -> Balls:
    """Return balls from `yes` where the condition holds, from `no` elsewhere."""
    return np.where(condition, yes, no)


def total(numbers: Any) -> arb:
    """Return the sum of balls; an exact zero where there are none."""
    return sum(numbers, arb(0))


def exact_gram(vectors: Float64[np.ndarray, "m r"]) -> Shaped[Balls, "m m"]:
    """Return all inner products of dyadic vectors, exactly, whatever the precision.

    Every row is scaled to integers by a power of two of its own; the product is one of integer matrices.
    """
    count, length = vectors.shape
    integers, power = integer_rows(vectors)
    matrix = fmpz_mat(count, length, integers.ravel().tolist())
    products = (matrix * matrix.transpose()).entries()
    return times_powers(products, (power[:, None] + power).ravel()).reshape(count, count)


def integer_rows(
    vectors: Float64[np.ndarray, "m r"],
) -> tuple[Shaped[Balls, "m r"], Int[np.ndarray, " m"]]:
    """Return Python integers, and for each row the power of two that makes them the row's entries."""
    mantissa, exponent = np.frexp(vectors)
    zero = mantissa == 0.0
    highest = np.iinfo(exponent.dtype).max
    lowest = np.where(zero, highest, exponent).min(axis=1, initial=highest)
    up = np.where(zero, 0, exponent - lowest[:, None])
    whole = (mantissa * 2.0**53).astype(np.int64).astype(object)
    integers: Any = whole << up.astype(object)
    return integers, np.where(zero.all(axis=1), 0, lowest - 53).astype(np.int64)


def times_powers(numbers: Iterable[Any], power: Int[np.ndarray, " n"]) -> Shaped[Balls, " n"]:
    """Return integers times powers of two, as exact balls."""
    exact = np.empty(len(power), dtype=object)
    exact[:] = [arb(pair) for pair in zip(numbers, power.tolist(), strict=True)]
    return exact


def decimal_below(x: arb, digits: int = 25) -> str:
    """Return a decimal number of at most so many digits that is ≤ every number of the ball.

    Numbers between 0 and 10^−10⁹ become 0, those below 0 but above −10^−10⁹ become −10^−10⁹.

    Raises
    ------
    InputError
        If the ball is not bounded, or reaches beyond −10^10⁹.
    """
    if not x.is_finite():
        raise InputError(f"{x} has no decimal bound; give a bounded ball")
    with ctx.workprec(max(ctx.prec, x.bits()) + 4 * digits + SPARE):
        bound = x.lower()
        if bound == 0:
            return "0"
        power = (abs(bound).log() / arb(10).log()).floor().mid()  # off by one at most: a digit more or less
        if abs(power) > LARGEST_POWER:
            return _beyond_decimals(bound, power)
        exponent = int(power.floor().fmpz()) + 1 - digits
        scale = arb(10) ** abs(exponent)
        whole = int((bound / scale if exponent > 0 else bound * scale).floor().lower().fmpz())
        while not (whole * scale <= bound if exponent > 0 else whole <= bound * scale):  # 10ⁿ may be rounded
            whole -= 1
    return _written(whole, exponent)


def decimal_above(x: arb, digits: int = 25) -> str:
    """Return a decimal number of at most so many digits that is ≥ every number of the ball.

    Raises
    ------
    InputError
        If the ball is not bounded, or reaches beyond 10^10⁹.
    """
    with ctx.workprec(max(ctx.prec, x.bits())):  # a negation rounds to the working precision
        negative = -x
    below = decimal_below(negative, digits)
    return below[1:] if below.startswith("-") else below if below == "0" else "-" + below


def _beyond_decimals(bound: arb, power: arb) -> str:
    if bound < 0 < power:
        raise InputError(f"{bound} is beyond decimals; nothing useful is bounded by such a number")
    if bound > 0:
        return "0" if power < 0 else f"1e{LARGEST_POWER}"
    return f"-1e-{LARGEST_POWER}"


def _written(whole: int, exponent: int) -> str:
    digits = str(abs(whole)).rstrip("0")
    if not digits:
        return "0"
    exponent += len(str(abs(whole))) - len(digits)
    text = str(Decimal((int(whole < 0), tuple(map(int, digits)), exponent)))
    return text.replace("E", "e").replace("e+", "e")
