"""L_in, the supervised-contrastive loss with its sum over positives inside the logarithm; not convex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts
from relax.losses.definition import Seen, Share, log_sum_exp, softplus
from relax.losses.reduction import Reduction, exact_array, sample_nodes
from relax.losses.supcon import SupCon
from relax.norms import Norm
from relax.rows import LogSumExp


@dataclass(frozen=True)
class SupConIn:
    """L_in, the mean over anchors that have a positive.

        L(H) = (1/N₊) Σ_i −log( (1/|P_i|) Σ_{p∈P_i} e^{G_ip/τ} / Σ_{l≠i} e^{G_il/τ} )

    It is not convex in the Gram matrix, as −log Σ_P e^{G_ip/τ} is concave. On sphere and ball no similarity
    is above R² (R = 1 or the radius), so that each anchor is at least its convex minorant

        log( |P_i| + Σ_{l: y_l≠y_i} e^{(G_il − R²)/τ} ),

    with equality where its class has collapsed to norm R. Minorants are minimised there, by the optimum of
    L_out (`SupCon`): the two losses have one minimum and one minimiser.
    """

    name: ClassVar[str] = "supcon-in"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = "mean over anchors of −log( mean_P e^{s_p/τ} / Σ_{l≠i} e^{s_l/τ} )"
    source: ClassVar[str] = "Khosla et al. 2020, arXiv 2004.11362, L_in"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where norms are not bounded each, and where `SupCon` has one."""
        if norm.kind not in ("sphere", "ball"):
            return (
                f"{self.name} is not convex, and its convex minorant needs a bound on every single norm, "
                f"which {norm.kind} does not give; give norm sphere or ball, or loss supcon"
            )
        return SupCon().refuses(counts, views, norm, nonnegative)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of `SupCon`, in which M_cc ≤ R² stands for the bound of the minorant.

        For every H the minorant, averaged over permutations of the samples of a class, is the value of the
        program at M with R² on the diagonal and the inner products of class means elsewhere. This holds with
        classes of one sample as well: they have no anchor, and stand in the denominators of others.
        """
        return SupCon().reduce(counts, views)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the minorant of every anchor, one node a feature; equality holds at collapse only."""
        whole = SupCon().by_features(counts, views)
        (rows,) = whole.rows
        assert isinstance(rows, LogSumExp)
        classes = sample_nodes(counts, views).class_of_unit()
        size = np.bincount(classes)[classes[rows.anchor]]
        minorant = LogSumExp(
            anchor=rows.anchor,
            weight=rows.weight,
            own_multiplicity=exact_array((size - 1).tolist()),
            own_target=np.ones(len(rows.anchor)),
            peer_multiplicity=(classes[rows.anchor][:, None] != classes).astype(float),
        )
        return replace(whole, rows=(minorant,), attained=False)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log |P| + log(1 + Σ_N e^x / Σ_P e^x) for each anchor with a positive."""
        xp = seen.xp
        number = seen.same_class.sum(-1)
        counts = number > 0
        positives = xp.where(counts[..., None], seen.same_class, 0 * seen.same_class + 1)
        beyond = log_sum_exp(x, seen.other_class, xp) - log_sum_exp(x, positives, xp)
        floor = xp.log(xp.where(counts, number, 0 * number + 1))
        return Share(floor, xp.where(counts, softplus(beyond, xp), 0 * beyond))
