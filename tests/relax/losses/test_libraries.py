"""The losses of installed libraries, on random features: ours is theirs to the last digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.problem import Problem

REASON = "compared where the library is installed"
SETTINGS = [
    # class sizes, views, temperature
    ([4, 3, 2], 1, 0.1),
    ([4, 1, 3, 1], 1, 0.07),  # classes of one sample
    ([3, 2, 1], 2, 0.5),
    ([3, 3], 3, 1.0),
]


def _drawn(counts: list[int], views: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features of any norm and their classes, views of a sample side by side."""
    classes = np.repeat(np.arange(len(counts)), np.array(counts) * views)
    rng = np.random.default_rng(len(classes))
    return rng.normal(size=(len(classes), 5)) + rng.normal(size=(len(counts), 5))[classes], classes


def _ours(problem: Problem, features: np.ndarray, classes: np.ndarray) -> float:
    unit = features / np.linalg.norm(features, axis=1)[:, None]
    share = evaluate(
        problem.loss,
        Labelled.features(classes, problem.views),
        lambda anchors: unit[anchors] @ unit.T / problem.temperature,
        float(problem.program().normaliser),
    )
    return float(share.floor + share.excess)


@pytest.mark.parametrize(("name", "theirs"), [("pml-supcon", "SupConLoss"), ("pml-ntxent", "NTXentLoss")])
@pytest.mark.parametrize(("counts", "views", "tau"), SETTINGS)
def test_pytorch_metric_learning(name: str, theirs: str, counts: list[int], views: int, tau: float) -> None:
    library = pytest.importorskip("pytorch_metric_learning.losses", reason=REASON, exc_type=ImportError)
    features, classes = _drawn(counts, views)
    loss = getattr(library, theirs)(temperature=tau)
    known = loss(torch.from_numpy(features), torch.from_numpy(classes)).item()
    problem = Problem(counts, name, tau, views=views)
    assert _ours(problem, features, classes) == pytest.approx(known, rel=1e-12)
    assert getattr(library, theirs)().temperature == problem.loss.default_temperature


@pytest.mark.parametrize(("counts", "tau"), [([4, 3, 2], 0.5), ([3, 1], 0.1), ([2, 2, 2], 1.0)])
def test_lightly(counts: list[int], tau: float) -> None:
    library = pytest.importorskip("lightly.loss", reason=REASON, exc_type=ImportError)
    features, classes = _drawn(counts, views=2)
    views = torch.from_numpy(features)[0::2], torch.from_numpy(features)[1::2]
    known = library.NTXentLoss(temperature=tau)(*views).item()
    problem = Problem(counts, "lightly-ntxent", tau, views=2)
    assert _ours(problem, features, classes) == pytest.approx(known, rel=1e-12)
    assert library.NTXentLoss().temperature == problem.loss.default_temperature
