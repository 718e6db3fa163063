"""Self-supervised contrastive learning (CL): the NT-Xent of SimCLR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction
from relax.losses.softmax import Softmax, unlabelled, views_over_features, views_over_samples
from relax.norms import Norm

SOFTMAX = Softmax("views", mates=True)


@dataclass(frozen=True)
class SelfSupervised:
    """Pulls the views of a sample together; all other features stand in the denominator.

        L(H) = (1/(K N)) Σ_{i,l} [ log Σ_{(j,m)≠(i,l)} e^{G_il,jm/τ} − (1/(K−1)) Σ_{m≠l} G_il,im/τ ]

    for K ≥ 2 views of N samples: NT-Xent where K = 2. It sees no labels: its minimiser is the simplex of all
    N samples, which needs d ≥ N − 1. Features that collapse by classes are not optimal, and their loss is an
    upper bound on the optimum only.
    """

    name: ClassVar[str] = "self-supervised"
    default_temperature: ClassVar[float] = 0.5
    formula: ClassVar[str] = (
        "mean over anchors of log Σ_{others} e^{s/τ} − mean over other views of s_p/τ; "
        "sees no labels: the optimum is the simplex of all samples, not of classes, and needs d ≥ N − 1"
    )
    source: ClassVar[str] = "Chen et al. 2020, arXiv 2002.05709, NT-Xent"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there is one view, one sample, or a norm that weighs samples by class."""
        return unlabelled(self.name, counts, views, norm)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of one group of N samples.

            min_M (1/N) Σ_i log( K − 1 + Σ_{j≠i} K e^{(M_ij − M_ii)/τ} )

        Exact for d ≥ N − 1, for the reason given at `Decoupled.reduce`: once views are averaged the loss
        falls with the similarity of two views of a sample, at most the mean of ‖h‖² over its views.
        """
        return views_over_samples(SOFTMAX, counts, views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return one row an anchor, one node a feature."""
        return views_over_features(SOFTMAX, counts, views)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log Σ e^x over all others − (mean of x over the other views)."""
        return SOFTMAX.shares(x, seen)
