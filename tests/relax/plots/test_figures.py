"""Pictures: what their parts show, not how they look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm

from relax import Problem, solve
from relax.errors import InputError
from relax.losses import FixedBatches
from relax.norms import MeanSquare, Ridge
from relax.plots import geometry_figure, plot_geometry
from relax.plots.grams import scale

STEP = [100, 100, 10, 10]


def panels(problem: Problem, level: Any = "groups") -> tuple[list[Axes], Axes]:
    """Return the heat maps and the panel of lines, and draw the figure, which must not warn."""
    figure = geometry_figure(solve(problem, level=level))
    figure.canvas.draw()
    maps = [axes for axes in figure.axes if axes.images]
    (lines,) = [axes for axes in figure.axes if axes.get_lines()]
    return maps, lines


def shown(axes: Axes) -> np.ma.MaskedArray:
    (image,) = axes.images
    return np.ma.masked_invalid(np.ma.asarray(image.get_array()))


def quantities(maps: list[Axes]) -> set[str]:
    return {axes.images[0].colorbar.ax.get_ylabel() for axes in maps}  # type: ignore[union-attr]


def drawn(lines: Axes) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.asarray(line.get_ydata(), dtype=float) for line in lines.get_lines()}


def test_cosines_of_classes_by_size() -> None:
    solution = solve(Problem(STEP))
    maps, lines = panels(solution.problem)
    (heat_map,) = maps
    np.testing.assert_allclose(shown(heat_map), solution.groups.gram, atol=1e-12)
    assert quantities(maps) == {"cosine"}
    assert [text.get_text() for text in heat_map.get_xticklabels()] == ["100 ×2", "10 ×2"]
    assert {text.get_text() for text in heat_map.texts} == {
        f"{x:.3f}".replace("-", "−") for x in np.unique(solution.groups.gram)
    }
    values = drawn(lines)
    np.testing.assert_allclose(
        values["nearest of other classes"], solution.groups.gram.max(axis=1), atol=1e-12
    )
    others = solution.gram[0, 1:].mean(), solution.gram[2, [0, 1, 3]].mean()
    np.testing.assert_allclose(values["mean over them"], others, atol=1e-12)
    np.testing.assert_allclose(values["simplex ETF, −1/(k−1)"], -1 / 3)


def test_a_cell_without_a_pair_is_not_a_zero() -> None:
    (heat_map,), _ = panels(Problem([200, 100, 50, 50], temperature=0.5))
    assert shown(heat_map).mask.tolist() == np.diag([True, True, False]).tolist()
    assert heat_map.patch.get_hatch() == "////"
    assert "hatched" in heat_map.get_xlabel()
    colours = heat_map.images[0].to_rgba(np.array([[np.nan, 0.0]]))
    assert colours[0, 0, 3] == 0.0  # one looks through it
    assert colours[0, 1, 3] == 1.0
    (frame,), _ = panels(Problem([5, 5, 3, 3], nonnegative=True))
    assert not shown(frame).mask.any()
    assert "hatched" not in frame.get_xlabel()


def test_one_large_cell_does_not_blank_the_others() -> None:
    (heat_map,), _ = panels(Problem([1000, 999, 998, *[500] * 30, 1, 1], temperature=0.5))
    norm, values = heat_map.images[0].norm, shown(heat_map)
    assert values.max() == pytest.approx(1.0)
    assert isinstance(norm, AsinhNorm)
    assert np.median(np.abs(np.asarray(norm(values.compressed())) - 0.5)) > 0.05
    assert float(np.asarray(norm(0.0))) == pytest.approx(0.5)


def test_scales_are_white_at_zero_and_hold_every_value() -> None:
    for values in ([[1.0, -0.5], [-0.5, 0.2]], [[np.nan, 0.0], [0.0, np.nan]], [[np.nan]], [[-3.0]]):
        norm = scale(np.array(values))
        assert norm.vmin == -float(norm.vmax or 0) < 0
        finite = np.array(values)[np.isfinite(values)]
        assert np.all(np.abs(finite) <= norm.vmax)


@pytest.mark.parametrize("norm", [Ridge(0.01), MeanSquare(1.0)])
def test_inner_products_and_norms(norm: Ridge | MeanSquare) -> None:
    problem = Problem(STEP, norm=norm, temperature=0.5)
    maps, lines = panels(problem)
    assert quantities(maps) == {"inner product"}
    assert lines.get_ylabel() == "inner product"
    gram = solve(problem).gram
    np.testing.assert_allclose(drawn(lines)["squared norm"], [gram[0, 0], gram[2, 2]], rtol=1e-9)
    assert "simplex" not in " ".join(drawn(lines))


def test_two_roles_are_three_maps() -> None:
    solution = solve(Problem([10, 10, 4, 3], loss="cross-entropy"))
    maps, lines = panels(solution.problem)
    assert [axes.get_title() for axes in maps] == [
        "Classifiers of different classes",
        "Classifier and feature of different classes",
        "Features of different classes",
    ]
    crossed = solution.block("classifier", "feature")
    expected = np.ma.masked_invalid(
        [[crossed[0, 1], *crossed[0, 2:]], [crossed[2, 0], np.nan, crossed[2, 3]], [*crossed[3, 1:3], np.nan]]
    )
    np.testing.assert_allclose(shown(maps[1]).filled(9.0), expected.filled(9.0), atol=1e-12)
    assert maps[1].get_ylabel() == "class size of the classifier"
    values = drawn(lines)
    np.testing.assert_allclose(
        values["classifier · feature, same class"], np.diag(crossed)[[0, 2, 3]], atol=1e-9
    )


def test_samples_class_by_class() -> None:
    maps, lines = panels(Problem([3, 6, 4], temperature=0.5), level="samples")
    (heat_map,) = maps
    assert shown(heat_map).shape == (13, 13)
    assert np.all(np.diag(shown(heat_map).mask))
    assert shown(heat_map)[0, 1:6].min() > 0.99 > shown(heat_map)[0, 6:].max()  # the largest class first
    assert [text.get_text() for text in heat_map.get_yticklabels()] == ["6", "4", "3"]
    assert heat_map.get_yticks().tolist() == [2.5, 7.5, 11.0]
    np.testing.assert_allclose(drawn(lines)["same class, mean"], 1.0, atol=1e-4)


@pytest.mark.parametrize(("level", "name"), [("groups", "7 samples"), ("samples", "14 views")])
def test_losses_that_see_no_labels(level: str, name: str) -> None:
    (heat_map,), lines = panels(Problem([4, 3], loss="decoupled", views=2), level=level)
    assert [text.get_text() for text in heat_map.get_xticklabels()] == [name]
    np.testing.assert_allclose(drawn(lines)["simplex of all samples, −1/(n−1)"], -1 / 6)
    figure = heat_map.figure
    assert figure is not None
    assert "7 samples, labels unseen" in figure.get_suptitle()  # type: ignore[union-attr]


def test_one_group_only() -> None:
    (heat_map,), lines = panels(Problem({50: 10}))
    np.testing.assert_allclose(shown(heat_map), [[-1 / 9]], atol=1e-9)
    assert [text.get_text() for text in lines.get_xticklabels()] == ["50"]


def test_names_of_many_sizes_do_not_meet() -> None:
    (heat_map,), lines = panels(Problem.from_dataset("places-lt"))
    assert len(heat_map.get_xticks()) == 6
    assert not heat_map.texts
    positions = np.log(np.asarray(lines.get_xticks()))
    assert np.diff(np.sort(positions)).min() >= np.ptp(np.log([5, 4980])) / 7 - 1e-9
    assert "empty" in heat_map.get_xlabel()


def test_titles_of_long_parameters_are_cut() -> None:
    batches = FixedBatches.of([0] * 20 + [1] * 20, [range(40)])
    figure = geometry_figure(solve(Problem([20, 20], loss=batches)))
    assert len(figure.get_suptitle()) < 130
    assert "fixed-batches:labels=0.0.0" in figure.get_suptitle()


def test_formats(tmp_path: Path) -> None:
    solution = solve(Problem([5, 3]))
    for suffix, start in {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}.items():
        plot_geometry(solution, tmp_path / f"picture{suffix}")
        assert (tmp_path / f"picture{suffix}").read_bytes().startswith(start)
    with pytest.raises(InputError, match=r"must end in one of \.png, \.pdf, \.svg"):
        plot_geometry(solution, tmp_path / "picture.bmp")


def test_of_many_cells_the_few_farthest_do_not_set_the_scale() -> None:
    """LVIS: the classes of one image stand on one point: one cell of many, and one point of a line."""
    maps, lines = panels(Problem.from_dataset("lvis-v1"))
    (heat_map,) = maps
    values, norm = shown(heat_map).compressed(), heat_map.images[0].norm
    assert values.max() == pytest.approx(1.0) and np.asarray(norm(np.array([0.3]))).item() > 1
    assert np.quantile(np.abs(np.asarray(norm(values)) - 0.5), 0.9) > 0.15
    assert heat_map.images[0].colorbar.extend == "both"  # type: ignore[union-attr]
    assert lines.get_ylim()[1] < 0.3
    assert "1↑" in {text.get_text() for text in lines.texts}
    places, few = panels(Problem.from_dataset("places-lt"))
    assert places[0].images[0].colorbar.extend == "neither"  # type: ignore[union-attr]
    assert not few.texts


def test_non_negative_features_are_named_and_have_no_simplex() -> None:
    problem = Problem([9, 4, 4, 2], nonnegative=True, temperature=0.5)
    _, lines = panels(problem)
    assert "entries ≥ 0" in geometry_figure(solve(problem)).get_suptitle()
    assert "simplex" not in " ".join(drawn(lines))
