"""Spectra of Gram matrices, by multiplicity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from relax.errors import InputError, worded
from relax.geometry import RANK_TOLERANCE
from relax.plots.canvas import axes_or_new, log_ticks, square_gram, tidy
from relax.plots.themes import MOST_SERIES, grey, series
from relax.solution import Solution

MOST_GROUPS = 3_000  # rows of a matrix whose eigenvalues take seconds
FEW = 40  # eigenvalues that are marked each
MANY = 100  # beyond, the number of the eigenvalue stands on a logarithmic axis


class Spectrum(NamedTuple):
    """The distinct eigenvalues of a Gram matrix, falling, and how often each occurs."""

    values: Float[np.ndarray, " e"]
    multiplicity: Int[np.ndarray, " e"]

    @property
    def rank(self) -> int:
        """How many eigenvalues are more than 1e-9 of the largest."""
        return int(self.multiplicity[self.values > RANK_TOLERANCE * self.values[0]].sum())


def spectrum(source: Any, ax: Axes | None = None) -> Axes:
    """Draw the eigenvalues of Gram matrices, falling, each as often as it occurs.

    Where classes are exchangeable, eigenvalues come from the small matrix between groups, so that a million
    classes are no more work than their number of sizes. Those that are zero are hollow: the full ones end at
    the rank, the dimension that the vectors need. Of many a thin line marks the rank.

    Parameters
    ----------
    source : Solution, (k, k) array, or mapping of str to these
        One geometry, or up to five by name to compare: ``{"τ = 0.1": one, "τ = 1": other}``.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With a line a geometry; the legend says its rank.

    Raises
    ------
    InputError
        If one is no Gram matrix, there are more than five, or one has more than 3,000 groups.
    """
    given = dict(source) if isinstance(source, Mapping) else {"": source}
    if not 1 <= len(given) <= MOST_SERIES:
        raise InputError(f"source is {worded(source)}; give one to {MOST_SERIES} geometries")
    found = {str(name): spectrum_of(one) for name, one in given.items()}
    count = max(int(each.multiplicity.sum()) for each in found.values())
    ax = axes_or_new(ax)
    for place, (name, each) in enumerate(found.items()):
        _draw(ax, each, name, place, count)
    if count > MANY:
        ax.set_xscale("log")
        log_ticks(ax, "x", 1, count)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    tidy(ax)
    ax.set_xlabel("number of the eigenvalue")
    ax.set_ylabel("eigenvalue of the Gram matrix")
    ax.set_title("Spectrum")
    ax.legend(frameon=False)
    return ax


def spectrum_of(given: Any) -> Spectrum:
    """Return the eigenvalues of the features of a solution by their multiplicity, or those of an array.

    Raises
    ------
    InputError
        If it is no Gram matrix, or has more than 3,000 groups.
    """
    if not isinstance(given, Solution):
        values = np.linalg.eigvalsh(square_gram(given, "source", MOST_GROUPS))[::-1]
        return Spectrum(np.maximum(values, 0.0), np.ones(len(values), dtype=int))
    own, peer = given.entries("feature", "feature")
    g = given.nodes.multiplicity
    if len(g) > MOST_GROUPS:
        raise InputError(
            f"source has {len(g):,} groups of vectors, more than {MOST_GROUPS:,}, which would take minutes; "
            'solve at level "groups"'
        )
    alone = g == 1
    inside = np.where(alone, 0.0, peer.diagonal())  # which means nothing for a group of one
    within = own - inside  # the eigenvalue of differences inside a group, g − 1 times
    root = np.sqrt(g)
    between = root[:, None] * peer * root
    between[np.diag_indices_from(between)] = own + (g - 1) * inside
    values = np.concatenate([np.linalg.eigvalsh(between), within[~alone]])
    multiplicity = np.concatenate([np.ones(len(g)), g[~alone] - 1]).astype(int)
    order = np.argsort(-values)
    return Spectrum(np.maximum(values[order], 0.0), multiplicity[order])


def _draw(ax: Axes, found: Spectrum, name: str, place: int, count: int) -> None:
    style = series(place)
    full = int(found.multiplicity.sum())
    label = f"{name}{': ' if name else ''}rank {found.rank:,} of {full:,}"
    edges = np.cumsum(found.multiplicity)
    if count > FEW:  # steps, the ends of equal eigenvalues marked by none
        x, y = (
            np.stack([edges - found.multiplicity + 1, edges], axis=1).reshape(-1),
            np.repeat(found.values, 2),
        )
        ax.plot(x, y, color=style["color"], linestyle=style["linestyle"], lw=1.8, label=label)
        ax.axvline(found.rank, color=style["color"], linestyle=style["linestyle"], lw=0.8, alpha=0.7)
        return
    numbers, values = np.arange(1, full + 1), np.repeat(found.values, found.multiplicity)
    ax.plot(numbers, values, color=style["color"], linestyle=style["linestyle"], lw=1, zorder=2)
    zero, mark = numbers > found.rank, {"marker": style["marker"], "ls": "none", "ms": 7.5 - place}
    ax.plot(numbers[~zero], values[~zero], color=style["color"], label=label, **mark, zorder=3)
    ax.plot(numbers[zero], values[zero], mec=style["color"], mfc=grey(0.0), **mark, zorder=3)
