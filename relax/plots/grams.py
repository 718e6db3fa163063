"""Gram matrices as heat maps: those of solutions, a cell for each pair of groups, and those of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm, Normalize
from matplotlib.image import AxesImage
from matplotlib.ticker import NullLocator

from relax.arrangement import Block, Geometry, geometry
from relax.errors import InputError, among, worded
from relax.plots.canvas import axes_or_new, figure_of, plain, square_gram, with_minus
from relax.plots.cells import MOST_NAMED, Cells, cells_of_array, cells_of_solution
from relax.plots.themes import COLOUR_MAP, grey, readable_on
from relax.solution import Solution

MOST_WRITTEN = 8  # rows whose cells have their value written in
MOST_HATCHED = 40  # rows whose cells are large enough for a hatch
MOST_DRAWN = 4_000  # rows of a heat map
NEARLY_ALL = 0.999  # of many cells
UNEVEN = 8.0  # an entry so many times the usual one would leave nothing else to see
ROUNDING = 1e-9  # of the largest entry, what is written as zero
SIZE = (5.4, 4.4)


def heat_map(
    source: Any,
    blocks: Sequence[Any] | np.ndarray | None = None,
    roles: tuple[str, str] = ("feature", "feature"),
    ax: Axes | None = None,
) -> Axes:
    """Draw a Gram matrix, its rows in blocks of classes that are alike.

    Of a solution each cell is a pair of groups: classes of equal size, whose entries are equal. So a million
    classes in two sizes are four cells. The colours are symmetric around zero, in the middle of their
    lightness; they are compressed where a few entries are far larger than the rest, and of many cells those
    few that reach beyond twice the others have the colour of the end, and the colour bar an arrow there.

    Parameters
    ----------
    source : Solution or (k, k) array
        What `solve` returned, or a Gram matrix: of classes, or of features with their labels as `blocks`.
    blocks : (k,) sequence, optional
        Of an array, what each row belongs to: class sizes, or labels. Rows of one block stand together,
        those of large numbers first.
    roles : pair of str
        Of a solution, whose inner products: ("classifier", "feature") where the loss has both.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With the image, and the colour bar beside it.

    Raises
    ------
    InputError
        If the source is no Gram matrix, has more than 4,000 rows, has no such roles, or `blocks` do not fit.
    """
    if not isinstance(source, Solution):
        cells = cells_of_array(square_gram(source, "source", MOST_DRAWN), blocks, None)
        ax = axes_or_new(ax, SIZE)
        _draw(ax, cells)
        ax.set_title("Gram matrix")
        return ax
    if blocks is not None:
        raise InputError("blocks are those of a solution's groups; leave them out, or give solution.gram")
    found, wanted = geometry(source), _pair(roles)
    for role in wanted:
        among(role, source.nodes.roles, "role")
    groups = len(source.nodes.multiplicity)
    if groups > MOST_DRAWN:
        raise InputError(
            f"source has {groups:,} groups of vectors, more than {MOST_DRAWN:,} rows, which can be drawn; "
            'solve at level "groups"'
        )
    block = next(block for block in found.blocks if {block.first, block.second} == set(wanted))
    ax = axes_or_new(ax, SIZE)
    _draw(ax, cells_of_solution(source, found, block))
    _label(ax, found, block)
    return ax


def difference(
    first: Any, second: Any, blocks: Sequence[Any] | np.ndarray | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how much one Gram matrix differs from another, e.g. that of trained features from the optimum.

    Parameters
    ----------
    first, second : Solution or (k, k) array
        What is drawn is the first minus the second. Solutions stand for the Gram matrix of their class means.
    blocks : (k,) sequence, optional
        As for `heat_map`; the class sizes by default, where a solution knows them.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With the image; the title says the largest difference.

    Raises
    ------
    InputError
        If one is no Gram matrix, or they are of different shapes.
    """
    one, other = square_gram(first, "first", MOST_DRAWN), square_gram(second, "second", MOST_DRAWN)
    if one.shape != other.shape:
        raise InputError(
            f"first {one.shape} and second {other.shape} must be of one shape, classes in the same order"
        )
    if blocks is None:
        known = [given.problem.counts for given in (first, second) if isinstance(given, Solution)]
        blocks = np.array(known[0].sizes)[known[0].group_of_class()] if known else None
    apart = one - other
    ax = axes_or_new(ax, SIZE)
    _draw(ax, cells_of_array(apart, blocks, "difference"))
    ax.set_title(f"Difference, at most {plain(float(f'{np.abs(apart).max():.2g}'))}")
    return ax


