"""Decoupled hyperspherical energy: brute force, the authors' code, closed forms, refusals, other solvers."""

from __future__ import annotations

import numpy as np
import pytest

from relax import losses
from relax.errors import InputError
from relax.losses import Dhel
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.norms import Ball, MeanSquare, Ridge
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.solvers import solve


def naive(z: np.ndarray, labels: np.ndarray | None, tau: float, energy: float) -> float:
    """Means over samples and views; z has shape (views, samples, dim)."""
    shares = []
    views, count = z.shape[:2]
    for a in range(views):
        for i in range(count):
            others = [j for j in range(count) if j != i and (labels is None or labels[j] != labels[i])]
            repelled = np.log(sum(np.exp(z[a, i] @ z[a, j] / tau) for j in others))
            attracted = np.mean([z[a, i] @ z[b, i] / tau for b in range(views) if b != a])
            shares.append(energy * repelled - attracted)
    return float(np.mean(shares))


def authors_code(z_anchor: np.ndarray, z_pos: np.ndarray, tau: float) -> float:
    """−log( pos / (Σ anchor energies · Σ positive energies) ), averaged: their loss with both energies."""

    def energies(z: np.ndarray) -> np.ndarray:
        similar = np.exp(z @ z.T / tau)
        np.fill_diagonal(similar, 0.0)
        return similar.sum(axis=1)

    positive = np.exp((z_anchor * z_pos).sum(axis=1) / tau)
    return float(-np.log(positive / (energies(z_anchor) * energies(z_pos))).mean())


def by_definition(problem: Problem, h: np.ndarray, vectors: Labelled) -> float:
    gram, normaliser = h @ h.T / problem.temperature, float(problem.reduction().normaliser)
    share = evaluate(problem.loss, vectors, lambda anchors: gram[anchors], normaliser, block=5)
    assert share.floor == 0
    return float(share.excess)


