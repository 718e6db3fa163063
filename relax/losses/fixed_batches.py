"""The supervised-contrastive loss inside given batches (Kini et al. 2023, arXiv 2306.07960)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, ClassVar, NamedTuple, SupportsInt

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from relax.counts import ClassCounts
from relax.errors import InputError
from relax.facts import brief
from relax.losses.definition import Seen, Share, cross_entropy
from relax.losses.fields import check_fields
from relax.losses.reduction import Nodes, Reduction
from relax.norms import Norm
from relax.rows import LogSumExp


@brief
@dataclass(frozen=True)
class FixedBatches:
    """The mean over all anchors of all batches of the supervised-contrastive loss inside the batch.

        L(H) = (1/A) Σ_B Σ_{i∈B} 1/(n_{B,y_i}−1) Σ_{j∈B, j≠i, y_j=y_i} log Σ_{l∈B, l≠i} exp((G_il − G_ij)/τ)

    i runs over the samples that have a positive in B, A is the number of all such pairs (i, B), and n_{B,c}
    the number of samples of class c in B. A sample is an anchor once in each of its batches.

    Attributes
    ----------
    labels : tuple of int
        The class of each sample. Classes of the problem stand in the order of their labels.
    batches : tuple of tuple of int
        The samples of each batch, as positions in `labels`. With views, all views of a sample are in it.

    Raises
    ------
    InputError
        If a batch names a sample twice or one that is not there, or a sample is in no batch.
    """

    labels: tuple[int, ...] = ()
    batches: tuple[tuple[int, ...], ...] = ()

    name: ClassVar[str] = "fixed-batches"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = (
        "mean over anchors of all batches of −(1/|P|) Σ_P log( e^{s_p/τ} / Σ_{l≠i} e^{s_l/τ} )"
    )
    source: ClassVar[str] = "Kini et al. 2023, arXiv 2306.07960"

    def __post_init__(self) -> None:
        """Refuse batches that do not fit the labels."""
        check_fields(self)
        for b, batch in enumerate(self.batches):
            beyond = [i for i in batch if not 0 <= i < len(self.labels)]
            if beyond:
                raise InputError(
                    f"batch {b} holds sample {beyond[0]}; there are labels for {len(self.labels)}"
                )
            if len(set(batch)) < len(batch):
                raise InputError(f"batch {b} holds a sample twice; give each of its samples once")
        unused = set(range(len(self.labels))) - {i for batch in self.batches for i in batch}
        if unused:
            raise InputError(f"sample {min(unused)} is in no batch; leave it out of the labels")

    @classmethod
    def of(cls, labels: Iterable[SupportsInt], batches: Iterable[Iterable[SupportsInt]]) -> FixedBatches:
        """Return the loss of labels and batches of any integer type."""
        return cls(tuple(int(y) for y in labels), tuple(tuple(int(i) for i in batch) for batch in batches))

    @cached_property
    def classes(self) -> Int[np.ndarray, " n"]:
        """The class of each sample, numbered in the order of labels."""
        return np.unique(np.array(self.labels, dtype=int), return_inverse=True)[1]

    @cached_property
    def holds(self) -> Bool[np.ndarray, "B n"]:
        """Which batch holds which sample."""
        return np.array([np.isin(np.arange(len(self.labels)), batch) for batch in self.batches])

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where counts are not those of the labels, or batches compare nothing."""
        if not self.labels:
            return "fixed-batches needs labels and batches; write e.g. labels=0.0.1.1,batches=0.1.2/1.2.3"
        here = np.bincount(self.classes).tolist()
        if counts.classes != len(here) or list(counts.apart().sizes) != here:
            shown = ",".join(map(str, here[:12])) + (",…" if len(here) > 12 else "")
            return f"the labels of fixed-batches have class counts {shown}, the problem has {counts}"
        inside = [np.bincount(self.classes[held]) * views for held in self.holds]
        if not any(np.any(size >= 2) for size in inside):
            return "no batch holds two samples of a class, so the loss has no anchor"
        if not any(np.any(size >= 2) and np.count_nonzero(size) >= 2 for size in inside):
            return "no batch with an anchor holds two classes, so that nothing is pushed apart"
        return None

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program whose groups are the samples of a class in the same batches, at every level.

        Such samples are exchangeable, and the loss is convex in the Gram matrix, so that averaging over their
        permutations is free. They need *not* coincide at the optimum: where a third sample of their class is
        held away by other batches, it pays to share the positives' distance among all three. So a member of
        a group is one feature, a view of a sample too.
        """
        key = np.column_stack([self.classes, self.holds.T])
        group = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1)
        return self._reduction(np.repeat(group, views), views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program with one node a feature, sample by sample in the order of the labels."""
        return self._reduction(np.arange(len(self.labels) * views), views)

    def _reduction(self, group: Int[np.ndarray, " u"], views: int) -> Reduction:
        classes = np.repeat(self.classes, views)
        first, members = np.unique(group, return_index=True, return_counts=True)[1:]
        of_group, held = classes[first], np.repeat(self.holds, views, axis=1)[:, first]
        blocks = [_rows(here, of_group, members) for here in held]
        anchor, reads, target = (np.concatenate(part) for part in zip(*blocks, strict=True))
        nothing, weight = np.zeros(len(anchor)), members[anchor].astype(float)
        size = np.bincount(classes)[of_group]
        nodes = Nodes(
            multiplicity=members.astype(float),
            stands_for=np.ones(len(members), dtype=int),
            share=np.array([Fraction(1, int(n)) for n in size], dtype=object),
            size=size // views,
            group_of_unit=partial(np.asarray, group),
            class_of_unit=partial(np.asarray, classes),
            unit="sample",
        )
        rows = LogSumExp(anchor, weight, nothing, nothing, reads, target)
        return Reduction(nodes, (rows,), Fraction(int(weight.sum())))

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return the sum over the anchor's batches of log Σ_{l≠i} e^{x_l} − (1/|P|) Σ_P x_p inside the batch.

        Columns are single features, as `Labelled.features` has them.

        Raises
        ------
        InputError
            If a column stands for several samples.
        """
        vectors, anchors = seen.known
        if np.any(vectors.copies > vectors.views):
            raise InputError("fixed-batches reads single samples; give one feature a sample, not one a class")
        sample = np.argsort(self.classes, kind="stable")[vectors.samples]
        others, same = seen.copies - seen.itself, seen.is_class
        total = Share(0 * x[..., 0], 0 * x[..., 0])
        for held in self.holds[:, sample]:
            inside = others * (held[anchors][:, None] & held)
            positives = inside * same
            counts = positives.any(axis=1, keepdims=True)
            reads = np.where(counts, inside, seen.itself)  # no anchor here: it reads itself and adds nothing
            share = cross_entropy(x, seen.xp.integers(reads), seen.xp.integers(positives), seen.xp)
            total = Share(total.floor + share.floor, total.excess + share.excess)
        return total


class _Batch(NamedTuple):
    anchor: Int[np.ndarray, " t"]
    reads: Float[np.ndarray, "t m"]
    target: Shaped[np.ndarray, "t m"]


def _rows(
    here: Bool[np.ndarray, " m"], classes: Int[np.ndarray, " m"], members: Int[np.ndarray, " m"]
) -> _Batch:
    """Return the rows of one batch, which holds these groups."""
    same = (classes[:, None] == classes) & here
    size = same @ members
    anchor = np.flatnonzero(here & (size >= 2))
    target = np.full((len(anchor), len(here)), Fraction(0), dtype=object)
    for t, a in enumerate(anchor):
        target[t, same[a]] = Fraction(1, int(size[a]) - 1)
    return _Batch(anchor, np.broadcast_to(here.astype(float), target.shape), target)
