"""What the code of Jiang et al. (arXiv 2311.05139) minimises as its unsupervised risk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share
from relax.losses.jiang import Ucl
from relax.losses.presets import Preset
from relax.losses.reduction import Reduction
from relax.rows import RandomLogSumExp


@dataclass(frozen=True)
class JiangUcl(Preset):
    """nce_supervised_easy of Jiang et al.: `ucl` with 256 negatives, a term for each pair of a class.

    Positives are all features of the anchor's class and negatives all features, the anchor among both. The
    code divides by the number of pairs, so that a class counts by its squared size; of equal classes it is
    `ucl`. This is the loss of all features as one batch, without temperature; the code takes batches of 512,
    each divided by its own pairs, and hardens by e^{βs} with detached weights, whose gradient is not that of
    `hucl`. Its features are in the unit ball.
    """

    base = Ucl()
    name = "jiang-ucl"
    default_temperature = 1.0
    formula = "mean over pairs of a class of E log(1 + (1/256) Σ e^{s_n − s_p}), negatives from all features"
    source = "Jiang et al. 2023, arXiv 2311.05139; github.com/rjiang03/HCL, main/UCL/train_mean_classifier.py"

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of the base loss, anchors weighed by the features of their class."""
        reduction = super().reduce(counts, views)
        (rows,) = reduction.rows
        assert isinstance(rows, RandomLogSumExp)
        weight = rows.weight * views * np.array(counts.sizes, dtype=object)
        return replace(
            reduction, rows=(replace(rows, weight=weight),), normaliser=Fraction(int(weight.sum()))
        )

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return what each anchor adds to the base loss, once for each of its positives."""
        share = self.base.shares(x, seen)
        positives = seen.xp.integers((seen.copies * seen.is_class).sum(axis=1))
        return Share(positives * share.floor, positives * share.excess)
