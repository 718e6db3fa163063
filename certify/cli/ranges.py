"""Lists and ranges of numbers as they are typed: 0.05,0.1,1 and a:b:n, n numbers from a to b, a:b:nlog."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np

from relax.errors import InputError, worded
from relax.numerals import typed_decimal, typed_whole

MOST = 1_000_000  # numbers
_RANGE = re.compile(r"([^:]*):([^:]*):\s*([0-9]{1,400})\s*(log)?\s*")
FORMS = "write numbers 0.1,0.5,1, a range 0.1:1:10 of ten, or 1:1e4:200log of equal ratios"


def numbers(text: str) -> list[float]:
    """Read positive numbers and ranges, separated by commas.

    Raises
    ------
    InputError
        If one is not of its form or not positive, a range does not rise, or there are too many numbers.
    """
    return [
        number for item in _items(text) for number in (_range(item) if ":" in item else [_number(item, item)])
    ]


def whole_numbers(text: str) -> list[int]:
    """Read whole numbers from 1 on, and ranges that are rounded to them; what rounds alike is one.

    Raises
    ------
    InputError
        As `numbers`, or if a number is not whole.
    """
    found = [
        number
        for item in _items(text)
        for number in (map(round, _range(item)) if ":" in item else [_whole(item)])
    ]
    if min(found) < 1:
        raise InputError(f"{worded(text)} goes below 1; give whole numbers from 1 on")
    return list(dict.fromkeys(found))


def _items(text: str) -> list[str]:
    """Return the numbers and ranges of a list, if they are not too many numbers together."""
    items = text.split(",")
    counts = (_RANGE.fullmatch(item) for item in items)
    if sum(1 if count is None else int(count[3]) for count in counts) > MOST:
        raise InputError(f"{worded(text.strip())} has more than {MOST:,} numbers; give fewer")
    return items


def _range(item: str) -> list[float]:
    parts = _RANGE.fullmatch(item)
    if parts is None:
        raise InputError(f"{worded(item.strip())} is no range; {FORMS}")
    low, high = _number(parts[1], item), _number(parts[2], item)
    count = int(parts[3])
    if (low, count) == (high, 1):
        return [low]
    if low >= high or count < 2:
        raise InputError(f"{worded(item.strip())} is no range of two or more numbers that rise; {FORMS}")
    if parts[4]:
        return [low, *(float(f"{one:.15g}") for one in np.geomspace(low, high, count)[1:-1]), high]
    first, last = (Fraction(repr(end)) for end in (low, high))
    return [float(first + (last - first) * Fraction(i, count - 1)) for i in range(count)]


def _number(text: str, item: str) -> float:
    try:
        number = typed_decimal(text)
    except ValueError as error:
        raise InputError(f"{error}; {FORMS}") from None
    if number <= 0:
        raise InputError(f"{worded(item.strip())} has {number:g}, which is not positive; {FORMS}")
    return number


def _whole(text: str) -> int:
    try:
        return typed_whole(text)
    except ValueError as error:
        raise InputError(f"{error}; write 8,32 or a range 8:512:7log, which is rounded") from None