def _pair(roles: object) -> tuple[str, str]:
    if isinstance(roles, (tuple, list)) and len(roles) == 2:
        return roles[0], roles[1]
    raise InputError(f'roles is {worded(roles)}; give two, e.g. ("classifier", "feature")')


def _draw(ax: Axes, cells: Cells) -> None:
    shown = cells.values
    image = ax.imshow(shown, cmap=COLOUR_MAP, norm=scale(shown), interpolation="nearest")
    hatched = len(shown) <= MOST_HATCHED
    hatch = {"facecolor": grey(0.1), "edgecolor": grey(0.5), "hatch": "////"}
    ax.patch.set(**hatch if hatched else {"facecolor": grey(0.0)})
    if len(cells.starts) < MOST_HATCHED:
        borders, ends = np.array(cells.starts) - 0.5, (-0.5, len(shown) - 0.5)
        ax.hlines(borders, *ends, color=grey(0.0), lw=1.6)
        ax.vlines(borders, *ends, color=grey(0.0), lw=1.6)
    _add_colour_bar(ax, image, cells.quantity)
    if len(shown) <= MOST_WRITTEN:
        _write_values(ax, image, cells)
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(cells.names) > 4 else {}
    ax.set_xticks(cells.ticks, cells.names, **slanted)
    ax.set_yticks(cells.ticks, cells.names)
    ax.tick_params(length=0 if len(shown) <= MOST_NAMED else 3)
    if np.isnan(shown).any():
        what = "hatched" if hatched else "empty"
        ax.set_xlabel(f"({what}: {cells.empty})", fontsize="small")


def _label(ax: Axes, geometry: Geometry, block: Block) -> None:
    if len(geometry.blocks) == 1:
        whose = "Cosines" if block.cosine else "Inner products"
    elif block.first == block.second:
        whose = f"{block.first.capitalize()}s"
    else:
        whose = f"{block.first.capitalize()} and {block.second}"
    ax.set_title(f"{whose} of different {geometry.unit_plural}")
    if geometry.labelled:
        apart = block.first != block.second
        said = f"class size of the {block.second}" if apart else "class size"
        ax.set_xlabel(f"{said}\n{ax.get_xlabel()}".rstrip(), fontsize="medium")
        ax.set_ylabel(f"class size of the {block.first}" if apart else "class size")


def _add_colour_bar(ax: Axes, image: AxesImage, quantity: str) -> None:
    values = np.ma.masked_invalid(np.ma.asarray(image.get_array()))
    beyond = bool(np.any(np.abs(np.asarray(image.norm(values.compressed())) - 0.5) > 0.5 + 1e-9))
    bar = figure_of(ax).colorbar(
        image, ax=ax, label=quantity, shrink=0.85, extend="both" if beyond else "neither"
    )
    bar.outline.set_visible(False)  # type: ignore[operator]
    if isinstance(image.norm, AsinhNorm):  # its own ticks run into each other at zero
        values = np.asarray(image.norm.inverse(np.linspace(0, 1, 7)))
        values[3] = 0.0
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_ticks(values.tolist(), labels=[with_minus(f"{value:.2g}") for value in values])


def scale(shown: Float[np.ndarray, "m m"]) -> Normalize:
    """Return the colour scale, zero in its middle; compressed, or ended early, as `heat_map` says."""
    size = np.abs(shown[np.isfinite(shown)])
    reach = float(size.max(initial=0.0)) or 1.0
    if len(shown) > MOST_HATCHED:
        most = float(np.quantile(size, NEARLY_ALL))
        reach = most if 0.0 < most < reach / 2 else reach
    usual = float(np.median(size)) if len(size) else reach
    if 0.0 < usual < reach / UNEVEN:
        return AsinhNorm(linear_width=usual, vmin=-reach, vmax=reach)
    return Normalize(-reach, reach)


def _write_values(ax: Axes, image: AxesImage, cells: Cells) -> None:
    reach = float(np.nanmax(np.abs(cells.values), initial=0.0)) or 1.0
    for (row, column), value in np.ndenumerate(cells.values):
        if np.isfinite(value):
            ink = readable_on(image.cmap(float(np.asarray(image.norm(value)))))
            shown = 0.0 if abs(value) < ROUNDING * reach else value
            text = with_minus(f"{shown:{cells.digits}}")
            size = "small" if len(cells.values) > 5 else "medium"
            ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)
