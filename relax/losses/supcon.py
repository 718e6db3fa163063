r"""The supervised-contrastive loss (Khosla et al. 2020, arXiv 2004.11362, "L_out")."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share, cross_entropy
from relax.losses.reduction import Reduction, class_nodes, sample_nodes
from relax.norms import Norm
from relax.rows import LogSumExp


@dataclass(frozen=True)
class SupCon:
    """L_out, the mean over anchors that have a positive, as practitioners average it.

        L(H) = (1/N₊) Σ_{i: n_{y_i} ≥ 2} 1/(n_{y_i}−1) Σ_{j≠i, y_j=y_i} log Σ_{l≠i} exp((G_il − G_ij)/τ)

    with G = HHᵀ and N₊ the number of anchors that have a positive. A class of one sample has no anchor but
    stands in every other denominator.
    """

    name: ClassVar[str] = "supcon"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = "mean over anchors of −(1/|P|) Σ_P log( e^{s_p/τ} / Σ_{l≠i} e^{s_l/τ} )"
    source: ClassVar[str] = "Khosla et al. 2020, arXiv 2004.11362, L_out"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there is one class, or no class of two samples."""
        seen = counts.times(views)
        if seen.classes < 2:
            return (
                f"one class only: every equiangular arrangement of its {seen.samples} samples attains the "
                "minimum log(n-1), so there is no geometry to certify; give at least two classes"
            )
        if seen.anchors == 0:
            return "no class has two samples, so the loss has no anchor; give one of them two"
        return None

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the class-level program (C) of Behnia & Thrampoulidis (arXiv 2402.18884), by groups.

            min_M (1/N₊) Σ_c n_c log( n_c − 1 + Σ_{c'≠c} n_c' exp((M_cc' − M_cc)/τ) )

        Exact for every d ≥ k − 1: averaging over within-class permutations and replacing features by their
        class mean never raises the loss (on sphere and ball, lengthening them to norm one lowers it further).
        """
        seen = counts.times(views)
        n = np.array(seen.sizes, dtype=float)
        g = np.array(seen.multiplicities, dtype=float)
        anchored = np.flatnonzero(n >= 2)
        rows = LogSumExp(
            anchor=anchored,
            weight=(n * g)[anchored],
            own_multiplicity=n[anchored] - 1.0,
            own_target=np.ones(len(anchored)),
            peer_multiplicity=np.broadcast_to(n, (len(anchored), len(n))),
        )
        return Reduction(class_nodes(counts, views), (rows,), Fraction(seen.anchors))

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the sample-level relaxation (R): one node a feature. The reference, for small n."""
        seen, nodes = counts.times(views), sample_nodes(counts, views)
        labels = nodes.class_of_unit()
        same = labels[:, None] == labels
        size = same.sum(axis=1)
        anchors = np.flatnonzero(size >= 2)
        others = ~np.eye(len(labels), dtype=bool)
        positive = np.full(same.shape, Fraction(0), dtype=object)
        for i in anchors:
            positive[i, same[i] & others[i]] = Fraction(1, int(size[i]) - 1)
        rows = LogSumExp(
            anchor=anchors,
            weight=np.ones(len(anchors)),
            own_multiplicity=np.zeros(len(anchors)),
            own_target=np.zeros(len(anchors)),
            peer_multiplicity=others[anchors].astype(float),
            peer_target=positive[anchors],
        )
        return Reduction(nodes, (rows,), Fraction(seen.anchors))

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log Σ_{l≠i} e^{x_l} − (1/|P|) Σ_P x_p for each anchor with a positive."""
        return cross_entropy(x, seen.others, seen.same_class, seen.xp)
