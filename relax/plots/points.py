"""Class vectors in two and three dimensions; classes that coincide are drawn as concentric rings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.patheffects import withStroke

from relax.arrangement import clusters_on_one_point
from relax.errors import InputError, reason
from relax.geometry import embed
from relax.plots.canvas import axes_or_new, figure_of, key, legend_beside, log_ticks, plain, square_gram
from relax.plots.spheres import BEHIND, FRONT, VIEW, Seen, check_view, draw_sphere, seen, upright
from relax.plots.themes import MOST_SERIES, grey, lines_map, series
from relax.solution import Solution

MOST_DRAWN = 400  # vectors that can still be told apart
LARGEST, SMALLEST = 21.0, 6.5  # points, the diameters of markers
CROWD = 40  # vectors, from which markers are half as large
RING, MOST_RINGS = 5.0, 5  # points between rings, of which so many are drawn
ONE_POINT = 1e-12  # squared distance beside the squared norm that is rounding
NEARLY = 1e-9  # the same where vectors have several roles, whose solver is less exact
SIZE = (6.4, 4.6)


class Vectors(NamedTuple):
    """What is drawn: a vector a row, of which those with one `point` coincide."""

    coordinates: Float[np.ndarray, "v d"]
    size: Float[np.ndarray, " v"]  # of the class
    hollow: np.ndarray  # whether it is a classifier's
    point: Int[np.ndarray, " v"]
    rank: int
    share: float  # of the trace that the coordinates keep
    radius: float


def vectors(
    source: Any,
    sizes: Sequence[int] | np.ndarray | None = None,
    view: tuple[float, float] = VIEW,
    ax: Axes | None = None,
) -> Axes:
    """Draw class vectors on the circle or the sphere, the largest class on top.

    The area of a marker grows with the square root of the class size. Classes that coincide are rings around
    the largest of them, one for each up to five more, and their number stands beside them. In more than three
    dimensions the three with the largest eigenvalues of the Gram matrix are drawn; the title says which share
    of its trace they keep. Where norms differ, the radius is that of the longest vector. Classifiers are
    hollow, with dashed lines.

    Parameters
    ----------
    source : Solution or (k, k) array
        What `solve` returned, at most 400 vectors; by samples their class means. Or a Gram matrix.
    sizes : (k,) sequence, optional
        Class sizes of an array; all equal by default.
    view : pair of float
        Of a sphere: the angles in degrees from where one looks, around the pole and above the equator.
    ax : Axes, optional
        Where to draw, on plain axes in three dimensions as well; a new figure by default.

    Returns
    -------
    Axes
        Without ticks, with a legend of class sizes; of more than five sizes with a colour bar.

    Raises
    ------
    InputError
        If the source is no positive semidefinite Gram matrix, has too many vectors, or sizes do not fit.
    """
    around = check_view(view)
    found = _of_solution(source) if isinstance(source, Solution) else _of_array(source, sizes)
    if isinstance(source, Solution) and sizes is not None:
        raise InputError("sizes are those of the solution; leave them out, or give solution.gram")
    ax = axes_or_new(ax, SIZE)
    draw_sphere(ax, found.coordinates.shape[1], found.radius, around)
    _draw(ax, found, around)
    _explain(ax, found)
    ax.set_title(_title(found))
    return ax


def _of_solution(solution: Solution) -> Vectors:
    counts, roles = solution.problem.counts, solution.nodes.roles
    if counts.classes * len(roles) > MOST_DRAWN:
        raise _too_many(counts.classes * len(roles))
    size = np.array(counts.sizes, dtype=float)[counts.group_of_class()]
    if len(roles) == 1:
        gram = square_gram(solution, "source", MOST_DRAWN)
        point = _points_by_distance(gram, ONE_POINT)
        if solution.nodes.unit == "class":  # the witness knows; nearness is no reason
            point = np.arange(len(size))
            group = solution.nodes.group_of_unit()
            for groups in clusters_on_one_point(solution):
                together = np.flatnonzero(np.isin(group, groups))
                point[together] = together[0]
        return _embedded(gram, size, np.zeros(len(size), dtype=bool), point)
    gram = np.block([[solution.block(first, second) for second in roles] for first in roles])
    hollow = np.repeat([role != "feature" for role in roles], len(size))
    point = _points_by_distance(gram, NEARLY)
    return _embedded(gram, np.tile(size, len(roles)), hollow, np.where(hollow, -1 - point, point))


def _of_array(source: Any, sizes: Any) -> Vectors:
    gram = square_gram(source, "source", MOST_DRAWN)
    try:
        size = np.ones(len(gram)) if sizes is None else np.asarray(sizes, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"sizes are no numbers ({reason(error)}); give the size of each class") from error
    if size.shape != (len(gram),) or not (np.isfinite(size) & (size > 0)).all():
        raise InputError(
            f"sizes have shape {size.shape}; give a positive number for each of {len(gram)} classes"
        )
    return _embedded(gram, size, np.zeros(len(gram), dtype=bool), _points_by_distance(gram, ONE_POINT))


def _too_many(count: int) -> InputError:
    return InputError(
        f"source has {count:,} vectors, more than the {MOST_DRAWN} that can be told apart; "
        "draw heat_map, against_size or spectrum"
    )


def _points_by_distance(gram: Float[np.ndarray, "v v"], tolerance: float) -> Int[np.ndarray, " v"]:
    """Return the first vector that each coincides with."""
    own = gram.diagonal()
    apart = own[:, None] + own - 2 * gram
    return np.argmax(apart <= tolerance * max(float(own.max()), 1e-300), axis=1)


def _embedded(
    gram: Float[np.ndarray, "v v"],
    size: Float[np.ndarray, " v"],
    hollow: np.ndarray,
    point: Int[np.ndarray, " v"],
) -> Vectors:
    full = embed(gram)
    rank = full.shape[1]
    dim = 2 if rank <= 2 else 3
    kept = np.pad(full[:, :dim], ((0, 0), (0, max(0, dim - rank))))
    trace = float((full**2).sum())
    share = 1.0 if trace == 0 else float((kept**2).sum()) / trace
    radius = float(np.sqrt(max(gram.diagonal().max(), 0.0))) or 1.0
    first = int(np.argmax(np.where(hollow, 0.0, size)))
    return Vectors(upright(kept, first), size, hollow, point, rank, share, radius)


def _draw(ax: Axes, found: Vectors, view: tuple[float, float]) -> None:
    at, kinds = seen(found.coordinates, view), np.unique(found.size)[::-1]
    colour = _colours(found.size, kinds)
    for name in np.unique(found.point):
        here = np.flatnonzero(found.point == name)
        here = here[np.argsort(-found.size[here], kind="stable")]
        first = int(here[0])
        behind = at.depth[first] < -1e-9
        level = 4.0 if behind else 6.0 + at.depth[first] / found.radius
        faint: dict[str, Any] = {"alpha": BEHIND if behind else FRONT}
        x, y = float(at.x[first]), float(at.y[first])
        dashes = (0, (3, 2)) if found.hollow[first] else "-"
        ax.plot([0, x], [0, y], color=colour[first], lw=1.4, ls=dashes, zorder=level - 1.5, **faint)
        width = _diameter(found, first)
        marker = _marker(found.size[first], kinds)
        for ring, member in enumerate(here[1 : MOST_RINGS + 1], start=1):
            ax.plot(
                x,
                y,
                marker,
                ms=width + 2 * RING * ring,
                mfc="none",
                mec=colour[member],
                mew=1.5,
                zorder=level,
                **faint,
            )
        face = grey(0.0) if found.hollow[first] else colour[first]
        edge = colour[first] if found.hollow[first] else grey(0.0)
        ax.plot(x, y, marker, ms=width, mfc=face, mec=edge, mew=1.4, zorder=level + 0.5, **faint)
        if len(here) > 1:
            _write_number(ax, at, first, len(here), width)


def _write_number(ax: Axes, at: Seen, first: int, number: int, width: float) -> None:
    """Write how many classes coincide, outside the outermost ring."""
    outside = width / 2 + RING * min(number - 1, MOST_RINGS) + 4
    x, y = float(at.x[first]), float(at.y[first])
    right = x >= -1e-9
    ax.annotate(
        f"{number} classes",
        (x, y),
        xytext=(outside if right else -outside, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize="small",
        zorder=9,
        annotation_clip=False,
        path_effects=[withStroke(linewidth=3, foreground=grey(0.0))],
    )


def _diameter(found: Vectors, which: int) -> float:
    largest = LARGEST if len(found.size) <= CROWD else LARGEST / 2
    return max(min(SMALLEST, largest / 2), largest * float(found.size[which] / found.size.max()) ** 0.25)


def _colours(size: Float[np.ndarray, " v"], kinds: Float[np.ndarray, " K"]) -> list[Any]:
    if len(kinds) <= MOST_SERIES:
        return [series(int(np.flatnonzero(kinds == one)[0]))["color"] for one in size]
    return [_by_size(kinds).to_rgba(one) for one in size]


def _by_size(kinds: Float[np.ndarray, " K"]) -> ScalarMappable:
    return ScalarMappable(LogNorm(kinds.min(), kinds.max()), lines_map())


def _marker(size: float, kinds: Float[np.ndarray, " K"]) -> str:
    return series(int(np.flatnonzero(kinds == size)[0]))["marker"] if len(kinds) <= MOST_SERIES else "o"


def _explain(ax: Axes, found: Vectors) -> None:
    """Say which class sizes the markers are, and what is hollow and what rings are."""
    kinds, units = np.unique(found.size)[::-1], found.size[~found.hollow]
    said, ink = [], {"marker": "o", "mec": grey(0.8), "ls": "none"}
    if len(kinds) > MOST_SERIES:
        bar = figure_of(ax).colorbar(_by_size(kinds), ax=ax, label="class size", shrink=0.7)
        log_ticks(bar.ax, "y", kinds.min(), kinds.max())
        bar.outline.set_visible(False)  # type: ignore[operator]
    elif len(kinds) > 1 or kinds[0] != 1:
        for place, kind in enumerate(kinds):
            many = int((units == kind).sum())
            label = f"{many} class{'es' if many > 1 else ''} of {plain(float(kind))}"
            style = {"marker": series(place)["marker"], "color": series(place)["color"], "ls": "none"}
            said.append(key(label, ms=8, mec=grey(0.0), **style))
    if found.hollow.any():
        said.append(key("hollow: classifier", ms=8, mfc=grey(0.0), **ink))
    if len(np.unique(found.point)) < len(found.point):
        said.append(key("rings: one point", ms=11, mfc="none", **ink))
    legend_beside(ax, said)


def _title(found: Vectors) -> str:
    dim = found.coordinates.shape[1]
    lines = ["Class vectors" if found.rank <= 3 else f"Class vectors, in 3 of their {found.rank} dimensions"]
    if found.rank > 3:
        lines.append(f"{100 * found.share:.0f} % of the trace")
    if abs(found.radius - 1) > 1e-6:
        lines.append(f"the {'circle' if dim == 2 else 'sphere'} has radius {found.radius:.3g}")
    return "\n".join([lines[0], ", ".join(lines[1:])]).rstrip()
