"""The picture of a landscape: levels against dimension, and the geometry of its minima."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from certify.landscape.found import Landscape, Slice, percent
from certify.landscape.points import StationaryPoint
from relax.plots import FORMATS
from relax.plots.themes import grey, series

MOST_PANELS = 6
APART = 1e-6  # features that are nearer lie on one point

__all__ = ["FORMATS", "landscape_figure", "landscape_picture"]


def landscape_picture(landscape: Landscape, kind: str) -> bytes:
    """Return the file of `landscape_figure`, of the kind "png", "pdf" or "svg"."""
    file = io.BytesIO()
    landscape_figure(landscape).savefig(file, format=kind, dpi=150)
    return file.getvalue()


def landscape_figure(landscape: Landscape) -> Figure:
    """Return a figure: the levels by dimension, then the minima in two and three dimensions, bad ones first.

    In more dimensions the features are shown on their three principal axes.
    """
    shown = _shown(landscape)
    figure = Figure(figsize=(3.4 * (2 + (len(shown) + 1) // 2), 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 4 + 2 * ((len(shown) + 1) // 2))
    draw_levels(landscape, figure.add_subplot(grid[:, :4]))
    for at, (one, point) in enumerate(shown):
        place = grid[at % 2, 4 + 2 * (at // 2) : 6 + 2 * (at // 2)]
        if one.dim == 2:
            draw_circle(point, figure.add_subplot(place))
        else:
            draw_axes(point, figure.add_subplot(place, projection="3d"))
        figure.axes[-1].set_title(f"d = {one.dim}: {_named(landscape, one, point)}", fontsize=9)
    figure.suptitle(f"Landscape of {landscape.problem.in_brief()}")
    return figure


def draw_levels(landscape: Landscape, ax: Axes) -> Axes:
    """Draw the heights of minima and saddles against the dimension."""
    good_colour, bad_colour, saddle_colour = series(0)["color"], series(1)["color"], grey(0.45)
    for one in landscape.slices:
        heights = [point.height for point in one.saddles]
        ax.plot([one.dim] * len(heights), heights, "_", color=saddle_colour, markersize=9, zorder=1)
        bad = [point.height for point in one.bad]
        ax.plot([one.dim] * len(bad), bad, "s", color=bad_colour, zorder=3)
        good = [point.height for point in one.minima if point not in one.bad]
        face = good_colour if one.attained else ax.get_facecolor()
        ax.plot([one.dim] * len(good), good, "o", color=good_colour, zorder=2, markerfacecolor=face)
    for marker, colour, face, label in (
        ("o", good_colour, good_colour, "global minimum"),
        ("o", good_colour, ax.get_facecolor(), "lowest found, above the optimum"),
        ("s", bad_colour, bad_colour, "bad minimum"),
        ("_", saddle_colour, saddle_colour, "saddle"),
    ):
        ax.plot([], [], marker, color=colour, markerfacecolor=face, label=label)
    heights = [point.height for one in landscape.slices for point in one.minima]
    top = max([1.0, *heights])
    ax.set_ylim(-0.05 * top, 1.1 * top)  # saddles may be far above
    ax.set_xticks([one.dim for one in landscape.slices])
    ax.margins(x=0.15)
    ax.set(xlabel="dimension of the features", ylabel="height: 0 is the optimum, 1 all features equal")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def draw_circle(point: StationaryPoint, ax: Axes) -> Axes:
    """Draw features of two dimensions by class; how many lie on one point is written beside it."""
    angle = np.linspace(0, 2 * np.pi, 200)
    largest = float(np.linalg.norm(point.features, axis=1).max())
    ax.plot(largest * np.cos(angle), largest * np.sin(angle), color=grey(0.2), linewidth=0.8, zorder=0)
    places: list[np.ndarray] = []
    for label, place, count in _places(point):
        level = sum(np.linalg.norm(place - other) < 1e-3 * largest for other in places)  # of other classes
        places.append(place)
        colour, marker = series(label)["color"], series(label)["marker"]
        ax.plot([0, place[0]], [0, place[1]], color=colour, linewidth=0.8, zorder=1)
        ax.scatter(*place, s=28, color=colour, marker=marker, zorder=2)
        x, y = place * (1 + (0.2 + 0.22 * level) / max(float(np.linalg.norm(place)), 1e-9))
        ax.annotate(str(count), (x, y), color=colour, ha="center", va="center", fontsize=8)
    ax.set_aspect("equal")
    limit = 1.55 * largest
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.axis("off")
    return ax


def draw_axes(point: StationaryPoint, ax: Axes) -> Axes:
    """Draw features on their three principal axes, by class, with how many lie on one point."""
    for label, place, count in _places(point):
        colour, marker = series(label)["color"], series(label)["marker"]
        ax.plot(*([0, x] for x in place), color=colour, linewidth=0.8)
        ax.plot(*([x] for x in place), marker, color=colour, markersize=4)
        ax.text(*(1.15 * place), str(count), color=colour, fontsize=8)  # type: ignore[call-arg]
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):  # type: ignore[attr-defined]
        axis.set_ticklabels([])
    largest = float(np.linalg.norm(point.features, axis=1).max())
    for axis in "xyz":
        ax.set(**{f"{axis}lim": (-largest, largest)})
    ax.set_box_aspect((1, 1, 1))  # type: ignore[arg-type]
    return ax


def _places(point: StationaryPoint) -> list[tuple[int, np.ndarray, int]]:
    """Return class, place and number of the features, those of a class on one point together."""
    features = point.features
    if features.shape[1] > 3:
        features = features @ np.linalg.svd(features, full_matrices=False)[2][:3].T
    found: list[tuple[int, np.ndarray, int]] = []
    for label in np.unique(point.labels).tolist():
        rest = point.features[point.labels == label]
        shown = features[point.labels == label]
        while len(rest):
            here = np.linalg.norm(rest - rest[0], axis=1) <= APART
            found.append((label, shown[0], int(here.sum())))
            rest, shown = rest[~here], shown[~here]
    return found


def _shown(landscape: Landscape) -> list[tuple[Slice, StationaryPoint]]:
    """Return the minima that have a panel: the worst bad ones, then the lowest of each dimension."""
    drawn = [one for one in landscape.slices if one.dim >= 2]
    bad = [(one, point) for one in drawn for point in one.bad]
    bad.sort(key=lambda pair: -pair[1].height)
    lowest = [(one, one.points[0]) for one in drawn if one.minima]
    chosen = [*bad[: MOST_PANELS - min(len(lowest), 2)], *lowest][:MOST_PANELS]
    return sorted(chosen, key=lambda pair: (pair[0].dim, pair[1].gap))


def _named(landscape: Landscape, one: Slice, point: StationaryPoint) -> str:
    if landscape.optimum.is_global(point.gap):
        return "global"
    kind = "bad, " if any(point is other for other in one.bad) else ""
    return f"{kind}{percent(point.height)} above"
