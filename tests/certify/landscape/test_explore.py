"""What a search must find: minima known in closed form, by grids over the circle, and planted ones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.optimize import minimize

from certify.landscape import Landscape, StationaryPoint, explore
from certify.landscape.found import CAUTION, percent
from relax import Ball, Problem, Ridge
from relax.errors import InputError
from relax.losses.definition import Seen, Share
from relax.losses.supcon import SupCon
from tests.certify.landscape.dense import (
    cross_polytope,
    labels_of,
    loss,
    on_circle,
    sphere_hessian,
    stray,
)


def lowest_curvature(point: StationaryPoint, temperature: float, idle: int) -> float:
    """The smallest eigenvalue by finite differences, after those of radii and rotations."""
    values = np.linalg.eigvalsh(sphere_hessian(point.features, point.labels, temperature))
    zero = np.argsort(np.abs(values))[:idle]
    return float(np.delete(values, zero).min())


@pytest.fixture(scope="module")
def three() -> Landscape:
    return explore(Problem([10, 10, 10], temperature=0.1), (1, 2), starts=8)


def test_a_stray_sample_is_a_bad_minimum_of_the_plane(three: Landscape) -> None:
    found = three.at(2)
    assert [point.kind for point in found.minima] == ["minimum", "minimum"]
    good, bad = found.minima
    assert found.bad == (bad,) and found.attained and not found.all_global
    assert bad.excess == pytest.approx(0.815924, abs=1e-6)
    assert bad.loss == pytest.approx(float(loss(stray(), bad.labels, 0.1)), abs=1e-9)
    assert np.abs(np.sort(bad.gram.ravel()) - np.sort((stray() @ stray().T).ravel())).max() < 1e-5
    assert bad.curvature == pytest.approx(0.0846, abs=1e-4)
    assert bad.curvature == pytest.approx(lowest_curvature(bad, 0.1, 31), rel=1e-3)
    assert bad.lowest_multiplier < -0.1 < 0 <= good.lowest_multiplier
    assert good.gap == pytest.approx(0, abs=1e-15)


@pytest.mark.slow
def test_in_three_dimensions_it_is_a_saddle() -> None:
    found = explore(Problem([10, 10, 10], temperature=0.1), (2, 3), starts=8)
    assert found.at(3).all_global
    assert found.safe == (3,)
    assert "every minimum found is global in d = 3" in found.in_words()


def test_all_points_are_stationary_by_their_own_formula(three: Landscape) -> None:
    for point in three.at(2).points:
        moved = point.features + 1e-5 * np.eye(60).reshape(-1, 30, 2)
        back = point.features - 1e-5 * np.eye(60).reshape(-1, 30, 2)
        unit = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) for vectors in (moved, back))
        ahead, behind = (loss(vectors, point.labels, 0.1) for vectors in unit)
        assert np.abs(ahead - behind).max() / 2e-5 < 1e-7
        assert point.excess == pytest.approx(loss(point.features, point.labels, 0.1) - np.log(9), abs=1e-13)


def test_saddles_have_a_way_down(three: Landscape) -> None:
    assert three.at(2).saddles
    for point in three.at(2).saddles:
        assert point.curvature < 0
        assert lowest_curvature(point, 0.1, 31) == pytest.approx(point.curvature, rel=1e-3)


def test_words_come_first_and_say_what_they_are_not_worth(three: Landscape) -> None:
    words = three.in_words()
    assert words[1].startswith("d = 2: 2 minima, 1 of them bad, the worst 69.7% of the range above, in 8 + ")
    assert words[2:4] == ["of no dimension is every minimum known to be global", CAUTION]
    assert words[1] in str(three)
    assert [row[1] for row in three.table()[1:]] == ["lowest", "bad", "global", "bad"]
    assert three.at(2).minima[1].facts()[2] == ("above the optimum", "0.815923, 69.7% of the range")


def test_small_heights_have_a_digit() -> None:
    assert [percent(part) for part in (0.0, -0.0, 0.1234, 1e-3, 4.4e-5, -2e-9)] == [
        "0.0%", "0.0%", "12.3%", "0.1%", "0.004%", "-2e-07%",
    ]  # fmt: skip


def test_in_one_dimension_minima_are_those_of_flips(three: Landscape) -> None:
    """All sign vectors, by how many samples of each class are positive; a flip changes one number by one."""
    labels = labels_of([10, 10, 10])
    table = {}
    for many in itertools.product(range(11), repeat=3):
        signs = np.concatenate([np.where(np.arange(10) < m, 1.0, -1.0) for m in many])
        table[many] = float(loss(signs[:, None], labels, 0.1))
    steps = [step for axis in np.eye(3, dtype=int) for step in (axis, -axis)]
    levels = {
        round(value, 9)
        for many, value in table.items()
        if all(value <= table.get(tuple(np.add(many, step).tolist()), np.inf) + 1e-12 for step in steps)
    }
    assert {round(point.loss, 9) for point in three.at(1).minima} == levels
    assert not three.at(1).attained


@pytest.mark.parametrize(("counts", "temperature"), [([2, 2], 0.1), ([2, 1, 1], 0.2), ([2, 1], 0.3)])
def test_a_grid_over_the_circle_has_no_other_minima(counts: list[int], temperature: float) -> None:
    """All minima of three or four angles, by a grid and another method: those of the search, and no more."""
    labels, n, points = labels_of(counts), sum(counts), 36
    axis = 2 * np.pi * np.arange(points) / points
    mesh = np.stack(np.meshgrid(*[axis] * (n - 1), indexing="ij"), axis=-1).reshape(-1, n - 1)
    whole = np.concatenate([np.zeros((len(mesh), 1)), mesh], axis=1)
    values = loss(on_circle(whole), labels, temperature).reshape([points] * (n - 1))
    shifts = itertools.product((-1, 0, 1), repeat=n - 1)
    lowest = np.min([np.roll(values, shift, axis=tuple(range(n - 1))) for shift in shifts], axis=0)
    starts = mesh[(values <= lowest + 1e-12).ravel()]

    def at(angles: np.ndarray) -> float:
        return float(loss(on_circle(np.concatenate([[0.0], angles])), labels, temperature))

    ends = [
        minimize(at, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
        for start in starts[:200]
    ]
    levels = sorted({round(float(end.fun), 6) for end in ends})
    found = explore(Problem(counts, temperature=temperature), 2, starts=24).at(2)
    assert sorted({round(point.loss, 6) for point in found.minima}) == levels


@pytest.mark.parametrize("temperature", [0.2, pytest.param(1.0, marks=pytest.mark.slow)])
def test_imbalance_has_two_levels_in_the_plane(temperature: float) -> None:
    found = explore(Problem([6, 6, 2, 2], temperature=temperature), 2, starts=24).at(2)
    assert (len(found.minima), len(found.bad)) == (2, 1)
    assert not found.attained  # four classes need three dimensions
    for point in found.minima:
        assert lowest_curvature(point, temperature, 17) > 1e-4


@pytest.mark.parametrize(
    ("counts", "d", "lowest"), [([2, 2], 2, 15.0), pytest.param([4, 4], 4, 2.806, marks=pytest.mark.slow)]
)
def test_a_cross_polytope_is_bad_on_the_sphere_and_not_on_the_ball(
    counts: list[int], d: int, lowest: float
) -> None:
    sphere = explore(Problem(counts, temperature=0.1), d, starts=8).at(d)
    (bad,) = sphere.bad
    expected = cross_polytope(counts, d)
    assert np.allclose(np.sort(bad.gram.ravel()), np.sort((expected @ expected.T).ravel()), atol=1e-9)
    assert bad.curvature == pytest.approx(lowest, rel=1e-3)
    assert bad.lowest_multiplier < 0
    ball = explore(Problem(counts, temperature=0.1, norm=Ball()), d, starts=8).at(d)
    assert ball.all_global


def test_multipliers_are_radial_slopes() -> None:
    """ν_i = −½ d/dr of the loss with h_i → r h_i, by differences."""
    (bad,) = explore(Problem([2, 2], temperature=0.1), 2, starts=4).at(2).bad
    for i in range(4):
        grown, shrunk = bad.features.copy(), bad.features.copy()
        grown[i] *= 1 + 1e-6
        shrunk[i] *= 1 - 1e-6
        slope = (loss(grown, bad.labels, 0.1) - loss(shrunk, bad.labels, 0.1)) / 2e-6
        assert bad.multipliers[i] == pytest.approx(-float(slope) / 2, abs=1e-6)


@pytest.mark.slow
def test_the_stray_sample_is_none_where_it_is_warm_or_on_the_ball() -> None:
    assert explore(Problem([10, 10, 10], temperature=0.3), 2, starts=8).all_global
    assert explore(Problem([10, 10, 10], temperature=0.1, norm=Ball()), 2, starts=8).all_global


@pytest.mark.slow
def test_shattered_classes_are_found_above_k() -> None:
    found = explore(Problem([10, 10, 10], temperature=0.1), 5, starts=2).at(5)
    assert found.bad and found.bad[0].origin == "shattered class"
    assert lowest_curvature(found.bad[0], 0.1, 40) > 1e-2


@dataclass(frozen=True)
class Planted(SupCon):
    """SupCon with a wall between antipodal classes and those at cos 60°, where so a minimum is."""

    name: ClassVar[str] = "planted"

    def shares(self, x: Any, seen: Seen) -> Share:
        share = super().shares(x, seen)
        cosine = 0.5 * x  # at τ = ½
        wall = 40.0 * ((1 + cosine) * (cosine - 0.5)) ** 2
        return Share(share.floor, share.excess + (seen.other_class * wall).sum(-1))


def test_a_planted_minimum_is_found() -> None:
    """The wall vanishes at the optimum, which is that of SupCon: a program that bounds it stays attained."""
    problem = Problem([2, 2], Planted(), temperature=0.5)
    found = explore(problem, 2, starts=8).at(2)
    assert found.attained and found.bad
    planted = [point for point in found.bad if abs(point.gram[0, 2] - 0.5) < 0.1 and point.gram[0, 1] > 0.99]
    assert planted


@pytest.mark.slow
def test_other_losses_and_norms() -> None:
    """Two roles, views, no labels, no floor, a ridge, a class of one: each has the certified optimum."""
    for problem, d in (
        (Problem([3, 3], "cross-entropy", norm=Ball()), 2),
        (Problem([2, 2], "self-supervised", temperature=0.5, views=2), 3),
        (Problem([3, 3, 2], "supcon:positives_weight=0", temperature=0.5), 2),
        (Problem([4, 3, 1], temperature=0.2, norm=Ridge(0.01)), 2),
        (Problem([3, 2], temperature=0.2, nonnegative=True), 2),
    ):
        found = explore(problem, d, starts=8).at(d)
        assert found.attained, problem
        assert all(np.isfinite(point.multipliers).all() for point in found.points)


@pytest.mark.slow
@pytest.mark.parametrize(("counts", "weight"), [([4, 4], 10.0), ([4, 3, 1], 1.0)])
def test_a_ridge_so_large_that_zero_is_optimal(counts: list[int], weight: float) -> None:
    found = explore(Problem(counts, temperature=1.0, norm=Ridge(weight)), 2, starts=8)
    (point,) = found.at(2).minima
    assert found.all_global and abs(point.height) < 1e-6
    assert np.abs(point.features).max() < 1e-6 and np.abs(point.multipliers).max() == 0
    assert point.loss == pytest.approx(np.log(7), abs=1e-9)  # all similarities are equal


@pytest.mark.slow
def test_what_is_global_is_one_point_however_flat() -> None:
    found = explore(Problem([4, 4], temperature=0.01), 2, starts=8).at(2)
    assert found.attained and len(found.minima) - len(found.bad) == 1


def test_time_and_dimensions() -> None:
    cut = explore(Problem([3, 3], temperature=0.2), (2, 3), starts=4, time_limit=1e-9)
    assert [one.dim for one in cut.slices] == [2]
    assert not cut.all_global and not cut.at(2).complete
    assert "d = 3: not reached" in cut.in_words()
    signs = explore(Problem([3, 3], temperature=0.2), 1, starts=4, time_limit=1e-9)  # flips not begun
    assert signs.at(1).points and not signs.at(1).complete
    with pytest.raises(InputError, match="was not searched"):
        cut.at(3)


@pytest.mark.parametrize("dims", [(), (0,), (2, 2), range(1, 10**9), -1])
def test_what_are_no_dimensions(dims: Any) -> None:
    with pytest.raises(InputError, match="different positive numbers"):
        explore(Problem([3, 3]), dims)


def test_refusals_are_those_of_descent() -> None:
    with pytest.raises(InputError, match="starts = 0 must be at least 1"):
        explore(Problem([3, 3]), 2, starts=0)
    with pytest.raises(InputError, match="take fewer samples"):
        explore(Problem([100_000, 100_000]), 2)
    with pytest.raises(InputError, match="dims 10000 has too many rotations"):
        explore(Problem([3, 3]), (2, 10_000))
    with pytest.raises(InputError, match="dims from 2 on"):
        from relax import Sphere
        from relax.losses.cross_entropy import CrossEntropy

        explore(Problem([2, 2], CrossEntropy(Sphere(1))), 1)


def test_a_scale_below_float64_is_refused() -> None:
    """The excess is about e^(−2/τ), which is 0 in float64 at τ = 10⁻⁴."""
    with pytest.raises(InputError, match=r"temperature 0\.0001 is too small .* give a larger one"):
        explore(Problem([2, 2], temperature=1e-4), 2, starts=1)


@pytest.mark.slow
def test_the_seed_decides() -> None:
    problem = Problem([3, 3], temperature=0.2)
    one, same, other = (explore(problem, 2, starts=4, seed=seed).at(2).points for seed in (1, 1, 2))
    assert np.array_equal(one[0].features, same[0].features)
    assert not np.array_equal(one[0].features, other[0].features)
