"""What libraries and papers' code minimise, by their names: base losses with their own scale and defaults.

Sources were read in 2026; what is said of singletons is what the code does with an anchor without a positive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share
from relax.losses.loss import Loss
from relax.losses.negatives_only import NegativesOnly
from relax.losses.ntxent_labels import NTXentLabels
from relax.losses.reduction import Reduction, exact_array
from relax.losses.self_supervised import SelfSupervised
from relax.losses.supcon import SupCon
from relax.losses.supcon_in import SupConIn
from relax.norms import Norm, Sphere
from relax.rows import LogSumExp

BASE_TEMPERATURE = Fraction(7, 100)


@dataclass(frozen=True)
class Preset:
    """A base loss times scale (and times τ), over the anchors it has or over all features.

    Attributes
    ----------
    base : Loss
        The loss.
    scale : Fraction
        What it is multiplied by.
    times_temperature : bool
        Whether it is multiplied by τ as well.
    over_all : bool
        Whether the sum is divided by the number of all features: anchors without a positive count as zeros.
    normalises : bool
        Whether the code divides features by their norms itself.
    exact_views : int or None
        Views that the code takes.
    """

    base: ClassVar[Loss]
    scale: ClassVar[Fraction] = Fraction(1)
    times_temperature: ClassVar[bool] = False
    over_all: ClassVar[bool] = False
    normalises: ClassVar[bool] = False
    exact_views: ClassVar[int | None] = None
    name: ClassVar[str]
    default_temperature: ClassVar[float]
    formula: ClassVar[str]
    source: ClassVar[str]

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where the code takes other views or norms, and where the base loss has one."""
        if self.normalises and norm != Sphere():
            return f"{self.name} divides features by their norms; give norm sphere"
        if self.exact_views not in (None, views):
            return f"{self.name} is written for {self.exact_views} views; give views={self.exact_views}"
        return self.base.refuses(counts, views, norm, nonnegative)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of the base loss, scaled."""
        return self._scaled(self.base.reduce(counts, views), counts, views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return the lifted program of the base loss, scaled, where it has one."""
        lifted = self.base.lift(counts, views)
        return None if lifted is None else self._scaled(lifted, counts, views)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return what each anchor adds to the base loss; scales are in the normaliser."""
        return self.base.shares(x, seen)

    def _scaled(self, reduction: Reduction, counts: ClassCounts, views: int) -> Reduction:
        total = Fraction(counts.samples * views) if self.over_all else reduction.normaliser
        return replace(reduction, normaliser=total / self.scale, times_temperature=self.times_temperature)


@dataclass(frozen=True)
class SupContrast(Preset):
    """SupConLoss of HobbitLong/SupContrast: L_out × τ/0.07 over all features, singletons as zeros.

    Versions before December 2023 return NaN where there are singletons.
    """

    base = SupCon()
    scale = 1 / BASE_TEMPERATURE
    times_temperature = True
    over_all = True
    name = "supcontrast"
    default_temperature = 0.07
    formula = "τ/0.07 · mean over all features of L_out, anchors without a positive as zeros"
    source = "github.com/HobbitLong/SupContrast, losses.py, SupConLoss"


@dataclass(frozen=True)
class KiniSupCon(SupContrast):
    """What Kini et al. train with: `supcontrast` at temperature 0.1, base temperature 0.07."""

    name = "kini-supcon"
    default_temperature = 0.1
    source = "Kini et al. 2023, arXiv 2306.07960, with SupConLoss of HobbitLong/SupContrast"


@dataclass(frozen=True)
class GrafSupCon(Preset):
    """SupConLoss of Graf et al.: singletons are dropped from the sum, which all features then divide."""

    base = SupCon()
    over_all = True
    name = "graf-supcon"
    default_temperature = 0.1
    formula = "(sum of L_out over anchors with a positive) / (number of all features)"
    source = "Graf et al. 2021, arXiv 2102.08817; github.com/plus-rkwitt/py_supcon_vs_ce, core/experiment.py"


@dataclass(frozen=True)
class PmlSupCon(Preset):
    """SupConLoss of pytorch-metric-learning: L_out over cosines; singletons are dropped."""

    base = SupCon()
    normalises = True
    name = "pml-supcon"
    default_temperature = 0.1
    formula = "mean of L_out over anchors with a positive, of cosines"
    source = "pytorch-metric-learning 2.9, SupConLoss"


@dataclass(frozen=True)
class PmlNTXent(Preset):
    """NTXentLoss of pytorch-metric-learning given labels: a term for each pair of positives, of cosines."""

    base = NTXentLabels()
    normalises = True
    name = "pml-ntxent"
    default_temperature = 0.07
    formula = "mean over positive pairs of −log( e^{s_p/τ} / (e^{s_p/τ} + Σ_N e^{s_n/τ}) ), of cosines"
    source = "pytorch-metric-learning 2.9, NTXentLoss"


@dataclass(frozen=True)
class LightlyNTXent(Preset):
    """NTXentLoss of lightly: SimCLR's loss of two views; it sees no labels."""

    base = SelfSupervised()
    normalises = True
    exact_views = 2
    name = "lightly-ntxent"
    default_temperature = 0.5
    formula = SelfSupervised.formula
    source = "lightly 1.6, NTXentLoss, without memory bank"


