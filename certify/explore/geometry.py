"""The numbers and points that the explorer draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from relax.arrangement import Geometry, geometry
from relax.geometry import align, simplex_etf_gram
from relax.ranges import Range
from relax.solution import Solution

MOST_CLASSES = 12  # whose cosines are written class by class
MOST_VECTORS = 60  # classes with an arrow each; beyond, one class of each size stands for all of its size
MOST_ARROWS = 160
MOST_CELLS = 40  # rows of a heat map by class size
ALL_PAIRS = 4  # class sizes whose pairs are all listed; beyond, nearest and farthest of some ranges of sizes
MOST_RANGES = 8
TIE_BREAK = 1e-9  # in place of LAPACK's choice of a basis where eigenvalues repeat, which jumps


class Table(NamedTuple):
    """Cosines between classes: `cosine[a, b]`, NaN where there is no pair, and what rows are called."""

    names: list[str]
    cosine: Float[np.ndarray, "m m"]
    by_class: bool


class Vectors(NamedTuple):
    """Class vectors in three dimensions, their class sizes, and how much of their squared length is shown."""

    points: Float[np.ndarray, "u 3"]
    sizes: Shaped[np.ndarray, " u"]
    kept: float
    every_class: bool


class Row(NamedTuple):
    """The cosines of some pairs of classes: least, mean, and largest."""

    name: str
    low: float
    mean: float
    high: float


def table(solution: Solution) -> Table:
    """Return cosines class by class where they are few, else by class size, else by ranges of sizes."""
    counts = solution.problem.counts
    if counts.classes <= MOST_CLASSES:
        sizes = [counts.sizes[a] for a in counts.group_of_class()]
        return Table([f"{size:,}" for size in sizes], solution.class_gram, True)
    found = geometry(solution)
    parts = found.parts(MOST_CELLS)
    mean = np.where(found.pairs > 0, found.pairs * found.blocks[0].others.mean, 0.0)
    cells = np.array([[_divided(mean, found.pairs, a, b) for b in parts] for a in parts])
    names = [_kind(found, part) if len(parts) <= MOST_CLASSES else _sizes(found, part) for part in parts]
    return Table(names, cells, False)


def _divided(
    total: Float[np.ndarray, "K K"], pairs: Float[np.ndarray, "K K"], a: np.ndarray, b: np.ndarray
) -> float:
    number = pairs[np.ix_(a, b)].sum()
    return float(total[np.ix_(a, b)].sum() / number) if number else np.nan


def _kind(found: Geometry, part: np.ndarray) -> str:
    units = int(found.units[part].sum())
    return f"{_sizes(found, part)} ×{units:,}" if units > 1 else _sizes(found, part)


def _sizes(found: Geometry, part: np.ndarray) -> str:
    low, high = found.sizes[part[-1]], found.sizes[part[0]]
    return f"{high:,}" if low == high else f"{high:,}–{low:,}"


def rows(solution: Solution, step: bool) -> list[Row]:
    """Return the cosines of all pairs of class sizes where they are few, else nearest and farthest by size.

    Parameters
    ----------
    solution : Solution
        The geometry.
    step : bool
        Whether large and small classes are to be called major and minor.
    """
    found = geometry(solution)
    kinds, others = len(found.sizes), found.blocks[0].others
    if kinds > ALL_PAIRS:
        parts = found.parts(MOST_RANGES)
        by_part = found.by_parts(found.blocks[0], parts)
        return [_row(f"{_kind(found, part)} – any", by_part, i) for i, part in enumerate(parts)]
    named = [f"{size:,}" for size in found.sizes]
    if step and kinds == 2:
        named = ["major", "minor"]
    if kinds == 1:
        named = ["all"]
    pairs = [(a, b) for a in range(kinds) for b in range(a, kinds) if found.pairs[a, b] > 0]
    return [_row(f"{named[a]} – {named[b]}", others, (a, b)) for a, b in pairs]


def _row(name: str, found: Range, at: int | tuple[int, int]) -> Row:
    return Row(name, *(float(part[at]) for part in found))


def merged(solution: Solution) -> list[str]:
    """Return what stands on one point, in words; to be said of certified solutions only."""
    found = geometry(solution)
    said = []
    for point in found.coincide:
        kinds = np.flatnonzero(point)
        sizes = found.sizes[kinds]
        of = f"of {sizes[0]:,}" if len(kinds) == 1 else f"of {sizes[-1]:,} to {sizes[0]:,}"
        said.append(f"{int(point.sum()):,} classes {of} samples")
    return said


def vectors(solution: Solution) -> Vectors:
    """Return the class vectors in the three dimensions that hold most of their squared length.

    Where more than three dimensions are needed, they are projected, and shorter than one. Turned towards a
    regular simplex, so that they move little when the solution does.
    """
    gram, sizes, every = _drawn_gram(solution)
    points, kept = _projected(gram)
    if len(gram) > 1:
        points = align(points, _projected(simplex_etf_gram(len(gram)))[0]).aligned
    return Vectors(points, sizes, kept, every)


def _drawn_gram(solution: Solution) -> tuple[Float[np.ndarray, "u u"], Shaped[np.ndarray, " u"], bool]:
    """Return the Gram matrix of all classes, else that of a class of each size (of some sizes)."""
    counts = solution.problem.counts
    if counts.classes <= MOST_VECTORS:
        return solution.class_gram, np.array([counts.sizes[a] for a in counts.group_of_class()]), True
    own, peer = solution.entries("feature", "feature")
    gram = peer.copy()
    gram[np.diag_indices_from(gram)] = own
    kept = np.unique(np.linspace(0, len(own) - 1, MOST_ARROWS).astype(int))
    return gram[np.ix_(kept, kept)], solution.nodes.size[kept], False


def _projected(gram: Float[np.ndarray, "u u"]) -> tuple[Float[np.ndarray, "u 3"], float]:
    """Return G u/√(uᵀGu) for the three leading eigenvectors u, and the part of the trace that they hold."""
    broken = gram + TIE_BREAK * np.diag(np.sqrt(np.arange(1.0, len(gram) + 1)))
    leading = np.linalg.eigh(broken)[1][:, ::-1][:, :3]
    images = gram @ leading
    lengths = np.sqrt(np.maximum(np.einsum("ij,ij->j", leading, images), 0.0))
    columns = np.divide(images, lengths, out=np.zeros_like(images), where=lengths > 1e-6)
    points = np.zeros((len(gram), 3))
    points[:, : columns.shape[1]] = columns
    return points, min(1.0, float((points**2).sum() / np.trace(gram)))
