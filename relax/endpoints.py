"""Where gradient descent ended, and how far that is from a certified optimum. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from relax.errors import InputError, between, expect
from relax.facts import Shown, brief
from relax.geometry import align, class_means, embed
from relax.solution import Solution

LOSS_AGREES, GRAM_AGREES = 1e-9, 1e-5


@brief
@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a descent passed through: its start, and every iteration of every start.

    A start is done before others are: its last step is then repeated. Where norms are bounded, the search
    within the bound follows that at the bound.

    Attributes
    ----------
    losses : (steps, starts) array
        The loss in nats.
    features : (steps, starts, n, dim) array
        The features.
    classifier : (steps, starts, k, dim) array or None
        The classifier's vectors, where the loss has some.
    """

    losses: Float64[np.ndarray, "steps starts"]
    features: Float64[np.ndarray, "steps starts n dim"]
    classifier: Float64[np.ndarray, "steps starts k dim"] | None = None

    @classmethod
    def beside(cls, parts: Sequence[Trajectory]) -> Trajectory:
        """Return the trajectories of several groups of starts as one."""
        steps = max(len(part.losses) for part in parts)

        def joined(arrays: list[np.ndarray]) -> np.ndarray:
            rows = [np.minimum(np.arange(steps), len(array) - 1) for array in arrays]
            return np.concatenate([array[row] for array, row in zip(arrays, rows, strict=True)], axis=1)

        classifier = [part.classifier for part in parts if part.classifier is not None]
        losses, features = joined([part.losses for part in parts]), joined([part.features for part in parts])
        return cls(losses, features, joined(classifier) if classifier else None)


