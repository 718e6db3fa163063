"""The phase diagram of minority collapse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from relax.errors import InputError, worded
from relax.plots.canvas import axes_or_new, figure_of, log_ticks
from relax.plots.themes import COLOUR_MAP

NAMES = {
    "temperature": "temperature τ",
    "batch_size": "batch size b",
    "k_minor": "number of minority classes",
    "positives_weight": "weight w of positives",
}
FEW = 40  # values whose thresholds are marked each
SPREAD = 8.0  # values so many times each other stand on a logarithmic axis


def phase_diagram(diagram: Any, ax: Axes | None = None) -> Axes:
    """Draw the cosine of minority classes over the ratio R and a second parameter.

    The line is the threshold, with the bracket that is proven at each value of the parameter. Hatched are the
    ratios at which classes are proven to coincide: the `pieces` of the thresholds that say so. Cells without
    a cosine are empty.

    Parameters
    ----------
    diagram : PhaseDiagram
        What phase_diagram of certify.thresholds returns, or whatever has `parameter`, its name; `values`,
        shape (v,); `ratios`, shape (r,); `cosine`, shape (v, r); and `thresholds`, one a value, as in
        `against_ratio`; of theirs `pieces`, with `start`, `end` (None: all larger) and `together`.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With the cells, the hatched steps, the line, and the colour bar beside it.

    Raises
    ------
    InputError
        If it is no diagram, its arrays do not fit, or values or ratios do not rise.
    """
    values, ratios, cosine = _arrays(diagram)
    ax = axes_or_new(ax)
    by_ratio, by_value = _edges(ratios, logarithmic=True), _edges(values, _is_logarithmic(values))
    scale = Normalize(min(float(np.min(cosine, where=np.isfinite(cosine), initial=0.0)), 0.0), 1.0)
    ax.pcolormesh(by_ratio, by_value, cosine, cmap=COLOUR_MAP, norm=scale, rasterized=True, lw=0)
    figure_of(ax).colorbar(
        ScalarMappable(scale, COLOUR_MAP), ax=ax, label="cosine of two minority classes"
    ).outline.set_visible(False)  # type: ignore[operator]
    _hatch_proven(ax, diagram.thresholds, by_ratio, by_value)
    _draw_thresholds(ax, diagram.thresholds, values, float(by_ratio[-1]))
    if any(one.ratio is not None for one in diagram.thresholds):
        # over the colours, which no theme changes
        ax.legend(facecolor="white", labelcolor="black", edgecolor="black", framealpha=0.9)
    ax.set_xscale("log")
    ax.set_xlim(by_ratio[0], by_ratio[-1])
    log_ticks(ax, "x", by_ratio[0], by_ratio[-1])
    if _is_logarithmic(values):
        ax.set_yscale("log")
        log_ticks(ax, "y", by_value[0], by_value[-1])
    else:
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=bool((values == np.round(values)).all())))
    ax.set_ylim(by_value[0], by_value[-1])
    ax.tick_params(which="both", direction="out")
    ax.spines[:].set_visible(False)
    ax.set_xlabel("ratio R of class sizes, large to small")
    ax.set_ylabel(NAMES.get(diagram.parameter, str(diagram.parameter)))
    ax.set_title("Where minority classes coincide")
    return ax


def _hatch_proven(
    ax: Axes,
    thresholds: Sequence[Any],
    by_ratio: Float[np.ndarray, " r1"],
    by_value: Float[np.ndarray, " v1"],
) -> None:
    """Hatch the ratios of every piece that is proven together; a step a value: nothing is known between."""
    corners = []
    for one, low, high in zip(thresholds, by_value[:-1], by_value[1:], strict=True):
        for piece in getattr(one, "pieces", ()):
            start, end = _within(piece.start, by_ratio), _within(piece.end, by_ratio)
            if piece.together and start < end:
                corners.append([(start, low), (end, low), (end, high), (start, high)])
    if corners:
        ink = {"facecolors": "none", "edgecolors": (0.0, 0.0, 0.0, 0.55), "linewidths": 0}
        ax.add_collection(
            PolyCollection(corners, hatch="///", label="proven to coincide", **ink), autolim=False
        )


def _within(ratio: Any, by_ratio: Float[np.ndarray, " r1"]) -> float:
    """Return a ratio no farther than the picture goes; None is infinity, and fractions may exceed floats."""
    if ratio is None or ratio > by_ratio[-1]:
        return float(by_ratio[-1])
    return max(float(ratio), float(by_ratio[0]))


def _draw_thresholds(
    ax: Axes, thresholds: Sequence[Any], values: Float[np.ndarray, " v"], last: float
) -> None:
    """Draw the line through the middles of the brackets, and each of them; beyond the picture it ends."""
    found = [one.ratio is not None and one.upper <= last for one in thresholds]
    middle = [float(one.ratio) if here else np.nan for one, here in zip(thresholds, found, strict=True)]
    mark: dict[str, Any] = {"marker": "o", "ms": 4.5, "mfc": "white", "mec": "black"}
    ax.plot(middle, values, color="white", lw=3.4, solid_capstyle="round")
    ax.plot(middle, values, color="black", lw=1.5, label="threshold", **(mark if len(values) <= FEW else {}))
    for one, value, here in zip(thresholds, values, found, strict=True):
        if here:
            ax.hlines(value, float(one.lower), float(one.upper), color="black", lw=2.5)


def _arrays(
    diagram: Any,
) -> tuple[Float[np.ndarray, " v"], Float[np.ndarray, " r"], Float[np.ndarray, "v r"]]:
    missing = [
        name
        for name in ("parameter", "values", "ratios", "cosine", "thresholds")
        if not hasattr(diagram, name)
    ]
    if missing:
        raise InputError(
            f"diagram is {worded(diagram)} without {missing[0]!r}; give what phase_diagram returns"
        )
    values, ratios, cosine = (
        np.asarray(getattr(diagram, name), dtype=float) for name in ("values", "ratios", "cosine")
    )
    if (
        cosine.shape != (len(values), len(ratios))
        or len(diagram.thresholds) != len(values)
        or not cosine.size
    ):
        raise InputError(
            f"diagram has {len(values)} values, {len(ratios)} ratios, {len(diagram.thresholds)} thresholds, "
            f"cosines of shape {cosine.shape}; give a threshold a value and a cosine a value and ratio"
        )
    if (np.diff(values) <= 0).any() or (np.diff(ratios) <= 0).any() or not (ratios > 0).all():
        raise InputError("values and ratios of the diagram must rise, ratios from above 0; sort them")
    return values, ratios, cosine


def _is_logarithmic(values: Float[np.ndarray, " v"]) -> bool:
    return bool(values[0] > 0 and values[-1] >= SPREAD * values[0])


def _edges(centres: Float[np.ndarray, " c"], logarithmic: bool) -> Float[np.ndarray, " c1"]:
    """Return the borders of cells around their centres."""
    at = np.log(centres) if logarithmic else centres
    middle = (at[1:] + at[:-1]) / 2
    before, after = (at[1] - at[0], at[-1] - at[-2]) if len(at) > 1 else (0.5, 0.5)
    edges = np.concatenate([[at[0] - before / 2], middle, [at[-1] + after / 2]])
    return np.exp(edges) if logarithmic else edges
