"""The expected supervised-contrastive loss of a random batch, exactly: as rows, and of given vectors.

A batch of b samples with V views each is drawn without replacement (`shuffle`, an epoch's shuffling), with
replacement from all samples (`replacement`), or with replacement after drawing a class (`class-balanced`).
Each anchor has its share of L_out over the batch, and counts when it has a positive there; the loss is the
expected sum of shares divided by the expected number of anchors that count.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Literal, get_args

import numpy as np

from relax.counts import ClassCounts
from relax.errors import InputError, worded
from relax.rows import RandomLogSumExp

Sampler = Literal["shuffle", "replacement", "class-balanced"]

LARGEST_BATCH = 100_000  # samples; exact chances of it have millions of digits


def refusal(counts: ClassCounts, views: int, batch_size: int, sampler: str) -> str | None:
    """Return None where the expected loss makes sense, else a sentence that says why not and what to do."""
    if not isinstance(sampler, str) or sampler not in get_args(Sampler):
        return f"sampler {worded(sampler)} is not one of: {', '.join(get_args(Sampler))}"
    said = worded(batch_size)
    if batch_size < 2:
        return f"batch size {said} leaves an anchor alone with its views; give at least 2"
    if batch_size > LARGEST_BATCH:
        return f"batch size {said} is above {LARGEST_BATCH}; full batches are the loss without batch_size"
    if sampler == "shuffle" and batch_size > counts.samples:
        return (
            f"batch size {said} is above the {counts.samples} samples that there are to shuffle; "
            "give a smaller one, or a sampler with replacement"
        )
    if counts.classes < 2:
        return "one class only: no batch has anything to push apart; give at least two classes"
    if views == 1 and batch_size == 2:
        return (
            "in a batch of two with one view an anchor has a positive or a negative, never both, and the "
            "loss is zero for all features; give a larger batch or more views"
        )
    if views == 1 and sampler == "shuffle" and counts.anchors == 0:
        return (
            "no class has two samples and there is one view, so the loss has no anchor; give one of them two"
        )
    return None


def expected_rows(
    counts: ClassCounts, views: int, batch_size: int, sampler: str
) -> tuple[tuple[RandomLogSumExp, ...], Fraction]:
    """Return the rows over groups of equal classes, and what their sum is divided by.

    With q_c the rate of class c, n_c for samples and 1 for classes, the loss is

        Σ_c q_c E[1{B>0} log X_c] / Σ_c q_c P(B > 0),   B = V (1 + b_c) − 1,
        X_c = B + V Σ_{c'≠c} b_c' e^{(M_cc' − M_cc)/τ},

    where b are the classes of b − 1 companions. A class whose samples never have a positive has no row.

    Raises
    ------
    InputError
        Where there is a `refusal`.
    """
    reason = refusal(counts, views, batch_size, sampler)
    if reason is not None:
        raise InputError(reason)
    size, groups = np.array(counts.sizes, dtype=object), np.array(counts.multiplicities, dtype=object)
    rate = np.ones_like(size) if sampler == "class-balanced" else size
    own = size - 1 if sampler == "shuffle" else rate
    anchored = np.flatnonzero(own > 0) if views == 1 else np.arange(len(size))
    rows = RandomLogSumExp(
        anchor=anchored,
        weight=(rate * groups)[anchored],
        draws=batch_size - 1,
        replacement=sampler != "shuffle",
        base=views - 1,
        own_multiplicity=views,
        peer_multiplicity=views,
        own_population=own[anchored],
        peer_population=np.broadcast_to(rate, (len(anchored), len(rate))),
    )
    total = int((rate * groups).sum())
    counted = [counting(int(n), total, batch_size, views, sampler) for n in own[anchored]]
    return (rows,), sum((w * p for w, p in zip(rows.weight.tolist(), counted, strict=True)), Fraction(0))


def counting(own: int, total: int, batch_size: int, views: int, sampler: str) -> Fraction:
    """Return P(B > 0): with one view, the chance that a companion is of the own population."""
    draws = batch_size - 1
    if views > 1:
        return Fraction(1)
    if sampler == "shuffle":
        return 1 - Fraction(comb(total - 1 - own, draws), comb(total - 1, draws))
    return 1 - Fraction(total - own, total) ** draws
