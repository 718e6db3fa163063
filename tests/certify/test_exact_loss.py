"""The loss of given features against a plain loop at 60 digits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from certify.balls import factored, prove
from certify.features.exact_loss import loss_of_features
from relax import Ball, Problem, Ridge, Sphere, solve
from relax.errors import InputError
from relax.problem import Norm
from tests.certify import dense

mp = dense.mp


def plain_loop(features: np.ndarray, labels: list[Any], tau: Fraction, norm: Norm) -> Any:
    h = [[dense.real(x) for x in row] for row in features.tolist()]
    paid = mp.mpf(0)
    for i, row in enumerate(h):
        length = mp.sqrt(mp.fsum(x * x for x in row))
        if isinstance(norm, Sphere) or (isinstance(norm, Ball) and length > 1):
            h[i] = [x / length for x in row]
        if isinstance(norm, Ridge):
            paid += dense.real(Fraction(repr(norm.weight))) / 2 * length**2
    terms = []
    for i, own in enumerate(h):
        others = [j for j in range(len(h)) if j != i]
        x = {j: mp.fsum(a * b for a, b in zip(own, h[j], strict=True)) / dense.real(tau) for j in others}
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            log_sum = mp.log(mp.fsum(mp.exp(x[j]) for j in others))
            terms.append(log_sum - mp.fsum(x[j] for j in positives) / len(positives))
    return mp.fsum(terms) / len(terms) + paid


@settings(max_examples=60)
@given(
    labels=st.lists(st.sampled_from("abcd"), min_size=3, max_size=8).filter(
        lambda y: 1 < len(set(y)) < len(y)
    ),
    tau=st.sampled_from([0.01, 0.07, 0.5, 3.0]),
    norm=st.sampled_from([Sphere(), Ball(), Ridge(0.03)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_ball_contains_the_loss(labels: list[str], tau: float, norm: Norm, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(len(labels), int(rng.integers(1, 4)))) * 10.0 ** rng.uniform(-2, 1)
    problem = Problem.from_labels(labels, temperature=tau, norm=norm)
    found = loss_of_features(features, problem, np.array(labels))
    assert dense.contains(found, plain_loop(features, labels, Fraction(repr(tau)), norm))
    assert found.rad() < 1e-28


def test_blocks_of_samples_meet_in_every_pair() -> None:
    labels = [i % 5 for i in range(150)]
    features = np.random.default_rng(0).normal(size=(150, 3))
    problem = Problem.from_labels(labels, temperature=0.3)
    found = loss_of_features(features, problem, np.array(labels))
    gram = features @ features.T
    gram /= np.sqrt(np.outer(gram.diagonal(), gram.diagonal())) * 0.3
    same = np.equal.outer(labels, labels) & ~np.eye(150, dtype=bool)
    log_sum = np.log(np.where(np.eye(150, dtype=bool), 0.0, np.exp(gram)).sum(axis=1))
    expected = (log_sum - (gram * same).sum(axis=1) / same.sum(axis=1)).mean()
    assert float(found) == pytest.approx(expected, rel=1e-13)


def test_without_labels_classes_stand_side_by_side_in_the_order_of_the_problem() -> None:
    features = np.random.default_rng(0).normal(size=(12, 3))
    problem = Problem([1, 3, 2], views=2)
    labels = np.array(list("aabbbbbbcccc"))
    with ctx.workprec(400):
        assert loss_of_features(features, problem).mid() == loss_of_features(features, problem, labels).mid()


def test_collapsed_features_attain_the_certified_optimum() -> None:
    problem = Problem([20, 10, 5], temperature=0.2)
    solution = solve(problem)
    found = prove(solution.program, solution.witness, factored(solution.program, solution.point))
    features = np.repeat(solution.embedding(), [20, 10, 5], axis=0)
    loss = loss_of_features(features, problem)
    assert found.lower is not None and found.lower < loss
    with ctx.workprec(128):
        assert abs(loss - found.upper) < 1e-12 * found.excess_upper


def test_more_bits_make_smaller_balls() -> None:
    features, problem = np.random.default_rng(0).normal(size=(6, 2)), Problem([3, 3], temperature=0.01)
    rough, fine = (loss_of_features(features, problem, precision=bits) for bits in (64, 256))
    assert rough.contains(fine) and fine.rad() < 1e-50 * rough.rad()


def test_unusable_input_is_refused_in_one_sentence() -> None:
    problem, good = Problem([2, 2]), np.ones((4, 2))
    zero, nan = good.copy(), good.copy()
    zero[1], nan[1] = 0.0, np.nan
    refused = [
        (good[:3], problem, None, "4 samples"),
        (nan, problem, None, "NaN"),
        (zero, problem, None, "zero"),
        (-good, Problem([2, 2], nonnegative=True), None, "negative entries"),
        (good, problem, np.array([0, 0, 0, 1]), "labels"),
        (good * 1e200, Problem([2, 2], norm=Ridge(1.0), temperature=1e-100), None, "moderate norm"),
    ]
    for features, of, labels, words in refused:
        with pytest.raises(InputError, match=words):
            loss_of_features(features, of, labels)