@dataclass(frozen=True)
class LuthraNTXent(Preset):
    """NTXentLoss of Luthra et al.: DCL with the positive in the denominator, SimCLR's loss of two views."""

    base = SelfSupervised()
    normalises = True
    exact_views = 2
    name = "luthra-ntxent"
    default_temperature = 0.5
    formula = SelfSupervised.formula
    source = (
        "Luthra et al. 2025, arXiv 2506.04411; github.com/DLFundamentals/understanding-ssl, utils/losses.py"
    )


@dataclass(frozen=True)
class LuthraWeak(Preset):
    """WeakNTXentLoss of Luthra et al.: NSCL with the positive in the denominator, two views."""

    base = NegativesOnly(positives_weight=1.0)
    normalises = True
    exact_views = 2
    name = "luthra-weak"
    default_temperature = 0.5
    formula = "mean over anchors of −log( e^{s_p/τ} / (e^{s_p/τ} + Σ_N e^{s_n/τ}) ), N all of other classes"
    source = LuthraNTXent.source


@dataclass(frozen=True)
class SoloSupCon(Preset):
    """SupCon of solo-learn: the sum over positives inside the logarithm, L_in − log |P|; singletons give +∞.

    Its rows are those of L_in with every multiplicity over |P|, so that the floor is zero and exact.
    """

    base = SupConIn()
    normalises = True
    name = "solo-supcon"
    default_temperature = 0.1
    formula = "mean over anchors of −log( Σ_P e^{s_p/τ} / Σ_{l≠i} e^{s_l/τ} ), of cosines"
    source = "github.com/vturrisi/solo-learn, solo/losses/simclr.py, with labels as indexes"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where an anchor has no positive, and what every preset says."""
        reason = super().refuses(counts, views, norm, nonnegative)
        if reason is None and views * min(counts.sizes) == 1:
            return (
                f"{self.name} is infinite where a class has one sample; give views=2, or leave that class out"
            )
        return reason

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log(1 + Σ_N e^x / Σ_P e^x)."""
        share = self.base.shares(x, seen)
        return Share(0 * share.floor, share.excess)

    def _scaled(self, reduction: Reduction, counts: ClassCounts, views: int) -> Reduction:
        (rows,) = reduction.rows
        assert isinstance(rows, LogSumExp)
        pairs = zip(rows.peer_multiplicity.tolist(), rows.own_multiplicity.tolist(), strict=True)
        peers = exact_array([Fraction(m) / Fraction(number) for line, number in pairs for m in line])
        divided = replace(
            rows,
            own_multiplicity=np.ones(len(rows.anchor)),
            peer_multiplicity=peers.reshape(rows.peer_multiplicity.shape),
        )
        return replace(reduction, rows=(divided,))


@dataclass(frozen=True)
class GoogleSupConOut(Preset):
    """contrastive_loss of google-research: τ L_out over all features, singletons as zeros.

    With one view the code divides by the number of positives a second time.
    """

    base = SupCon()
    times_temperature = True
    over_all = True
    name = "google-supcon-out"
    default_temperature = 1.0
    formula = "τ · mean over all features of L_out, with one view of L_out/|P|; no positive counts as zero"
    source = "github.com/google-research/google-research, supcon/losses.py, summation outside"

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of the base loss, scaled; with one view its weights over the positives."""
        scaled = super().reduce(counts, views)
        if views > 1:
            return scaled
        (rows,) = scaled.rows
        assert isinstance(rows, LogSumExp)
        positives = [counts.sizes[a] - 1 for a in rows.anchor]
        weight = [Fraction(w) / p for w, p in zip(rows.weight.tolist(), positives, strict=True)]
        return replace(scaled, rows=(replace(rows, weight=exact_array(weight)),))

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return the lifted program; none with one view."""
        return super().lift(counts, views) if views > 1 else None

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return what each anchor adds to the base loss, over its positives where there is one view."""
        share, xp = self.base.shares(x, seen), seen.xp
        if np.any(seen.is_sample * seen.views > seen.itself):
            return share
        positives = xp.integers(np.maximum(seen.size_of_anchor - 1, 1))
        return Share(share.floor / positives, share.excess / positives)


@dataclass(frozen=True)
class GoogleSupConIn(GoogleSupConOut):
    """contrastive_loss of google-research with the sum inside: τ L_in, else as `google-supcon-out`."""

    base = SupConIn()
    name = "google-supcon-in"
    formula = "τ · mean over all features of L_in, with one view of L_in/|P|; no positive counts as zero"
    source = "github.com/google-research/google-research, supcon/losses.py, summation inside"