@brief
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
        Loss minus its infimum over free similarities, computed without subtraction; the loss where there is
        none. For the supervised-contrastive loss the infimum is Σ_{n_c ≥ 2} n_c log(n_c−1) / N₊.
    gradient_norms : (starts,) array
        ‖∇ log excess‖, or ‖∇ loss‖ where there is no infimum, in the free parameters; on the sphere these are
        the features, the gradient tangential.
    converged : (starts,) array of bool
        Whether the gradient norm is that of a point about 1e-6 from a stationary one, which need not be a
        minimum: τ² times the norm at most 1e-6, and τ √n times the norm without an infimum.
    evaluations : int
        How often loss and gradient were evaluated, each time for a group of starts.
    samples : (n,) array or None
        The sample of every row, of which it is one view; None where rows are samples.
    classifier : (starts, k, dim) array or None
        The classifier's vectors, where the loss has some.
    trajectory : Trajectory or None
        Every step, where it was asked for.
    """

    features: Float64[np.ndarray, "starts n dim"]
    labels: Int[np.ndarray, " n"]
    losses: Float64[np.ndarray, " starts"]
    excesses: Float64[np.ndarray, " starts"]
    gradient_norms: Float64[np.ndarray, " starts"]
    converged: Bool[np.ndarray, " starts"]
    evaluations: int
    samples: Int[np.ndarray, " n"] | None = None
    classifier: Float64[np.ndarray, "starts k dim"] | None = None
    trajectory: Trajectory | None = None

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


@brief
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


@brief
@dataclass(frozen=True, eq=False)
class Approach:
    """How far every step of a descent was from a certified optimum, both of shape (steps, starts).

    Attributes
    ----------
    loss_gaps : array
        Loss minus the certified value.
    gram_distances : array
        max_ij |⟨h_i, h_j⟩ − M_{y_i y_j}| over all pairs of vectors.
    """

    loss_gaps: Float64[np.ndarray, "steps starts"]
    gram_distances: Float64[np.ndarray, "steps starts"]


def certified(solution: Solution) -> tuple[Float64[np.ndarray, "u u"], float]:
    """Return what `match` and `approach` compare with: the Gram matrix of a solution, and its value.

    Where vectors have several roles, all of the first stand before all of the second. Samples stand class by
    class, as those of a descent do.
    """
    expect(solution, Solution, "solution", "give what solve(problem) returns")
    roles, order = solution.nodes.roles, np.argsort(solution.labels, kind="stable")
    rows = [[solution.block(first, second)[np.ix_(order, order)] for second in roles] for first in roles]
    return np.block(rows), solution.value


def match(descent: Descent, gram: Float64[np.ndarray, "u u"], value: float) -> Match:
    """Compare every start of a descent with a certified optimum.

    Where the optimal Gram matrix is not unique (classes of one sample under `Ball`), a start may reach the
    value with another geometry and is then not counted as agreeing. Rows of the Gram matrix are classes,
    samples or features, whichever fits its size; that of a loss that sees no classes has samples, and
    features of one sample are compared with its row.

    Parameters
    ----------
    descent : Descent
        At level "samples" or "classes".
    gram : (u, u) array
        The certified Gram matrix of the classes in the user's order, of the samples or features class by
        class, or of the classifier's vectors followed by those of the classes (`certified`).
    value : float
        Its loss in nats, mean over anchors.

    Returns
    -------
    Match
        Loss gap, Gram distance and Procrustes residual of every start.

    Raises
    ------
    InputError
        If `gram` is not square with a row for every class (sample, feature) and positive semidefinite, or
        `value` is not finite.
    """
    row = _row_of_vector(descent, gram, value)
    reference, target = embed(gram)[row], gram[np.ix_(row, row)]
    ends = _compared(descent.features, descent.classifier, len(row))
    distances = [_gram_distance(vectors, target) for vectors in ends]
    residuals = [align(vectors, reference).residual for vectors in ends]
    return Match(descent.losses - value, np.array(distances), np.array(residuals))


def approach(descent: Descent, gram: Float64[np.ndarray, "u u"], value: float) -> Approach:
    """Compare every step of a descent, which has kept its trajectory, with a certified optimum.

    Parameters
    ----------
    descent, gram, value
        As for `match`.

    Raises
    ------
    InputError
        If the descent has no trajectory, or as `match` does.
    """
    path = expect(descent, Descent, "descent", "give what descend returns").trajectory
    if path is None:
        raise InputError("the descent kept no trajectory; call descend(..., trajectory=True)")
    row = _row_of_vector(descent, gram, value)
    target = gram[np.ix_(row, row)]
    passed = _compared(path.features, path.classifier, len(row))
    distances = [[_gram_distance(vectors, target) for vectors in step] for step in passed]
    return Approach(path.losses - value, np.array(distances))


def _row_of_vector(descent: Descent, gram: np.ndarray, value: float) -> Int[np.ndarray, " v"]:
    """Return the row of the certified Gram matrix that each vector of a descent belongs to."""
    expect(descent, Descent, "descent", "give what descend returns")
    expect(gram, np.ndarray, "gram", "give a square array, e.g. solution.gram")
    expect(value, float, "value", "give a number, e.g. solution.value")
    value = between(value, -math.inf, math.inf, "value", "solution.value")
    labels = descent.labels
    k, features = int(labels.max()) + 1, np.arange(len(labels))
    rows = [labels, features if descent.samples is None else descent.samples, features]
    if descent.classifier is not None:
        rows = [np.concatenate([np.arange(k), k + labels]), *rows]
    fitting = [row for row in rows if gram.shape == (row.max() + 1, row.max() + 1)]
    if not fitting or not np.isfinite(value):
        sizes = sorted({int(row.max()) + 1 for row in rows})
        raise InputError(
            f"gram of shape {gram.shape} with value {value} must be "
            f"{' or '.join(f'({size}, {size})' for size in sizes)} with a finite value"
        )
    return fitting[0]


def _compared(
    features: Float64[np.ndarray, "*starts n dim"],
    classifier: Float64[np.ndarray, "*starts k dim"] | None,
    count: int,
) -> Float64[np.ndarray, "*starts v dim"]:
    """Return the vectors that have a row in the certified Gram matrix: features, the classifier's before."""
    if classifier is None or count == features.shape[-2]:
        return features
    return np.concatenate([classifier, features], axis=-2)


def _gram_distance(vectors: Float64[np.ndarray, "v dim"], target: Float64[np.ndarray, "v v"]) -> float:
    return float(np.abs(vectors @ vectors.T - target).max())
