"""The definition summed over blocks of anchors: the loss of explicit vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from relax.arrays import FLOATS, Arrays
from relax.losses.definition import Labelled, Seen, Share
from relax.losses.loss import Loss

BLOCK = 512  # anchors at once; their row of similarities is all that is held


class Block(NamedTuple):
    """Some anchors, how many features each stands for, and what they see."""

    anchors: Int[np.ndarray, " b"]
    copies: Any
    seen: Seen


def evaluate(
    loss: Loss,
    vectors: Labelled,
    similarities: Callable[[Int[np.ndarray, " b"]], Any],
    normaliser: Any,
    xp: Arrays = FLOATS,
    block: int = BLOCK,
    read: Int[np.ndarray, " r"] | None = None,
) -> Share:
    """Return floor and excess of a loss, whose sum it is.

    Parameters
    ----------
    loss : Loss
        The definition.
    vectors : Labelled
        n vectors.
    similarities : function
        For b anchors, their inner products with all n vectors (or all that are read) divided by τ, shape
        (…, b, n).
    normaliser : number
        What the sum over anchors is divided by.
    xp : Arrays
        The library of the arrays.
    block : int
        Anchors at once.
    read : array of int, shape (r,), optional
        The classes of the vectors that are read, where these are of another role than the anchors.
    """
    return summed(loss, blocks(vectors, xp, block, read), similarities, normaliser)


def blocks(
    vectors: Labelled, xp: Arrays = FLOATS, block: int = BLOCK, read: Int[np.ndarray, " r"] | None = None
) -> Iterator[Block]:
    """Yield all anchors with what they see, `block` at once; see `evaluate`. To be kept by who sums often."""
    for start in range(0, len(vectors.classes), block):
        anchors = np.arange(start, min(start + block, len(vectors.classes)))
        seen = vectors.seen(anchors, xp) if read is None else vectors.reading(read, anchors, xp)
        yield Block(anchors, xp.integers(vectors.copies[anchors]), seen)


def summed(
    loss: Loss,
    parts: Iterable[Block],
    similarities: Callable[[Int[np.ndarray, " b"]], Any],
    normaliser: Any,
) -> Share:
    """Return floor and excess of a loss, summed over blocks of anchors; see `evaluate`."""
    floor: Any = 0
    excess: Any = 0
    for anchors, copies, seen in parts:
        share = loss.shares(similarities(anchors), seen)
        floor = floor + (copies * share.floor).sum(-1)
        excess = excess + (copies * share.excess).sum(-1)
    return Share(floor / normaliser, excess / normaliser)
