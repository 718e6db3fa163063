"""Negatives-only supervised contrastive learning (NSCL): the supervised twin of decoupled losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from relax.counts import ClassCounts, exact_rational
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction
from relax.losses.softmax import (
    Softmax,
    lacks_classes,
    lacks_floor,
    lacks_views,
    views_over_classes,
    views_over_features,
    weight_of_positives,
)
from relax.norms import Norm


@dataclass(frozen=True)
class NegativesOnly:
    """Pulls the views of a sample together and sees samples of other classes in the denominator alone.

        L(H) = (1/(K N)) Σ_{i,l} [ log Σ_{j: y_j≠y_i} Σ_m e^{G_{il,jm}/τ} − (1/(K−1)) Σ_{m≠l} G_{il,im}/τ ]

    for K ≥ 2 views of N samples. Luthra et al. let a view be a positive of itself as well, which on the
    sphere replaces a K-th of the pull by a constant. The loss has no floor. A class of one sample has anchors
    too.

    Attributes
    ----------
    positives_weight : float
        w ≥ 0 adds w Σ_{m≠l} e^{G_il,im/τ} to the denominator, the decimal that is written. With w > 0 the
        loss has the floor log(w (K−1)).
    """

    positives_weight: float = 0.0

    name: ClassVar[str] = "negatives-only"
    default_temperature: ClassVar[float] = 1.0
    formula: ClassVar[str] = (
        "mean over anchors of log Σ_N e^{s_n/τ} − mean over other views of s_p/τ, N all of other classes"
    )
    source: ClassVar[str] = "Luthra, Yang & Galanti 2025, arXiv 2506.04411, NSCL"

    def __post_init__(self) -> None:
        weight = weight_of_positives(self.positives_weight, "0 is the usual loss")
        object.__setattr__(self, "positives_weight", weight)

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence for one view, for one class, and for w = 0 with a ridge."""
        reason = lacks_classes(self.name, counts) or lacks_views(self.name, views)
        return reason if reason or self.positives_weight > 0 else lacks_floor(self.name, norm)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the class-level program, by groups.

            min_M (1/N) Σ_c n_c log( w (K−1) + Σ_{c'≠c} K n_c' e^{(M_cc' − M_cc)/τ} )

        Exact for d ≥ k − 1. Averaging over permutations of the samples of a class, and of the views of a
        sample, never raises the convex loss and leaves it this with b_c in place of M_cc, where M_cc' are the
        inner products of class means and b_c that of two views of a sample, at most the mean r_c of ‖h‖² over
        the class. So M with r_c on its diagonal is feasible and program(M) ≤ loss(H); equality where views
        and classes collapse. The loss itself never pulls different samples of a class together: what does is
        that a matrix which needs its whole diagonal leaves room for nothing else.
        """
        return views_over_classes(self._softmax, counts, views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return one row an anchor, one node a feature."""
        return views_over_features(self._softmax, counts, views)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log( w Σ_{other views} e^x + Σ_N e^x ) − (mean of x over the other views)."""
        return self._softmax.shares(x, seen)

    @property
    def _softmax(self) -> Softmax:
        return Softmax("views", positive=exact_rational(self.positives_weight))
