"""NT-Xent with labels: every pair of positives is an anchor's softmax of its own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share, log_sum_exp, softplus
from relax.losses.reduction import Reduction, class_nodes, class_rows, feature_rows, sample_nodes
from relax.losses.softmax import others_alike
from relax.losses.supcon import SupCon
from relax.norms import Norm

MOST_ENTRIES = 2**24  # of the lift: (positive pairs) × (features)


@dataclass(frozen=True)
class NTXentLabels:
    """One positive and all negatives in the denominator; the mean over ordered pairs of positives.

        L(H) = (1/Σ_c n_c(n_c−1)) Σ_{i≠p: y_i=y_p} log( 1 + Σ_{l: y_l≠y_i} e^{(G_il − G_ip)/τ} )

    A large class has more pairs than anchors, and so more weight than under L_out. NT-Xent without labels is
    `self-supervised`: its negatives are all other samples.
    """

    name: ClassVar[str] = "ntxent-labels"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = "mean over positive pairs of −log( e^{s_p/τ} / (e^{s_p/τ} + Σ_N e^{s_n/τ}) )"
    source: ClassVar[str] = (
        "Sohn 2016 (N-pair), Chen et al. 2020 (arXiv 2002.05709), as in pytorch-metric-learning, NTXentLoss"
    )

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there is one class, or no pair of positives."""
        if counts.classes < 2:
            return "one class only: there are no negatives and the loss is zero; give at least two classes"
        return SupCon().refuses(counts, views, norm, nonnegative)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the class-level program, by groups.

            min_M (1/Σ n_c(n_c−1)) Σ_c n_c(n_c−1) log( 1 + Σ_{c'≠c} n_c' exp((M_cc' − M_cc)/τ) )

        Exact for d ≥ k − 1: softplus of log-sum-exp differences is convex
        in G, so averaging over within-class permutations never raises it; it falls with the one value a_c
        that positives then have, and a_c is at most the mean of ‖h‖² over the class (see `SupCon.reduce`).
        """
        n = [size * views for size in counts.sizes]
        anchored = [a for a, size in enumerate(n) if size >= 2]
        weight = [Fraction(counts.multiplicities[a] * n[a] * (n[a] - 1)) for a in anchored]
        rows = class_rows(n, anchored, weight, [Fraction(1)] * len(anchored))
        return Reduction(class_nodes(counts, views), (rows,), self._pairs(counts, views))

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return a row for each pair of positives, one node a feature; None where that is too much."""
        nodes = sample_nodes(counts, views)
        pairs = self._pairs(counts, views)
        if pairs * nodes.units > MOST_ENTRIES:
            return None
        classes = nodes.class_of_unit()
        anchor, positive = np.nonzero(others_alike(classes, views)[0])
        targets = positive[:, None] == np.arange(nodes.units)
        reads = (classes[anchor][:, None] != classes) | targets
        rows = feature_rows(anchor, np.ones(len(anchor)), reads, targets)
        return Reduction(nodes, (rows,), pairs)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return Σ_P log(1 + Σ_N e^{x_n − x_p})."""
        beyond = log_sum_exp(x, seen.other_class, seen.xp)[..., None] - x
        excess = (seen.same_class * softplus(beyond, seen.xp)).sum(-1)
        return Share(0 * excess, excess)

    def _pairs(self, counts: ClassCounts, views: int) -> Fraction:
        seen = zip(counts.times(views).sizes, counts.multiplicities, strict=True)
        return Fraction(sum(g * n * (n - 1) for n, g in seen))
