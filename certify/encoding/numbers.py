"""Numbers as certificate files spell them: exact both ways."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from relax.counts import LARGEST_COUNT
from relax.errors import InputError


def rational(number: Any) -> str:
    """Spell an exact number: an integer, a Fraction, or a float taken as the dyadic number it is.

    Raises
    ------
    InputError
        If it has more digits than Python writes and reads; normalisers of large batches have.
    """
    exactly = Fraction(number.item() if isinstance(number, np.generic) else number)
    try:
        return str(exactly)
    except ValueError as error:
        raise InputError(
            "a number of the program has more than 4,300 digits, which no certificate file holds; "
            "give a smaller batch size, or fewer samples"
        ) from error


def rationals(numbers: np.ndarray) -> list[str]:
    """Spell every number of a one-dimensional array."""
    return [rational(number) for number in numbers]


def dyadics(numbers: np.ndarray) -> list[str]:
    """Spell every float of a one-dimensional array in hex."""
    return [float(number).hex() for number in numbers]


def exact(spelled: Sequence[str]) -> np.ndarray:
    """Return rationals as an array of floats where all are floats, else of Fractions."""
    numbers = [Fraction(number) for number in spelled]
    if all(abs(x) <= LARGEST_COUNT and x.denominator & (x.denominator - 1) == 0 for x in numbers):
        floats = np.array([float(x) for x in numbers])
        if all(Fraction(y) == x for x, y in zip(numbers, floats.tolist(), strict=True)):
            return floats
    found = np.empty(len(numbers), dtype=object)
    found[:] = numbers
    return found


def floats(spelled: Sequence[str]) -> np.ndarray:
    """Return dyadics as an array of floats."""
    return np.array([float.fromhex(number) for number in spelled], dtype=float)
