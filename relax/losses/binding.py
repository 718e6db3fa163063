"""Batch-binding, and when fixed batches have no minimiser but orthogonal frames (Kini et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from relax.errors import InputError, expect
from relax.facts import brief
from relax.losses.fixed_batches import FixedBatches


def bound(batches: FixedBatches, samples: Iterable[int] | None = None) -> FixedBatches:
    """Return batches to each of which one fixed sample of every class is appended, where it is not in it.

    Batches that share these samples share their geometry: with two classes or more, each of two samples or
    more, `interaction(bound(batches)).is_frame` holds for all batches.

    Parameters
    ----------
    batches : FixedBatches
        Any batches.
    samples : iterable of int, optional
        The fixed samples, one of each class; by default the first of each class.

    Raises
    ------
    InputError
        If the samples are not one of each class.
    """
    classes = expect(batches, FixedBatches, "batches", "give FixedBatches.of(labels, batches)").classes
    every = np.arange(classes.max(initial=-1) + 1)
    chosen = [int(np.argmax(classes == c)) for c in every] if samples is None else [int(i) for i in samples]
    beyond = [i for i in chosen if not 0 <= i < len(classes)]
    if beyond or sorted(classes[chosen].tolist()) != every.tolist():
        raise InputError(f"samples {chosen} must be one of each class, {len(every)} positions in all")
    parts = tuple((*batch, *(i for i in chosen if i not in batch)) for batch in batches.batches)
    return FixedBatches(batches.labels, parts)


@brief
@dataclass(frozen=True, eq=False)
class Interaction:
    """Which samples and classes fixed batches compare.

    Attributes
    ----------
    connected : array of bool, shape (k,)
        Whether the samples of each class hang together by batches that hold two classes.
    compared : array of bool, shape (k, k)
        Whether two classes share a batch in which one of them has two samples.
    """

    connected: Bool[np.ndarray, " k"]
    compared: Bool[np.ndarray, "k k"]

    @property
    def is_frame(self) -> bool:
        """Whether all minimisers with non-negative features are orthogonal frames."""
        pairs = ~np.eye(len(self.connected), dtype=bool)
        return bool(self.connected.all() and self.compared[pairs].all())


def interaction(batches: FixedBatches) -> Interaction:
    """Return the batch interaction graph: whether non-negative minimisers are orthogonal frames.

    For H ≥ 0 with norms of at most 1 the loss of each batch is at least that of classes that have collapsed
    to orthogonal vectors. It is attained if and only if, in every batch of two classes or more, samples of
    one class coincide and are orthogonal to all other classes, where one of the two has a second sample. So
    all minimisers are orthogonal frames if (a) the samples of each class are connected by such batches, and
    (b) every two classes are compared in some batch; only if, in dimension k + 1 and k. Classes have two
    samples or more. The graph of Kini et al. (arXiv 2306.07960) has batches of a single class and pairs of
    classes without a second sample as well, of which the loss sees nothing.

    Raises
    ------
    InputError
        If a class has one sample only.
    """
    classes = expect(batches, FixedBatches, "batches", "give FixedBatches.of(labels, batches)").classes
    sizes = np.bincount(classes)
    if len(sizes) == 0 or sizes.min() < 2:
        raise InputError("every class must have two samples or more, as a single one is bound by no positive")
    k, inside = len(sizes), np.array([np.bincount(classes[h], minlength=len(sizes)) for h in batches.holds])
    several = (inside > 0).sum(axis=1) >= 2
    compared = ((inside > 0).T.astype(int) @ (inside >= 2).astype(int)) > 0
    first, second = [], []
    for held in batches.holds[several]:
        for c in range(k):
            members = np.flatnonzero(held & (classes == c))
            first.append(members[:-1])
            second.append(members[1:])
    return Interaction(_connected(classes, first, second), (compared | compared.T) & ~np.eye(k, dtype=bool))


def _connected(
    classes: Int[np.ndarray, " n"], first: list[np.ndarray], second: list[np.ndarray]
) -> Bool[np.ndarray, " k"]:
    """Return whether the samples of each class are one component of a graph with these edges."""
    start, end = (np.concatenate([np.zeros(0, dtype=int), *part]) for part in (first, second))
    edges = coo_array((np.ones(len(start)), (start, end)), shape=(len(classes), len(classes)))
    component = connected_components(edges, directed=False)[1]
    return np.array([len(np.unique(component[classes == c])) == 1 for c in range(classes.max() + 1)])
