"""What a loss is to the rest of the package."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction
from relax.norms import Norm


@runtime_checkable
class Loss(Protocol):
    """A sum over anchors of a function of the anchor's row of similarities; a frozen dataclass.

    Its fields are its parameters, of type int, float, str, `Norm`, tuples of int or of such tuples, or None.
    `shares` is the definition: brute force, gradient descent, and the exact loss of given features read it.
    `reduce` is the convex program that stands for it, which solvers and certificates read.
    """

    name: ClassVar[str]
    default_temperature: ClassVar[float]
    formula: ClassVar[str]
    source: ClassVar[str]

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return None where the loss makes sense, else a sentence that says why not and what to do."""
        ...

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program by groups of equal classes; `counts` may list equal sizes apart."""
        ...

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return the program with one node a feature, None where there is none."""
        ...

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return what each anchor adds, from x = (similarities to all it reads)/τ, shape (…, b, r)."""
        ...
