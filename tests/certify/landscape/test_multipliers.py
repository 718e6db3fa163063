"""The inequality of multipliers, against formulas of its own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest

from certify.landscape import prove_minimum, prove_saddle
from certify.landscape.multipliers import sibling_groups
from relax import Problem
from relax.losses import Reduction
from relax.losses.definition import Share
from relax.losses.reduction import sample_nodes
from relax.rows import SumExp
from tests.certify.landscape.seeds import circle, labels_of, loss_and_gradient, shattered, stray
from tests.toys import Toy


def multipliers(features: np.ndarray, counts: list[int], tau: float) -> np.ndarray:
    """ν_i = −½ h_i · ∂L/∂h_i, since the gradient is 2 D H."""
    return -(loss_and_gradient(features, labels_of(counts), tau)[1] * features).sum(axis=1) / 2


def slack(features: np.ndarray, counts: list[int], tau: float) -> list[float]:
    """(p_ij + p_ji − 2q)/(N₊τ) − ν_i − ν_j over siblings that differ."""
    y, nu, n = labels_of(counts), multipliers(features, counts, tau), len(features)
    x = np.exp(features @ features.T / tau - 1 / tau)
    np.fill_diagonal(x, 0)
    p = x / x.sum(axis=1, keepdims=True)
    return [
        (p[i, j] + p[j, i] - 2 / (counts[y[i]] - 1)) / (n * tau) - nu[i] - nu[j]
        for i in range(n)
        for j in range(i)
        if y[i] == y[j] and np.abs(features[i] - features[j]).max() > 1e-9
    ]


@pytest.mark.parametrize(("counts", "tau"), [([4] * 3, 0.1), ([10] * 3, 0.2), ([12, 6, 3], 0.1)], ids=str)
def test_multipliers_and_siblings(counts: list[int], tau: float) -> None:
    start = shattered(counts, 4, tau, 0, 1) if len(set(counts)) > 1 else stray(counts[0], tau)
    found = prove_minimum(start, Problem(counts, temperature=tau), alone=False)
    assert found.proven, found.reason
    known = multipliers(found.features, counts, tau)
    for value, (low, high) in zip(known, found.multipliers, strict=True):
        assert float(low) - 1e-9 <= value <= float(high) + 1e-9
    assert found.negative == tuple(np.flatnonzero(known < 0).tolist()) and found.negative
    left = slack(found.features, counts, tau)
    assert min(left) > -1e-12  # equality for siblings that a symmetry exchanges, as in antipodal pairs
    assert found.siblings == (len(left), sum(number > 1e-12 for number in left))


def test_saddles_obey_it_too() -> None:
    start = np.column_stack([stray(4, 0.1), np.zeros(12)])
    found = prove_saddle(start, Problem([4] * 3, temperature=0.1), alone=False)
    assert found.siblings == (3, 3)


@dataclass(frozen=True)
class Repulsion(Toy):
    """Σ_j e^{(G_ij − G_ii)/τ}, mean over anchors: a row reads its own anchor, so that D_ii < 0."""

    name: ClassVar[str] = "repulsion"

    def reduce(self, counts: Any, views: int) -> Reduction:
        return self.lift(counts, views)

    def lift(self, counts: Any, views: int) -> Reduction:
        n = counts.samples
        one, none = np.ones(n), np.zeros(n)
        rows = SumExp(np.arange(n), one, none, one, np.ones((n, n)), none, np.zeros((n, n)))
        return Reduction(sample_nodes(counts), (rows,), Fraction(n))

    def shares(self, x: Any, seen: Any) -> Share:
        own = seen.xp.integers(seen.itself.astype(int))
        value = (seen.xp.exp(x - (own * x).sum(-1)[..., None]) * (1 - own)).sum(-1)
        return Share(0 * value, value)


def test_what_is_counted_is_what_the_sentence_says() -> None:
    square, tau = circle([0.0, 90.0, 180.0, 270.0]), 0.5
    found = prove_minimum(square, Problem([4], Repulsion(), temperature=tau), alone=False)
    assert found.proven, found.reason
    near, far = np.exp(-1 / tau), np.exp(-2 / tau)
    between = near / (4 * tau)  # D of neighbours
    own = -(2 * near + far) / (4 * tau)
    nu = -(own - far / (4 * tau))  # −(DH)_i · h_i: neighbours are orthogonal
    assert 2 * nu > 2 * between  # so ν_i + ν_j < 2 D_ij for none of them
    assert float(found.multipliers[0][0]) == pytest.approx(nu)
    assert found.siblings == (6, 0)


@pytest.mark.parametrize(
    ("problem", "sizes"),
    [
        (Problem([3, 1, 2]), [3, 1, 2]),
        (Problem([2, 2], "self-supervised", views=2), [2, 2, 2, 2]),
        (Problem([2, 1], "negatives-only", views=3), [3, 3, 3]),
        (Problem([3, 2], "ntxent-labels"), [1, 1, 1, 1, 1]),  # rows of its pairs: nothing is said
    ],
    ids=str,
)
def test_siblings_are_those_that_can_change_places(problem: Problem, sizes: list[int]) -> None:
    classes = problem.reduction("samples").nodes.class_of_unit()
    assert [len(group) for group in sibling_groups(problem.program("samples"), classes)] == sizes
