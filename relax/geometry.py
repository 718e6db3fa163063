"""Gram matrices of named arrangements, and the way between a Gram matrix and vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Shaped
from scipy.linalg import orthogonal_procrustes

from relax.errors import InputError, expect, reason, worded
from relax.facts import brief

MOST_ENTRIES = 20_000**2  # of a matrix: 3.2 GB
RANK_TOLERANCE = 1e-9  # an eigenvalue this small beside the largest counts as zero
NEGATIVE_TOLERANCE = 1e-6  # first-order conic solvers leave eigenvalues this far below zero


@brief
@dataclass(frozen=True, eq=False)
class Alignment:
    """Features rotated as close to a reference as a rotation can bring them.

    Attributes
    ----------
    rotation : (d, d) array
        The orthogonal matrix Q, reflections allowed, that multiplies the zero-padded features from the right.
    aligned : (n, d) array
        The zero-padded features times Q.
    residual : float
        ‖aligned − reference‖_F / ‖reference‖_F.
    """

    rotation: Float64[np.ndarray, "d d"]
    aligned: Float64[np.ndarray, "n d"]
    residual: float


def simplex_etf_gram(k: int) -> Float64[np.ndarray, "k k"]:
    """Return the Gram matrix of the simplex equiangular tight frame, (k I − 1 1ᵀ) / (k − 1).

    The unique optimum of the supervised-contrastive loss for balanced counts; for unequal counts it is not.

    Parameters
    ----------
    k : int
        The number of vectors, at least two.

    Returns
    -------
    (k, k) array
        Ones on the diagonal, −1/(k−1) elsewhere; of rank k − 1.

    Raises
    ------
    InputError
        If k < 2.

    References
    ----------
    Graf et al., Dissecting Supervised Contrastive Learning, arXiv 2102.08817.
    """
    expect(k, int, "k", "give a whole number")
    if k < 2:
        raise InputError(f"k = {k} vectors span no simplex; give at least two")
    if k * k > MOST_ENTRIES:
        raise InputError(
            f"k {worded(k)} makes a matrix of more than {MOST_ENTRIES} numbers; give a smaller one"
        )
    return (k * np.eye(k) - 1) / (k - 1)


def orthogonal_frame_gram(k: int) -> Float64[np.ndarray, "k k"]:
    """Return the Gram matrix of k orthonormal vectors, I.

    The optimum for entrywise non-negative features in dimension d ≥ k; without that constraint it is not.

    Parameters
    ----------
    k : int
        The number of vectors, at least one.

    Returns
    -------
    (k, k) array
        The identity, of rank k.

    Raises
    ------
    InputError
        If k < 1.

    References
    ----------
    Kini et al., Symmetric Neural-Collapse Representations with Supervised Contrastive Loss, arXiv 2306.07960.
    """
    expect(k, int, "k", "give a whole number")
    if k < 1:
        raise InputError(f"k = {k} vectors are no frame; give at least one")
    if k * k > MOST_ENTRIES:
        raise InputError(
            f"k {worded(k)} makes a matrix of more than {MOST_ENTRIES} numbers; give a smaller one"
        )
    return np.eye(k)


def embed(gram: Float[np.ndarray, "k k"], dim: int | None = None) -> Float64[np.ndarray, "k dim"]:
    """Return vectors V with V Vᵀ = gram, from the eigendecomposition gram = U diag(λ) Uᵀ as V = U diag(√λ).

    Columns stand by falling λ, each signed so that its entry of largest absolute value is positive. Vectors
    are determined only up to a rotation: where eigenvalues repeat, the basis is the one LAPACK returns.

    Parameters
    ----------
    gram : (k, k) array
        A positive semidefinite matrix; only its symmetric part is read.
    dim : int, optional
        The length of the vectors; the numerical rank of `gram` (at least 1) by default. Columns beyond the
        rank are zero.

    Returns
    -------
    (k, dim) array
        The vectors, one a row. If `gram` is positive semidefinite, V Vᵀ is within RANK_TOLERANCE · λ_max of
        it in spectral norm; slightly negative eigenvalues are dropped.

    Raises
    ------
    InputError
        If `gram` is not a finite square matrix, has a clearly negative eigenvalue, or needs more than `dim`
        dimensions.
    """
    expect(gram, np.ndarray, "gram", "give a square array")
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or gram.size == 0 or not np.isfinite(gram).all():
        raise InputError(f"gram of shape {gram.shape} must be a square matrix of finite numbers")
    rising, basis = np.linalg.eigh((gram + gram.T).astype(np.float64) / 2)
    values, vectors = rising[::-1], basis[:, ::-1]
    largest = max(float(values[0]), 0.0)
    if values[-1] < -NEGATIVE_TOLERANCE * max(largest, 1.0):
        raise InputError(f"gram has the eigenvalue {values[-1]:.3g} < 0; give a positive semidefinite matrix")
    rank = int(np.count_nonzero(values > RANK_TOLERANCE * largest))
    length = max(rank, 1) if dim is None else expect(dim, int, "dim", "give a whole number")
    if length * len(gram) > MOST_ENTRIES:
        raise InputError(
            f"dim {worded(dim)} makes vectors of more than {MOST_ENTRIES} numbers; give a smaller one"
        )
    if length < max(rank, 1):
        raise InputError(
            f"dim = {dim} is too small for a Gram matrix of rank {rank}; give at least {max(rank, 1)}"
        )
    columns = _signed(vectors[:, :rank]) * np.sqrt(values[:rank])
    return np.pad(columns, ((0, 0), (0, length - rank)))


def _signed(vectors: Float64[np.ndarray, "k r"]) -> Float64[np.ndarray, "k r"]:
    # Entries that tie for largest differ by rounding: rounding them away makes the first one decide.
    leading = np.argmax(np.round(np.abs(vectors), 8), axis=0)
    return vectors * np.where(np.take_along_axis(vectors, leading[None], axis=0) < 0, -1.0, 1.0)


def align(features: Float[np.ndarray, "n d"], reference: Float[np.ndarray, "n e"]) -> Alignment:
    """Rotate features onto a reference: the orthogonal Q that minimises ‖F Q − R‖_F.

    Where the dimensions differ, the shorter vectors are padded with zeros. Neither set is centred or
    rescaled, so this is not the Procrustes disparity of statistics.

    Parameters
    ----------
    features, reference : (n, d) and (n, e) arrays
        Row i of one belongs to row i of the other.

    Returns
    -------
    Alignment
        The rotation, the rotated features and the residual ‖F Q − R‖_F / ‖R‖_F.

    Raises
    ------
    InputError
        If the two are not matrices of finite numbers with equally many rows, or `reference` is zero.

    References
    ----------
    Schönemann, A generalized solution of the orthogonal Procrustes problem, doi 10.1007/BF02289451.
    """
    for vectors, what in ((features, "features"), (reference, "reference")):
        expect(vectors, np.ndarray, what, "give an array with a vector a row")
    if features.ndim != 2 or reference.ndim != 2 or features.shape[0] != reference.shape[0]:
        raise InputError(
            f"features {features.shape} and reference {reference.shape} must be matrices of equally many rows"
        )
    if not (np.isfinite(features).all() and np.isfinite(reference).all()):
        raise InputError("features or reference hold NaN or infinity; give finite vectors")
    size = float(np.linalg.norm(reference))
    if size == 0:
        raise InputError("reference is zero, so every rotation fits it; give vectors that are not all zero")
    dim = max(features.shape[1], reference.shape[1])
    moving, fixed = _padded(features, dim), _padded(reference, dim)
    rotation, _ = orthogonal_procrustes(moving, fixed)
    aligned = moving @ rotation
    return Alignment(rotation, aligned, float(np.linalg.norm(aligned - fixed)) / size)


def _padded(vectors: Float[np.ndarray, "n d"], dim: int) -> Float64[np.ndarray, "n dim"]:
    return np.pad(vectors.astype(np.float64), ((0, 0), (0, dim - vectors.shape[1])))


def class_means(
    features: Float[np.ndarray, "n d"], labels: Shaped[np.ndarray, " n"]
) -> Float64[np.ndarray, "k d"]:
    """Return the mean feature of every class, μ_c = (1/n_c) Σ_{i: y_i = c} h_i, uncentred and unnormalised.

    Parameters
    ----------
    features : (n, d) array
        One feature a row.
    labels : (n,) array
        The class of each row.

    Returns
    -------
    (k, d) array
        One row a class, in the sorted order of the labels.

    Raises
    ------
    InputError
        If `features` is not a matrix with at least one row, or `labels` does not have one entry a row.
    """
    expect(features, np.ndarray, "features", "give an array with a vector a row")
    expect(labels, np.ndarray, "labels", "give an array with a label a row")
    if features.ndim != 2 or features.shape[0] == 0:
        raise InputError(f"features have shape {features.shape}; give one feature a row, shape (n, d)")
    if labels.shape != features.shape[:1]:
        raise InputError(
            f"labels have shape {labels.shape}; give one label for each of {len(features)} features"
        )
    try:
        names, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise InputError(f"labels cannot be sorted ({reason(error)}); give integers or texts") from error
    sums = np.zeros((len(names), features.shape[1]))
    np.add.at(sums, classes, features)
    return sums / sizes[:, None]