def unit(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    z = rng.normal(size=shape)
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def mean_gram(problem: Problem, z: np.ndarray) -> OrbitMatrix:
    """The mean of the views' own Gram matrices, averaged over what groups exchange, classes on a point."""
    gram = np.einsum("aid,ajd->ij", z, z) / len(z)
    nodes = problem.reduction().nodes
    if nodes.unit == "sample":
        count = len(gram)
        off = (gram.sum() - np.trace(gram)) / (count * (count - 1))
        return OrbitMatrix(
            nodes.multiplicity, np.full((1, 1, 1), np.trace(gram) / count), np.full((1, 1), off)
        )
    sizes = np.array(problem.counts.apart().sizes)
    onto = np.repeat(np.eye(len(sizes)), sizes, axis=1) / np.repeat(sizes, sizes)
    own = np.array([np.diag(gram)[row > 0].mean() for row in onto])
    return OrbitMatrix(np.ones(len(sizes)), own[:, None, None], onto @ gram @ onto.T)


CASES = [(Dhel(), 2), (Dhel(energy=2.0), 2), (Dhel("other-classes"), 2), (Dhel("other-classes", 0.7), 3)]


@pytest.mark.parametrize(("loss", "views"), CASES)
def test_the_program_is_the_loss_where_views_coincide_and_below_it_elsewhere(loss: Dhel, views: int) -> None:
    counts, tau, rng = [4, 3, 2], 0.4, np.random.default_rng(1)
    labels = np.repeat(np.arange(3), counts)
    problem = Problem(counts, loss, tau, views=views)
    level = "groups" if loss.negatives == "all" else "classes"
    program, seen = problem.program(level), labels if loss.negatives == "other-classes" else None
    vectors = Labelled.features(np.repeat(labels, views), views)
    for _ in range(4):
        z = unit((views, 9, 5), rng)
        value = naive(z, seen, tau, loss.energy)
        flat = z.transpose(1, 0, 2).reshape(-1, 5)  # sample by sample with its views
        assert by_definition(problem, flat, vectors) == pytest.approx(value, rel=1e-12)
        assert program.value(mean_gram(problem, z)) <= value + 1e-12
    simplex = 9 * np.eye(9) / 8 - 1 / 8
    one = np.linalg.cholesky(simplex + 1e-15 * np.eye(9)) if seen is None else unit((3, 5), rng)[labels]
    z = np.repeat(one[None], views, axis=0)
    value = naive(z, seen, tau, loss.energy)
    assert program.value(mean_gram(problem, z)) == pytest.approx(value, rel=1e-12)
    samples = np.arange(9)
    ones = np.full(9, views)
    assert by_definition(problem, one, Labelled(labels, samples, ones, ones)) == pytest.approx(
        value, rel=1e-12
    )


def test_twice_the_energy_is_the_authors_code() -> None:
    z = unit((2, 7, 4), np.random.default_rng(0))
    flat = z.transpose(1, 0, 2).reshape(-1, 4)
    problem = Problem([7], Dhel(energy=2.0), 0.3, views=2)
    vectors = Labelled.features(np.zeros(14, dtype=int), 2)
    assert by_definition(problem, flat, vectors) == pytest.approx(authors_code(z[0], z[1], 0.3), rel=1e-12)


@pytest.mark.parametrize("energy", [1.0, 2.0])
@pytest.mark.parametrize("counts", [[9], [5, 3, 1], [2]])
def test_samples_stand_on_a_simplex_without_labels(counts: list[int], energy: float) -> None:
    n, tau = sum(counts), 0.5
    found = solve(Problem(counts, Dhel(energy=energy), tau, views=2))
    expected = -1 / tau + energy * (np.log(n - 1) - 1 / (n - 1) / tau)
    assert found.relative_gap() <= 1e-9
    assert found.value == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(found.gram, (n * np.eye(n) - 1) / (n - 1), atol=1e-5)
    assert found.labels.tolist() == np.repeat(np.arange(len(counts)), counts).tolist()


def test_equal_classes_stand_on_a_simplex_with_labels() -> None:
    k, n, tau = 4, 6, 0.3
    found = solve(Problem([n] * k, Dhel("other-classes"), tau, Ball(), views=2))
    assert found.value == pytest.approx(-1 / tau + np.log(n * (k - 1)) - 1 / (k - 1) / tau, rel=1e-9)
    np.testing.assert_allclose(found.gram, (k * np.eye(k) - 1) / (k - 1), atol=1e-5)


@pytest.mark.parametrize("loss", [Dhel("other-classes"), Dhel("other-classes", 2.0), Dhel()])
def test_levels_and_solvers_agree(loss: Dhel) -> None:
    problem = Problem([6, 6, 3, 1], loss, 0.5, views=2)
    first = solve(problem)
    assert first.relative_gap() <= 1e-9
    others = [solve(problem, "barrier"), solve(problem, "low_rank", "classes"), solve(problem, "clarabel")]
    for other in others:
        assert other.value == pytest.approx(first.value, rel=1e-6)
        assert other.lower_bound() <= first.value + 1e-9
        np.testing.assert_allclose(others[1].gram, first.gram, atol=1e-3)


def test_a_descent_from_random_views_ends_no_lower() -> None:
    from scipy.optimize import minimize

    rng, labels = np.random.default_rng(3), np.array([0, 0, 1, 2])
    problem = Problem([2, 1, 1], Dhel("other-classes"), 0.5, views=2)

    def loss(x: np.ndarray) -> float:
        z = x.reshape(2, 4, 3)
        return naive(z / np.linalg.norm(z, axis=-1, keepdims=True), labels, 0.5, 1.0)

    ends = [minimize(loss, rng.normal(size=24)).fun for _ in range(3)]
    found = solve(problem)
    assert min(ends) >= found.lower_bound() - 1e-9
    assert min(ends) == pytest.approx(found.value, rel=1e-6)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="attracts views of a sample; give views=2"):
        Problem([5, 5], "dhel")
    with pytest.raises(InputError, match="one sample only"):
        Problem([1], "dhel", views=2)
    with pytest.raises(InputError, match="one class only: dhel with negatives=other-classes"):
        Problem([5], "dhel:negatives=other-classes", views=2)
    with pytest.raises(InputError, match="no finite optimum with a ridge"):
        Problem([5, 5], "dhel", views=2, norm=Ridge(0.1))
    with pytest.raises(InputError, match="sees no classes; give equal counts"):
        Problem([5, 4], "dhel", views=2, norm=MeanSquare(1.0))
    with pytest.raises(InputError, match=r"energy -1\.0 must be a positive finite number"):
        Problem([5, 5], "dhel:energy=-1", views=2)
    with pytest.raises(InputError, match="must be one of: all, other-classes"):
        Problem([5, 5], "dhel:negatives=none", views=2)
    with pytest.raises(InputError, match="has no program by samples"):
        Problem([5, 5], "dhel", views=2).program("samples")


def test_it_is_what_the_command_line_says() -> None:
    problem = Problem([5, 5], "dhel:negatives=other-classes,energy=2", views=2)
    assert problem.loss == Dhel("other-classes", 2.0)
    assert Problem.from_statement(problem.statement()) == problem
    assert losses.statement_of(Dhel()) == {"name": "dhel", "negatives": "all", "energy": "1"}
