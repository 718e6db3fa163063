"""What a gradient descent passed through: its loss, and its features on the circle or the sphere."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_rgba

from relax import endpoints
from relax.endpoints import Descent, Trajectory
from relax.errors import InputError, expect
from relax.geometry import align, class_means, embed
from relax.plots.canvas import axes_or_new, key, legend_beside, tidy
from relax.plots.spheres import BEHIND, FRONT, VIEW, check_view, draw_sphere, seen
from relax.plots.themes import MOST_SERIES, grey, series
from relax.solution import Solution

MOST_LINES = 64  # starts that are drawn, a line each
MOST_PATHS = 400  # features that are drawn
MOST_STEPS = 2_000  # of a path
SEEN = 3e-3  # of the radius, a movement that is no longer seen
FINE = 8  # pieces of a step, which follow the sphere
FIRST_RADIUS = 0.3  # of the circle, where time begins
EPSILON = float(np.finfo(float).eps)


def descent_losses(descent: Descent, optimum: Solution | float, ax: Axes | None = None) -> Axes:
    """Draw how far the loss of each start is above the optimum, by iteration, on a logarithmic axis.

    Starts that end within 1e-9 of the optimum are solid, others dashed. What is below the rounding of the
    loss is drawn at its level.

    Parameters
    ----------
    descent : Descent
        What `descend(..., trajectory=True)` returned; at most 64 starts.
    optimum : Solution or float
        The certified optimum, or its value in nats.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With a line a start, and one at the level of rounding.

    Raises
    ------
    InputError
        If the descent kept no trajectory, or has too many starts.
    """
    losses = _trajectory(descent).losses
    value = (
        optimum.value
        if isinstance(optimum, Solution)
        else expect(optimum, float, "optimum", "give what solve(problem) returns, or its value")
    )
    if losses.shape[1] > MOST_LINES:
        raise InputError(
            f"descent has {losses.shape[1]} starts, more than {MOST_LINES}; give fewer to descend"
        )
    above = losses - value
    rounding = 4 * EPSILON * max(abs(value), EPSILON)
    found = above[-1] <= endpoints.LOSS_AGREES
    ax = axes_or_new(ax)
    for reached, place, words in ((False, 1, "ends elsewhere"), (True, 0, "ends at the optimum")):
        style = series(place)
        for i, start in enumerate(np.flatnonzero(found == reached)):
            shown = np.maximum(above[: _last_step(losses[:, start]) + 1, start], rounding)
            ax.plot(
                shown,
                color=style["color"],
                ls=style["linestyle"],
                lw=1.2,
                alpha=0.85,
                marker=style["marker"],
                ms=4,
                markevery=[len(shown) - 1],
                label=f"{words}: {(found == reached).sum()} of {len(found)} starts" if i == 0 else None,
            )
    ax.axhline(rounding, color=grey(0.5), lw=0.9, ls=(0, (1, 2)), label="rounding of the loss")
    ax.set_yscale("log")
    ax.set_xlim(left=0)
    tidy(ax)
    ax.set_xlabel("iteration")
    ax.set_ylabel("loss above the optimum (nats)")
    ax.set_title("Gradient descent on free features")
    ax.legend(frameon=False, loc="upper right")
    return ax


def descent_paths(
    descent: Descent,
    start: int | None = None,
    optimum: Solution | None = None,
    view: tuple[float, float] = VIEW,
    ax: Axes | None = None,
) -> Axes:
    """Draw the way of every feature of one start, on the circle or the sphere.

    On the circle the radius is time, from near the centre to the circle itself, until no movement is seen;
    where norms are not all one number it is the norm. On the sphere a way grows darker with time, and what is
    behind is fainter. Rings are the class vectors of the optimum, rotated onto the end.

    Parameters
    ----------
    descent : Descent
        What `descend(..., dim=2 or 3, trajectory=True)` returned; at most 400 features.
    start : int, optional
        Which start; the one that ended lowest by default.
    optimum : Solution, optional
        What the end is compared with.
    view : pair of float
        As in `vectors`.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        With a path for each feature, hollow where it began and full where it ended.

    Raises
    ------
    InputError
        If the descent kept no trajectory, has no such start, other dimensions than two and three, or too many
        features; or the optimum has other classes.
    """
    path, labels = _trajectory(descent), descent.labels
    start = descent.best if start is None else expect(start, int, "start", "give a whole number")
    starts, n, dim = path.features.shape[1:]
    if not 0 <= start < starts:
        raise InputError(f"start {start} is none of 0 to {starts - 1}")
    if dim not in (2, 3):
        raise InputError(f"features have {dim} dimensions; draw what descend(..., dim=2) or dim=3 returns")
    if n > MOST_PATHS:
        raise InputError(f"descent has {n} features, more than {MOST_PATHS}; give level='classes' to descend")
    around, reference = check_view(view), _reference(optimum, labels, dim)
    steps = _until_there(path.features[: _last_step(path.losses[:, start]) + 1, start])
    steps = steps[np.unique(np.linspace(0, len(steps) - 1, MOST_STEPS).astype(int))]
    norm = np.linalg.norm(steps, axis=2)
    radius = float(norm[-1].max())
    by_time = dim == 2 and bool(np.ptp(norm) <= 1e-9 * radius)
    ax = axes_or_new(ax, (6.4, 4.6))
    draw_sphere(ax, dim, radius, around)
    ends = np.stack([_draw_path(ax, steps[:, i], int(labels[i]), around, by_time) for i in range(n)])
    if reference is not None:
        _draw_optimum(ax, reference, class_means(ends, labels), around)
    _explain(ax, labels, reference is not None)
    ax.set_title("Features on their way" + (", from the centre outwards" if by_time else ""))
    return ax


def _trajectory(descent: Descent) -> Trajectory:
    path = expect(descent, Descent, "descent", "give what descend returns").trajectory
    if path is None:
        raise InputError("the descent kept no trajectory; call descend(..., trajectory=True)")
    return path


def _last_step(losses: Float[np.ndarray, " steps"]) -> int:
    """Return the step at which a start was done: its loss is then repeated."""
    moved = np.flatnonzero(np.diff(losses))
    return int(moved[-1]) + 1 if len(moved) else 0


def _until_there(steps: Float[np.ndarray, "s n d"]) -> Float[np.ndarray, "f n d"]:
    """Return the steps up to the first from which on all are as near their end as can be seen."""
    away = np.linalg.norm(steps - steps[-1], axis=2).max(axis=1)
    far = np.flatnonzero(away > SEEN * np.linalg.norm(steps[-1], axis=1).max())
    last = min(int(far[-1]) + 2, len(steps) - 1) if len(far) else 0
    return np.concatenate([steps[:last], steps[-1:]])


def _draw_path(
    ax: Axes, steps: Float[np.ndarray, "s d"], label: int, view: tuple[float, float], by_time: bool
) -> Float[np.ndarray, " d"]:
    way = _along_the_sphere(steps)
    if by_time:
        way = way * np.linspace(FIRST_RADIUS, 1.0, len(way))[:, None]
    at = seen(way, view)
    pieces = np.stack([np.stack([at.x, at.y], axis=1)[:-1], np.stack([at.x, at.y], axis=1)[1:]], axis=1)
    style = series(label % MOST_SERIES)
    colour = np.tile(to_rgba(style["color"]), (len(pieces), 1))
    time = Normalize(0, max(len(pieces) - 1, 1))(np.arange(len(pieces)))
    behind = np.where(at.depth[1:] < -1e-9, BEHIND, FRONT)
    colour[:, 3] = behind * (0.25 + 0.65 * np.asarray(time))
    ax.add_collection(LineCollection(list(pieces), colors=colour, linewidths=1.3, zorder=3))
    mark = {"marker": style["marker"], "ls": "none", "color": style["color"]}
    for place, size, face in ((0, 4.5, grey(0.0)), (-1, 8.0, style["color"])):
        edge = style["color"] if place == 0 else grey(0.0)
        faint = BEHIND if at.depth[place] < -1e-9 else FRONT
        ax.plot(at.x[place], at.y[place], ms=size, mfc=face, mec=edge, zorder=4 - place, alpha=faint, **mark)
    return steps[-1]


def _along_the_sphere(steps: Float[np.ndarray, "s d"]) -> Float[np.ndarray, "f d"]:
    """Return the steps with points between them that have the norms between theirs."""
    if len(steps) == 1:
        return np.repeat(steps, 2, axis=0)
    at = np.linspace(0, len(steps) - 1, FINE * (len(steps) - 1) + 1)
    straight = np.stack([np.interp(at, np.arange(len(steps)), column) for column in steps.T], axis=1)
    norm = np.interp(at, np.arange(len(steps)), np.linalg.norm(steps, axis=1))
    length = np.linalg.norm(straight, axis=1)
    return straight * (norm / np.where(length > 0, length, 1.0))[:, None]


def _reference(
    optimum: Solution | None, labels: Int[np.ndarray, " n"], dim: int
) -> Float[np.ndarray, "k r"] | None:
    """Return the class vectors of the optimum, or refuse those that the features cannot be turned onto."""
    if optimum is None:
        return None
    solution = expect(optimum, Solution, "optimum", "give what solve(problem) returns")
    reference, k = embed(solution.class_gram), int(labels.max()) + 1
    if len(reference) != k or reference.shape[1] > dim:
        raise InputError(
            f"optimum has {len(reference)} classes of rank {reference.shape[1]}, the features {k} in {dim}; "
            "give the solution of the same problem"
        )
    return reference


def _draw_optimum(
    ax: Axes,
    reference: Float[np.ndarray, "k r"],
    means: Float[np.ndarray, "k d"],
    view: tuple[float, float],
) -> None:
    at = seen(align(reference, means).aligned, view)
    for x, y, depth in zip(at.x, at.y, at.depth, strict=True):
        faint = BEHIND if depth < -1e-9 else FRONT
        ax.plot(x, y, "o", ms=15, mew=1.3, mfc="none", mec=grey(1.0), alpha=faint, zorder=7)


def _explain(ax: Axes, labels: Int[np.ndarray, " n"], compared: bool) -> None:
    sizes = np.bincount(labels)
    said = []
    if len(sizes) <= MOST_SERIES:
        for place in range(len(sizes)):
            style = series(place)
            said.append(key(f"class {place}", ms=7, lw=1.3, marker=style["marker"], color=style["color"]))
    said.append(key("start", marker="o", ms=4.5, mfc=grey(0.0), mec=grey(0.8), ls="none"))
    if compared:
        said.append(key("optimum", marker="o", ms=12, mew=1.3, mfc="none", mec=grey(1.0), ls="none"))
    legend_beside(ax, said)
