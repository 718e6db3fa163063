"""The operations that losses and norms are defined with, over floats here; torch and balls have their own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Arrays(Protocol):
    """An array library: functions of arrays, entry by entry, and exact numbers as its numbers.

    Arrays themselves have +, −, ·, /, comparisons with numbers, and `.sum(-1)`.
    """

    @property
    def exact(self) -> bool:
        """Whether rounding is accounted for and nothing overflows, so that the plain formula will do."""
        ...

    def number(self, exact: Fraction | int, /) -> Any:
        """Return an exact number as one of this library."""
        ...

    def integers(self, counts: np.ndarray, /) -> Any:
        """Return an array of integers that multiplies arrays of this library."""
        ...

    def exp(self, x: Any, /) -> Any:
        """Return eˣ."""
        ...

    def expm1(self, x: Any, /) -> Any:
        """Return eˣ − 1."""
        ...

    def log(self, x: Any, /) -> Any:
        """Return log x."""
        ...

    def log1p(self, x: Any, /) -> Any:
        """Return log(1 + x)."""
        ...

    def sqrt(self, x: Any, /) -> Any:
        """Return √x."""
        ...

    def where(self, condition: Any, yes: Any, no: Any, /) -> Any:
        """Return `yes` where the condition holds, `no` elsewhere."""
        ...

    def at_most(self, x: Any, bound: float, /) -> Any:
        """Return min(x, bound)."""
        ...

    def at_least(self, x: Any, bound: Any, /) -> Any:
        """Return max(x, bound)."""
        ...

    def top(self, x: Any, mask: Any, /) -> Any:
        """Return the largest entry of each line where the mask holds, −∞ where it holds nowhere."""
        ...


class Floats:
    """NumPy's float64."""

    exact = False
    exp, expm1, log = staticmethod(np.exp), staticmethod(np.expm1), staticmethod(np.log)
    log1p, sqrt, where = staticmethod(np.log1p), staticmethod(np.sqrt), staticmethod(np.where)

    def number(self, exact: Fraction | int) -> float:
        """Return the nearest float64."""
        return float(exact)

    def integers(self, counts: np.ndarray) -> np.ndarray:
        """Return floats, exact up to 2**53."""
        return counts.astype(np.float64)

    def at_most(self, x: Any, bound: float) -> Any:
        """Return min(x, bound)."""
        return np.minimum(x, bound)

    def at_least(self, x: Any, bound: Any) -> Any:
        """Return max(x, bound)."""
        return np.maximum(x, bound)

    def top(self, x: Any, mask: Any) -> Any:
        """Return the largest entry of each line where the mask holds."""
        return np.max(x, axis=-1, where=mask, initial=-np.inf)


FLOATS = Floats()
