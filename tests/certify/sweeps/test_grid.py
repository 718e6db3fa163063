"""Grids: what is rounded, what is one point, what is refused before memory is spent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from certify.sweeps import Point, counts_grid, long_tail_grid, step_grid
from relax import InputError, Problem, datasets
from relax.losses import SupCon


def test_ratios_are_rounded_and_each_profile_is_one_point() -> None:
    grid = step_grid(2, 3, 10, [1, 1.04, 1.06, 7.25, 7.35, 100])
    assert [point.counts.sizes[0] for point in grid] == [10, 11, 72, 74, 100 * 10]
    assert [point.ratio for point in grid] == [1.0, 1.1, 7.2, 7.4, 100.0]
    assert [point.step for point in grid][2] == (2, 3, 72, 10)
    assert grid[2].problem == Problem.step(2, 3, 72, 10)


def test_minorities_may_be_the_larger_classes() -> None:
    (point,) = step_grid(2, 3, 10, [0.5])
    assert point.step == (2, 3, 5, 10) and point.ratio == 0.5
    assert point.problem is not None and point.problem.counts.in_full() == "5,5,10,10,10"


def test_points_stand_along_curves() -> None:
    grid = step_grid(1, 2, 3, [1, 2], temperatures=[0.1, 1.0], losses=["supcon", "kernel"], views=[1, 2])
    said = [(one.loss.name, one.views, one.temperature, one.ratio) for one in grid]
    assert said == [
        (loss, views, tau, ratio)
        for loss in ("supcon", "kernel")
        for views in (1, 2)
        for tau in (0.1, 1.0)
        for ratio in (1.0, 2.0)
    ]


def test_temperatures_are_the_losses_own_where_none_are_given() -> None:
    grid = counts_grid([[3, 2]], losses=["supcon", "cross-entropy"])
    assert [one.temperature for one in grid] == [Problem([3, 2], name).temperature for name in
                                                 ("supcon", "cross-entropy")]  # fmt: skip


def test_long_tails_are_those_of_the_data_sets() -> None:
    (point,) = long_tail_grid(10, 5000, [100])
    assert point.problem == Problem(datasets.counts("cifar10-lt-100"))
    assert point.ratio == 100.0 and point.step is None


def test_what_a_loss_refuses_is_a_point_that_says_why() -> None:
    good, bad = counts_grid([[3, 2], [1, 1]])
    assert good.problem is not None and good.refusal == ""
    assert bad.problem is None and "no class has two samples" in bad.refusal
    assert "refused" in repr(bad)


def test_counts_of_two_sizes_are_a_step_profile_of_any_problem() -> None:
    assert Point.of(Problem([10, 30, 10])).step == (1, 2, 30, 10)
    assert Point.of(Problem([10, 30, 20])).step is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: step_grid(2, 2, 10, []), "the grid has no points"),
        (lambda: step_grid(2, 2, 10, count(1)), "more than 1,000,000 ratios"),
        (lambda: step_grid(2, 2, 10, [0.01]), "leaves majority classes without samples"),
        (lambda: step_grid(2, 2, 10, [float("nan")]), "ratio nan must be a positive finite number"),
        (lambda: step_grid(2, 2, 2**53, [2]), "beyond 2**53"),
        (lambda: step_grid(0, 2, 10, [2]), "k_major 0 is not positive"),
        (lambda: counts_grid([[3, 2]], temperatures=[0.1, -1]), "temperature -1 must"),
        (lambda: counts_grid([[3, 2]], losses=["nonsense"]), "unknown loss 'nonsense'"),
        (lambda: counts_grid([[3, 2]], losses=[SupCon]), "is not a loss"),
        (lambda: counts_grid([[3, 2]], views=[0]), "number of views 0 is not positive"),
        (
            lambda: step_grid(2, 2, 10, range(1, 2001), temperatures=np.linspace(0.1, 1, 1000)),
            "2,000,000 points",
        ),
    ],
)
def test_refusals(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert sentence in str(refused.value)
