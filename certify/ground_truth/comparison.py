"""Features of any origin against a ground truth, up to rotation; what is off is named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from certify.ground_truth.labelling import check_counts, labelled
from certify.ground_truth.truth import GroundTruth
from relax.errors import InputError, between, expect, reason
from relax.facts import brief
from relax.geometry import align, class_means, embed


@brief
@dataclass(frozen=True, eq=False)
class Comparison:
    """Features beside a geometry.

    Attributes
    ----------
    names : tuple
        The k labels, sorted.
    gram : (k, k) array
        Inner products of the class means of the features.
    target : (k, k) array
        What they should be.
    error : float
        How far `target` may be from the true geometry (proven; 0 for a Gram matrix that was given).
    spread : (k,) array
        max_i ‖h_i − μ_c‖ over the samples of every class, which should be 0.
    residual : float
        Procrustes residual of the class means, ‖μ Q − V‖_F / ‖V‖_F for the best rotation Q, V Vᵀ = target.
    """

    names: tuple[Any, ...]
    gram: Float64[np.ndarray, "k k"]
    target: Float64[np.ndarray, "k k"]
    error: float
    spread: Float64[np.ndarray, " k"]
    residual: float

    @cached_property
    def deviation(self) -> Float64[np.ndarray, "k k"]:
        """|gram − target|, entrywise."""
        return np.abs(self.gram - self.target)

    def complaints(self, atol: float) -> list[str]:
        """Return a line each for the worst pair, norm and spread, where they are beyond the tolerance."""
        off = self.deviation > atol + self.error
        pairs, norms = np.triu(off, 1), np.diag(np.diagonal(off))
        scattered = self.spread > atol
        return [
            *([self._pair(pairs, atol)] if pairs.any() else []),
            *([self._norm(norms, atol)] if norms.any() else []),
            *([self._scatter(scattered, atol)] if scattered.any() else []),
        ]

    def _pair(self, off: Bool[np.ndarray, "k k"], atol: float) -> str:
        a, b = _worst(self.deviation, off)
        k = len(self.names)
        return (
            f"class means of {self.names[a]!r} and {self.names[b]!r} have {_product(self.gram, a, b)}, and "
            f"should have {_product(self.target, a, b)} to within {self._tolerance(atol)}; {off.sum()} of "
            f"{k * (k - 1) // 2} pairs are off"
        )

    def _norm(self, off: Bool[np.ndarray, "k k"], atol: float) -> str:
        c, _ = _worst(self.deviation, off)
        return (
            f"the class mean of {self.names[c]!r} has squared norm {self.gram[c, c]:.9g}, and should have "
            f"{self.target[c, c]:.9g} to within {self._tolerance(atol)} (features are compared "
            "as they are: normalise them first if the loss does)"
        )

    def _scatter(self, off: Bool[np.ndarray, " k"], atol: float) -> str:
        c = int(np.argmax(self.spread))
        return (
            f"a feature of {self.names[c]!r} is {self.spread[c]:.3g} away from its class mean, and should be "
            f"within {atol:g}; {off.sum()} of {len(self.names)} classes are not collapsed"
        )

    def _tolerance(self, atol: float) -> str:
        return f"{atol:g}" + (f" + {self.error:.1e} (proven error of the truth)" if self.error else "")


def _worst(deviation: Float64[np.ndarray, "k k"], off: Bool[np.ndarray, "k k"]) -> tuple[int, int]:
    a, b = np.unravel_index(np.argmax(np.where(off, deviation, -1.0)), off.shape)
    return int(a), int(b)


def _product(gram: Float64[np.ndarray, "k k"], a: int, b: int) -> str:
    """Say an inner product, and the cosine."""
    size = math.sqrt(max(gram[a, a] * gram[b, b], 0.0))
    cosine = f"{gram[a, b] / size:.9g}" if size > 0 else "undefined"
    return f"cosine {cosine} (inner product {gram[a, b]:.9g})"


def compare(features: Any, labels: Iterable[Any], truth: GroundTruth | Any) -> Comparison:
    """Measure how far features are from a geometry, up to rotation.

    Parameters
    ----------
    features : (n, d) array or torch tensor
        One feature a sample, of any dtype; compared as they are, neither centred nor normalised.
    labels : one label for each sample
        Anything that can be sorted; classes stand in the sorted order of labels, as in `Problem.from_labels`.
    truth : GroundTruth or (k, k) array
        What the class means should be like: a certified geometry, or any Gram matrix.

    Raises
    ------
    InputError
        If features are not a matrix of finite numbers with one row for each label, the Gram matrix is not a
        positive semidefinite one of as many classes, or the labels do not count what the problem does.
    """
    given = labelled(labels)
    rows = _matrix(features, "features")
    if len(rows) != len(given.classes):
        raise InputError(
            f"features have shape {rows.shape} for {len(given.classes)} labels; give one row a label"
        )
    if isinstance(truth, GroundTruth):
        check_counts(given, truth.problem)
        target, error = truth.gram, truth.error
    else:
        target, error = _matrix(truth, "truth"), 0.0
    k = len(given.names)
    if target.shape != (k, k) or not np.allclose(target, target.T, atol=1e-9):
        raise InputError(f"truth has shape {target.shape}; give a symmetric Gram matrix of the {k} classes")
    means = class_means(rows, given.classes)
    spread = np.zeros(k)
    np.maximum.at(spread, given.classes, np.linalg.norm(rows - means[given.classes], axis=1))
    residual = align(means, embed(target)).residual
    return Comparison(given.names, means @ means.T, target, error, spread, residual)


def assert_matches_geometry(
    features: Any, labels: Iterable[Any], truth: GroundTruth | Any, atol: float
) -> Comparison:
    """Assert that features have collapsed to a geometry, up to rotation.

    Two things must hold: |⟨μ_c, μ_c'⟩ − truth_cc'| ≤ atol + the truth's proven error for all classes c and
    c' (so norms count as well), and ‖h_i − μ_{y_i}‖ ≤ atol for every sample.

    Parameters
    ----------
    features, labels, truth
        See `compare`.
    atol : float
        The deviation to allow, in Gram entries and in distances of features from their class mean.

    Returns
    -------
    Comparison
        What was measured, the Procrustes residual included.

    Raises
    ------
    AssertionError
        If something is off by more; the message names the pair of classes that is off most, with its cosine.
    InputError
        If `atol` is negative, or the three do not fit together (see `compare`).
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    if expect(atol, float, "atol", "give e.g. 1e-3") != 0:
        atol = between(atol, 0, math.inf, "atol", "1e-3")
    found = compare(features, labels, truth)
    complaints = found.complaints(atol)
    if complaints:
        raise AssertionError("; ".join([*complaints, f"Procrustes residual {found.residual:.3g}"]))
    return found


def _matrix(given: Any, name: str) -> Float64[np.ndarray, "n d"]:
    """Return what may be a torch tensor, on any device and of any dtype, as a float64 matrix."""
    if hasattr(given, "detach"):  # NumPy has no bfloat16
        given = given.detach().cpu().double()
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} cannot be read as a matrix of numbers ({reason(error)})") from error
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise InputError(f"{name} of shape {array.shape} must be a matrix of finite numbers")
    return array
