"""Shapes of JSON values: what `certify.grammar.table` is written in.

A shape is called with a value and raises `Fault` if the value does not have it. Whoever holds the value says
where it stands, on the fault's way up, so that a good file pays nothing for the messages of a bad one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Shape = Callable[[Any], None]
LONGEST = 200  # characters of a number


class Fault(Exception):  # noqa: N818, it is no error of the program
    """A value has not its shape: where it stands, from the inside out, and what it is not."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what, self.steps = what, list[str]()

    def inside(self, step: str) -> Fault:
        """Return the fault, seen from one step further out."""
        self.steps.append(step)
        return self

    def __str__(self) -> str:
        """Return one sentence."""
        where = "".join(reversed(self.steps))[:100]
        return f"the certificate{where} {self.what}"


@dataclass(frozen=True)
class Spelled:
    """A text of a fixed form.

    Attributes
    ----------
    words : str
        What it is, after "is not".
    form : str
        The regular expression that all of it matches.
    longest : int
        Characters it may have.
    admits : callable
        What else must hold of a text of this form.
    """

    words: str
    form: str
    longest: int = LONGEST
    admits: Callable[[str], bool] = field(default=lambda text: True)

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is such a text."""
        short = type(value) is str and len(value) <= self.longest
        if not (short and re.fullmatch(self.form, value) and self.admits(value)):
            raise Fault(f"is not {self.words}")


@dataclass(frozen=True)
class Whole:
    """An integer of JSON, from `least` to `most`; true and false are none."""

    words: str
    least: int | None = None
    most: int | None = None

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is such an integer."""
        fits = type(value) is int and (self.least is None or value >= self.least)
        if not (fits and (self.most is None or value <= self.most)):
            raise Fault(f"is not {self.words}")


@dataclass(frozen=True)
class Of:
    """Any value of a type of Python's that stands for one of JSON's."""

    type: type
    words: str

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value has this very type."""
        if type(value) is not self.type:
            raise Fault(f"is not {self.words}")


@dataclass(frozen=True)
class Null:
    """null, or a value of a shape."""

    shape: Shape

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is one of both."""
        if value is not None:
            self.shape(value)


@dataclass(frozen=True)
class Array:
    """An array of values of one shape, from `least` to `most` of them."""

    item: Shape
    least: int = 0
    most: int | None = None

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is such an array."""
        if type(value) is not list:
            raise Fault("is not an array")
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            raise Fault(f"has {len(value)} items; it may have {self.least} to {self.most or 'any number'}")
        for i, item in enumerate(value):
            try:
                self.item(item)
            except Fault as fault:
                raise fault.inside(f"[{i}]") from None


@dataclass(frozen=True)
class Object:
    """An object with all keys of `needed`, maybe some of `optional`, and no others."""

    needed: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=dict)

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is such an object."""
        if type(value) is not dict:
            raise Fault("is not an object")
        for key in self.needed:
            if key not in value:
                raise Fault(f"lacks the key {key}")
        for key, part in value.items():
            shape = self.needed.get(key) or self.optional.get(key)
            if shape is None:
                raise Fault(f"has no use for the key {ascii(key)[:40]}")
            try:
                shape(part)
            except Fault as fault:
                raise fault.inside(f".{key}") from None


@dataclass(frozen=True)
class Choice:
    """An object whose key `tag` names the shape of the rest."""

    tag: str
    forms: Mapping[str, Object]

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is an object of a known kind, and has its shape."""
        kind = value.get(self.tag) if type(value) is dict else None
        if type(kind) is not str or kind not in self.forms:
            raise Fault(f"is not of a {self.tag} that is known: {', '.join(self.forms)}")
        self.forms[kind]({key: part for key, part in value.items() if key != self.tag})


@dataclass(frozen=True)
class Only:
    """An object with one key, one of `forms`, and its value."""

    forms: Mapping[str, Shape]

    def __call__(self, value: Any) -> None:
        """Raise `Fault` unless the value is such an object."""
        known = type(value) is dict and len(value) == 1 and next(iter(value)) in self.forms
        if not known:
            raise Fault(f"is not an object of one key: {', '.join(self.forms)}")
        ((key, part),) = value.items()
        try:
            self.forms[key](part)
        except Fault as fault:
            raise fault.inside(f".{key}") from None


def one_of(*words: str) -> Spelled:
    """Return the shape of a text that is one of these."""
    return Spelled(" or ".join(f'"{word}"' for word in words), "|".join(map(re.escape, words)))


def in_lowest_terms(text: str) -> bool:
    """Whether a text of the form of a rational is how `Fraction` writes it: nothing is to be cancelled."""
    bottom = text.partition("/")[2]
    return bottom.strip("0") != "" and str(Fraction(text)) == text if bottom else text != "-0"
