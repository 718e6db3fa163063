"""Descent on free features: the loss by its definition, the optima by closed forms and scans."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import minimize

from relax.descent import descend, match
from relax.errors import InputError
from relax.geometry import simplex_etf_gram
from relax.problem import Ball, Problem, Ridge, Sphere


def loss_by_definition(features: np.ndarray, labels: Sequence[int], temperature: float) -> float:
    """The mean over anchors of the mean over positives of log Σ_l exp((G_il − G_ij)/τ), term by term."""
    n = len(labels)
    gram = [[math.fsum(a * b for a, b in zip(u, v, strict=True)) for v in features] for u in features]
    per_anchor = []
    for i in range(n):
        positives = [j for j in range(n) if j != i and labels[j] == labels[i]]
        rows = []
        for j in positives:
            exponents = [(gram[i][m] - gram[i][j]) / temperature for m in range(n) if m != i]
            top = max(exponents)
            rows.append(top + math.log(math.fsum(math.exp(x - top) for x in exponents)))
        if positives:
            per_anchor.append(math.fsum(rows) / len(positives))
    return math.fsum(per_anchor) / len(per_anchor)


def loss_of_classes(gram: np.ndarray, counts: Sequence[int], temperature: float) -> float:
    """Formula (C) of the theory, with a diagonal that need not be one."""
    k, anchors = len(counts), sum(n for n in counts if n >= 2)
    total = 0.0
    for c in range(k):
        if counts[c] >= 2:
            others = (
                counts[b] * math.exp((gram[c, b] - gram[c, c]) / temperature) for b in range(k) if b != c
            )
            total += counts[c] * math.log(counts[c] - 1 + math.fsum(others))
    return total / anchors


def infimum(counts: Sequence[int]) -> float:
    return sum(n * math.log(n - 1) for n in counts if n >= 2) / sum(n for n in counts if n >= 2)


def on_circle(angles: np.ndarray) -> np.ndarray:
    """The Gram matrix of unit vectors of the plane, the first at angle zero."""
    turned = np.concatenate([[0.0], angles])
    return np.cos(turned[:, None] - turned)


def lowest_on_the_circle(
    counts: Sequence[int], temperature: float, starts: Sequence[Sequence[float]], at: Sequence[int]
) -> list[tuple[float, np.ndarray]]:
    """Minimise (C) over angles from each start; class c stands at direction at[c]. Lowest first."""

    def gram(angles: np.ndarray) -> np.ndarray:
        return on_circle(angles)[np.ix_(at, at)]

    options = {"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000}
    ends = [
        minimize(
            lambda x: loss_of_classes(gram(x), counts, temperature),
            start,
            method="Nelder-Mead",
            options=options,
        )
        for start in starts
    ]
    return sorted(((float(end.fun), gram(end.x)) for end in ends), key=lambda pair: pair[0])


DEFINITIONS = [
    Problem([3, 2, 4]),
    Problem([2, 5, 1, 2, 1], temperature=0.3),
    Problem([3, 3], temperature=0.001),
    Problem([2, 3, 2], temperature=5.0, norm=Ball()),
    Problem([2, 3, 1], temperature=0.2, norm=Ridge(0.01)),
    Problem([1, 2, 1], temperature=0.2, views=2),
]


@pytest.mark.parametrize("level", ["samples", "classes"])
@pytest.mark.parametrize("problem", DEFINITIONS, ids=lambda problem: f"{problem.counts} {problem.norm}")
def test_losses_by_definition(problem: Problem, level: str) -> None:
    seen = problem.effective_counts
    counts = [seen.sizes[a] for a in seen.group_of_class()]
    labels = [c for c, n in enumerate(counts) for _ in range(n)]
    # one iteration ends anywhere, so these are no special features
    descent = descend(problem, 3, starts=4, level=level, max_iterations=1)
    for start in range(4):
        features = descent.features[start]
        samples = features if level == "samples" else features[labels]
        expected = loss_by_definition(samples, labels, problem.temperature)
        if isinstance(problem.norm, Ridge):
            expected += problem.norm.weight / 2 * float((samples**2).sum())
        assert descent.losses[start] == pytest.approx(expected, rel=1e-12)
        assert descent.excesses[start] == pytest.approx(expected - infimum(counts), rel=1e-11)
    assert descent.labels.tolist() == (labels if level == "samples" else list(range(len(counts))))
    norms = np.linalg.norm(descent.features, axis=2)
    if isinstance(problem.norm, Sphere):
        np.testing.assert_allclose(norms, 1, atol=1e-14)
    if isinstance(problem.norm, Ball):
        assert norms.max() <= 1 + 1e-14


@pytest.mark.parametrize("norm", [Sphere(), Ridge(0.02)])
def test_gradient_norms_by_finite_differences(norm: Sphere | Ridge) -> None:
    counts, labels = [3, 2, 1], [0, 0, 0, 1, 1, 2]
    descent = descend(Problem(counts, temperature=0.4, norm=norm), 2, starts=2, max_iterations=3)

    def log_excess(features: np.ndarray) -> float:
        if isinstance(norm, Sphere):
            features = features / np.linalg.norm(features, axis=1, keepdims=True)
        ridge = norm.weight / 2 * float((features**2).sum()) if isinstance(norm, Ridge) else 0.0
        return math.log(loss_by_definition(features, labels, 0.4) + ridge - infimum(counts))

    for start in range(2):
        squares = []
        for i, j in itertools.product(range(6), range(2)):
            step = np.zeros((6, 2))
            step[i, j] = 1e-5
            at = descent.features[start]
            squares.append(((log_excess(at + step) - log_excess(at - step)) / 2e-5) ** 2)
        assert descent.gradient_norms[start] == pytest.approx(math.sqrt(math.fsum(squares)), rel=1e-6)


BALANCED = [
    pytest.param(2, 6, 0.1, 1, marks=pytest.mark.slow),
    *[(3, 8, 0.1, 0), (4, 10, 0.1, 0), (4, 5, 0.5, 2), (5, 4, 2.0, 0), (3, 4, 0.3, 0)],
]


@pytest.mark.parametrize("norm", [Sphere(), Ball()])
@pytest.mark.parametrize(("k", "size", "temperature", "spare"), BALANCED)
def test_balanced_counts_end_at_the_simplex(
    k: int, size: int, temperature: float, spare: int, norm: Sphere | Ball
) -> None:
    descent = descend(Problem([size] * k, temperature=temperature, norm=norm), k - 1 + spare, starts=4)
    tail = (k - 1) * size * math.exp(-k / (k - 1) / temperature) / (size - 1)
    value = math.log(size - 1) + math.log1p(tail)
    found = match(descent, simplex_etf_gram(k), value)
    assert found.agrees.all()
    assert found.residuals.max() < 1e-5
    assert descent.converged.all()
    # the loss gap would not notice another geometry here: the excess itself may be 1e-9
    np.testing.assert_allclose(descent.excesses, math.log1p(tail), rtol=1e-9)
    assert descent.within_class_spread(descent.best) < 1e-6


def test_excess_is_resolved_far_below_the_rounding_of_the_loss() -> None:
    descent = descend(Problem([50, 50, 50], temperature=0.01), 2, starts=4, level="classes")
    np.testing.assert_allclose(descent.excesses, 100 / 49 * math.exp(-150), rtol=1e-9)
    assert np.abs(descent.class_gram(descent.best) - simplex_etf_gram(3)).max() < 1e-6


def test_an_excess_below_float64_does_not_count_as_converged() -> None:
    descent = descend(Problem([50, 50], temperature=1e-3), 1, starts=8, level="classes")
    vanished = descent.excesses < 1e-290
    assert vanished.any()
    assert not descent.converged[vanished].any()


THREE_WAYS = [(2.0, 4.0), (4.0, 2.0), (1.0, 5.0), (3.0, 3.5)]
UP_TO_THREE_POINTS = [
    # counts, temperature, and the direction of each class: two classes of one sample share theirs
    ([12, 6, 3], 0.2, [0, 1, 2]),
    ([3, 9, 20], 1.0, [0, 1, 2]),
    ([6, 3, 1, 1], 0.5, [0, 1, 2, 2]),
    ([1, 5, 1, 8, 1], 0.3, [0, 1, 0, 2, 0]),
]


@pytest.mark.parametrize(("counts", "temperature", "at"), UP_TO_THREE_POINTS)
def test_three_points_end_where_a_scan_of_the_circle_ends(
    counts: list[int], temperature: float, at: list[int]
) -> None:
    value, gram = lowest_on_the_circle(counts, temperature, THREE_WAYS, at)[0]
    descent = descend(Problem(counts, temperature=temperature), 4, starts=4)
    assert match(descent, gram, value).agrees.all()
    np.testing.assert_allclose(descent.class_gram(descent.best), gram, atol=1e-5)


def step_optimum(
    k_major: int, k_minor: int, n_major: int, n_minor: int, temperature: float
) -> tuple[float, float, float, float]:
    """Minimise section 4's loss in α and β; return the value, α, β and γ."""

    def evaluate(x: np.ndarray) -> tuple[float, float, float, float]:
        alpha, beta = float(x[0]), float(x[1])
        product = (1 + (k_major - 1) * alpha) * (1 + (k_minor - 1) * beta) / (k_major * k_minor)
        gamma = -math.sqrt(max(product, 0))
        a, b, c = (math.exp((entry - 1) / temperature) for entry in (alpha, beta, gamma))
        major = n_major - 1 + (k_major - 1) * n_major * a + k_minor * n_minor * c
        minor = n_minor - 1 + (k_minor - 1) * n_minor * b + k_major * n_major * c
        samples = k_major * n_major + k_minor * n_minor
        value = (k_major * n_major * math.log(major) + k_minor * n_minor * math.log(minor)) / samples
        return value, alpha, beta, gamma

    end = minimize(
        lambda x: evaluate(x)[0],
        [-0.1, 0.1],
        method="Nelder-Mead",
        bounds=[(-1 / (k_major - 1), 1), (-1 / (k_minor - 1), 1)],
        options={"xatol": 1e-9, "fatol": 1e-15},
    )
    return evaluate(end.x)


