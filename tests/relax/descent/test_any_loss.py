"""Losses that the package does not have descend as well, and end where their programs say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from relax import solve
from relax.counts import ClassCounts
from relax.descent import certified, descend, match
from relax.errors import InputError
from relax.geometry import orthogonal_frame_gram, simplex_etf_gram
from relax.losses.definition import Seen, Share, cross_entropy
from relax.losses.reduction import Nodes, Reduction, class_nodes
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere
from relax.problem import Problem
from relax.rows import LogSumExp
from tests.toys import Toy


def class_rows(counts: ClassCounts, views: int, own: float) -> Reduction:
    """Rows of weight n_c that read `own` of themselves and all of other classes, and are pulled together."""
    n = np.array(counts.times(views).sizes, dtype=float)
    g = np.array(counts.multiplicities, dtype=float)
    ones, peers = np.ones(len(n)), np.broadcast_to(n, (len(n), len(n)))
    rows = LogSumExp(np.arange(len(n)), n * g, own * ones, ones, peers)
    return Reduction(class_nodes(counts, views), (rows,), Fraction(counts.samples * views))


@dataclass(frozen=True)
class OnePositive(Toy):
    """The mean over positive pairs of log(1 + Σ_negatives e^{x_l − x_p}); its infimum is zero."""

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        return class_rows(counts, views, 1.0)

    def shares(self, x: Any, seen: Seen) -> Share:
        negatives, total = (seen.other_class * seen.xp.exp(x)).sum(-1), seen.same_class.sum(-1)
        rows = seen.same_class * seen.xp.log1p(negatives[..., None] * seen.xp.exp(-x))
        return Share(0 * total, rows.sum(-1) / total)


@dataclass(frozen=True)
class NegativesOnly(Toy):
    """log Σ_negatives e^{x_l} − mean of positives, which has no infimum over free similarities."""

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        return class_rows(counts, views, 0.0)

    def shares(self, x: Any, seen: Seen) -> Share:
        return cross_entropy(x, seen.other_class, seen.same_class, seen.xp, level=0)


@dataclass(frozen=True)
class Instances(Toy):
    """Views of one sample are positives, everything else is negative: classes are not seen."""

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        n = counts.samples
        one = np.ones(1)
        classes = np.repeat(np.arange(counts.classes), np.array(counts.sizes)[counts.group_of_class()])
        nodes = Nodes(
            multiplicity=n * one,
            stands_for=np.array([views]),
            share=np.array([Fraction(1, n)], dtype=object),
            size=np.array([1]),
            group_of_unit=lambda: np.zeros(n, dtype=int),
            class_of_unit=lambda: classes,
            unit="sample",
        )
        rows = LogSumExp(np.array([0]), n * views * one, (views - 1) * one, one, views * one[None])
        return Reduction(nodes, (rows,), Fraction(n * views))

    def shares(self, x: Any, seen: Seen) -> Share:
        return cross_entropy(x, seen.others, seen.same_sample, seen.xp)


@dataclass(frozen=True)
class Classified(Toy):
    """Cross-entropy of features against a classifier without bias: two roles."""

    classifier: Norm

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        counts = counts.apart()
        n = np.array(counts.sizes, dtype=float)
        k, ones = len(n), np.ones(len(n))
        rows = LogSumExp(np.arange(k), n, ones, ones, np.ones((k, k)), roles=(1, 0))
        nodes = class_nodes(counts, views, ("classifier", "feature"), (self.classifier, None))
        return Reduction(nodes, (rows,), Fraction(counts.samples))

    def shares(self, x: Any, seen: Seen) -> Share:
        return cross_entropy(x, seen.others, seen.same_class, seen.xp)


def brute_force(name: str, features: np.ndarray, labels: list[int], views: int, tau: float) -> float:
    """The losses above term by term; views of a sample stand side by side."""
    x = features @ features.T / tau
    n = len(labels)
    total = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        if name == "Instances":
            positives = [j for j in others if j // views == i // views]
        else:
            positives = [j for j in others if labels[j] == labels[i]]
        negatives = [j for j in others if labels[j] != labels[i]]
        for p in positives:
            read = {"OnePositive": [p, *negatives], "NegativesOnly": negatives, "Instances": others}[name]
            total += (math.log(math.fsum(math.exp(x[i, j]) for j in read)) - x[i, p]) / len(positives)
    return total / n


@pytest.mark.parametrize("level", ["samples", "classes"])
@pytest.mark.parametrize("loss", [OnePositive(), NegativesOnly(), Instances()], ids=lambda loss: str(loss))
def test_losses_by_definition(loss: Any, level: str) -> None:
    counts, views = [3, 1, 2], 2
    problem = Problem(counts, loss=loss, temperature=0.4, views=views)
    labels = np.repeat([0, 1, 2], [6, 2, 4]).tolist()
    descent = descend(problem, 3, starts=3, level=level, max_iterations=1)
    for start in range(3):
        features = descent.features[start] if level == "samples" else descent.features[start][labels]
        expected = brute_force(type(loss).__name__, features, labels, views, 0.4)
        assert descent.losses[start] == pytest.approx(expected, rel=1e-12)


TABLE = [
    (OnePositive(), [6, 2, 2], 0.1, Sphere(), 1),
    (OnePositive(), [5, 3], 1.0, Ball(), 2),
    (OnePositive(), [4, 3, 3], 0.5, Ridge(0.02), 1),
    (OnePositive(), [4, 3, 3], 0.5, MeanSquare(1.0), 1),
    (NegativesOnly(), [6, 4, 4], 0.2, Sphere(), 1),
    (NegativesOnly(), [4, 4, 3, 3], 0.1, Sphere(), 1),
    (NegativesOnly(), [3, 2, 1], 1.0, Ball(1.5), 2),
    (NegativesOnly(), [4, 3, 3], 0.5, MeanSquare(0.5), 1),
]


@pytest.mark.parametrize("level", ["samples", "classes"])
@pytest.mark.parametrize(("loss", "counts", "tau", "norm", "views"), TABLE)
def test_toy_losses_end_at_the_solved_program(
    loss: Any, counts: list[int], tau: float, norm: Norm, views: int, level: str
) -> None:
    solution = solve(Problem(counts, loss=loss, temperature=tau, norm=norm, views=views))
    descent = descend(solution.problem, len(counts), starts=4, level=level)
    found = match(descent, *certified(solution))
    best = descent.best
    assert descent.converged[best]
    assert found.agrees[best]
    assert found.loss_gaps.min() >= -solution.gap() - 1e-12


@pytest.mark.parametrize(("counts", "views"), [([2, 2], 2), ([3, 1, 1], 3)])
def test_a_loss_without_classes_ends_at_the_simplex_of_samples(counts: list[int], views: int) -> None:
    n = sum(counts)
    problem = Problem(counts, loss=Instances(), temperature=0.5, views=views)
    descent = descend(problem, n - 1, starts=4)
    assert descent.features.shape == (4, n * views, n - 1)
    value = math.log(views - 1 + views * (n - 1) * math.exp(-n / (n - 1) / 0.5))
    assert match(descent, simplex_etf_gram(n), value).agrees.all()  # a row for each sample
    of_feature = np.repeat(np.arange(n), views)
    unrolled = simplex_etf_gram(n)[np.ix_(of_feature, of_feature)]
    assert match(descent, unrolled, value).agrees.all()  # a row for each feature
    assert match(descent, *certified(solve(problem))).agrees.all()
    with pytest.raises(InputError, match=rf"must be .*\({n}, {n}\) or \({n * views}, {n * views}\) with"):
        match(descent, np.eye(n + 1), value)


def test_samples_are_the_level_of_a_loss_without_classes() -> None:
    problem = Problem([400, 300], loss=Instances(), views=1, temperature=1.0)
    assert descend(problem, 1, starts=1, max_iterations=1).features.shape == (1, 700, 1)


CLASSIFIERS = [MeanSquare(1.0), Ball(2.0), Sphere(1.5), Ridge(0.01)]


@pytest.mark.parametrize("level", ["samples", "classes"])
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda norm: norm.kind)
def test_two_roles_end_at_the_solved_program(classifier: Norm, level: str) -> None:
    counts = [5, 5, 2]
    loss, norm = Classified(classifier), MeanSquare(2.0)
    solution = solve(Problem(counts, loss=loss, temperature=1.0, norm=norm))
    descent = descend(solution.problem, 3, starts=4, level=level)
    assert descent.classifier is not None
    assert descent.classifier.shape == (4, 3, 3)
    gram, value = certified(solution)
    assert gram.shape == (6, 6)
    found = match(descent, gram, value)
    assert found.agrees[descent.best]
    assert match(descent, gram[3:, 3:], value).agrees[descent.best]  # the features alone
    labels = np.repeat([0, 1, 2], counts) if level == "samples" else np.arange(3)
    features, vectors = descent.features[0], descent.classifier[0]
    weight = np.ones(12) if level == "samples" else np.array(counts)
    logits = features @ vectors.T
    terms = [math.log(math.fsum(np.exp(row))) - row[c] for row, c in zip(logits, labels, strict=True)]
    price = 0.005 * float((vectors**2).sum()) if isinstance(classifier, Ridge) else 0.0
    assert descent.losses[0] == pytest.approx(float(weight @ terms) / 12 + price, rel=1e-12)


@pytest.mark.parametrize("dim", [3, 5])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 5.0])
@pytest.mark.parametrize("norm", [Sphere(), Ball()])
def test_nonnegative_features_end_at_the_orthogonal_frame(norm: Norm, temperature: float, dim: int) -> None:
    problem = Problem([6, 2, 2], temperature=temperature, norm=norm, nonnegative=True)
    descent = descend(problem, dim, starts=6)
    assert descent.features.min() >= 0
    rows = [
        6 * math.log(5 + 4 * math.exp(-1 / temperature)),
        4 * math.log(1 + 8 * math.exp(-1 / temperature)),
    ]
    found = match(descent, orthogonal_frame_gram(3), math.fsum(rows) / 10)
    assert descent.converged.all()
    assert found.agrees[descent.best]


@pytest.mark.parametrize("norm", [Ridge(0.01), MeanSquare(2.0)])
@pytest.mark.slow
def test_nonnegative_features_of_free_lengths_end_at_the_solved_program(norm: Norm) -> None:
    solution = solve(Problem([6, 2, 2], temperature=0.5, norm=norm, nonnegative=True))
    descent = descend(solution.problem, 3, starts=4)
    assert match(descent, *certified(solution)).agrees[descent.best]


def test_a_radius_is_a_temperature() -> None:
    wide = descend(Problem([5, 3, 2], temperature=0.8, norm=Sphere(2.0)), 2, starts=3, level="classes")
    unit = descend(Problem([5, 3, 2], temperature=0.2), 2, starts=3, level="classes")
    np.testing.assert_allclose(np.linalg.norm(wide.features, axis=2), 2.0, rtol=1e-14)
    np.testing.assert_allclose(wide.losses, unit.losses, rtol=1e-12)
    np.testing.assert_allclose(wide.class_gram(0) / 4, unit.class_gram(0), atol=1e-6)


@pytest.mark.parametrize("level", ["samples", "classes"])
def test_a_mean_square_over_classes_is_spent(level: str) -> None:
    descent = descend(Problem([5, 3, 2], temperature=0.5, norm=MeanSquare(1.5)), 2, starts=3, level=level)
    squared = (descent.features**2).sum(2)
    spent = np.stack([squared[:, descent.labels == c].mean(1) for c in range(3)]).mean(0)
    np.testing.assert_allclose(spent, 1.5, rtol=1e-9)


@dataclass(frozen=True)
class Foreign(Classified):
    """A loss with a role that descent does not know."""

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        nodes = class_nodes(counts.apart(), views, ("proxy", "feature"), (None, None))
        return Reduction(nodes, super().reduce(counts, views).rows, Fraction(1))


def test_other_roles_are_refused_in_one_sentence() -> None:
    with pytest.raises(
        InputError, match=r"^descent knows .* and the loss toy has the roles proxy, feature; give"
    ):
        descend(Problem([3, 2], loss=Foreign(Sphere())), 2)
