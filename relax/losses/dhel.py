"""Decoupled hyperspherical energy (Koromilas et al. 2024, arXiv 2405.18045), with and without labels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np

from relax.counts import ClassCounts, exact_rational, positive_number
from relax.losses.definition import Seen, Share, log_sum_exp
from relax.losses.reduction import Nodes, Reduction, class_nodes, class_of_sample
from relax.norms import Norm
from relax.rows import LogSumExp


@dataclass(frozen=True)
class Dhel:
    """Views of a sample attract each other; each view has an energy of its own, the other views not in it.

        L = (1/N) Σ_i [ −⟨u_i, v_i⟩/τ + (w/2) log Σ_{j≠i} e^{⟨u_i, u_j⟩/τ}
                                      + (w/2) log Σ_{j≠i} e^{⟨v_i, v_j⟩/τ} ]

    for two views u, v. With V views it is the mean over all N V features as anchors of
    −(mean over the other views of the sample)/τ + w log Σ e^{…}, sums over the same view of other samples.

    Attributes
    ----------
    negatives : "all" or "other-classes"
        Samples whose energy an anchor sees: all others, without labels, or those of other classes alone.
    energy : float
        w > 0: 1 is the published loss, the mean over which of the views is the anchor; 2 is what its
        authors' code does where both views have energies.
    """

    negatives: Literal["all", "other-classes"] = "all"
    energy: float = 1.0

    name: ClassVar[str] = "dhel"
    default_temperature: ClassVar[float] = 0.3
    formula: ClassVar[str] = (
        "mean over anchors of −s_p + w log Σ_l e^{s_l}, l of other samples in its own view"
    )
    source: ClassVar[str] = "Koromilas et al. 2024, arXiv 2405.18045"

    def __post_init__(self) -> None:
        """Refuse an energy that is not positive."""
        object.__setattr__(self, "energy", positive_number(self.energy, "energy", "1"))

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there are no views, no negatives, or no finite optimum."""
        if views < 2:
            return "dhel attracts views of a sample; give views=2"
        if self.negatives == "all" and counts.samples < 2:
            return "one sample only: dhel has nothing to repel; give at least two"
        if self.negatives == "other-classes" and counts.classes < 2:
            return "one class only: dhel with negatives=other-classes has nothing to repel; give two classes"
        if norm.kind == "ridge":
            return (
                "dhel has no finite optimum with a ridge, as attraction grows with norms; give sphere or ball"
            )
        if self.negatives == "all" and norm.kind == "mean-square" and len(counts.sizes) > 1:
            return "a mean square weighs samples by class, and dhel sees no classes; give equal counts"
        return None

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return one group of N samples, at every level; with negatives=other-classes, class means by groups.

            min (1/N) Σ_i [ −M_ii/τ + w log Σ_{j≠i} e^{M_ij/τ} ]

        With A the mean over views of the views' own Gram matrices, energies are convex and
        ⟨u_i, v_i⟩ ≤ (|u_i|² + |v_i|²)/2, so that program(A) ≤ loss, with equality where views coincide. This
        is no statement of the Gram matrix of the views' *mean*, hence `below` is False. Where an anchor reads
        other classes alone, moving all samples of a class to one vector keeps all that is read and adds to A
        a positive semidefinite matrix (norms averaged over the class).
        """
        if self.negatives == "all":
            nodes = _samples(counts, views)
            size, reads = np.ones(1), np.ones((1, 1))
        else:
            nodes = class_nodes(counts, views)
            size = np.array(counts.sizes, dtype=float)
            reads = np.broadcast_to(size, (len(size), len(size)))
        return self._reduction(nodes, views * size * nodes.multiplicity, reads, counts.times(views).samples)

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return None: one node a feature, with rows that tell views apart, has the same minimum."""
        return None

    def _reduction(self, nodes: Nodes, weight: np.ndarray, reads: np.ndarray, anchors: int) -> Reduction:
        energy, count = exact_rational(self.energy), len(weight)
        rows = LogSumExp(
            anchor=np.arange(count),
            weight=np.array([energy * int(w) for w in weight], dtype=object),
            own_multiplicity=np.zeros(count),
            own_target=np.full(count, 1 / energy, dtype=object),
            peer_multiplicity=reads,
        )
        return Reduction(nodes, (rows,), Fraction(anchors), below=False)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return w log Σ e^{x_l} − (mean of the other views' x), l of other samples in the anchor's view."""
        xp, (vectors, anchors) = seen.xp, seen.known
        same_view = vectors.view[anchors][:, None] == vectors.view
        reads = vectors.copies // vectors.views * same_view - seen.itself
        if self.negatives == "other-classes":
            reads = reads * ~seen.is_class
        energy = xp.number(exact_rational(self.energy)) * log_sum_exp(x, xp.integers(reads), xp)
        positives = (seen.same_sample * x).sum(-1) / seen.same_sample.sum(-1)
        return Share(0 * energy, energy - positives)


def _samples(counts: ClassCounts, views: int) -> Nodes:
    """Return all samples as one group, views together."""
    count = counts.samples
    return Nodes(
        multiplicity=np.array([float(count)]),
        stands_for=np.array([views]),
        share=np.array([Fraction(counts.classes, count)], dtype=object),
        size=np.ones(1, dtype=int),
        group_of_unit=partial(np.zeros, count, dtype=int),
        class_of_unit=partial(class_of_sample, counts),
        unit="sample",
    )
