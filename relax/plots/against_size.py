"""How near the vectors of a class are to others, and to each other, against its size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from relax.arrangement import Geometry, plural
from relax.solution import Solution

# Okabe and Ito's colours, told apart by every kind of colour vision; markers differ as well
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")
MARKER_SIZES = (8, 6, 4.5, 3)
FEW = 30  # sizes whose markers are told apart
MOST_TICKS = 7
NEARLY_ALL, BEYOND, MARGIN = 0.99, 2.0, 0.06  # part of the points; how far beyond them is far


class Line(NamedTuple):
    """One quantity for each class size."""

    label: str
    values: Float[np.ndarray, " K"]


def draw_against_size(axes: Axes, solution: Solution, geometry: Geometry) -> None:
    """Draw the nearest and the mean entry with others; norms and matched vectors where they say something."""
    few = len(geometry.sizes) <= FEW
    for i, line in enumerate(_lines(geometry)):  # the later, the smaller: none is hidden by the next
        style = {"color": COLOURS[i], "marker": MARKERS[i], "ms": MARKER_SIZES[i] if few else 2.5}
        axes.plot(geometry.sizes, line.values, lw=1, label=line.label, **style)
    cosine, problem = geometry.blocks[0].cosine, solution.problem
    if cosine and not problem.nonnegative:  # whose optimum is an orthogonal frame, at zero
        units = problem.counts.classes if geometry.labelled else problem.counts.samples
        name = "simplex ETF, −1/(k−1)" if geometry.labelled else "simplex of all samples, −1/(n−1)"
        axes.axhline(-1 / (units - 1), color="0.5", lw=1, ls="--", label=name)
    axes.set_xscale("log")
    _mark_sizes(axes, geometry)
    _leave_out_the_farthest(axes)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.set_ylabel("cosine" if cosine else "inner product")
    near = f"How near {geometry.unit_plural} stand"
    axes.set_title(near if len(geometry.blocks) == 1 else "Norms, and vectors of the same class")
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)


def _lines(geometry: Geometry) -> list[Line]:
    parts = geometry.parts(len(geometry.sizes))
    blocks = {(block.first, block.second): block for block in geometry.blocks}
    if len(blocks) > 1:
        names = {True: "squared norm of the {0}", False: "{0} · {1}, same class"}
        own = [
            Line(names[first == second].format(first, second), block.own.mean)
            for (first, second), block in blocks.items()
        ]
        crossed = next(block for (first, second), block in blocks.items() if first != second)
        nearest = geometry.by_parts(crossed, parts).high
        return [*own, Line(f"{crossed.first} · {crossed.second}, nearest other class", nearest)]
    (block,) = geometry.blocks
    others, what = geometry.by_parts(block, parts), geometry.kin or geometry.unit
    lines = [Line(f"nearest of other {plural(what)}", others.high), Line("mean over them", others.mean)]
    if block.kin is not None:
        lines.append(Line(f"same {geometry.kin}, mean", block.kin.mean))
    if not block.cosine:
        lines.append(Line("squared norm", block.own.mean))
    return lines


def _leave_out_the_farthest(axes: Axes) -> None:
    """Let the axis end where nearly all points do, if few are far beyond; an arrow gives the farthest."""
    points = np.concatenate(
        [np.column_stack(line.get_data()) for line in axes.get_lines() if line.get_marker() != "None"]
    )
    values = points[np.isfinite(points[:, 1])]
    low, high = values[:, 1].min(initial=0.0), np.quantile(values[:, 1], NEARLY_ALL)
    far = values[np.argmax(values[:, 1])]
    if len(values) <= FEW or far[1] - low <= BEYOND * (high - low):
        return
    axes.set_ylim(low - MARGIN * (high - low), high + 2 * MARGIN * (high - low))
    axes.annotate(
        f"{far[1]:.3g}↑",
        (far[0], 1.0),
        xycoords=("data", "axes fraction"),
        va="top",
        ha="right",
        fontsize="small",
    )


def _mark_sizes(axes: Axes, geometry: Geometry) -> None:
    """Put ticks at sizes that occur, far enough apart to be read."""
    position = np.log(geometry.sizes.astype(float))
    if len(position) == 1:
        axes.set_xlim(geometry.sizes[0] / 2, geometry.sizes[0] * 2)
    apart = (position.max() - position.min()) / MOST_TICKS
    kept = [0]
    for kind in range(1, len(position)):
        if position[kept[-1]] - position[kind] >= apart:
            kept.append(kind)
    names = [f"{geometry.sizes[kind]:,}" for kind in kept]
    if not geometry.labelled:
        names = [f"{geometry.units[0]:,} {geometry.unit}s"]
    axes.set_xticks(geometry.sizes[kept], names)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("class size (samples)" if geometry.labelled else "")
