"""What is drawn are the numbers of the solution."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from relax import Ball, Problem, Ridge, solve
from relax.geometry import simplex_etf_gram
from relax.plots import (
    against_ratio,
    against_size,
    descent_losses,
    descent_paths,
    difference,
    heat_map,
    phase_diagram,
    spectrum,
    vectors,
)
from relax.plots.eigenvalues import spectrum_of
from relax.plots.spheres import seen
from relax.plots.themes import series
from tests.relax.plots.gallery import descent, optimum, threshold


def shown(ax: Axes) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def lines(ax: Axes) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.array(line.get_xydata()) for line in ax.get_lines()}


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def points(ax: Axes) -> list[Any]:
    """Return the lines that are one marker, in the order they were drawn in; not the centre."""
    every: list[Any] = ax.get_lines()
    return [line for line in every if len(line.get_xdata()) == 1 and line.get_marker() != "."]


def places(found: list[Any]) -> np.ndarray:
    return np.array([line.get_xydata()[0] for line in found])


def filled(ax: Axes) -> np.ndarray:
    """Return where the markers of vectors are, without rings."""
    return places([line for line in points(ax) if line.get_markerfacecolor() != "none"])


def beginning(ax: Axes) -> np.ndarray:
    """Return where the first path begins."""
    return np.asarray(ax.collections[0].get_paths()[0].vertices)[0]


def rings(ax: Axes) -> int:
    return sum(line.get_markerfacecolor() == "none" for line in points(ax))


def test_axes_that_are_given_are_those_that_return() -> None:
    solution, (path, end) = optimum([12, 6, 3]), descent(2)
    table = {"ratio": [1.0, 2.0], "beta": [0.0, 0.1], "gamma": [0.0, 0.1], "alpha": [0.0, 0.1]}
    diagram = SimpleNamespace(
        parameter="k_minor",
        values=[2],
        ratios=[3.0],
        cosine=np.array([[0.5]]),
        thresholds=(threshold(None, None),),
    )
    figure = Figure()
    for ax, draw in zip(
        figure.subplots(3, 3).ravel(),
        (
            lambda ax: heat_map(solution, ax=ax),
            lambda ax: difference(solution, solution, ax=ax),
            lambda ax: against_size(solution, ax=ax),
            lambda ax: against_ratio(table, ax=ax),
            lambda ax: phase_diagram(diagram, ax=ax),
            lambda ax: spectrum(solution, ax=ax),
            lambda ax: vectors(solution, ax=ax),
            lambda ax: descent_losses(path, end, ax=ax),
            lambda ax: descent_paths(path, ax=ax),
        ),
        strict=True,
    ):
        assert draw(ax) is ax and ax.get_title()
    assert pyplot.get_fignums() == []
    assert heat_map(solution).figure is pyplot.gcf()


def test_rows_of_an_array_stand_by_blocks() -> None:
    counts = [10, 1000, 10, 1000, 10]
    solution = optimum(counts)
    ax, order = heat_map(solution.gram, blocks=counts), [1, 3, 0, 2, 4]
    np.testing.assert_array_equal(shown(ax), solution.gram[np.ix_(order, order)])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1,000 ×2", "10 ×3"]
    assert ax.images[0].colorbar.ax.get_ylabel() == "cosine"  # type: ignore[union-attr]
    named = heat_map(np.array([[4.0, 1, 0], [1, 4, 0], [0, 0, 1]]), blocks=["cat", "dog", "cat"])
    np.testing.assert_array_equal(shown(named), [[4, 0, 1], [0, 1, 0], [1, 0, 4]])
    assert [text.get_text() for text in named.get_yticklabels()] == ["cat ×2", "dog"]
    assert named.images[0].colorbar.ax.get_ylabel() == "inner product"  # type: ignore[union-attr]


def test_a_difference_is_one() -> None:
    one, other = optimum([5, 50, 5]), optimum([5, 5, 5])
    ax, order = difference(one, other), [1, 0, 2]
    np.testing.assert_allclose(shown(ax), (one.gram - other.gram)[np.ix_(order, order)], atol=1e-15)
    assert float(ax.get_title().split()[-1]) == pytest.approx(np.abs(one.gram - other.gram).max(), rel=0.05)
    assert "at most 0" in difference(one.gram, one).get_title()


def test_cosines_against_the_ratio_are_those_of_the_table() -> None:
    table = pandas.DataFrame(
        {
            "ratio": [10.0, 1.0, 100.0],
            "temperature": 0.5,
            "alpha": np.nan,
            "beta": [0.1, -0.2, 0.9],
            "gamma": 0.3,
        }
    )
    ax = against_ratio(table, SimpleNamespace(lower=Fraction(48), upper=Fraction(50), ratio=49.0, limit=None))
    drawn = lines(ax)
    np.testing.assert_array_equal(drawn["minority · minority"], [[1, -0.2], [10, 0.1], [100, 0.9]])
    np.testing.assert_array_equal(drawn["threshold, R = 49"][:, 0], [49, 49])
    (band,) = ax.patches
    assert [band.get_extents().transformed(ax.transData.inverted()).x0, 50] == pytest.approx([48, 50])
    assert legend(ax) == ["minority · minority", "majority · minority", "threshold, R = 49"]  # no line of NaN
    assert "τ = 0.5" in ax.get_title()
    angles = lines(against_ratio(table, degrees=True))["minority · minority"][:, 1]
    np.testing.assert_allclose(np.cos(np.radians(angles)), [-0.2, 0.1, 0.9])
    limit = against_ratio(table, threshold(None, None, 0.25), degrees=True)
    assert legend(limit)[-1] == "minorities for R → ∞: 75.5"


def test_one_ratio_is_a_point() -> None:
    ax = against_ratio({"ratio": [10.0], "beta": [0.5]}, quantities=("beta",))
    np.testing.assert_array_equal(lines(ax)["minority · minority"], [[10, 0.5]])
    assert ax.get_xlim() == (5, 20)


def test_several_temperatures_have_a_key_each() -> None:
    ratio, beta = np.tile([1.0, 10.0], 2), np.array([0.1, 0.2, 0.3, 0.4])
    table = {"ratio": ratio, "temperature": np.repeat([1.0, 0.1], 2), "beta": beta}
    ax = against_ratio(table, {1.0: threshold(4, 5)}, quantities=("beta",))
    assert legend(ax) == ["τ = 0.1", "τ = 1", "minority · minority", "threshold, R = 4.5, τ = 1"]
    first, second = ax.get_lines()[:2]
    np.testing.assert_array_equal([first.get_ydata(), second.get_ydata()], [[0.3, 0.4], [0.1, 0.2]])
    assert first.get_linestyle() == second.get_linestyle() and first.get_marker() != second.get_marker()


class Piece(NamedTuple):
    """What a threshold knows of an interval of ratios."""

    start: Fraction
    end: Fraction | None
    together: bool


def test_a_phase_diagram_hatches_what_is_proven_and_nothing_else() -> None:
    pieces = (Piece(Fraction(1), Fraction(9), False), Piece(Fraction(11), None, True))
    known = SimpleNamespace(lower=Fraction(9), upper=Fraction(11), ratio=10.0, limit=None, pieces=pieces)
    single = SimpleNamespace(lower=Fraction(2), upper=Fraction(3), ratio=2.5, limit=None, pieces=())
    cosine = np.array([[0.1, 0.5, 1.0], [np.nan, 0.2, 1.0], [0.0, 0.1, 0.2]])
    ax = phase_diagram(
        SimpleNamespace(
            parameter="batch_size", values=[4, 6, 8], ratios=[1.0, 10.0, 100.0], cosine=cosine,
            thresholds=(known, single, threshold(None, None)),
        )
    )  # fmt: skip
    cells = np.ma.masked_invalid(np.ma.asarray(ax.collections[0].get_array())).filled(9.0)
    np.testing.assert_array_equal(cells, np.nan_to_num(cosine, nan=9.0))
    (hatched,) = [part for part in ax.collections if isinstance(part, PolyCollection) and part.get_hatch()]
    (path,) = hatched.get_paths()
    np.testing.assert_allclose(path.get_extents().get_points(), [[11, 3], [10**2.5, 5]])
    np.testing.assert_array_equal(lines(ax)["threshold"][:2], [[10, 4], [2.5, 6]])
    assert np.isnan(lines(ax)["threshold"][2, 0])
    assert ax.get_ylabel() == "batch size b"


@pytest.mark.parametrize(
    "problem",
    [
        Problem([10, 10, 10, 4, 1], temperature=0.5),
        Problem({50: 10}),
        Problem([100, 10, 10, 10], temperature=2.0),
        Problem([9, 4, 4], norm=Ridge(0.01)),
        Problem([9, 4, 4, 2], nonnegative=True, temperature=0.5),
        Problem([4, 1, 1], norm=Ball(), temperature=0.5),
        Problem([6, 6, 3], "cross-entropy"),
    ],
    ids=str,
)
def test_spectra_are_those_of_the_written_out_matrix(problem: Problem) -> None:
    solution = solve(problem)
    found = spectrum_of(solution)
    every = np.repeat(found.values, found.multiplicity)
    expected = np.linalg.eigvalsh(solution.gram)[::-1]
    np.testing.assert_allclose(every, expected, atol=1e-7)
    assert found.rank == np.linalg.matrix_rank(solution.gram, tol=1e-9 * expected[0], hermitian=True)
    assert legend(spectrum(solution)) == [f"rank {found.rank} of {len(expected)}"]


def test_the_spectrum_of_a_million_classes_is_drawn() -> None:
    ax = spectrum(solve(Problem.step(500_000, 500_000, 1000, 10)))
    assert legend(ax) == ["rank 999,999 of 1,000,000"]
    assert np.asarray(ax.get_lines()[0].get_xdata()).max() == 1_000_000


def test_vectors_have_the_cosines_of_the_gram_matrix() -> None:
    solution = optimum([12, 6, 3])
    at = filled(vectors(solution))
    np.testing.assert_allclose(at @ at.T, solution.gram, atol=1e-9)
    np.testing.assert_allclose(at[0], [0, 1], atol=1e-12)  # the largest on top
    two = filled(vectors(optimum([20, 5])))
    np.testing.assert_allclose(two, [[0, 1], [0, -1]], atol=1e-9)


def test_three_dimensions_are_seen_from_any_side() -> None:
    """Two views at right angles have all three coordinates, and so the Gram matrix."""
    solution = optimum([40, 20, 10, 5])
    (x, z), (y, w) = (filled(vectors(solution, view=(around, 0))).T for around in (0, 90))
    order, other = np.lexsort((x, z)), np.lexsort((y, w))
    np.testing.assert_allclose(z[order], w[other], atol=1e-9)
    points = np.stack([x[order], y[other], z[order]], axis=1)
    found = np.sort((points @ points.T).reshape(-1))
    np.testing.assert_allclose(found, np.sort(solution.gram.reshape(-1)), atol=1e-9)


def test_the_pole_is_above_and_what_is_behind_is_faint() -> None:
    axes = np.eye(3)
    at = seen(axes, (0.0, 30.0))  # from the first axis, above the equator
    np.testing.assert_allclose(at.x, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(at.y, [-0.5, 0, 0.75**0.5], atol=1e-12)
    np.testing.assert_allclose(at.depth, [0.75**0.5, 0, 0.5], atol=1e-12)
    for around, behind in ((0.0, 0), (180.0, 1)):  # the second largest class is at longitude zero
        alphas = [
            line.get_alpha() for line in points(vectors(np.eye(3), sizes=[4, 2, 1], view=(around, 30.0)))
        ]
        assert len(alphas) == 3 and sum(alpha < 0.5 for alpha in alphas) == behind


def test_classes_that_coincide_are_rings_and_near_ones_are_not() -> None:
    merged = vectors(optimum([1000, 10, 10, 10, 10], 1.0))
    assert len(filled(merged)) == 2 and rings(merged) == 3
    assert [text.get_text() for text in merged.texts] == ["4 classes"]
    assert "rings: one point" in legend(merged)
    apart = vectors(optimum([487, 10, 10, 10, 10], 1.0))  # of cosine 0.9998
    assert rings(apart) == 0 and not apart.texts
    angle = 1e-4
    near = np.array([[1, np.cos(angle)], [np.cos(angle), 1]])
    assert rings(vectors(near)) == 0 and rings(vectors(np.ones((2, 2)))) == 1
    assert rings(vectors(np.ones((60, 60)))) == 5  # and says so: 60 classes


def test_markers_grow_with_the_size_of_the_class() -> None:
    ax = vectors(optimum([160, 10, 10]))
    sizes = [line.get_markersize() for line in ax.get_lines() if line.get_marker() in ("o", "s")]
    assert sorted(sizes)[-1] == pytest.approx(2 * sorted(sizes)[0])  # diameters as (160/10)^(1/4)
    assert legend(ax) == ["1 class of 160", "2 classes of 10"]


def test_the_projection_says_what_it_leaves_out() -> None:
    ax = vectors(simplex_etf_gram(9))
    assert ax.get_title() == "Class vectors, in 3 of their 8 dimensions\n38 % of the trace"
    assert ax.get_legend() is None  # of one size, that is not known
    longer = vectors(4 * simplex_etf_gram(3))
    assert longer.get_title() == "Class vectors\nthe circle has radius 2"
    np.testing.assert_allclose(np.linalg.norm(filled(longer), axis=1), 2)


def test_two_roles_are_full_and_hollow() -> None:
    solution = optimum([50, 20, 10], loss="cross-entropy", norm=Ridge(0.02))
    ax = vectors(solution)
    at = filled(ax)
    assert len(at) == 6 and "hollow: classifier" in legend(ax)
    squares = sorted(
        [*np.diag(solution.block("feature", "feature")), *np.diag(solution.block("classifier", "classifier"))]
    )
    np.testing.assert_allclose(sorted((at**2).sum(axis=1)), squares, rtol=1e-6)


def test_losses_are_above_the_optimum_by_what_the_trajectory_says() -> None:
    path, solution = descent(2)
    ax = descent_losses(path, solution)
    assert legend(ax)[:2] == ["ends elsewhere: 1 of 4 starts", "ends at the optimum: 3 of 4 starts"]
    assert path.trajectory is not None
    elsewhere, first = ax.get_lines()[:2]
    above = path.trajectory.losses - solution.value
    stuck, drawn = np.asarray(elsewhere.get_ydata()), np.asarray(first.get_ydata())
    np.testing.assert_allclose(stuck, above[: len(stuck), 2])
    assert drawn.min() > 0 and drawn[0] == pytest.approx(above[0, 0])
    same = descent_losses(path, solution.value)
    np.testing.assert_array_equal(same.get_lines()[1].get_ydata(), drawn)


@pytest.mark.parametrize("dim", [2, 3])
def test_paths_end_where_the_optimum_is(dim: int) -> None:
    path, solution = descent(dim)
    ax = descent_paths(path, start=1, optimum=solution)
    assert len(ax.collections) == path.features.shape[1]
    targets = places([line for line in points(ax) if line.get_markersize() == 15])
    ends = places([line for line in points(ax) if line.get_markersize() == 8])
    assert len(targets) == len(solution.gram)
    np.testing.assert_allclose(ends, targets[path.labels], atol=1e-6)
    assert ("centre" in ax.get_title()) == (dim == 2)
    if dim == 2:
        assert np.linalg.norm(beginning(ax)) == pytest.approx(0.3)


def test_norms_that_change_are_drawn_as_they_are() -> None:
    path, _ = descent(2, norms=(0.5, 1.0))
    ax = descent_paths(path)
    assert "centre" not in ax.get_title()
    assert np.linalg.norm(beginning(ax)) == pytest.approx(0.5)


def test_colours_of_many_sizes_are_by_size() -> None:
    ax = vectors(optimum([1000, 700, 400, 200, 100, 60, 30]))
    (bar,) = [other for other in ax.figure.axes if other is not ax]  # type: ignore[union-attr]
    assert bar.get_ylabel() == "class size"
    few: Any = vectors(optimum([12, 6, 3])).get_lines()
    assert {to_hex(line.get_color()).upper() for line in few} >= {series(i)["color"] for i in range(3)}
