"""Where gradient descent ended, and how far that is from a certified optimum. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from relax.errors import InputError
from relax.facts import Shown
from relax.geometry import align, class_means, embed

LOSS_AGREES, GRAM_AGREES = 1e-9, 1e-5


@dataclass(frozen=True, eq=False)
class Descent:
    """Where gradient descent ended, from every start.

    Attributes
    ----------
    features : (starts, n, dim) array
        Rows obey the norm of the problem. At level "classes" n is the number of classes.
    labels : (n,) array
        The class of every row, as an index into the counts in the user's order.
    losses : (starts,) array
        The loss in nats, mean over anchors (plus the ridge).
    excesses : (starts,) array
        Loss minus its infimum Σ_{n_c ≥ 2} n_c log(n_c−1) / N₊, computed without subtraction.
    gradient_norms : (starts,) array
        ‖∇ log excess‖ in the free parameters; on the sphere these are the features, the gradient tangential.
    converged : (starts,) array of bool
        Whether τ² times the gradient norm, roughly the distance left to go, is at most 1e-6: a stationary
        point, not necessarily a minimum.
    evaluations : int
        How often loss and gradient were evaluated, each time for a group of starts.
    """

    features: Float64[np.ndarray, "starts n dim"]
    labels: Int[np.ndarray, " n"]
    losses: Float64[np.ndarray, " starts"]
    excesses: Float64[np.ndarray, " starts"]
    gradient_norms: Float64[np.ndarray, " starts"]
    converged: Bool[np.ndarray, " starts"]
    evaluations: int

    @property
    def best(self) -> int:
        """The start that ended lowest."""
        return int(np.argmin(self.excesses))

    def class_gram(self, start: int) -> Float64[np.ndarray, "k k"]:
        """Return the Gram matrix of the class means, M_cc' = ⟨μ_c, μ_c'⟩."""
        means = class_means(self.features[start], self.labels)
        return means @ means.T

    def within_class_spread(self, start: int) -> float:
        """Return max_i ‖h_i − μ_{y_i}‖, the farthest that a feature lies from its class mean."""
        features = self.features[start]
        return float(np.linalg.norm(features - class_means(features, self.labels)[self.labels], axis=1).max())


@dataclass(frozen=True, eq=False)
class Match(Shown):
    """How far each start of a descent ended from a certified optimum.

    Attributes
    ----------
    loss_gaps : (starts,) array
        Loss minus the certified value; negative beyond rounding would refute the certificate.
    gram_distances : (starts,) array
        max_ij |⟨h_i, h_j⟩ − M_{y_i y_j}| over all pairs of features.
    residuals : (starts,) array
        Procrustes residual of the features against the certified vectors, after the best rotation.
    """

    loss_gaps: Float64[np.ndarray, " starts"]
    gram_distances: Float64[np.ndarray, " starts"]
    residuals: Float64[np.ndarray, " starts"]

    @property
    def agrees(self) -> Bool[np.ndarray, " starts"]:
        """Whether a start found the certified optimum: both its loss and its geometry."""
        return (np.abs(self.loss_gaps) <= LOSS_AGREES) & (self.gram_distances <= GRAM_AGREES)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        starts = len(self.loss_gaps)
        return [
            ("starts", str(starts)),
            ("agree", f"{np.count_nonzero(self.agrees)} of {starts}"),
            ("worst loss gap", f"{self.loss_gaps[np.argmax(np.abs(self.loss_gaps))]:.2e}"),
            ("worst Gram distance", f"{self.gram_distances.max():.2e}"),
            ("worst Procrustes residual", f"{self.residuals.max():.2e}"),
        ]


def match(descent: Descent, gram: Float64[np.ndarray, "k k"], value: float) -> Match:
    """Compare every start of a descent with a certified optimum.

    Where the optimal Gram matrix is not unique (classes of one sample under `Ball`), a start may reach the
    value with another geometry and is then not counted as agreeing.

    Parameters
    ----------
    descent : Descent
        At level "samples" or "classes".
    gram : (k, k) array
        The certified class Gram matrix, classes in the user's order.
    value : float
        Its loss in nats, mean over anchors.

    Returns
    -------
    Match
        Loss gap, Gram distance and Procrustes residual of every start.

    Raises
    ------
    InputError
        If `gram` is not k × k and positive semidefinite, or `value` is not finite.
    """
    k = int(descent.labels.max()) + 1
    if gram.shape != (k, k) or not np.isfinite(value):
        raise InputError(
            f"gram of shape {gram.shape} with value {value} must be ({k}, {k}) with a finite value"
        )
    vectors = embed(gram)[descent.labels]
    certified = gram[np.ix_(descent.labels, descent.labels)]
    distances = [float(np.abs(features @ features.T - certified).max()) for features in descent.features]
    residuals = [align(features, vectors).residual for features in descent.features]
    return Match(descent.losses - value, np.array(distances), np.array(residuals))
