"""Decoupled contrastive learning (DCL): no labels, and no positive in the denominator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction
from relax.losses.softmax import Softmax, lacks_floor, unlabelled, views_over_features, views_over_samples
from relax.norms import Norm

SOFTMAX = Softmax("views", positive=Fraction(0), mates=True)


@dataclass(frozen=True)
class Decoupled:
    """Pulls the views of a sample together; all other samples stand in the denominator, whatever their class.

        L(H) = (1/(K N)) Σ_{i,l} [ log Σ_{j≠i} Σ_m e^{G_il,jm/τ} − (1/(K−1)) Σ_{m≠l} G_il,im/τ ]

    for K ≥ 2 views of N samples. It sees no labels: its minimiser is the simplex of all N samples, which
    needs d ≥ N − 1, of value −N/(N−1)/τ + log(K(N−1)) on the unit sphere. Features that collapse by classes
    are not optimal, and their loss is an upper bound on the optimum only. Luthra et al. let a view be a
    positive of itself as well, which on the sphere replaces a K-th of the pull by a constant.
    """

    name: ClassVar[str] = "decoupled"
    default_temperature: ClassVar[float] = 1.0
    formula: ClassVar[str] = (
        "mean over anchors of log Σ_{other samples} e^{s/τ} − mean over other views of s_p/τ; "
        "sees no labels: the optimum is the simplex of all samples, not of classes, and needs d ≥ N − 1"
    )
    source: ClassVar[str] = "Yeh et al. 2022, arXiv 2110.06848; Luthra, Yang & Galanti 2025, arXiv 2506.04411"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence for one view, one sample, a ridge, or a norm that weighs samples by class."""
        return unlabelled(self.name, counts, views, norm) or lacks_floor(self.name, norm)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of one group of N samples.

            min_M (1/N) Σ_i [ log Σ_{j≠i} K e^{M_ij/τ} − M_ii/τ ]

        Exact for d ≥ N − 1: averaging over permutations of the views of each sample never raises the convex
        loss, and two views of a sample are then no more similar than r_i, the mean of ‖h‖² over its views; M
        with r_i on its diagonal and the inner products of the means of views elsewhere is feasible.
        """
        return views_over_samples(SOFTMAX, counts, views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return one row an anchor, one node a feature."""
        return views_over_features(SOFTMAX, counts, views)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log Σ e^x over other samples − (mean of x over the other views)."""
        return SOFTMAX.shares(x, seen)
