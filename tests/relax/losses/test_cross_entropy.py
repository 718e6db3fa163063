"""Cross-entropy with free classifiers: brute force, three papers' closed forms, refusals, other solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import logsumexp

from relax import losses
from relax.arrays import FLOATS
from relax.errors import InputError
from relax.losses import CrossEntropy
from relax.losses.definition import Seen
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.solution import Solution
from relax.solvers import solve

NORMS: list[tuple[Norm, Norm]] = [
    (Ball(2.0), Sphere(1.5)),
    (Sphere(), Ball()),
    (MeanSquare(1.0), MeanSquare(5.0)),
    (Ridge(0.01), Ridge(0.002)),
    (Ridge(0.02), MeanSquare(2.0)),
]
COUNTS = [[7, 7, 3, 2, 1], [4, 4, 4], [20, 5, 5]]


def naive(w: np.ndarray, h: np.ndarray, labels: np.ndarray, tau: float) -> float:
    """The mean of −log softmax, as everybody writes it."""
    logits = h @ w.T / tau
    return float(np.mean([logsumexp(z) - z[y] for z, y in zip(logits, labels, strict=True)]))


def by_definition(w: np.ndarray, h: np.ndarray, labels: np.ndarray, tau: float) -> float:
    n, k = len(h), len(w)
    is_class = labels[:, None] == np.arange(k)
    ones, nothing = np.ones(k, dtype=int), np.zeros((n, k), dtype=bool)
    share = CrossEntropy().shares(h @ w.T / tau, Seen(FLOATS, nothing, ones, ones, is_class, nothing))
    np.testing.assert_array_equal(share.floor, 0.0)
    return float(share.excess.mean())


def brought(vectors: np.ndarray, norm: Norm, part: np.ndarray) -> np.ndarray:
    return vectors * norm.scale((vectors**2).sum(axis=1), part, FLOATS)[:, None]


def paid(vectors: np.ndarray, norm: Norm) -> float:
    return norm.weight / 2 * float((vectors**2).sum()) if isinstance(norm, Ridge) else 0.0


def gram_of(w: np.ndarray, means: np.ndarray) -> OrbitMatrix:
    k, dim = w.shape
    full = np.stack([w, means], axis=1).reshape(2 * k, dim)
    full = full @ full.T
    blocks = full.reshape(k, 2, k, 2)[np.arange(k), :, np.arange(k), :]
    return OrbitMatrix(np.ones(k), blocks, full)


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("counts", COUNTS)
def test_the_program_is_the_loss_where_classes_collapse_and_below_it_elsewhere(
    counts: list[int], norms: tuple[Norm, Norm]
) -> None:
    k, tau, rng = len(counts), 0.7, np.random.default_rng(4)
    labels = np.repeat(np.arange(k), counts)
    problem = Problem(counts, CrossEntropy(norms[0]), temperature=tau, norm=norms[1])
    reduction = problem.reduction("classes")
    assert reduction.below and reduction.attained
    program = problem.assembled(reduction)
    part = 1 / (k * np.array(counts)[labels])
    for _ in range(5):
        w = brought(rng.normal(size=(k, 6)), norms[0], np.full(k, 1 / k))
        together = brought(rng.normal(size=(k, 6))[labels], norms[1], part)
        apart = brought(rng.normal(size=(len(labels), 6)), norms[1], part)
        for h in (together, apart):
            loss = naive(w, h, labels, tau)
            assert by_definition(w, h, labels, tau) == pytest.approx(loss, rel=1e-12)
            means = np.array([h[labels == c].mean(axis=0) for c in range(k)])
            value = program.value(gram_of(w, means))
            loss += paid(w, norms[0]) + paid(h, norms[1])
            if h is together:
                assert value == pytest.approx(loss, rel=1e-12)
            assert value <= loss + 1e-12


@pytest.mark.parametrize("norms", NORMS)
def test_levels_and_solvers_agree(norms: tuple[Norm, Norm]) -> None:
    problem = Problem([6, 6, 2, 2, 1], CrossEntropy(norms[0]), temperature=0.7, norm=norms[1])
    first = solve(problem)
    assert first.relative_gap() <= 1e-9
    for solver, level in (("barrier", "groups"), ("low_rank", "classes")):
        other = solve(problem, solver, level)  # type: ignore[arg-type]
        assert other.value == pytest.approx(first.value, rel=1e-8)
        assert other.lower_bound() <= first.value * (1 + 1e-12)
    conic = solve(problem, "clarabel")
    assert conic.value == pytest.approx(first.value, rel=1e-5)
    for roles in (("feature", "feature"), ("classifier", "feature"), ("classifier", "classifier")):
        np.testing.assert_allclose(other.block(*roles), first.block(*roles), atol=1e-3)


@pytest.mark.parametrize("views", [1, 2])
def test_views_multiply_features_alone(views: int) -> None:
    problem = Problem([5, 2], CrossEntropy(Ridge(0.01)), norm=Ridge(0.003), views=views)
    classifier, feature = problem.program("classes").rules
    np.testing.assert_allclose(classifier.weights, 0.005)  # type: ignore[union-attr]
    np.testing.assert_allclose(feature.weights, 0.0015 * views * np.array([5, 2]))  # type: ignore[union-attr]


@pytest.mark.slow
def test_random_descents_end_no_lower() -> None:
    """Free samples, not class means: collapse is no assumption of the bound."""
    counts, rng = [3, 2, 1], np.random.default_rng(0)
    labels, part = np.repeat(np.arange(3), counts), 1 / (3 * np.repeat(counts, counts))
    solution = solve(Problem(counts, CrossEntropy(MeanSquare(1.0)), norm=MeanSquare(3.0)))

    def loss(x: np.ndarray) -> float:
        v = x.reshape(-1, 4)
        return naive(
            brought(v[:3], MeanSquare(1.0), np.full(3, 1 / 3)),
            brought(v[3:], MeanSquare(3.0), part),
            labels,
            1.0,
        )

    ends = [minimize(loss, rng.normal(size=9 * 4)).fun for _ in range(2)]
    assert min(ends) >= solution.lower_bound()
    assert min(ends) == pytest.approx(solution.value, rel=1e-6)


@pytest.mark.parametrize("k", [2, 3, 10])
def test_balanced_bounds_of_graf_et_al(k: int) -> None:
    """log(1 + (K−1) e^{−a}): a = ρ r K/(K−1)/τ, or ρ √K/(K−1) ‖W‖_F/τ; with λ‖W‖² r solves an equation."""
    r, rho, tau, ratio = 1.5, 2.0, 0.8, k / (k - 1)
    for classifier in (Ball(r), Sphere(r), MeanSquare(r**2)):
        for norm in (Ball(rho), Sphere(rho)):
            found = solve(Problem([6] * k, CrossEntropy(classifier), tau, norm))
            expected = np.log1p((k - 1) * np.exp(-ratio * r * rho / tau))
            assert found.value == pytest.approx(expected, rel=2e-9)
            assert found.lower_bound() <= expected * (1 + 1e-12)
    decay = 0.01
    found = solve(Problem([6] * k, CrossEntropy(Ridge(2 * decay)), 1.0, Sphere(rho)))
    root: float = brentq(lambda x: 2 * decay * x - rho / (np.exp(ratio * rho * x) + k - 1), 0.0, 99.0)  # type: ignore[assignment]
    expected = np.log1p((k - 1) * np.exp(-ratio * rho * root)) + decay * k * root**2
    assert found.value == pytest.approx(expected, rel=2e-9)
    assert found.block("classifier", "classifier")[0, 0] == pytest.approx(root**2, rel=1e-4)


def minority_cosine(solution: Solution) -> float:
    """The cosine between two classifiers of the smallest classes."""
    w = solution.block("classifier", "classifier")[-2:, -2:]
    return float(w[0, 1] / np.sqrt(w[0, 0] * w[1, 1]))


@pytest.mark.parametrize(("ratio", "collapsed"), [(11.9, False), (12.15, False), (12.25, True), (20.0, True)])
def test_minority_collapse_of_fang_et_al(ratio: float, collapsed: bool) -> None:
    """Ten classes, five of them R times the others, E_W = 1, E_H = 5: minorities coincide from R₀ ≈ 12.19."""
    counts = {round(100 * ratio): 5, 100: 5}
    found = solve(Problem(counts, CrossEntropy(MeanSquare(1.0)), norm=MeanSquare(5.0)), tolerance=1e-12)
    off = 1.0 - minority_cosine(found)
    assert (off < 1e-5) if collapsed else (off > 1e-3)


@pytest.mark.parametrize("below", [0.8, 0.97, 1.03, 1.2])
def test_minority_collapse_of_hong_and_ling(below: float) -> None:
    """With ridges λ_W and λ_H minority classifiers vanish iff √n_B/N ≤ √(λ_W λ_H)."""
    counts = {200: 3, 10: 3}
    threshold = np.sqrt(10) / 630
    weights = (0.01, (threshold * below) ** 2 / 0.01)
    found = solve(Problem(counts, CrossEntropy(Ridge(weights[0])), norm=Ridge(weights[1])), tolerance=1e-12)
    w = found.block("classifier", "classifier")[-2:, -2:]
    off = (w[0, 0] - w[0, 1]) / w[0, 0]
    assert (off < 1e-5) if below > 1 else (off > 1e-3)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="one class only: its cross-entropy is zero"):
        Problem([5], "cross-entropy")
    with pytest.raises(InputError, match="cross-entropy has no program for non-negative features"):
        Problem([5, 5], "cross-entropy", nonnegative=True)
    with pytest.raises(InputError, match="loss cross-entropy has no program by samples"):
        Problem([5, 5], "cross-entropy").program("samples")


@pytest.mark.parametrize("text", ["ball:2", "sphere", "ridge:0.01", "mean-square:1"])
def test_it_is_what_the_command_line_says(text: str) -> None:
    problem = Problem([5, 5], f"cross-entropy:classifier={text}")
    assert problem.temperature == 1.0
    assert losses.from_statement(losses.statement_of(problem.loss)) == problem.loss
    assert Problem.from_statement(problem.statement()) == problem
    assert Problem([5, 5], "cross-entropy").loss == CrossEntropy(Ball(1.0))
