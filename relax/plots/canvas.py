"""Where a picture is drawn, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from relax.errors import InputError, expect, reason, worded
from relax.plots.themes import grey
from relax.solution import Solution

WIDTH, HEIGHT = 6.0, 4.2  # inches, of a picture on its own


def axes_or_new(ax: Axes | None, size: tuple[float, float] = (WIDTH, HEIGHT)) -> Axes:
    """Return the axes that were given, else those of a new figure of pyplot, which a notebook shows."""
    if ax is not None:
        return expect(ax, Axes, "ax", "give the axes of a Matplotlib figure, or leave it out")
    from matplotlib import pyplot  # a back end is chosen where a figure is made here, and only then

    return pyplot.figure(figsize=size, layout="constrained").add_subplot()


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes belong to, the subfigure's where there are some."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def key(label: str, **style: Any) -> Line2D:
    """Return an entry of a legend."""
    return Line2D([], [], label=label, **style)


def legend_beside(ax: Axes, keys: Sequence[Artist]) -> None:
    """Put a legend right of the axes, where it hides nothing."""
    if keys:
        ax.legend(handles=keys, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def tidy(ax: Axes, grid: str = "y") -> None:
    """Leave a faint grid and two spines."""
    if grid:
        ax.grid(axis=grid, color=grey(0.13), lw=0.7)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def log_ticks(ax: Axes, axis: str, low: float, high: float) -> None:
    """Write a logarithmic axis in plain numbers: powers of ten, with 2 and 5 where they are few."""
    decades = np.log10(high / low)
    steps = (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0) if decades > 0.8 else tuple(np.arange(1.0, 10.0))
    which = ax.xaxis if axis == "x" else ax.yaxis
    which.set_major_locator(LogLocator(base=10, subs=steps, numticks=9))
    which.set_major_formatter(lambda value, _: plain(value))
    which.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """Return a number as it is written in print: 10,000, 0.05, 10⁶, −0.33."""
    size = abs(value)
    if size >= 1e5 or 0 < size < 1e-4:
        power = np.floor(np.log10(size) + 1e-9)
        head = f"{value / 10.0**power:.3g}"
        raised = f"{power:.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return with_minus(f"10{raised}" if head == "1" else f"{head}·10{raised}")
    return with_minus(f"{value:,.0f}" if value == round(value) else f"{value:.4g}")


def with_minus(number: str) -> str:
    """Return a number with a minus sign in place of a hyphen."""
    return number.replace("-", "−")


def square_gram(given: Any, what: str, most: int) -> Float[np.ndarray, "k k"]:
    """Return a Gram matrix that is given as an array, or that of a solution's class means.

    Raises
    ------
    InputError
        If it is none, or has more rows than can be drawn.
    """
    if isinstance(given, Solution):
        if given.problem.counts.classes > most:
            raise InputError(_too_many(what, given.problem.counts.classes, most))
        return given.class_gram
    try:
        gram = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} is {worded(given)} ({reason(error)}); give a Solution or a k × k array"
        ) from error
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or gram.size == 0 or not np.isfinite(gram).all():
        raise InputError(f"{what} is {worded(given)}; give a Solution, or a k × k array of finite numbers")
    if len(gram) > most:
        raise InputError(_too_many(what, len(gram), most))
    return gram


def _too_many(what: str, rows: int, most: int) -> str:
    return f"{what} has {rows:,} rows, more than {most:,}; draw heat_map or spectrum of a solution by groups"


def column(table: Any, name: str, optional: bool = False) -> Float[np.ndarray, " rows"] | None:
    """Return a column of a table (a pandas DataFrame, a dictionary of arrays) as floats.

    Raises
    ------
    InputError
        If it is not there, or holds other things than numbers.
    """
    if not (isinstance(table, Mapping) or (hasattr(table, "columns") and hasattr(table, "__getitem__"))):
        raise InputError(f"table is {worded(table)}; give a DataFrame or a dictionary of arrays")
    names = list(table.keys() if isinstance(table, Mapping) else table.columns)
    if name not in names:
        if optional:
            return None
        raise InputError(f"table has no column {name!r}, only {', '.join(map(str, names))}; add it")
    try:
        values = np.asarray(table[name], dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name!r} does not hold numbers ({reason(error)})") from error
    if values.ndim != 1:
        raise InputError(f"column {name!r} has shape {values.shape}; give one number a row")
    return values
