"""The exact loss of features under every loss with one role: the definition in balls is that in floats."""

from __future__ import annotations

import numpy as np
import pytest

from certify.features.exact_loss import loss_of_features
from relax.losses import Dhel, FixedBatches, Kernel, Loss
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.problem import Problem

LABELS = np.array([1, 0, 2, 0, 1, 0, 2])
LOSSES: list[Loss] = [
    FixedBatches.of(LABELS, [[0, 1, 3, 4], [2, 5, 6, 1], [4, 5]]),
    Kernel(3.5),
    Dhel(),
    Dhel("other-classes", 2.0),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_balls_contain_what_floats_say(loss: Loss) -> None:
    views = 2
    problem = Problem.from_labels(LABELS, loss=loss, temperature=0.3, views=views)
    features = np.random.default_rng(0).normal(size=(len(LABELS) * views, 4))
    classes = np.repeat(LABELS, views)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    gram, normaliser = unit @ unit.T / 0.3, float(problem.reduction().normaliser)
    vectors = Labelled.features(classes, views)
    share = evaluate(problem.loss, vectors, lambda anchors: gram[anchors], normaliser)
    exact = loss_of_features(features, problem, classes)
    assert float(exact.mid()) == pytest.approx(float(share.floor + share.excess), rel=1e-12)
    assert exact.rad() < 1e-30
