r"""Cross-entropy of a linear classifier on free features: the layer-peeled model and its relatives."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share, cross_entropy
from relax.losses.reduction import Reduction, class_nodes
from relax.norms import Ball, Norm
from relax.rows import LogSumExp

UNIT_BALL = Ball(1.0)


@dataclass(frozen=True)
class CrossEntropy:
    """The mean over samples of the cross-entropy of a classifier without bias, both free.

        L(W, H) = (1/N) Σ_i log Σ_c exp( ⟨w_c − w_{y_i}, h_i⟩ / τ )

    The classifier obeys (or pays for) a norm of its own, the features that of the problem:

    - both `Ball` or `Sphere`, or the classifier `MeanSquare` or `Ridge`: Graf et al. 2021, arXiv 2102.08817;
    - both `MeanSquare`: the layer-peeled model, Fang et al. 2021, doi 10.1073/pnas.2103091118;
    - both `Ridge`: Hong & Ling 2023, arXiv 2309.09725.

    Attributes
    ----------
    classifier : Norm
        What the norms of the classifier vectors w_c obey; a ridge pays (weight/2) Σ_c ‖w_c‖².
    """

    classifier: Norm = UNIT_BALL

    name: ClassVar[str] = "cross-entropy"
    default_temperature: ClassVar[float] = 1.0
    formula: ClassVar[str] = "mean over samples of log Σ_c e^{⟨w_c − w_y, h⟩/τ}"
    source: ClassVar[str] = (
        "Fang et al. 2021, doi 10.1073/pnas.2103091118; Graf et al. 2021, arXiv 2102.08817"
    )

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there is one class, or features are to be non-negative."""
        if counts.classes < 2:
            return (
                "one class only: its cross-entropy is zero whatever the features; give at least two classes"
            )
        if nonnegative:
            return (
                "cross-entropy has no program for non-negative features, as its classifiers may have either "
                "sign; leave nonnegative out"
            )
        return None

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program over classifiers and class means of features, by groups of equal classes.

            min (1/N) Σ_c n_c log( 1 + Σ_{c'≠c} exp((M[w_c', h_c] − M[w_c, h_c])/τ) )

        Exact under every norm, for d large enough: the loss is convex in each feature, so that the mean of a
        class is at least as good as its members. The mean stays in the ball, and its square is at most the
        mean of squares, which is what ridges and mean squares count. On the sphere the mean is too short by
        as much as the class was spread; a component orthogonal to everything else lengthens it, unseen by
        the loss.
        """
        seen = counts.times(views)
        size = np.array(seen.sizes, dtype=float) * np.array(seen.multiplicities, dtype=float)
        ones = np.ones(len(size))
        rows = LogSumExp(
            anchor=np.arange(len(size)),
            weight=size,
            own_multiplicity=ones,
            own_target=ones,
            peer_multiplicity=np.broadcast_to(ones, (len(size), len(size))),
            roles=(1, 0),
        )
        nodes = class_nodes(counts, views, ("classifier", "feature"), (self.classifier, None))
        return Reduction(nodes, (rows,), Fraction(seen.samples))

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return None: there are more samples than classifiers, so that they are not roles of one node."""
        return None

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log Σ_c e^{x_c} − x_y, the columns being the classifier vectors of all classes."""
        return cross_entropy(x, seen.others, seen.same_class, seen.xp)
