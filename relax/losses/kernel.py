"""A supervised kernel loss: similar within classes, dissimilar between them, by a Gaussian of distances."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Shaped

from relax.counts import ClassCounts, exact_rational, positive_number
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Nodes, Reduction, class_nodes, sample_nodes
from relax.norms import Norm
from relax.rows import SumExp


@dataclass(frozen=True)
class Kernel:
    """Mean similarity of negatives minus that of positives, by κ(h, h') = exp(−t ‖h − h'‖²).

        L(H) = −(1/P) Σ_{i≠j: y_i = y_j} κ(h_i, h_j) + γ (1/Q) Σ_{i,j: y_i ≠ y_j} κ(h_i, h_j)

    over all P ordered pairs of one class and all Q of two. On a sphere κ = exp((G_ij − G_ii)/τ) with
    τ = 1/(2t), so that t is said by the problem's temperature: the default .25 is t = 2. The kernel
    contrastive loss of Koromilas et al. 2024 (arXiv 2405.18045) with labels for views.

    Attributes
    ----------
    gamma : float
        γ > 0. It scales the optimal value and leaves the geometry as it is.
    """

    gamma: float = 16.0

    name: ClassVar[str] = "kernel"
    default_temperature: ClassVar[float] = 0.25
    formula: ClassVar[str] = "γ · mean over negative pairs − mean over positive pairs of e^{−‖h − h'‖²/(2τ)}"
    source: ClassVar[str] = "Koromilas et al. 2024, arXiv 2405.18045, with labels"

    def __post_init__(self) -> None:
        """Refuse a γ that is not positive."""
        object.__setattr__(self, "gamma", positive_number(self.gamma, "gamma", "16"))

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there are no pairs of one kind, or norms are not fixed."""
        if norm.kind != "sphere":
            return "the kernel loss is about distances on a sphere; leave the norm out or give sphere:r"
        if counts.classes < 2:
            return "one class only: the kernel loss has no negative pairs; give at least two classes"
        if counts.times(views).anchors == 0:
            return "no class has two samples, so the kernel loss has no positive pairs; give one of them two"
        return None

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return a convex minorant over class means by groups of equal classes, exact where they collapse.

            min_M −1 + γ (1/Q) Σ_{c≠c'} n_c n_c' exp((M_cc' − M_cc)/τ)

        −κ is concave in G, but κ ≤ 1 puts −1 below the mean over positives, with equality at collapse; the
        negatives are convex, so that averaging over permutations within classes is free. What M is below the
        loss for is the Gram matrix of class means whose diagonal is lifted to that of the sphere.
        """
        seen = counts.times(views)
        n, g = np.array(seen.sizes, dtype=object), np.array(seen.multiplicities, dtype=object)
        return self._reduction(class_nodes(counts, views), n * g, np.broadcast_to(n, (len(n), len(n))), seen)

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the same minorant with one node a feature; it pulls no samples of a class together."""
        nodes = sample_nodes(counts, views)
        labels = nodes.class_of_unit()
        ones = np.ones(len(labels), dtype=int).astype(object)
        return self._reduction(nodes, ones, (labels[:, None] != labels).astype(float), counts.times(views))

    def _reduction(
        self,
        nodes: Nodes,
        weight: Shaped[np.ndarray, " m"],
        reads: Shaped[np.ndarray, "m m"],
        seen: ClassCounts,
    ) -> Reduction:
        """Return rows Σ m e^{(x − own)/τ}, whose floors together are −1."""
        sizes, classes = (np.array(part, dtype=object) for part in (seen.sizes, seen.multiplicities))
        gamma, (_, negative) = exact_rational(self.gamma), _pairs(sizes, classes)
        ones = np.ones(len(weight))
        rows = SumExp(
            anchor=np.arange(len(weight)),
            weight=gamma * weight,
            own_multiplicity=0 * ones,
            own_target=ones,
            peer_multiplicity=reads.astype(float),
            floor=np.full(len(weight), -Fraction(negative) / (gamma * seen.samples), dtype=object),
        )
        return Reduction(nodes, (rows,), Fraction(negative), attained=nodes.unit == "class")

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return −(Q/P) Σ_positives κ + γ Σ_negatives κ, κ = e^{x − own}, and −(Q/P) positives as floor."""
        xp, (vectors, _) = seen.xp, seen.known
        size = np.bincount(vectors.classes, weights=vectors.copies).astype(int)
        positive, negative = _pairs(size.astype(object))
        ratio, gamma = xp.number(Fraction(negative, positive)), xp.number(exact_rational(self.gamma))
        above = x - (xp.integers(seen.itself.astype(int)) * x).sum(-1)[..., None]
        apart = -(seen.same_class * xp.expm1(above)).sum(-1)
        near = (seen.other_class * xp.exp(above)).sum(-1)
        return Share(-ratio * seen.same_class.sum(-1), ratio * apart + gamma * near)


def _pairs(size: np.ndarray, classes: np.ndarray | int = 1) -> tuple[int, int]:
    """Return how many ordered pairs of samples are of one class and of two, for classes of each size."""
    total, squares = int((classes * size).sum()), int((classes * size * size).sum())
    return squares - total, total * total - squares