@pytest.mark.parametrize("level", ["samples", "classes"])
@pytest.mark.parametrize("temperature", [0.2, 0.5, 1.0])
def test_step_counts_end_at_the_two_unknown_form(temperature: float, level: str) -> None:
    value, alpha, beta, gamma = step_optimum(2, 2, 12, 3, temperature)
    is_major = np.array([True, False, False, True])
    gram = np.where(is_major[:, None] & is_major, alpha, np.where(is_major[:, None] | is_major, gamma, beta))
    np.fill_diagonal(gram, 1)
    descent = descend(Problem([12, 3, 3, 12], temperature=temperature), 3, starts=4, level=level)
    assert descent.converged.all()
    assert match(descent, gram, value).agrees.all()


def test_ridge_ends_where_two_free_lengths_end() -> None:
    counts, temperature, weight = (5, 2), 0.5, 0.01

    def value(lengths: np.ndarray) -> float:
        vectors = np.array([lengths[0], -lengths[1]])
        ridge = weight / 2 * sum(n * v * v for n, v in zip(counts, vectors, strict=True))
        return loss_of_classes(np.outer(vectors, vectors), counts, temperature) + ridge

    end = minimize(value, [1.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15})
    gram = np.outer(end.x * [1, -1], end.x * [1, -1])
    for level in ("samples", "classes"):
        descent = descend(
            Problem(counts, temperature=temperature, norm=Ridge(weight)), 2, starts=4, level=level
        )
        assert match(descent, gram, float(end.fun)).agrees.all()


