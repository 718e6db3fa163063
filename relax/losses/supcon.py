"""The supervised-contrastive loss (Khosla et al. 2020, arXiv 2004.11362, "L_out"), with weights."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from relax.counts import ClassCounts, exact_rational
from relax.errors import InputError, worded
from relax.losses.batches import Sampler, expected_rows, refusal
from relax.losses.companions import expected_shares
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction, class_nodes, sample_nodes
from relax.losses.softmax import Softmax, lacks_floor, weight_of_positives
from relax.norms import Norm


@dataclass(frozen=True)
class SupCon:
    """L_out, the mean over anchors that have a positive, as practitioners average it.

        L(H) = (1/N₊) Σ_{i: |P_i| ≥ 1} [ log( w Σ_{p∈P_i} e^{G_ip/τ} + Σ_{l: y_l ≠ y_i} e^{G_il/τ} )
                                         − (1/|P_i|) Σ_{p∈P_i} G_ip/τ ],      P_i = {j ≠ i: y_j = y_i},

    with G = HHᵀ and N₊ the number of anchors that have a positive. A class of one sample has no anchor but
    stands in every other denominator.

    Attributes
    ----------
    positives_weight : float
        w ≥ 0, the decimal that is written: 1 is L_out, 0 leaves negatives only. Above 0 the loss has the
        floor log(w |P_i|) of each anchor, at 0 none.
    class_weights : "samples" or "classes"
        Whether every anchor weighs the same, or every class that has an anchor.
    batch_size : int or None
        None for the full batch; else the loss is its expectation over random batches of so many samples:
        the expected sum over anchors that have a positive in their batch, divided by their expected number.
        Losses that divide each batch by its own number of such anchors are not of this form.
    sampler : "shuffle", "replacement", "class-balanced" or None
        How batches are drawn: without replacement (the default), with, or a class first and then a sample.
    """

    positives_weight: float = 1.0
    class_weights: Literal["samples", "classes"] = "samples"
    batch_size: int | None = None
    sampler: Sampler | None = None

    name: ClassVar[str] = "supcon"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = (
        "mean over anchors (or classes) of log( w Σ_P e^{s_p/τ} + Σ_N e^{s_n/τ} ) − mean_P s_p/τ"
    )
    source: ClassVar[str] = "Khosla et al. 2020, arXiv 2004.11362, L_out (w = 1)"

    def __post_init__(self) -> None:
        weight = weight_of_positives(self.positives_weight, "1 is L_out, 0 leaves negatives only")
        if not (isinstance(self.class_weights, str) and self.class_weights in ("samples", "classes")):
            raise InputError(f"class_weights {worded(self.class_weights)} must be 'samples' or 'classes'")
        object.__setattr__(self, "positives_weight", weight)
        if self.batch_size is None:
            if self.sampler is not None:
                raise InputError(
                    f"sampler {worded(self.sampler)} says how batches are drawn; give batch_size too"
                )
            return
        if type(self.batch_size) is not int:
            raise InputError(
                f"batch_size {worded(self.batch_size)} must be a whole number of samples, or none"
            )
        if weight != 1 or self.class_weights != "samples":
            raise InputError("batch_size goes with positives_weight=1 and class_weights=samples only")
        object.__setattr__(self, "sampler", self.sampler or "shuffle")

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence for one class, for no anchor, for w = 0 with a ridge, and for odd batches."""
        if self.batch_size is not None and self.sampler is not None:
            return refusal(counts, views, self.batch_size, self.sampler)
        seen = counts.times(views)
        if seen.classes < 2:
            return (
                f"one class only: every equiangular arrangement of its {seen.samples} samples attains the "
                "minimum log(n-1), so there is no geometry to certify; give at least two classes"
            )
        if seen.anchors == 0:
            return "no class has two samples, so the loss has no anchor; give one of them two"
        return None if self.positives_weight > 0 else lacks_floor("supcon with positives_weight=0", norm)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the class-level program (C) of Behnia & Thrampoulidis (arXiv 2402.18884), by groups.

            min_M (1/N₊) Σ_c n_c log( w (n_c − 1) + Σ_{c'≠c} n_c' exp((M_cc' − M_cc)/τ) )

        Exact for every w ≥ 0 and d ≥ k − 1. A log-sum-exp with weights
        m ≥ 0 less a linear function is convex in G, whatever w is, and permuting the samples of a class
        changes nothing; so averaging G over these permutations never raises the loss. It leaves one value
        a_c for all positives and M_cc' for all pairs of samples of two classes, the inner product of class
        means, and the row is log( w (n_c − 1) + Σ n_c' e^{(M_cc' − a_c)/τ} ): less for larger a_c. As
        a_c ≤ r_c, the mean of ‖h‖² over the class, and M with r_c on its diagonal is positive semidefinite
        and obeys the norm as H does, it is a feasible M with program(M) ≤ loss(H). That large w push
        positives apart is no objection: they share the softmax alike, and their mean similarity is pulled up.
        An expectation over batches is a weighted sum of such rows, one for each composition of a batch.
        """
        if self.batch_size is not None and self.sampler is not None:
            drawn, normaliser = expected_rows(counts, views, self.batch_size, self.sampler)
            return Reduction(class_nodes(counts, views), drawn, normaliser)
        rows = self._softmax.by_classes(counts, views, self._each(counts, views))
        return Reduction(class_nodes(counts, views), (rows,), self._normaliser(counts, views))

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return the program with one node a feature, None in batches."""
        return None if self.batch_size is not None else self.by_features(counts, views)

    def by_features(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the sample-level relaxation (R) of the full batch: one node a feature."""
        rows = self._softmax.by_features(counts, views, self._each(counts, views))
        return Reduction(sample_nodes(counts, views), (rows,), self._normaliser(counts, views))

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log( w Σ_P e^{x_p} + Σ_N e^{x_n} ) − (1/|P|) Σ_P x_p for each anchor with a positive."""
        if self.batch_size is not None and self.sampler is not None:
            return expected_shares(x, seen, self.batch_size, self.sampler)
        share = self._softmax.shares(x, seen)
        if self.class_weights == "samples":
            return share
        size = seen.xp.integers(seen.size_of_anchor)
        return Share(share.floor / size, share.excess / size)

    @property
    def _softmax(self) -> Softmax:
        return Softmax("class", exact_rational(self.positives_weight))

    def _each(self, counts: ClassCounts, views: int) -> list[Fraction]:
        if self.class_weights == "samples":
            return [Fraction(1)] * len(counts.sizes)
        return [Fraction(1, size * views) for size in counts.sizes]

    def _normaliser(self, counts: ClassCounts, views: int) -> Fraction:
        seen = counts.times(views)
        if self.class_weights == "samples":
            return Fraction(seen.anchors)
        pairs = zip(seen.sizes, seen.multiplicities, strict=True)
        return Fraction(sum(g for size, g in pairs if size >= 2))
