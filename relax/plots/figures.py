"""Whole figures of a geometry: that of the command's `--plot`, and the small one of Jupyter."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from relax.arrangement import Geometry, geometry
from relax.errors import InputError, expect
from relax.files import named, write_atomically
from relax.losses.parameters import spelled, spelled_value
from relax.norms import Sphere
from relax.plots.grams import heat_map
from relax.plots.sizes import against_size
from relax.plots.themes import theme
from relax.solution import Solution

FORMATS = (".png", ".pdf", ".svg")
MOST_DRAWN = 2_000  # groups of a thumbnail


def plot_geometry(solution: Solution, path: str | Path) -> None:
    """Draw the inner products of each pair of roles, and how near vectors are against class size.

    Raises
    ------
    InputError
        If the path ends in none of .png, .pdf and .svg, or cannot be written.
    """
    if Path(named(path)).suffix not in FORMATS:
        raise InputError(f"picture {path} must end in one of {', '.join(FORMATS)}")
    write_atomically(path, geometry_picture(solution, Path(path).suffix.removeprefix(".")))


def geometry_picture(solution: Solution, kind: str) -> bytes:
    """Return the file of `plot_geometry`, of the kind "png", "pdf" or "svg"."""
    file = io.BytesIO()
    geometry_figure(solution).savefig(file, format=kind, dpi=150)
    return file.getvalue()


def geometry_figure(solution: Solution) -> Figure:
    """Return the figure of `plot_geometry`: a heat map for each pair of roles, then the lines."""
    found = geometry(expect(solution, Solution, "solution", "give what solve(problem) returns"))
    rows = 1 if len(found.blocks) == 1 else 2
    with theme("light"):
        figure = Figure(figsize=(11, 4.6 * rows), layout="constrained")
        FigureCanvasAgg(figure)
        panels: list[Axes] = np.ravel(figure.subplots(rows, 2)).tolist()
        for ax, block in zip(panels, found.blocks, strict=False):
            heat_map(solution, roles=(block.first, block.second), ax=ax)
        against_size(solution, ax=panels[-1])
        figure.suptitle(_title(solution, found))
    return figure


def _title(solution: Solution, found: Geometry) -> str:
    problem = solution.problem
    what = "Optimal geometry of" if solution.reduction.attained else "Geometry of the bound of"
    classes = f"{problem.counts.classes:,} classes"
    units = classes if found.labelled else f"{problem.counts.samples:,} samples, labels unseen"
    said = [] if problem.norm == Sphere() else [spelled_value(problem.norm)]
    said += ["entries ≥ 0"] if problem.nonnegative else []
    features = f", features: {', '.join(said)}" if said else ""
    return f"{what} {spelled(problem.loss)}: {units}, τ = {problem.temperature:g}{features}"


def thumbnail(solution: Solution) -> bytes | None:
    """Return a small PNG of the heat map of the features, None where there are too many groups to draw."""
    if solution.nodes.multiplicity.shape[0] > MOST_DRAWN:
        return None
    with theme("light"):
        figure = Figure(figsize=(4.4, 3.4), dpi=75, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        heat_map(solution, ax=figure.subplots())
    file = io.BytesIO()
    with theme("light"):
        canvas.print_png(file, metadata={"Software": None})
    return file.getvalue()
