"""The two errors a user can meet, and how they name values: one they can mend, one a solver could not."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 380  # characters of a message; what lies in the middle of a longer one is left out
_ADDRESS = re.compile(r" (object )?at 0x[0-9a-fA-F]+")


class InputError(ValueError):
    """The input cannot be used; the message says in one line what is wrong and how to mend it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(in_one_line(message, LONGEST))


class SolverError(RuntimeError):
    """A solver could not do what was asked; the message says which one and why."""

    def __init__(self, message: str = "") -> None:
        super().__init__(in_one_line(message, LONGEST))


def in_one_line(text: object, longest: int) -> str:
    """Return a text without line breaks and addresses; of a long one the middle is left out."""
    line = _ADDRESS.sub("", " ".join(str(text).split()))
    return line if len(line) <= longest else f"{line[: longest * 2 // 3]} … {line[3 - longest // 3 :]}"


def worded(value: object) -> str:
    """Return what a value is, in a few words for a message: itself where it is short, else its kind."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, (str, bytes, numbers.Number)):
        return _short_repr(value[:60] if isinstance(value, (str, bytes)) else value)
    if isinstance(value, (list, tuple)):
        said = _short_repr(value) if len(value) <= 8 else "…"
        return said if "…" not in said else f"a {type(value).__name__} of length {len(value)}"
    name, shape = type(value).__name__, getattr(value, "shape", None)
    if shape == ():
        return _short_repr(value)
    what = f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
    return f"{what} of shape {tuple(shape)}" if isinstance(shape, tuple) else what


def _short_repr(value: object) -> str:
    try:
        return in_one_line(repr(value), 60)
    except ValueError:  # of an integer with more digits than Python writes out
        return "a number of thousands of digits"


def expect(value: T, kind: type[Any] | tuple[type[Any], ...], what: str, mend: str) -> T:
    """Return an argument that is of its kind.

    Parameters
    ----------
    value : object
        The argument. A bool is no number here; NumPy's numbers are numbers.
    kind : type or tuple of types
        What it must be an instance of; `int` stands for whole numbers, `float` for all real ones.
    what : str
        What the argument is called.
    mend : str
        What to give instead.

    Raises
    ------
    InputError
        If it is not: "{what} is {the value}; {mend}".
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if any(_is(value, one) for one in kinds):
        return value
    raise InputError(f"{what} is {worded(value)}; {mend}")


def among(value: object, options: Iterable[str], what: str) -> str:
    """Return a text that is one of some.

    Raises
    ------
    InputError
        If it is not: "{what} {the value} is not one of: …".
    """
    options = tuple(options)
    if isinstance(value, str) and value in options:
        return value
    raise InputError(f"{what} {worded(value)} is not one of: {', '.join(options)}")


def reason(error: Exception) -> str:
    """Return what an exception of Python or of a library says, in words that fit into brackets."""
    said = str(error)
    if isinstance(error, KeyError) and error.args:
        said = f"{error.args[0]} is missing"
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror.lower()
    return in_one_line(said, 150) or "it does not hold together"


def between(value: object, low: float, high: float, what: str, example: str) -> float:
    """Return a real number strictly between two others, as a float.

    Raises
    ------
    InputError
        If it is no number or not between: "{what} {the value} must lie between …; give e.g. {example}".
    """
    if _is(value, float) or isinstance(value, Decimal):
        with suppress(OverflowError, ValueError):  # of huge integers, and of signalling NaN
            number = float(value)  # type: ignore[arg-type]
            if low < number < high:
                return number
    limits = f"lie between {low:g} and {high:g}" if high < math.inf else "be a positive finite number"
    raise InputError(f"{what} {worded(value)} must {limits}; give e.g. {example}")


def _is(value: object, kind: type) -> bool:
    if kind in (int, float):
        number = numbers.Integral if kind is int else numbers.Real
        return isinstance(value, number) and not isinstance(value, bool)
    return isinstance(value, kind) and not isinstance(value, type)
