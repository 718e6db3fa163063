"""Frames, and the interpolating geometry of cross-entropy under imbalance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from relax.errors import InputError
from relax.facts import brief
from relax.geometry import embed, simplex_etf_gram
from relax.problem import ClassCounts


def simplex_etf(k: int, dim: int | None = None) -> Float64[np.ndarray, "k dim"]:
    """Return k unit vectors whose cosines are all −1/(k−1): a simplex equiangular tight frame.

    The geometry of cross-entropy and supervised-contrastive optima for *equal* class sizes; for unequal sizes
    it is the geometry of neither.

    Parameters
    ----------
    k : int
        The number of vectors, at least two.
    dim : int, optional
        Their length, k − 1 by default and at least that.

    Raises
    ------
    InputError
        If k < 2 or dim < k − 1.

    References
    ----------
    Papyan et al., doi 10.1073/pnas.2015509117; Graf et al., arXiv 2102.08817.
    """
    return embed(simplex_etf_gram(k), dim)


def orthogonal_frame(k: int, dim: int | None = None) -> Float64[np.ndarray, "k dim"]:
    """Return k orthonormal vectors with entries ≥ 0: the first k of the standard basis.

    The geometry of supervised-contrastive optima over entrywise non-negative features, for any class sizes of
    at least two; without that constraint it is not optimal.

    Parameters
    ----------
    k : int
        The number of vectors, at least one.
    dim : int, optional
        Their length, k by default and at least that.

    Raises
    ------
    InputError
        If k < 1 or dim < k.

    References
    ----------
    Kini et al., arXiv 2306.07960.
    """
    length = k if dim is None else dim
    if k < 1 or length < k:
        raise InputError(f"k = {k} orthonormal vectors of length dim = {length}: give 1 ≤ k ≤ dim")
    return np.eye(k, length)


@brief
@dataclass(frozen=True, eq=False)
class Seli:
    """Simplex-encoded-labels interpolation: a classifier and class features, in the same coordinates.

    Attributes
    ----------
    classifier : (k, dim) array
        w_c, one class a row.
    features : (k, dim) array
        The feature h_c that all samples of class c share, one class a row.
    """

    classifier: Float64[np.ndarray, "k dim"]
    features: Float64[np.ndarray, "k dim"]

    @property
    def logits(self) -> Float64[np.ndarray, "k k"]:
        """⟨w_c, h_c'⟩, which is I − 11ᵀ/k."""
        return self.classifier @ self.features.T

    @property
    def classifier_gram(self) -> Float64[np.ndarray, "k k"]:
        """⟨w_c, w_c'⟩ = S, where S² = P diag(n) P with P = I − 11ᵀ/k."""
        return self.classifier @ self.classifier.T

    @property
    def feature_gram(self) -> Float64[np.ndarray, "k k"]:
        """⟨h_c, h_c'⟩, the pseudo-inverse of S."""
        return self.features @ self.features.T


def seli(counts: Iterable[int], dim: int | None = None) -> Seli:
    """Return the SELI geometry of class counts, up to the factor that the paper leaves free.

    Z = I − 11ᵀ/k with column c repeated n_c times has the singular value decomposition V Λ Uᵀ; the rows of
    V Λ^½ are the classifier and those of U Λ^½ the features. Repeated columns share their row of U, so the
    k×k matrix Z̄ diag(n)^½ = V Λ Rᵀ is decomposed instead, and R_c/√n_c is the row of class c.

    The geometry of cross-entropy over free features, with equal weight decay on classifier and features that
    vanishes, and of the maximum-margin problem behind it; it is optimal neither at finite decay nor for the
    contrastive loss. Norms differ between classes.

    Parameters
    ----------
    counts : iterable of int
        The class sizes n_c, at least two of them; the geometry has their order.
    dim : int, optional
        The length of the vectors, k − 1 by default and at least that.

    Raises
    ------
    InputError
        If the counts are not positive integers, there are fewer than two, or dim < k − 1.

    References
    ----------
    Thrampoulidis et al., Imbalance Trouble: Revisiting Neural-Collapse Geometry, arXiv 2208.05512.
    """
    sizes = ClassCounts.of(counts)
    k = sizes.classes
    length = k - 1 if dim is None else dim
    if k < 2 or length < k - 1:
        raise InputError(f"SELI of {k} classes in dim = {length}: give at least 2 classes and dim ≥ k − 1")
    root = np.sqrt(np.array(sizes.sizes, dtype=np.float64)[sizes.group_of_class()])
    left, singular, right = np.linalg.svd((np.eye(k) - 1 / k) * root)
    spread = np.sqrt(singular[: k - 1])  # the last singular value is zero
    padding = ((0, 0), (0, length - k + 1))
    classifier = np.pad(left[:, : k - 1] * spread, padding)
    return Seli(classifier, np.pad(right[: k - 1].T * spread / root[:, None], padding))
