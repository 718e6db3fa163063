"""Class counts, and the exact numbers that users write."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, repeat
from typing import Any

import numpy as np

from relax.errors import InputError, between, worded
from relax.facts import brief

LARGEST_COUNT = 2**53  # every integer up to here is a float64
LARGEST_ORDER = 10_000_000  # classes; beyond, nothing is listed class by class
LEAST_NUMBER, LARGEST_NUMBER = 1e-100, 1e100  # of temperatures, norms and weights
LONGEST_RATIONAL = 8_000  # characters; Python reads integers of up to 4,300 digits
_RATIONAL = re.compile("-?[0-9]+(/[0-9]+)?")


class ExactFloat(float):
    """A float64 that stands for a rational number near it, which is not its shortest decimal.

    Attributes
    ----------
    exact : Fraction
        The number.
    """

    exact: Fraction

    def __new__(cls, exact: Fraction) -> ExactFloat:
        """Return the nearest float64, which remembers the number."""
        found = super().__new__(cls, exact)
        found.exact = exact
        return found

    def __eq__(self, other: object) -> bool:
        """Whether the numbers that are meant are equal."""
        return isinstance(other, (int, float, Fraction)) and self.exact == exact_rational(other)

    def __ne__(self, other: object) -> bool:
        """Whether they are not."""
        return not self == other

    def __hash__(self) -> int:
        """Return that of the number."""
        return hash(self.exact)


def exact_rational(number: float | int | Fraction) -> Fraction:
    """Return the rational number that was written: the float 0.1 means one tenth.

    A float stands for its shortest decimal, so that a theorem about temperature 0.1 is not a theorem
    about 0.1000000000000000055….
    """
    if isinstance(number, ExactFloat):
        return number.exact
    if isinstance(number, float):
        return Fraction(repr(float(number)))  # float(): NumPy's float64 prints its type
    return Fraction(number)


def spelled_rational(text: Any) -> Fraction:
    """Return the number that "7" or "1/10" spells, in lowest terms.

    Raises
    ------
    ValueError
        If it is not of that form. An exponent such as that of "1e9999999" would be written out.
    """
    if not (isinstance(text, str) and len(text) <= LONGEST_RATIONAL and _RATIONAL.fullmatch(text)):
        raise ValueError(f"{str(text)[:40]!r} is not a rational such as '1/10'")
    return Fraction(text)


def stated_number(text: Any) -> float:
    """Return the number that a statement spells as "1/10", so that `exact_rational` returns this very number.

    Raises
    ------
    ValueError
        If it spells none.
    """
    number = spelled_rational(text)
    near = float(number)
    return near if exact_rational(near) == number else ExactFloat(number)


@brief
@dataclass(frozen=True)
class ClassCounts:
    """Class sizes as a multiset, with the user's order where one was given.

    Attributes
    ----------
    sizes : tuple of int
        The m distinct class sizes, largest first.
    multiplicities : tuple of int
        How many classes have each size.
    order : tuple of int or None
        For each class, in the user's order, the index of its size; None when only sizes and
        multiplicities were given (the classes then stand largest first).
    """

    sizes: tuple[int, ...]
    multiplicities: tuple[int, ...]
    order: tuple[int, ...] | None = None

    @classmethod
    def of(cls, counts: ClassCounts | Mapping[int, int] | Iterable[int]) -> ClassCounts:
        """Build from a sequence of class sizes, or from a mapping {size: number of classes}.

        Raises
        ------
        InputError
            If there are no counts, or one is not an integer between 1 and 2**53.
        """
        if isinstance(counts, ClassCounts):
            return counts
        unordered = isinstance(counts, (str, bytes, Set, type)) or getattr(counts, "ndim", 1) == 0
        if unordered or not isinstance(counts, (Mapping, Iterable)):
            given = worded(counts)
            raise InputError(f"counts {given} must be a sequence of integers, e.g. [100, 100, 10, 10]")
        if isinstance(counts, Mapping):
            pairs = {
                whole_number(size, "class size"): whole_number(g, "number of classes")
                for size, g in counts.items()
            }
            order: tuple[int, ...] | None = None
        else:
            listed: Any = getattr(counts, "tolist", lambda: counts)()  # of arrays and tensors
            given = [whole_number(size, "class size") for size in listed]
            pairs = Counter(given)
            index = {size: a for a, size in enumerate(sorted(pairs, reverse=True))}
            order = tuple(index[size] for size in given)
            if order == tuple(sorted(order)):
                order = None  # largest first is the order without a name
        if not pairs:
            raise InputError("counts are empty; give at least two classes, e.g. [100, 100, 10, 10]")
        sizes = tuple(sorted(pairs, reverse=True))
        found = cls(sizes, tuple(pairs[size] for size in sizes), order)
        if found.samples > LARGEST_COUNT:
            raise InputError(f"counts sum to {found.samples}, beyond 2**53; scale them down")
        return found

    @classmethod
    def of_runs(cls, runs: Iterable[tuple[int, int]]) -> ClassCounts:
        """Build from pairs (size, number of classes) in the user's order, without listing the classes.

        Beyond 10,000,000 classes no order is kept: they then stand largest first.

        Raises
        ------
        InputError
            As `of`, and for numbers of classes likewise.
        """
        given = [(whole_number(n, "class size"), whole_number(g, "number of classes")) for n, g in runs]
        together: Counter[int] = Counter()
        for size, classes in given:
            together[size] += classes
        found = cls.of(dict(together))
        index = {size: a for a, size in enumerate(found.sizes)}
        order = [index[size] for size, _ in given]
        if order == sorted(order) or found.classes > LARGEST_ORDER:
            return found
        repeated = (repeat(a, classes) for a, (_, classes) in zip(order, given, strict=True))
        return replace(found, order=tuple(chain.from_iterable(repeated)))

    @cached_property
    def classes(self) -> int:
        """The number of classes k."""
        return sum(self.multiplicities)

    @cached_property
    def samples(self) -> int:
        """The number of samples n."""
        return sum(n * g for n, g in zip(self.sizes, self.multiplicities, strict=True))

    @cached_property
    def anchors(self) -> int:
        """N₊, the number of samples that have another sample of their own class."""
        return sum(n * g for n, g in zip(self.sizes, self.multiplicities, strict=True) if n >= 2)

    def group_of_class(self) -> np.ndarray:
        """Return the index into `sizes` of every class, in the user's order; shape (k,)."""
        if self.order is not None:
            return np.asarray(self.order)
        return np.repeat(np.arange(len(self.sizes)), self.multiplicities)

    def times(self, factor: int) -> ClassCounts:
        """Return the counts with every class `factor` times as large."""
        return ClassCounts(tuple(factor * n for n in self.sizes), self.multiplicities, self.order)

    def apart(self) -> ClassCounts:
        """Return the counts with one entry for every class, in the user's order, equal sizes or not."""
        sizes = tuple(self.sizes[a] for a in self.group_of_class())
        return ClassCounts(sizes, (1,) * len(sizes))

    def in_brief(self) -> str:
        """Return the counts, not all of them where they are many."""
        return str(self)

    def __str__(self) -> str:
        """Write the counts as the command line reads them."""
        shown = self.in_full().split(",")
        return ",".join(shown if len(shown) <= 12 else [*shown[:6], "…", *shown[-5:]])

    def in_full(self) -> str:
        """Write all counts: one by one in the user's order up to twelve classes, then as size x classes."""
        if self.classes <= 12:
            return ",".join(str(self.sizes[a]) for a in self.group_of_class())
        return ",".join(f"{n}x{g}" for n, g in zip(self.sizes, self.multiplicities, strict=True))


