"""How results are shown: as a table in a terminal and in Jupyter, and as a value in one short line."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from html import escape
from typing import Any, TypeVar

from relax.errors import InputError, in_one_line

C = TypeVar("C", bound=type)
LONGEST, LONGEST_PART = 280, 90  # characters
FEW = 4  # parts of a sequence that are written out


# What draws a small PNG of a value in Jupyter: entered by the package roots, as pictures know of solutions.
PICTURES: dict[type, Callable[[Any], bytes | None]] = {}


class Shown:
    """What has `facts()`, (label, value) pairs, prints them as a table."""

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        raise NotImplementedError

    def __str__(self) -> str:
        """Write `facts` as a table."""
        width = max(len(label) for label, _ in self.facts()) + 2
        return "\n".join(f"{label:<{width}}{value}" for label, value in self.facts())

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in self.facts())
        return f"<table>{cells}</table>{self._image()}"

    def _image(self) -> str:
        """Return the picture inside HTML, nothing where there is none."""
        draw = PICTURES.get(type(self))
        try:
            png = None if draw is None else draw(self)
        except InputError:  # of a document that does not hold together
            png = None
        if png is None:
            return ""
        return f'<img alt="the geometry" src="data:image/png;base64,{b64encode(png).decode()}">'


def brief(cls: C) -> C:
    """Give a class a repr of one short line: what `in_brief()` says, else its fields, arrays by their shape.

    For whatever holds arrays, documents or sequences of any length. A repr is no copy of the value, and never
    fails.
    """
    cls.__repr__ = _repr  # type: ignore[attr-defined, assignment]
    return cls


def _repr(self: Any) -> str:
    own = getattr(self, "in_brief", None)
    said = own() if own is not None else ", ".join(_fields(self))
    return in_one_line(f"{type(self).__name__}({said})", LONGEST)


def _fields(value: Any) -> list[str]:
    shown = getattr(value, "_fields", None) or [field.name for field in fields(value) if field.repr]
    parts = [(name, getattr(value, name)) for name in shown]
    return [f"{name}={in_brief(part)}" for name, part in parts if not callable(part)]


def in_brief(value: Any) -> str:
    """Return what a value is in at most 90 characters."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{value.dtype}{list(shape)}"
    if isinstance(value, Mapping):
        return f"{{{len(value)} keys}}"
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        parts = [in_brief(part) for part in value[:FEW]]
        more = [f"… {len(value)} in all"] if len(value) > FEW else []
        return in_one_line(f"({', '.join([*parts, *more])})", LONGEST_PART)
    if isinstance(value, (str, bytes)):
        value = value[:LONGEST_PART]
    return in_one_line(repr(value), LONGEST_PART)
