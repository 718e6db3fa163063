"""What the cells of a heat map are, and what its rows are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from relax.arrangement import SAME, Block, Geometry
from relax.errors import InputError, reason
from relax.plots.canvas import plain
from relax.solution import Solution

MOST_NAMED = 12  # rows with a name each


class Cells(NamedTuple):
    """What a heat map shows: the entries, NaN where there is none, and what its rows are called."""

    values: Float[np.ndarray, "m m"]
    names: list[str]
    ticks: list[float]
    starts: list[int]  # of blocks, the first left out
    quantity: str
    digits: str
    empty: str = ""  # what a cell without an entry means


def cells_of_solution(solution: Solution, geometry: Geometry, block: Block) -> Cells:
    """Return entries of different units; cells of groups of one unit have none."""
    label = geometry.label
    order = np.lexsort((np.arange(len(label)) if geometry.of is None else geometry.of, label))
    names, ticks = _names(solution, geometry, order)
    kinds = label[order] if geometry.of is None else geometry.of[order]
    starts = np.flatnonzero(np.diff(kinds)) + 1
    quantity, digits = ("cosine", ".3f") if block.cosine else ("inner product", ".3g")
    empty = f"no pair of different {geometry.unit_plural}"
    shown = _entries(solution, block)[np.ix_(order, order)]
    return Cells(shown, names, ticks, starts.tolist(), quantity, digits, empty)


def _entries(solution: Solution, block: Block) -> Float[np.ndarray, "m m"]:
    """Return the entries of different units of two groups; NaN for a group of one unit with itself."""
    own, peer = solution.entries(block.first, block.second)
    shown = peer / own.max() if block.cosine else peer.copy()
    alone = solution.nodes.multiplicity == 1
    shown[alone, alone] = np.nan
    return shown


def cells_of_array(
    gram: Float[np.ndarray, "k k"], blocks: Sequence[Any] | np.ndarray | None, quantity: str | None
) -> Cells:
    """Return the entries of an array, rows in their blocks; they are cosines where the diagonal is one."""
    k = len(gram)
    if quantity is None:
        quantity = "cosine" if np.allclose(gram.diagonal(), 1, rtol=0, atol=SAME) else "inner product"
    if blocks is None:
        kept = _spread(k)
        return Cells(gram, [str(i) for i in kept], [float(i) for i in kept], [], quantity, ".3g")
    order, starts, names = _in_blocks(blocks, k)
    middle = (np.append(starts, k)[:-1] + np.append(starts[1:], k) - 1) / 2
    kept = _spread(len(names))
    return Cells(
        gram[np.ix_(order, order)],
        [names[i] for i in kept],
        [float(middle[i]) for i in kept],
        starts[1:].tolist(),
        quantity,
        ".3g",
    )


def _in_blocks(
    blocks: Sequence[Any] | np.ndarray, count: int
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " b"], list[str]]:
    """Return the order of the rows, where each block starts, and what it is called."""
    try:
        given = np.asarray(blocks)
        values, label, sizes = np.unique(given, return_inverse=True, return_counts=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"blocks cannot be sorted ({reason(error)}); give numbers or texts") from error
    if given.shape != (count,):
        raise InputError(f"blocks have shape {given.shape}; give one entry for each of the {count} rows")
    numbers = values.dtype.kind in "iuf"
    if numbers:
        values, sizes, label = values[::-1], sizes[::-1], len(values) - 1 - label
    names = [plain(float(value)) if numbers else str(value) for value in values]
    named = [f"{name} ×{size:,}" if size > 1 else name for name, size in zip(names, sizes, strict=True)]
    return np.argsort(label, kind="stable"), np.cumsum(sizes) - sizes, named


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
    named = [f"{sizes[i]:,} ×{g[i]:,}" if g[i] > 1 and count <= MOST_NAMED else f"{sizes[i]:,}" for i in kept]
    return named, [float(i) for i in kept]


def _spread(count: int) -> list[int]:
    """Return all of so many positions, or six of them where they are many."""
    if count <= MOST_NAMED:
        return list(range(count))
    return np.unique(np.linspace(0, count - 1, 6).astype(int)).tolist()
