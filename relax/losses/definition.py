"""What a loss is defined with: an anchor's row of similarities, and who stands behind its entries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from relax.arrays import FLOATS, Arrays
from relax.errors import InputError
from relax.facts import brief


class Share(NamedTuple):
    """What each anchor adds to a loss before it is divided by the normaliser; shape (…, b).

    `excess` is what the anchor's row has above `floor`, computed without subtraction, so that it keeps its
    digits however small it is; a loss without a floor says floor 0 and gives its value.
    """

    floor: Any
    excess: Any


@brief
@dataclass(frozen=True, eq=False)
class Seen:
    """Who stands behind the entries x of shape (…, b, r) that b anchors read; counts of whole numbers.

    Attributes
    ----------
    xp : Arrays
        The library of the arrays.
    itself : array, shape (b, r)
        Whether the entry is the anchor's own.
    copies, views : array of int, shape (r,)
        Features behind a column, and how many of them are views of one sample.
    is_class, is_sample : array, shape (b, r)
        Whether the column is of the anchor's class, and of its own sample.
    vectors : Labelled, optional
        Who stands behind the columns, for losses that read more of it than the masks say.
    anchors : array of int, shape (b,), optional
        Which of these vectors are the anchors.
    """

    xp: Arrays
    itself: Bool[np.ndarray, "b r"]
    copies: Int[np.ndarray, " r"]
    views: Int[np.ndarray, " r"]
    is_class: Bool[np.ndarray, "b r"]
    is_sample: Bool[np.ndarray, "b r"]
    vectors: Labelled | None = None
    anchors: Int[np.ndarray, " b"] | None = None

    @cached_property
    def others(self) -> Any:
        """Features behind the entry, the anchor itself left out; (b, r)."""
        return self.xp.integers(self.copies - self.itself)

    @cached_property
    def same_class(self) -> Any:
        """Those of the anchor's class."""
        return self.xp.integers((self.copies - self.itself) * self.is_class)

    @cached_property
    def same_sample(self) -> Any:
        """Those that are other views of the anchor's own sample."""
        return self.xp.integers((self.views - self.itself) * self.is_sample)

    @cached_property
    def other_class(self) -> Any:
        """Those of other classes."""
        return self.xp.integers(self.copies * ~self.is_class)

    @property
    def known(self) -> tuple[Labelled, Int[np.ndarray, " b"]]:
        """The vectors behind the columns and which of them are anchors.

        Raises
        ------
        InputError
            If nobody said.
        """
        if self.vectors is None or self.anchors is None:
            raise InputError("this loss reads who its samples are; evaluate it on Labelled vectors")
        return self.vectors, self.anchors

    @cached_property
    def size_of_anchor(self) -> Int[np.ndarray, " b"]:
        """Features of the class of each anchor, itself included."""
        vectors, anchors = self.known
        return vectors.sizes[anchors]

    @property
    def sizes(self) -> Int[np.ndarray, " r"]:
        """Features of the class of each column."""
        return self.known[0].sizes

    @property
    def classes(self) -> Int[np.ndarray, " r"]:
        """The class of each column."""
        return self.known[0].classes

    @property
    def samples(self) -> Int[np.ndarray, " r"]:
        """The sample of each column."""
        return self.known[0].samples


