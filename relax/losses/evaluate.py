"""The definition summed over blocks of anchors: the loss of explicit vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Int

from relax.arrays import FLOATS, Arrays
from relax.losses.definition import Labelled, Share
from relax.losses.loss import Loss

BLOCK = 512  # anchors at once; their row of similarities is all that is held


def evaluate(
    loss: Loss,
    vectors: Labelled,
    similarities: Callable[[Int[np.ndarray, " b"]], Any],
    normaliser: Any,
    xp: Arrays = FLOATS,
    block: int = BLOCK,
) -> Share:
    """Return floor and excess of a loss, whose sum it is.

    Parameters
    ----------
    loss : Loss
        The definition.
    vectors : Labelled
        n vectors.
    similarities : function
        For b anchors, their inner products with all n vectors divided by τ, shape (…, b, n).
    normaliser : number
        What the sum over anchors is divided by.
    xp : Arrays
        The library of the arrays.
    block : int
        Anchors at once.
    """
    floor: Any = 0
    excess: Any = 0
    for start in range(0, len(vectors.classes), block):
        anchors = np.arange(start, min(start + block, len(vectors.classes)))
        copies = xp.integers(vectors.copies[anchors])
        share = loss.shares(similarities(anchors), vectors.seen(anchors, xp))
        floor = floor + (copies * share.floor).sum(-1)
        excess = excess + (copies * share.excess).sum(-1)
    return Share(floor / normaliser, excess / normaliser)
