"""How near the vectors of a class are to others, and to each other, against its size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from relax.arrangement import Geometry, geometry, plural
from relax.plots.canvas import axes_or_new, tidy
from relax.plots.themes import grey, series
from relax.solution import Solution

MARKER_SIZES = (8, 6, 4.5, 3)
FEW = 30  # sizes whose markers are told apart
MOST_TICKS = 7
NEARLY_ALL, BEYOND, MARGIN = 0.99, 2.0, 0.06  # part of the points; how far beyond them is far


class Line(NamedTuple):
    """One quantity for each class size."""

    label: str
    values: Float[np.ndarray, " K"]


def against_size(solution: Solution, ax: Axes | None = None) -> Axes:
    """Draw how near the vectors of classes stand to others, against the size of their class.

    The nearest and the mean entry with others; norms where they differ, and matched vectors where there are
    two roles. An arrow gives the farthest where few points are far beyond the rest.

    Parameters
    ----------
    solution : Solution
        What `solve` returned, of any number of classes.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With a line for each quantity, and that of the simplex where all vectors have one norm.
    """
    found = geometry(solution)
    ax = axes_or_new(ax)
    few = len(found.sizes) <= FEW
    for i, line in enumerate(_lines(found)):  # the later, the smaller: none is hidden by the next
        ax.plot(
            found.sizes,
            line.values,
            **series(i),
            lw=1.2,
            ms=MARKER_SIZES[i] if few else 2.5,
            label=line.label,
        )
    cosine, problem = found.blocks[0].cosine, solution.problem
    if cosine and not problem.nonnegative:  # whose optimum is an orthogonal frame, at zero
        units = problem.counts.classes if found.labelled else problem.counts.samples
        name = "simplex ETF, −1/(k−1)" if found.labelled else "simplex of all samples, −1/(n−1)"
        ax.axhline(-1 / (units - 1), color=grey(0.6), lw=1, ls=(0, (4, 4)), label=name)
    ax.set_xscale("log")
    _mark_sizes(ax, found)
    _leave_out_the_farthest(ax)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    tidy(ax)
    ax.set_ylabel("cosine" if cosine else "inner product")
    near = f"How near {found.unit_plural} stand"
    ax.set_title(near if len(found.blocks) == 1 else "Norms, and vectors of the same class")
    ax.legend(frameon=False)
    return ax


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


def _leave_out_the_farthest(ax: Axes) -> None:
    """Let the axis end where nearly all points do, if few are far beyond; an arrow gives the farthest."""
    points = np.concatenate(
        [np.column_stack(line.get_data()) for line in ax.get_lines() if line.get_marker() != "None"]
    )
    values = points[np.isfinite(points[:, 1])]
    low, high = values[:, 1].min(initial=0.0), np.quantile(values[:, 1], NEARLY_ALL)
    far = values[np.argmax(values[:, 1])]
    if len(values) <= FEW or far[1] - low <= BEYOND * (high - low):
        return
    ax.set_ylim(low - MARGIN * (high - low), high + 2 * MARGIN * (high - low))
    ax.annotate(
        f"{far[1]:.3g}↑",
        (far[0], 1.0),
        xycoords=("data", "axes fraction"),
        va="top",
        ha="right",
        fontsize="small",
    )


def _mark_sizes(ax: Axes, geometry: Geometry) -> None:
    """Put ticks at sizes that occur, far enough apart to be read."""
    position = np.log(geometry.sizes.astype(float))
    if len(position) == 1:
        ax.set_xlim(geometry.sizes[0] / 2, geometry.sizes[0] * 2)
    apart = (position.max() - position.min()) / MOST_TICKS
    kept = [0]
    for kind in range(1, len(position)):
        if position[kept[-1]] - position[kind] >= apart:
            kept.append(kind)
    names = [f"{geometry.sizes[kind]:,}" for kind in kept]
    if not geometry.labelled:
        names = [f"{geometry.units[0]:,} {geometry.unit}s"]
    ax.set_xticks(geometry.sizes[kept], names)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("class size (samples)" if geometry.labelled else "")
