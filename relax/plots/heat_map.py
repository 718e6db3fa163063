"""The inner products between vectors of two roles, a cell for each pair of groups."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.image import AxesImage
from matplotlib.ticker import NullLocator

from relax.arrangement import Block, Geometry
from relax.solution import Solution

MOST_NAMED = 12  # rows with a name each
MOST_WRITTEN = 8  # rows whose cells have their value written in
MOST_HATCHED = 40  # rows whose cells are large enough for a hatch
HATCHED = {"facecolor": "0.9", "edgecolor": "0.55", "hatch": "////"}
GREY = {"facecolor": "0.4"}
NEARLY_ALL = 0.999  # of many cells
UNEVEN = 8.0  # an entry so many times the usual one would leave nothing else to see


def draw_block(axes: Axes, solution: Solution, geometry: Geometry, block: Block) -> None:
    """Draw entries of different units; cells of groups of one unit, which have no pair, are no colour."""
    label = geometry.label
    order = np.lexsort((np.arange(len(label)) if geometry.of is None else geometry.of, label))
    shown = _entries(solution, block)[np.ix_(order, order)]
    image = axes.imshow(shown, cmap="RdBu_r", norm=scale(shown), interpolation="nearest")
    hatched = len(shown) <= MOST_HATCHED
    axes.patch.set(**HATCHED if hatched else GREY)
    _add_colour_bar(axes, image, "cosine" if block.cosine else "inner product")
    if len(shown) <= MOST_WRITTEN:
        _write_values(axes, image, shown, block.cosine)
    names, ticks = _names(solution, geometry, order)
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(names) > 4 else {}
    axes.set_xticks(ticks, names, **slanted)
    axes.set_yticks(ticks, names)
    axes.tick_params(length=0 if len(shown) <= MOST_NAMED else 3)
    _label(axes, geometry, block)
    if np.isnan(shown).any():
        what = "hatched" if hatched else "grey"
        axes.set_xlabel(
            f"{axes.get_xlabel()}\n({what}: no pair of different {geometry.unit_plural})".lstrip()
        )


def _label(axes: Axes, geometry: Geometry, block: Block) -> None:
    if len(geometry.blocks) == 1:
        whose = "Cosines" if block.cosine else "Inner products"
    elif block.first == block.second:
        whose = f"{block.first.capitalize()}s"
    else:
        whose = f"{block.first.capitalize()} and {block.second}"
    axes.set_title(f"{whose} of different {geometry.unit_plural}")
    if geometry.labelled:
        apart = block.first != block.second
        axes.set_xlabel(f"class size of the {block.second}" if apart else "class size")
        axes.set_ylabel(f"class size of the {block.first}" if apart else "class size")


def _add_colour_bar(axes: Axes, image: AxesImage, quantity: str) -> None:
    assert axes.figure is not None
    values = np.ma.masked_invalid(np.ma.asarray(image.get_array()))
    beyond = bool(np.any(np.abs(np.asarray(image.norm(values.compressed())) - 0.5) > 0.5 + 1e-9))
    bar = axes.figure.colorbar(
        image, ax=axes, label=quantity, shrink=0.85, extend="both" if beyond else "neither"
    )
    if isinstance(image.norm, AsinhNorm):  # its own ticks run into each other at zero
        values = np.asarray(image.norm.inverse(np.linspace(0, 1, 7)))
        values[3] = 0.0
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_ticks(values.tolist(), labels=[_with_minus(f"{value:.2g}") for value in values])


def scale(shown: Float[np.ndarray, "m m"]) -> Normalize:
    """Return the colour scale, white at zero; compressed where a few entries are far larger than the rest.

    Of many cells, those few that reach beyond twice the others have the colour of the end, and the colour bar
    an arrow there.
    """
    size = np.abs(shown[np.isfinite(shown)])
    reach = float(size.max(initial=0.0)) or 1.0
    if len(shown) > MOST_HATCHED:
        most = float(np.quantile(size, NEARLY_ALL))
        reach = most if 0.0 < most < reach / 2 else reach
    usual = float(np.median(size)) if len(size) else reach
    if 0.0 < usual < reach / UNEVEN:
        return AsinhNorm(linear_width=usual, vmin=-reach, vmax=reach)
    return Normalize(-reach, reach)


def _entries(solution: Solution, block: Block) -> Float[np.ndarray, "m m"]:
    """Return the entries of different units of two groups; NaN for a group of one unit with itself."""
    own, peer = solution.entries(block.first, block.second)
    shown = peer / own.max() if block.cosine else peer.copy()
    alone = solution.nodes.multiplicity == 1
    shown[alone, alone] = np.nan
    return shown


def _write_values(axes: Axes, image: AxesImage, shown: Float[np.ndarray, "m m"], cosine: bool) -> None:
    for (row, column), value in np.ndenumerate(shown):
        if np.isfinite(value):
            dark = abs(float(np.asarray(image.norm(value))) - 0.5) > 0.3
            text = _with_minus(f"{value:.3f}" if cosine else f"{value:.3g}")
            axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")


def _with_minus(number: str) -> str:
    return number.replace("-", "−")


def _names(
    solution: Solution, geometry: Geometry, order: Int[np.ndarray, " m"]
) -> tuple[list[str], list[float]]:
    """Return what rows are called, and where the names stand: all of them while they are few."""
    count = len(order)
    if not geometry.labelled:
        return [f"{geometry.units.sum():,} {geometry.unit}s"], [(count - 1) / 2]
    sizes = geometry.sizes[geometry.label[order]]
    if geometry.of is not None:  # samples: a name a class
        starts = np.unique(geometry.of[order], return_index=True)[1]
        starts.sort()
        ends = np.append(starts[1:], count)
        middle = (starts + ends - 1) / 2
        kept = _spread(len(starts))
        return [f"{sizes[starts[i]]:,}" for i in kept], [float(middle[i]) for i in kept]
    kept = _spread(count)
    g = solution.nodes.multiplicity[order].astype(int)
    named = [
        f"{sizes[i]:,} ×{g[i]:,}" if g.max() > 1 and count <= MOST_NAMED else f"{sizes[i]:,}" for i in kept
    ]
    return named, [float(i) for i in kept]


def _spread(count: int) -> list[int]:
    """Return all of so many positions, or six of them where they are many."""
    if count <= MOST_NAMED:
        return list(range(count))
    return np.unique(np.linspace(0, count - 1, 6).astype(int)).tolist()
