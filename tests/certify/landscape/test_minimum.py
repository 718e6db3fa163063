"""Proven minima and saddles against formulas of their own, and what must never be proven."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certify.landscape import ProvenMinimum, prove_minimum, prove_saddle
from relax import Ball, InputError, MeanSquare, Problem, Ridge, solve
from tests.certify.landscape.oracles import (
    Ring,
    angles_of,
    gradient_and_hessian,
    loss_of_angles,
    mp,
    riemannian_spectrum,
    ring_spectrum,
    spectrum_modulo_rotation,
    wound,
)
from tests.certify.landscape.seeds import (
    circle,
    descended,
    labels_of,
    loss_and_gradient,
    shattered,
    stray,
)


def within(number: object, interval: tuple[str, str] | None, slack: float = 0.0) -> bool:
    assert interval is not None
    low, high = map(mp.mpf, interval)
    return bool(low - slack <= number <= high + slack)


def tangents_fall_nowhere(found: ProvenMinimum, counts: list[int], tau: float, size: float) -> bool:
    """Whether no perturbation of a proven minimum that was tried has a smaller loss."""
    rng, y = np.random.default_rng(0), labels_of(counts)
    assert found.loss is not None
    for _ in range(300):
        h = found.features + size * rng.random() * rng.normal(size=found.features.shape)
        value = loss_and_gradient(h / np.linalg.norm(h, axis=1, keepdims=True), y, tau)[0]
        if value < float(found.loss[0]) - 1e-13:
            return False
    return True


def test_the_stray_sample() -> None:
    start = circle([0.0] * 9 + [180.0] + [51.0851] * 10 + [-51.0851] * 10)
    began = time.monotonic()
    found = prove_minimum(start, Problem([10] * 3, temperature=0.1))
    assert time.monotonic() - began < 10
    assert found.proven, found.reason
    assert found.worse_by is not None and found.loss is not None and found.curvature is not None
    assert 0.81592 < float(found.worse_by) < 0.815924
    assert 0.0845 < float(found.curvature) < 0.08463077
    assert float(found.alone or 0) > 1e-6
    assert found.optimum == (found.certificate.lower, found.certificate.upper) if found.certificate else False
    labels = labels_of([10] * 3).tolist()
    value = loss_of_angles(angles_of(found.features), labels, "0.1")
    assert within(value, found.loss, 1e-25)  # the loss moves by the square of the radius
    assert found.negative == tuple(range(10))
    assert tangents_fall_nowhere(found, [10] * 3, 0.1, 1e-3)


@pytest.mark.parametrize(("n", "tau"), [(3, "0.1"), pytest.param(4, "0.15", marks=pytest.mark.slow)])
def test_derivatives_at_fifty_digits(n: int, tau: str) -> None:
    found = prove_minimum(stray(n, float(tau)), Problem([n] * 3, temperature=float(tau)))
    assert found.proven, found.reason
    labels = labels_of([n] * 3).tolist()
    gradient, _ = gradient_and_hessian(found.features, labels, tau)
    lowest = spectrum_modulo_rotation(found.features, labels, tau)[0]
    assert max(map(abs, gradient)) < 100 * float(found.radius or 1)
    assert 0.99 * lowest < float(found.curvature or 0) <= lowest


@pytest.mark.parametrize("tau", [pytest.param(0.2, marks=pytest.mark.slow), 1.0])
def test_two_minima_below_the_rank_of_the_optimum(tau: float) -> None:
    counts, rng, values = [6, 6, 2, 2], np.random.default_rng(0), {}
    while len(values) < 2:
        h = descended(rng.normal(size=(16, 2)), counts, tau)
        values[round(loss_and_gradient(h, labels_of(counts), tau)[0], 6)] = h
    best, bad = (values[value] for value in sorted(values))
    problem = Problem(counts, temperature=tau)
    first, second = prove_minimum(best, problem, better=bad), prove_minimum(bad, problem, better=best)
    assert first.proven and first.worse_by is None  # the features given are no better
    assert second.proven and second.worse_by is not None and second.better is not None
    assert second.certificate is not None and second.certificate.rank > 2
    difference = sorted(values)[1] - sorted(values)[0]
    assert float(second.worse_by) == pytest.approx(difference, abs=2e-6)
    assert tangents_fall_nowhere(second, counts, tau, 1e-3)


@pytest.mark.parametrize(
    ("counts", "dim", "tau", "seed", "alone"),
    [
        ([12, 6, 3], 4, 0.1, 0, 1),
        pytest.param([10] * 3, 3, 0.05, 0, 0, marks=pytest.mark.slow),
        pytest.param([10] * 3, 4, 0.05, 2, 0, marks=pytest.mark.slow),
    ],
)
def test_shattered_classes(counts: list[int], dim: int, tau: float, seed: int, alone: int) -> None:
    start = shattered(counts, dim, tau, seed, alone)
    found = prove_minimum(start, Problem(counts, temperature=tau), alone=False)
    assert found.proven, found.reason
    assert float(found.worse_by or 0) > 0.5 and found.negative
    assert np.linalg.matrix_rank(found.features, 1e-3) == dim
    values = riemannian_spectrum(found.features, labels_of(counts), tau)
    turns = dim * (dim - 1) // 2
    assert np.abs(values[:turns]).max() < 1e-9
    assert 0.99 * values[turns] < float(found.curvature or 0) <= values[turns] * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("dim", [5, 6])
def test_shattered_classes_in_more_dimensions(dim: int) -> None:
    found = prove_minimum(shattered([10] * 3, dim, 0.05, 0), Problem([10] * 3, temperature=0.05), alone=False)
    assert found.proven and float(found.worse_by or 0) > 1


def test_a_planted_bad_minimum_of_a_loss_from_outside() -> None:
    n, tau = 9, 0.5
    found = prove_minimum(wound(n), Problem([n], Ring()))
    assert found.proven, found.reason
    value = mp.exp((1 - mp.cos(2 * mp.pi / n)) / mp.mpf(tau))
    assert within(value, found.loss)
    lowest = ring_spectrum(n, 1, tau)[0]
    assert 0.99 * lowest < float(found.curvature or 0) <= lowest
    assert float(found.worse_by or 0) == pytest.approx(float(value - 1), abs=1e-4)
    assert not prove_saddle(wound(n), Problem([n], Ring())).proven


def test_a_ring_that_is_wound_too_tightly_is_a_saddle() -> None:
    lowest = ring_spectrum(7, 2, 0.5)[0]
    found = prove_saddle(wound(7, 2), Problem([7], Ring()))
    assert found.proven, found.reason
    assert lowest <= float(found.curvature or 0) <= 0.99 * lowest < 0
    assert not prove_minimum(wound(7, 2), Problem([7], Ring())).proven


def test_a_saddle_is_no_minimum_and_a_minimum_no_saddle() -> None:
    saddle = stray(4, 0.1)
    problem = Problem([4] * 3, temperature=0.1)
    assert not prove_saddle(saddle, problem).proven
    lifted = np.column_stack([saddle, np.zeros(12)])  # in space the stray sample comes home
    assert not prove_minimum(lifted, problem).proven
    found = prove_saddle(lifted, problem)
    assert found.proven, found.reason
    lowest = riemannian_spectrum(found.features, labels_of([4] * 3), 0.1)[0]
    assert lowest <= float(found.curvature or 0) <= 0.99 * lowest < 0
    along = np.zeros((12, 3))
    along[3, 2] = 1.0
    given = prove_saddle(lifted, problem, along)
    assert given.proven and lowest <= float(given.curvature or 0) < 0
    with pytest.raises(InputError, match="direction"):
        prove_saddle(lifted, problem, along[:, :2])


def test_a_direction_has_its_samples_where_the_features_have_them() -> None:
    start, order = np.column_stack([stray(3, 0.1), np.zeros(9)]), np.array([3, 0, 6, 2, 7, 4, 1, 8, 5])
    problem, along = Problem([3] * 3, temperature=0.1), np.zeros((9, 3))
    along[2, 2] = 1.0  # the stray sample leaves the plane
    labels = np.repeat(["b", "c", "a"], 3)
    plain = prove_saddle(start, problem, along, alone=False)
    mixed = prove_saddle(start[order], problem, along[order], labels[order], alone=False)
    assert plain.proven and mixed.proven, mixed.reason
    assert float(mixed.curvature or 0) == pytest.approx(float(plain.curvature or 1), rel=1e-4)


def test_a_start_a_millionth_away_is_near_enough() -> None:
    problem, start = Problem([4] * 3, temperature=0.1), stray(4, 0.1)
    moved = start + 1e-6 * np.random.default_rng(1).normal(size=start.shape)
    first, second = prove_minimum(start, problem), prove_minimum(moved, problem)
    assert first.proven and second.proven
    gram = [found.features @ found.features.T for found in (first, second)]
    assert np.abs(gram[0] - gram[1]).max() < 1e-12


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_labels_may_stand_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(11)
    start, labels = descended(np.repeat(circle([0, 110, 230]), [5, 3, 3], axis=0), [5, 3, 3], 0.5), []
    labels = np.repeat(["b", "c", "a"], [5, 3, 3])
    found = prove_minimum(start[order], Problem([5, 3, 3], temperature=0.5), labels[order], alone=False)
    assert found.proven, found.reason
    plain = prove_minimum(start, Problem([5, 3, 3], temperature=0.5), alone=False)
    assert found.loss is not None and plain.loss is not None
    assert Decimal(found.loss[0]) <= Decimal(plain.loss[1]) and Decimal(plain.loss[0]) <= Decimal(
        found.loss[1]
    )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_random_points_are_never_proven_falsely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = [[5, 3], [3, 3, 2], [4, 1, 1], [2, 2, 2]][rng.integers(4)]
    dim, tau = int(rng.integers(1, 5)), float(rng.choice([0.05, 0.3, 1.0, 10.0]))
    start = rng.normal(size=(sum(counts), dim))
    if rng.random() < 0.5:
        start = descended(start, counts, tau, steps=int(rng.integers(1, 300)))
    problem = Problem(counts, temperature=tau)
    minimum, saddle = prove_minimum(start, problem, alone=False), prove_saddle(start, problem, alone=False)
    assert not (minimum.proven and saddle.proven)
    if not (minimum.proven or saddle.proven):
        return
    values = riemannian_spectrum((minimum if minimum.proven else saddle).features, labels_of(counts), tau)
    live = int(np.any(minimum.features != 0, axis=0).sum())
    turns = sum(1 for a in range(live) for _ in range(a + 1, dim))
    if saddle.proven:
        assert values[0] < 0
    else:
        assert values[0] > -1e-9 and values[turns] > 0
        assert tangents_fall_nowhere(minimum, counts, tau, 1e-4)


@pytest.mark.parametrize(
    ("problem", "dim"),
    [
        pytest.param(Problem([4, 4, 3], temperature=0.3), 2, marks=pytest.mark.slow),
        (Problem([4, 4, 3], temperature=0.3), 5),
        (Problem([3, 2], temperature=0.3), 7),  # d > n: the optimum does not use them
        (Problem([4, 3], temperature=0.3, norm=Ball()), 3),
        pytest.param(Problem([4, 3], temperature=2.0, norm=Ball(2.0)), 2, marks=pytest.mark.slow),
        (Problem([4, 4, 3], temperature=0.3, norm=Ridge(0.05)), 3),
        pytest.param(Problem([4, 1, 3, 1], temperature=0.5), 2, marks=pytest.mark.slow),
        pytest.param(Problem([3, 2], "negatives-only", temperature=0.3, views=2), 2, marks=pytest.mark.slow),
        (Problem([3, 2], "negatives-only:positives_weight=0.5", temperature=0.3, views=2), 2),
        (Problem([4, 3], "ntxent-labels", temperature=0.3), 2),
        (Problem([2, 2], "self-supervised", temperature=0.3, views=2), 3),
    ],
    ids=str,
)
def test_the_optimum_is_a_minimum_and_not_bad(problem: Problem, dim: int) -> None:
    from relax.descent import descend

    ended = descend(problem, dim, starts=6, level="samples", seed=1)
    found = prove_minimum(ended.features[ended.losses.argmin()], problem)
    assert found.proven, found.reason
    assert found.loss is not None and found.certificate is not None
    assert found.worse_by is None
    assert Decimal(found.loss[1]) >= Decimal(found.certificate.lower or "-1e9")
    if found.certificate.rank <= dim:
        assert Decimal(found.loss[0]) <= Decimal(found.certificate.upper)


def test_a_point_of_the_sphere_is_none_of_the_ball() -> None:
    found = prove_minimum(stray(4, 0.1), Problem([4] * 3, temperature=0.1, norm=Ball()))
    assert not found.proven
    assert "multiplier" in found.reason


@pytest.mark.parametrize(
    ("problem", "word"),
    [
        (Problem([5, 3], "kernel"), "convex"),
        (Problem([5, 3], "supcon-in"), "convex"),
        (Problem([5, 3], "supcon-temperatures"), "convex"),
        (Problem([5, 3], "supcon:batch_size=4"), "by samples"),
        (Problem([5, 3], "cross-entropy"), "by samples"),
        (Problem([5, 3], nonnegative=True), "non-negative"),
        (Problem([5, 3], norm=MeanSquare(1.0)), "sphere"),
    ],
    ids=str,
)
def test_what_no_proof_is_for(problem: Problem, word: str) -> None:
    with pytest.raises(InputError, match=word):
        prove_minimum(np.eye(8), problem)


def test_what_does_not_fit() -> None:
    problem = Problem([4, 4], temperature=0.3)
    with pytest.raises(InputError, match="8 samples"):
        prove_minimum(np.eye(7), problem)
    with pytest.raises(InputError, match="too many"):
        prove_minimum(np.eye(400), Problem([200, 200]))
    with pytest.raises(InputError, match="dimensions"):
        start = np.repeat(solve(problem).embedding(2), 4, axis=0)
        prove_minimum(start, problem, better=np.ones((8, 3)))


def test_undecided_has_a_reason_and_no_file(tmp_path: object) -> None:
    found = prove_minimum(circle([0, 0, 0, 0, 180, 180, 180, 180.0]) @ np.eye(2, 1), Problem([4, 4]))
    assert (found.verdict, found.loss, found.multipliers) == ("UNDECIDED", None, ())
    assert "UNDECIDED" in repr(found) and found.words == found.reason
    with pytest.raises(InputError, match="nothing is proven"):
        found.save(f"{tmp_path}/no.json")
