"""Pictures of a geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from relax.errors import InputError
from relax.files import write_atomically
from relax.solution import Solution

FORMATS = (".png", ".pdf", ".svg")


def plot_geometry(solution: Solution, path: str | Path) -> None:
    """Draw the Gram matrix by groups, and how close classes of each size are to their own kind and others.

    Raises
    ------
    InputError
        If the path ends in none of .png, .pdf and .svg, or cannot be written.
    """
    if Path(path).suffix not in FORMATS:
        raise InputError(f"picture {path} must end in one of {', '.join(FORMATS)}")
    kind, figure = Path(path).suffix.removeprefix("."), geometry_figure(solution)
    write_atomically(path, lambda file: figure.savefig(file, format=kind, dpi=150))


def geometry_figure(solution: Solution) -> Figure:
    """Return the figure of `plot_geometry`."""
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_gram(figure, left, solution)
    _draw_cosines(right, solution)
    tau, k = solution.problem.temperature, solution.problem.counts.classes
    figure.suptitle(f"Optimal geometry of {solution.problem.loss.name}: {k:,} classes, τ = {tau:g}")
    return figure


def _draw_gram(figure: Figure, axes: Axes, solution: Solution) -> None:
    """Show cosines between different classes; what a group of one class has with itself is left blank."""
    sizes, multiplicities, gram = solution.groups
    shown = gram.copy()
    for a in np.flatnonzero(np.array(multiplicities) == 1):
        shown[a, a] = np.nan
    reach = float(np.nanmax(np.abs(shown)))
    image = axes.imshow(shown, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="cosine between two different classes", shrink=0.85)
    ticks = np.unique(np.linspace(0, len(sizes) - 1, min(len(sizes), 6)).astype(int))
    axes.set_xticks(ticks, [f"{sizes[a]:,}" for a in ticks], rotation=30)
    axes.set_yticks(ticks, [f"{sizes[a]:,}" for a in ticks])
    axes.set(xlabel="class size", ylabel="class size", title="Gram matrix by class size")


def _draw_cosines(axes: Axes, solution: Solution) -> None:
    """Show, against class size, the mean cosine with all other classes and with the nearest one."""
    sizes, multiplicities, gram = solution.groups
    g = np.array(multiplicities, dtype=float)
    others = g - np.eye(len(g))
    mean = (others * gram).sum(axis=1) / others.sum(axis=1)
    nearest = np.where(others > 0, gram, -np.inf).max(axis=1)
    k = float(g.sum())
    axes.axhline(-1 / (k - 1), color="0.6", lw=1, ls="--", label="simplex ETF, −1/(k−1)")
    axes.plot(sizes, nearest, "o-", ms=3, lw=1, color="#b2182b", label="nearest other class")
    axes.plot(sizes, mean, "o-", ms=3, lw=1, color="#2166ac", label="mean over other classes")
    axes.set_xscale("log")
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set(xlabel="class size (samples)", ylabel="cosine", title="How close classes stand")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