def whole_number(number: Any, what: str) -> int:
    """Return a positive integer of at most 2**53, or raise `InputError` in words about `what`."""
    is_whole = isinstance(number, (int, np.integer)) or (isinstance(number, float) and number.is_integer())
    if isinstance(number, (bool, np.bool_)) or not is_whole:
        raise InputError(f"{what} {worded(number)} is not an integer; counts are whole numbers of samples")
    if number <= 0:
        mend = (
            "leave out classes without samples" if what == "class size" else "give a whole number from 1 on"
        )
        raise InputError(f"{what} {worded(int(number))} is not positive; {mend}")
    if number > LARGEST_COUNT:
        raise InputError(f"{what} {worded(int(number))} is beyond 2**53; scale the counts down")
    return int(number)


def positive_number(number: Any, what: str, example: str) -> float:
    """Return a positive float whose square and inverse are float64, or raise `InputError` about `what`.

    Its shortest decimal is the number that was given: that of NumPy's float32(0.1) is 0.1, and a fraction, a
    `Decimal` or an integer that is no float64's is refused.
    """
    if isinstance(number, np.floating) and not isinstance(number, float):
        number = float(str(number))
    value = between(number, 0.0, math.inf, what, example)
    if not LEAST_NUMBER <= value <= LARGEST_NUMBER:
        raise InputError(
            f"{what} {worded(number)} is outside {LEAST_NUMBER:g} to {LARGEST_NUMBER:g}, which float64 can "
            f"square and invert; give e.g. {example}"
        )
    if not isinstance(number, float) and exact_rational(value) != Fraction(number):
        raise InputError(f"{what} {worded(number)} is no decimal that a float64 has; give e.g. {example}")
    return number if isinstance(number, ExactFloat) else value
