"""Cosines against the ratio of large to small classes, with the ratio from which the small ones coincide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator

from relax.errors import InputError, worded
from relax.plots.canvas import axes_or_new, column, key, legend_beside, log_ticks, tidy
from relax.plots.themes import DASHES, MOST_SERIES, grey, series

PAIRS = {"beta": "minority · minority", "gamma": "majority · minority", "alpha": "majority · majority"}
FEW = 30  # points of a line that are marked each
SIZE = (8.0, 4.2)


class _Curve(NamedTuple):
    """One quantity at one temperature, by rising ratio."""

    quantity: str
    temperature: float | None
    ratio: Float[np.ndarray, " p"]
    cosine: Float[np.ndarray, " p"]


def against_ratio(
    table: Any,
    threshold: Any = None,
    quantities: tuple[str, ...] = ("beta", "gamma", "alpha"),
    degrees: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cosines of two kinds of classes against the ratio R of their sizes.

    At one temperature a line is a quantity; at several its colour and marker are the temperature, and its
    dashes the quantity.

    Parameters
    ----------
    table : DataFrame or mapping of arrays
        Columns `ratio`, those of `quantities`, and `temperature` if there are several: what a sweep over R
        returns. A cosine that is NaN is left out.
    threshold : Threshold or mapping of float to Threshold, optional
        Where minority classes begin to coincide, by temperature if there are several: what has `lower` and
        `upper`, the proven bracket, or, where `ratio` is None, `limit`, the minority cosine as R → ∞.
    quantities : tuple of str
        Of "alpha" (two majority classes), "beta" (two minority classes), "gamma" (one of each).
    degrees : bool
        Whether to draw angles.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With the lines, and a band from `lower` to `upper` at each threshold.

    Raises
    ------
    InputError
        If a column is missing, two rows have one ratio and temperature, there are more than five
        temperatures, or the thresholds are not those of the temperatures.
    """
    curves = _curves(table, quantities)
    temperatures = sorted({curve.temperature for curve in curves if curve.temperature is not None})
    several, marked = len(temperatures) > 1, _thresholds(threshold, temperatures)
    ax = axes_or_new(ax, SIZE)
    for curve in curves:
        style = series(temperatures.index(curve.temperature) if several else _place(curve.quantity))  # type: ignore[arg-type]
        if several:
            style["linestyle"] = DASHES[_place(curve.quantity)]
        shown = np.degrees(np.arccos(np.clip(curve.cosine, -1, 1))) if degrees else curve.cosine
        every = max(1, len(shown) // FEW)
        ax.plot(
            curve.ratio,
            shown,
            **style,
            lw=1.6,
            ms=4.5,
            markevery=every,
            label=None if several else PAIRS[curve.quantity],
        )
    ax.set_xscale("log")
    low, high = min(curve.ratio[0] for curve in curves), max(curve.ratio[-1] for curve in curves)
    low, high = (low, high) if low < high else (low / 2, high * 2)
    ax.set_xlim(low, high)
    log_ticks(ax, "x", low, high)
    ax.yaxis.set_major_locator(MultipleLocator(30) if degrees else MaxNLocator(6))
    tidy(ax)
    ax.set_xlabel("ratio R of class sizes, large to small")
    ax.set_ylabel("angle (degrees)" if degrees else "cosine")
    said = f", τ = {temperatures[0]:g}" if len(temperatures) == 1 else ""
    ax.set_title(f"What imbalance does to {'angles' if degrees else 'cosines'}{said}")
    for place, one in marked:
        _mark(
            ax,
            one,
            series(place)["color"] if several else grey(0.75),
            degrees,
            temperatures[place:][:1] if several else [],
        )
    keys = _keys(temperatures, curves) if several else []
    legend_beside(ax, [*keys, *ax.get_legend_handles_labels()[0]])
    return ax


def _place(quantity: str) -> int:
    return list(PAIRS).index(quantity)


def _keys(temperatures: list[float], curves: list[_Curve]) -> list[Line2D]:
    """Return what colours with markers, and dashes, stand for."""
    said = [key(f"τ = {one:g}", **(series(i) | {"linestyle": "none"})) for i, one in enumerate(temperatures)]
    drawn = [quantity for quantity in PAIRS if any(curve.quantity == quantity for curve in curves)]
    return said + [key(PAIRS[one], color=grey(0.8), linestyle=DASHES[_place(one)], lw=1.6) for one in drawn]


def _curves(table: Any, quantities: tuple[str, ...]) -> list[_Curve]:
    """Return the lines of a table, or refuse what would not be one line each."""
    wrong = [name for name in quantities if name not in PAIRS]
    if wrong or not quantities:
        raise InputError(f"quantities are {worded(quantities)}; give some of {', '.join(PAIRS)}")
    ratio, temperature = column(table, "ratio"), column(table, "temperature", optional=True)
    assert ratio is not None
    if temperature is not None and len(temperature) != len(ratio):
        raise InputError(f"table has {len(ratio)} ratios and {len(temperature)} temperatures; give one a row")
    temperatures = [None] if temperature is None else np.unique(temperature).tolist()
    if len(temperatures) > MOST_SERIES:
        raise InputError(f"table has {len(temperatures)} temperatures, more than {MOST_SERIES}; select some")
    found = []
    for one in temperatures:
        here: Bool[np.ndarray, " rows"] = (
            np.ones(len(ratio), bool) if temperature is None else temperature == one
        )
        for quantity in quantities:
            cosine = column(table, quantity)
            assert cosine is not None
            if len(cosine) != len(ratio):
                raise InputError(
                    f"table has {len(ratio)} ratios and {len(cosine)} of {quantity!r}; give one a row"
                )
            kept = here & np.isfinite(ratio) & (ratio > 0) & np.isfinite(cosine)
            order = np.argsort(ratio[kept])
            x = ratio[kept][order]
            if (np.diff(x) == 0).any():
                at = "" if one is None else f" at temperature {one:g}"
                twice = x[np.flatnonzero(np.diff(x) == 0)[0]]
                raise InputError(
                    f"table has several rows of ratio {twice:g}{at}; select one loss and one step"
                )
            if len(x):
                found.append(_Curve(quantity, one, x, cosine[kept][order]))
    if not found:
        raise InputError("table has no row with a positive ratio and a cosine; give a sweep over ratios")
    return found


def _thresholds(threshold: Any, temperatures: list[float]) -> list[tuple[int, Any]]:
    if threshold is None:
        return []
    if not isinstance(threshold, Mapping):
        if len(temperatures) > 1:
            raise InputError(
                f"threshold is one of {len(temperatures)} temperatures; give a dictionary, one for each"
            )
        return [(0, threshold)]
    unknown = [key for key in threshold if key not in temperatures]
    if unknown:
        raise InputError(
            f"threshold of temperature {worded(unknown[0])} has no rows in the table; leave it out"
        )
    return [(temperatures.index(key), one) for key, one in threshold.items()]


def _mark(ax: Axes, threshold: Any, colour: Any, degrees: bool, temperature: list[float]) -> None:
    """Draw the bracket of a threshold, or the limit where there is none."""
    at = f", τ = {temperature[0]:g}" if temperature else ""
    if threshold.ratio is None and threshold.limit is None:
        return
    if threshold.ratio is None:
        limit = float(threshold.limit)
        value = float(np.degrees(np.arccos(np.clip(limit, -1, 1)))) if degrees else limit
        ax.axhline(value, color=colour, lw=1, ls=(0, (1, 3)), label=f"minorities for R → ∞: {value:.3g}{at}")
        return
    low, high = float(threshold.lower), float(threshold.upper)
    label = f"threshold, R = {float(threshold.ratio):.4g}{at}"
    ax.axvspan(low, high, color=colour, alpha=0.5, lw=0)
    ax.axvline(float(threshold.ratio), color=colour, lw=1, ls=(0, (4, 3)), label=label)
