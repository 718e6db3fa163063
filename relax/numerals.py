"""Numbers that users type: plain ASCII, one grammar for options, parameters of losses and files."""

from __future__ import annotations

import re
from decimal import Decimal

from relax.counts import ClassCounts, spelled_rational
from relax.errors import InputError, worded

LONGEST = 400  # characters; 1e100 written out has 101
_WHOLE = re.compile("[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def typed_whole(text: str) -> int:
    """Read "12": digits alone, without sign, point, exponent or underscore.

    Raises
    ------
    ValueError
        If it is not of that form.
    """
    text = text.strip(" \t")
    if len(text) > LONGEST or not _WHOLE.fullmatch(text):
        raise ValueError(f"{worded(text)} is not a whole number in plain digits")
    return int(text)


def typed_counts(text: str) -> ClassCounts:
    """Read "100,100,10,10" or "1000x5,10x1000000" (size x classes), all in plain digits.

    Raises
    ------
    InputError
        If an item is not of this form, or not a positive integer.
    """
    if not text.strip():
        raise InputError("counts is empty; give class sizes, e.g. 100,100,10,10")
    return ClassCounts.of_runs([_size_and_classes(item) for item in text.split(",")])


def _size_and_classes(item: str) -> tuple[int, int]:
    size, times, classes = item.partition("×" if "×" in item else "x")
    try:
        return typed_whole(size), typed_whole(classes) if times else 1
    except ValueError:
        raise InputError(
            f"counts item {worded(item.strip())} is not a class size; "
            "write 100,100,10,10 or 1000x5,10x1000000"
        ) from None


def typed_number(text: str) -> float:
    """Read "0.1", "1e-3" or "1/10" as the nearest float64.

    Raises
    ------
    ValueError, ZeroDivisionError
        If it is none of these.
    """
    text = text.strip(" \t")
    if "/" in text:
        return float(spelled_rational(text))
    if len(text) > LONGEST or not is_number(text):
        raise ValueError(f"{worded(text)} is not a number")
    return float(text)


def typed_decimal(text: str) -> float:
    """Read "0.1" or "1e-3" where the float64 stands for the very number that was typed.

    What is proven about 0.1 is proven about one tenth, so that a number of more digits than a float64 has
    would be another one.

    Raises
    ------
    ValueError
        If it is not a decimal number, or has more digits than a float64 can keep.
    """
    text = text.strip(" \t")
    if len(text) > LONGEST or not is_number(text):
        raise ValueError(f"{worded(text)} is not a decimal number; write e.g. 0.1 or 1e-3")
    number = float(text)
    if number == 0 and set(re.split("[eE]", text)[0]) & set("123456789"):
        raise ValueError(f"{text} is too near to zero for float64")
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is beyond float64")
    if number != 0 and Decimal(repr(number)) != Decimal(text):
        raise ValueError(f"{text} has more digits than a float64 keeps; write {number!r}")
    return number


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number, whatever its size."""
    return _DECIMAL.fullmatch(text) is not None
