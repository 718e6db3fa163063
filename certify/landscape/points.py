"""Stationary points of a loss over free features, and which of them are one point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int

from relax.facts import Shown, brief

Kind = Literal["minimum", "saddle", "degenerate", "unsettled"]
KINDS: dict[Kind, str] = {
    "minimum": "all curvatures modulo rotation are positive (in one dimension: no flip goes down)",
    "saddle": "one curvature is negative",
    "degenerate": "the smallest curvature is zero to rounding, so that the second order does not decide",
    "unsettled": "the gradient is not zero to rounding, so that this is not known to be stationary",
}
SAME_GRAM = 1e-5  # largest difference of invariants of one point
SAME_LOSS = 1e-9  # relative difference of losses of one point
RANKS = 64  # Gram entries of a kind of pair that are compared, evenly spaced among the sorted ones


@brief
@dataclass(frozen=True, eq=False)
class StationaryPoint(Shown):
    """A stationary point of a loss over features in one dimension, to second order; all in float64.

    Attributes
    ----------
    features : (n, d) array
        One row a sample, or a view of one; they obey the norm of the problem.
    labels : (n,) array
        The class of every row, in the user's order.
    classifier : (k, d) array or None
        The classifier's vectors, where the loss has some.
    loss, excess : float
        In nats, mean over anchors; the excess is that above the infimum (`relax.endpoints.Descent`).
    gap : float
        The loss above the proven lower bound of all features in all dimensions.
    relative_gap : float
        The gap beside the scale of the certificate (`certify.Certificate.scale`).
    height : float
        The gap beside the range (`Optimum.range`): 0 at the optimum, 1 where all features are equal.
    gradient_norm : float
        ‖∇ loss‖ in the free parameters.
    eigenvalues : (q,) array
        The smallest eigenvalues of the Riemannian Hessian of the loss, rotations of all vectors projected
        out, ascending: all of them up to 600 parameters. Norms that are bounded have a smooth chart, in
        which the radial curvature is that of the multiplier. Empty where vectors cannot move.
    multipliers : (n,) array
        ν_i = −⟨h_i, ∇_i L⟩ / (2 ‖h_i‖²), those of the norms: D + diag(ν) is the dual slack at the Gram
        matrix. Non-negative at a stationary point of the ball, of either sign on the sphere.
    kind : "minimum", "saddle", "degenerate" or "unsettled"
        What the eigenvalues say (`KINDS`).
    random, seeded : int
        How many random starts ended here, and how many others.
    origin : str
        What the first start was that ended here.
    """

    features: Float64[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]
    classifier: Float64[np.ndarray, "k d"] | None
    loss: float
    excess: float
    gap: float
    relative_gap: float
    height: float
    gradient_norm: float
    eigenvalues: Float64[np.ndarray, " q"]
    multipliers: Float64[np.ndarray, " n"]
    kind: Kind
    random: int = 0
    seeded: int = 0
    origin: str = "random"

    @property
    def gram(self) -> Float64[np.ndarray, "n n"]:
        """The Gram matrix of the features."""
        return self.features @ self.features.T

    @property
    def lowest_multiplier(self) -> float:
        """The most negative multiplier."""
        return float(self.multipliers.min())

    @property
    def curvature(self) -> float:
        """The smallest eigenvalue; NaN where vectors cannot move."""
        return float(self.eigenvalues[0]) if len(self.eigenvalues) else float("nan")

    def with_starts(self, random: int, seeded: int) -> StationaryPoint:
        """Return the point as that of more starts."""
        return replace(self, random=self.random + random, seeded=self.seeded + seeded)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [
            ("dimension", str(self.features.shape[1])),
            ("loss", f"{self.loss:.12g}"),
            ("above the optimum", f"{self.gap:.6g}, {self.height:.1%} of the range"),
            ("kind", f"{self.kind}: {KINDS[self.kind]}"),
            ("gradient", f"{self.gradient_norm:.1e}"),
            ("smallest curvature", f"{self.curvature:.6g}"),
            ("smallest multiplier", f"{self.lowest_multiplier:.6g}"),
            ("found from", f"{self.random} random starts, {self.seeded} others; first: {self.origin}"),
        ]


def invariants(
    features: Float64[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], samples: Int[np.ndarray, " n"]
) -> Float64[np.ndarray, " m"]:
    """Return numbers that rotations and relabellings leave alone: sorted Gram entries by kinds of pairs.

    The kinds are pairs of class sizes, and whether the two are of one sample, of one class or of two. So
    points that differ by a rotation, by the order of siblings, or of classes of equal size, have the same
    numbers. Different geometries could have them, too: those with the same cosines between other pairs. They
    are then one point here if their losses agree to nine digits as well. Of a kind with more than 64 pairs,
    64 are compared, evenly spaced among the sorted ones.
    """
    size = np.bincount(labels)[labels]
    first, second = np.triu_indices(len(labels))
    entries = np.einsum("nd,nd->n", features[first], features[second])
    together = (labels[first] == labels[second]).astype(int) + (samples[first] == samples[second])
    low, high = np.minimum(size[first], size[second]), np.maximum(size[first], size[second])
    _, kind = np.unique(np.stack([low, high, together]), axis=1, return_inverse=True)
    kind = kind.ravel()
    found = []
    for one in range(kind.max() + 1):
        ordered = np.sort(entries[kind == one])
        found.append(ordered[np.linspace(0, len(ordered) - 1, min(RANKS, len(ordered))).round().astype(int)])
    return np.concatenate(found)


def clustered(
    losses: Float64[np.ndarray, " s"],
    marks: Float64[np.ndarray, "s m"],
    same_gram: float,
    same_loss: float,
    one_point: float = -np.inf,
) -> list[Int[np.ndarray, " _"]]:
    """Return which starts are one point: invariants within `same_gram` of the first's, losses likewise.

    Those with a loss up to `one_point` are one, whatever their invariants. Points are in ascending order of
    their losses, and the first start of each is its lowest.
    """
    found: list[list[int]] = []
    for start in np.argsort(losses, kind="stable").tolist():
        for members in found:
            first = members[0]
            near = abs(losses[start] - losses[first]) <= same_loss * max(1.0, abs(losses[first]))
            near &= np.abs(marks[start] - marks[first]).max() <= same_gram
            if near or losses[start] <= one_point:
                members.append(start)
                break
        else:
            found.append([start])
    return [np.array(members) for members in found]
