"""From class vectors to one feature a sample, and into other coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Shaped

from relax.errors import InputError


def repeated(
    vectors: Float[np.ndarray, "k d"], labels: Sequence[Any] | Shaped[np.ndarray, " n"]
) -> Float[np.ndarray, "n d"]:
    """Return one row a sample: the vector of its class, classes standing in the sorted order of labels.

    Raises
    ------
    InputError
        If there are not as many different labels as vectors.
    """
    names, classes = np.unique(np.asarray(labels), return_inverse=True)
    if len(names) != len(vectors):
        raise InputError(f"{len(names)} different labels for {len(vectors)} class vectors; give one for each")
    return vectors[classes]


def random_rotation(dim: int, seed: int = 0) -> Float64[np.ndarray, "dim dim"]:
    """Return a random orthogonal matrix, reflections included, from the uniform (Haar) distribution.

    References
    ----------
    Mezzadri, How to generate random matrices from the classical compact groups, arXiv math-ph/0609050.
    """
    basis, triangle = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return basis * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)


def rotated(vectors: Float[np.ndarray, "n d"], seed: int = 0) -> Float64[np.ndarray, "n d"]:
    """Return the vectors times `random_rotation`: the same Gram matrix, in other coordinates."""
    return vectors @ random_rotation(vectors.shape[1], seed)