@brief
@dataclass(frozen=True, eq=False)
class Labelled:
    """Whom each of n feature vectors belongs to; a vector may stand for several features that coincide.

    Attributes
    ----------
    classes, samples : array of int, shape (n,)
        Class and sample of each; samples are numbered class by class.
    copies, views : array of int, shape (n,)
        Features it stands for, and how many of them are views of one sample.
    """

    classes: Int[np.ndarray, " n"]
    samples: Int[np.ndarray, " n"]
    copies: Int[np.ndarray, " n"]
    views: Int[np.ndarray, " n"]

    @classmethod
    def features(cls, classes: Int[np.ndarray, " n"], views: int = 1) -> Labelled:
        """Return n features by their classes; `views` in a row of one class are those of one sample."""
        order = np.argsort(classes, kind="stable")
        samples = np.empty(len(classes), dtype=int)
        samples[order] = np.arange(len(classes)) // views
        ones = np.ones(len(classes), dtype=int)
        return cls(classes, samples, ones, ones)

    @classmethod
    def collapsed(cls, sizes: Int[np.ndarray, " k"], views: int = 1) -> Labelled:
        """Return one vector a class of these sizes (without views), standing for all of its features."""
        classes = np.arange(len(sizes))
        return cls(classes, classes, sizes * views, np.full(len(sizes), views))

    @cached_property
    def view(self) -> Int[np.ndarray, " n"]:
        """Which view of its sample each vector is, in order; 0 where it stands for all of them."""
        order = np.argsort(self.samples, kind="stable")
        start = np.searchsorted(self.samples[order], self.samples)
        place = np.empty(len(order), dtype=int)
        place[order] = np.arange(len(order))
        return place - start

    def seen(self, anchors: Int[np.ndarray, " b"], xp: Arrays = FLOATS) -> Seen:
        """Return what these anchors see of all vectors."""
        itself = anchors[:, None] == np.arange(len(self.classes))
        is_class = self.classes[anchors][:, None] == self.classes
        is_sample = self.samples[anchors][:, None] == self.samples
        return Seen(xp, itself, self.copies, self.views, is_class, is_sample, self, anchors)

    def reading(
        self, classes_of_read: Int[np.ndarray, " r"], anchors: Int[np.ndarray, " b"], xp: Arrays = FLOATS
    ) -> Seen:
        """Return what these anchors see of the vectors of another role, such as the classifier's."""
        is_class = self.classes[anchors][:, None] == classes_of_read
        nothing, ones = np.zeros_like(is_class), np.ones_like(classes_of_read)
        return Seen(xp, nothing, ones, ones, is_class, nothing)

    @cached_property
    def sizes(self) -> Int[np.ndarray, " n"]:
        """Features of the class of each vector."""
        _, label = np.unique(self.classes, return_inverse=True)
        total = np.zeros(label.max(initial=0) + 1, dtype=np.int64)
        np.add.at(total, label, self.copies)
        return total[label]


def cross_entropy(x: Any, reads: Any, targets: Any, xp: Arrays, level: Any = 1) -> Share:
    """Return log Σ m eˣ − Σ t x/T, T = Σ t: the cross-entropy of targets against a softmax.

    With y = x − Σ t x/T and level c, m = c t + (the rest), the value is

        log(c T) + log1p( Σ (t/T)(e^y − 1 − y) + Σ (m − c t) e^y/(c T) ),

    and the floor log(c T) is its infimum over x. An anchor without targets says 0.

    Parameters
    ----------
    x : array, shape (…, b, r)
        Similarities over the temperature.
    reads, targets : array, shape (b, r)
        m ≥ c t, and t, whole numbers but for m = c t.
    xp : Arrays
        The library of the arrays.
    level : number
        c ≥ 0; with 0 there is no floor.
    """
    total = targets.sum(-1)
    counts = total > 0
    number = xp.where(counts, total, 0 * total + 1)
    # In floats the mean of one entry is to be the entry itself, so that y is zero there at any temperature.
    weighted = targets if xp.exact else targets / number[..., None]
    mean = (weighted * x).sum(-1)
    y = x - (mean / number if xp.exact else mean)[..., None]
    if level == 0:
        return Share(0 * total, xp.where(counts, log_sum_exp(y, reads, xp), 0 * total))
    unit = level * number
    excess = _above(y, reads, level * targets, unit, counts, xp)
    return Share(xp.where(counts, xp.log(unit), 0 * unit), xp.where(counts, excess, 0 * total))


def _above(y: Any, reads: Any, held: Any, unit: Any, counts: Any, xp: Arrays) -> Any:
    """Return log Σ m e^y − log Σ h, unit = Σ h and Σ h y = 0, keeping its digits where it is small.

    What no line that counts would take is not computed: this is where the time of all descents goes.
    """
    if xp.exact:
        return log_sum_exp(y, reads, xp) - xp.log(unit)
    near = (xp.top(y, reads > 0) < 1) | ~counts
    if not near.any():
        return log_sum_exp(y, reads, xp) - xp.log(unit)
    tame = xp.at_most(y, 1.0)  # keeps what is not taken finite, and its derivative
    curved = held * (xp.expm1(tame) - tame) + (reads - held) * xp.exp(tame)
    excess = xp.log1p(curved.sum(-1) / unit)
    return excess if near.all() else xp.where(near, excess, log_sum_exp(y, reads, xp) - xp.log(unit))


def log_sum_exp(x: Any, reads: Any, xp: Arrays) -> Any:
    """Return log Σ m eˣ over the last axis; −∞ where every m is zero."""
    if xp.exact:
        return xp.log((reads * xp.exp(x)).sum(-1))
    top = xp.top(x, reads > 0)
    shift = xp.where(top > -np.inf, top, 0.0)
    return shift + xp.log((reads * xp.exp(xp.at_most(x - shift[..., None], 0.0))).sum(-1))


def softplus(x: Any, xp: Arrays) -> Any:
    """Return log(1 + eˣ)."""
    if xp.exact:
        return xp.log1p(xp.exp(x))
    positive = xp.at_least(x, 0.0)
    return positive + xp.log1p(xp.exp(x - 2 * positive))
