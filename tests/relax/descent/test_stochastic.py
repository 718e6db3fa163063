"""Training on random batches: what it draws, what it minimises in expectation, and where it ends."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from relax import Problem, solve
from relax.descent import train
from relax.descent.arrays import TorchArrays
from relax.descent.stochastic import apart, batch_share, sampled
from relax.errors import InputError
from relax.losses import SupCon
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.norms import Ball

SAMPLERS = ("shuffle", "replacement", "class-balanced")


def problem_of(counts: list[int], b: int, sampler: str, tau: float = 0.5, views: int = 1) -> Problem:
    return Problem(counts, SupCon(batch_size=b, sampler=sampler), temperature=tau, views=views)  # type: ignore[arg-type]


def all_batches(counts: list[int], b: int, sampler: str) -> list[tuple[tuple[int, ...], float]]:
    """Every batch, in order, with its chance."""
    n, labels = sum(counts), np.repeat(range(len(counts)), counts)
    if sampler == "shuffle":
        drawn = list(itertools.permutations(range(n), b))
        return [(batch, 1 / len(drawn)) for batch in drawn]
    each = np.full(n, 1 / n) if sampler == "replacement" else 1 / (len(counts) * np.array(counts)[labels])
    return [(batch, float(np.prod(each[list(batch)]))) for batch in itertools.product(range(n), repeat=b)]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("views", [1, 2])
def test_the_expectation_over_batches_is_the_loss(sampler: str, views: int) -> None:
    """The mean of what a step descends, over all batches, is the expected loss of the features."""
    counts, b, tau = [3, 2], 3, 0.4
    problem = problem_of(counts, b, sampler, tau, views)
    labels = np.repeat([0, 1], np.array(counts) * views)
    h = torch.nn.functional.normalize(
        torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64), dim=-1
    )
    mean = 0.0
    for batch, chance in all_batches(counts, b, sampler):
        at = (np.array(batch)[:, None] * views + np.arange(views)).ravel()
        mean += chance * float(batch_share(h[at][None], labels[at][None], tau))
    xp = TorchArrays()
    normaliser = float(problem.reduction().normaliser)
    gram = h @ h.mT / tau
    share = evaluate(problem.loss, Labelled.features(labels, views), lambda a: gram[a], normaliser, xp)
    units = len(counts) if sampler == "class-balanced" else sum(counts)
    anchors = b * views * normaliser / units  # that count, in the mean
    assert mean / anchors == pytest.approx(float(share.floor + share.excess), rel=1e-11)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_draw_what_they_say(sampler: str) -> None:
    counts, b = [6, 3, 1], 4
    draw, n = sampled(problem_of(counts, b, sampler), 50, np.random.default_rng(1)), 10
    drawn = np.concatenate([draw() for _ in range(400)])
    assert drawn.shape == (20_000, b)
    each = np.full(n, 1 / n)
    if sampler == "class-balanced":
        each = 1 / (3 * np.repeat(counts, counts))
    seen = np.bincount(drawn.ravel(), minlength=n) / drawn.size
    assert np.abs(seen - each).max() < 5 * np.sqrt(each.max() / drawn.size)
    twice = np.mean([len(set(batch.tolist())) < b for batch in drawn])
    without = np.mean(
        [len(set(p)) == b for p in np.random.default_rng(2).choice(n, (20_000, b), p=each).tolist()]
    )
    assert twice == pytest.approx(0.0 if sampler == "shuffle" else 1 - without, abs=0.02)


@pytest.mark.parametrize(
    "sampler", [SAMPLERS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in SAMPLERS[1:])]
)
def test_training_ends_near_the_expected_optimum_and_far_from_the_full_batch(sampler: str) -> None:
    counts = [24, 24, 4, 4]
    problem = problem_of(counts, 6, sampler)
    optimum, full = solve(problem).gram, solve(Problem(counts, temperature=0.5)).gram
    assert apart(optimum, full) > 0.2
    found = train(problem, dim=6, steps=1500, rate=3.0)
    near, far = found.final(optimum), found.final(full)
    assert near.mean() < 0.07 and far.mean() > 0.15
    assert (far > 2.0 * near).all()
    path = found.distances(optimum)
    assert (
        found.steps[0] == 0 and found.steps[-1] == 1500 and (path[0] > 0.3).all() and (path[-1] < 0.1).all()
    )
    assert (found.spreads[-1] < 0.2).all()
    np.testing.assert_allclose(np.linalg.norm(found.features, axis=-1), 1.0, rtol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_longer_training_ends_nearer(sampler: str) -> None:
    """The mean over eight runs with its standard error; one in twenty such intervals may miss."""
    counts = [60, 60, 6, 6]
    problem = problem_of(counts, 8, sampler)
    optimum, full = solve(problem).gram, solve(Problem(counts, temperature=0.5)).gram
    found = train(problem, dim=8, steps=20_000, runs=8, rate=3.0)
    near, far = found.final(optimum), found.final(full)
    error = 2.4 * np.array([near.std(ddof=1), far.std(ddof=1)]) / np.sqrt(8)
    assert near.mean() + error[0] < 0.04
    assert far.mean() - error[1] > 0.19


def test_seeds_decide_everything() -> None:
    problem = problem_of([4, 3], 4, "shuffle")
    one, again, other = (train(problem, 2, steps=20, runs=2, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.grams, again.grams)
    assert np.abs(one.grams - other.grams).max() > 0.01
    np.testing.assert_allclose(one.distances(np.eye(2))[-1], np.abs(one.grams[-1, :, 0, 1]), rtol=1e-12)


@pytest.mark.parametrize(
    ("problem", "options", "sentence"),
    [
        (Problem([4, 4]), {}, "training draws the batches of SupCon"),
        (Problem([4, 4], "supcon:batch_size=4", norm=Ball()), {}, "training is on the unit sphere"),
        (Problem([4, 4], "supcon:batch_size=4"), {"steps": 0}, "steps = 0 must be at least 1"),
        (Problem([4, 4], "supcon:batch_size=4"), {"dim": 2**30}, "keeps .* numbers"),
        (Problem([4, 4], "supcon:batch_size=4"), {"rate": 0.0}, "rate"),
    ],
)
def test_what_cannot_be_trained_is_refused(problem: Problem, options: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        train(problem, **{"dim": 2, **options})


def test_a_gram_of_another_shape_is_refused() -> None:
    found = train(problem_of([4, 3], 4, "shuffle"), 2, steps=2, runs=1)
    with pytest.raises(InputError, match=r"gram of shape \(3, 3\) must be \(2, 2\)"):
        found.distances(np.eye(3))