def test_ball_reaches_its_interior() -> None:
    # a class of one sample is only repelled, and equally from both ends of the interval
    descent = descend(Problem([4, 4, 1], temperature=0.5, norm=Ball()), 1, starts=8)
    expected = [[1, -1, 0], [-1, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(descent.class_gram(descent.best), expected, atol=1e-6)


@pytest.mark.parametrize(("counts", "dim"), [([4, 4, 1], 1), ([3, 3, 2, 2], 1), ([3, 3, 1, 1], 2)])
def test_convergence_in_the_ball_is_first_order_stationarity(counts: list[int], dim: int) -> None:
    labels = [c for c, n in enumerate(counts) for _ in range(n)]
    descent = descend(Problem(counts, temperature=0.5, norm=Ball()), dim, starts=6)
    assert descent.converged.any()
    for features in descent.features[descent.converged]:
        gradient = np.zeros_like(features)
        for i, j in itertools.product(range(len(labels)), range(dim)):
            step = np.zeros_like(features)
            step[i, j] = 1e-5
            rise = loss_by_definition(features + step, labels, 0.5) - loss_by_definition(
                features - step, labels, 0.5
            )
            gradient[i, j] = rise / 2e-5
        moved = features - gradient
        back = moved / np.maximum(1, np.linalg.norm(moved, axis=1, keepdims=True))
        np.testing.assert_allclose(back, features, atol=1e-6)


def test_the_plane_holds_two_local_minima_of_four_classes() -> None:
    counts, temperature = [6, 6, 2, 2], 0.2
    descent = descend(Problem(counts, temperature=temperature), 2)
    assert descent.converged.all()
    high, low = float(descent.losses.max()), float(descent.losses.min())
    assert high > low + 1e-3
    assert (np.minimum(descent.losses - low, high - descent.losses) < 1e-9).all()
    starts = list(itertools.product((0.1, 2.2, 4.3), repeat=3))
    scanned = np.array(
        [value for value, _ in lowest_on_the_circle(counts, temperature, starts, [0, 1, 2, 3])]
    )
    assert scanned[0] == pytest.approx(low, abs=1e-9)
    assert np.abs(scanned - high).min() < 1e-9


def test_the_seed_decides_the_starts() -> None:
    problem = Problem([3, 2], temperature=0.5)
    first, again, other = (descend(problem, 2, starts=3, seed=seed, max_iterations=2) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.features, again.features)
    assert first.evaluations == again.evaluations
    assert np.abs(first.features - other.features).max() > 0.1
    assert np.ptp(first.features, axis=0).max() > 0.1


def test_many_starts_are_searched_in_groups() -> None:
    problem = Problem([150, 150, 100], temperature=0.5)  # thirteen starts of 400 features to a group
    descent = descend(problem, 2, starts=14, max_iterations=1)
    assert descent.features.shape == (14, 400, 2)
    first = descend(problem, 2, starts=13, max_iterations=1)
    np.testing.assert_array_equal(descent.features[:13], first.features)
    np.testing.assert_array_equal(descent.excesses[:13], first.excesses)
    assert descent.evaluations > first.evaluations


def test_too_few_iterations_do_not_count_as_converged() -> None:
    descent = descend(Problem([5, 5, 5]), 2, starts=4, max_iterations=3)
    assert not descent.converged.any()
    assert 3 <= descent.evaluations < 30


def test_evaluations_stay_as_few_as_they_are() -> None:
    # torch's L-BFGS drops curvature once gradients are small: 6,700 evaluations here before they were scaled
    problem = Problem([5, 10, 20], temperature=0.5, norm=Ridge(1e-4))
    descent = descend(problem, 3, starts=4)
    assert descent.converged.all()
    assert descent.evaluations < 1000
    sphere, ball = (Problem([5, 10, 20], norm=norm) for norm in (Sphere(), Ball()))
    on_sphere, in_ball = (descend(problem, 2, starts=4).evaluations for problem in (sphere, ball))
    assert on_sphere < in_ball < 1000


@pytest.mark.parametrize(("counts", "nodes"), [([300, 300], 600), ([301, 300], 2)])
def test_auto_takes_samples_up_to_six_hundred(counts: list[int], nodes: int) -> None:
    assert descend(Problem(counts), 1, starts=1, max_iterations=1).features.shape == (1, nodes, 1)


REFUSED = [
    ({"dim": 0}, r"^dim = 0 must be at least 1$"),
    ({"starts": 0}, r"^starts = 0 must be at least 1$"),
    ({"max_iterations": 0}, r"^max_iterations = 0 must be at least 1$"),
    ({"level": "sample"}, r"^level 'sample' must be 'auto', 'samples' or 'classes'$"),
    ({"device": "abacus"}, r"^device 'abacus' holds no float64 tensors here; give device='cpu'$"),
    ({"device": "meta:0:0"}, r"^device 'meta:0:0' holds no float64"),
    (
        {"problem": Problem({5: 10**5})},
        r"^the Gram matrix of 100000 features is too large for descent; take fewer",
    ),
    (
        {"problem": Problem({10**5: 2}), "level": "samples"},
        r"of 200000 features is .*; take fewer samples, or level='classes'$",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_descend_refuses(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        descend(**({"problem": Problem([3, 3]), "dim": 2} | arguments))
