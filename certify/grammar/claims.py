"""What the parts of a claim, each of them of its shape, say of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from certify.grammar.table import LARGEST_PROGRAM
from relax.counts import LARGEST_COUNT


def discord(claim: dict[str, Any]) -> str | None:
    """Return a sentence where a claim of the grammar does not fit itself, None where it does."""
    return next(_discords(claim), None)


def _discords(claim: dict[str, Any]) -> Iterator[str]:
    if Decimal(claim["tolerance"]) < 0:
        yield "the tolerance is negative"
    if claim["lower"] is None and (claim["verdict"] == "CERTIFIED" or claim["gram_radius"] is not None):
        yield "CERTIFIED and a Gram radius need a lower bound"
    if (claim["problem"] is None) != (claim["level"] is None):
        yield "a problem and its level belong together"
    elif claim["problem"] is not None:
        yield from _of_counts(claim["problem"], claim["level"])


def _of_counts(problem: dict[str, Any], level: str) -> Iterator[str]:
    """Yield what is wrong with the sizes of classes."""
    pairs = problem["counts"]
    sizes, classes = [size for size, _ in pairs], sum(g for _, g in pairs)
    features = problem["views"] * sum(size * g for size, g in pairs)
    if any(a <= b for a, b in pairwise(sizes)):
        yield "counts do not stand largest first, each size once"
    if features > LARGEST_COUNT:
        yield "there are more than 2**53 features"
    if {"classes": classes, "samples": features}.get(level, 0) > LARGEST_PROGRAM:
        yield f"there are more than {LARGEST_PROGRAM} {level}"
    if "order" in problem and Counter(problem["order"]) != Counter(dict(enumerate(g for _, g in pairs))):
        yield "the order of the classes does not fit their counts"
    if "order" in problem and problem["order"] == sorted(problem["order"]):
        yield "the order of classes that stand largest first is left out"
