"""A circle or a sphere on flat axes, seen from afar: what is behind is fainter."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from relax.errors import InputError, worded
from relax.plots.themes import grey

VIEW = (-30.0, 16.0)  # degrees: from where one looks, around the pole and above the equator
FRONT, BEHIND = 1.0, 0.38  # opacity
MARGIN = 1.28  # of the radius, for markers and their rings
MERIDIANS, PARALLELS, SMOOTH = 12, 5, 181


class Seen(NamedTuple):
    """Points as they are seen: where on the page, and how far in front of the centre."""

    x: Float[np.ndarray, " p"]
    y: Float[np.ndarray, " p"]
    depth: Float[np.ndarray, " p"]


def check_view(view: Any) -> tuple[float, float]:
    """Return the two angles of a view.

    Raises
    ------
    InputError
        If they are not two finite numbers.
    """
    try:
        around, above = (float(angle) for angle in view)
    except (TypeError, ValueError) as error:
        raise InputError(f"view is {worded(view)}; give two angles in degrees, e.g. {VIEW}") from error
    if not np.isfinite([around, above]).all():
        raise InputError(f"view is {worded(view)}; give two finite angles in degrees, e.g. {VIEW}")
    return around, above


def seen(points: Float[np.ndarray, "p d"], view: tuple[float, float]) -> Seen:
    """Project points of two or three dimensions, parallel to the view; the third axis leads to the pole."""
    if points.shape[1] == 2:
        return Seen(points[:, 0], points[:, 1], np.zeros(len(points)))
    around, above = np.radians(view)
    right = np.array([-np.sin(around), np.cos(around), 0.0])
    towards = np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)])
    return Seen(points @ right, points @ np.cross(towards, right), points @ towards)


def upright(points: Float[np.ndarray, "p d"], first: int) -> Float[np.ndarray, "p d"]:
    """Turn points so that one of them is at the top, and the one farthest from its axis at longitude zero."""
    top = _unit(points[first])
    if top is None:
        return points
    if points.shape[1] == 2:
        return points @ np.array([[top[1], top[0]], [-top[0], top[1]]])
    rest = points - np.outer(points @ top, top)
    side = _unit(rest[int(np.argmax(np.round((rest**2).sum(axis=1), 8)))])
    if side is None:
        side = _unit(np.cross(top, np.eye(3)[int(np.argmin(np.abs(top)))]))
        assert side is not None
    return points @ np.stack([side, np.cross(top, side), top], axis=1)


def _unit(vector: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"] | None:
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-9 else None


def draw_sphere(ax: Axes, dim: int, radius: float, view: tuple[float, float]) -> None:
    """Draw the circle, or the outline of the sphere with its discreet wires, and nothing else of the axes."""
    turn = np.linspace(0, 2 * np.pi, SMOOTH)
    ax.plot(radius * np.cos(turn), radius * np.sin(turn), color=grey(0.35), lw=1.0, zorder=1)
    for wire in _wires() if dim == 3 else []:
        line = seen(radius * wire, view)
        for front in (False, True):
            visible = (line.depth >= 0) == front
            x, y = (np.where(visible, part, np.nan) for part in (line.x, line.y))
            ax.plot(x, y, color=grey(0.2 if front else 0.09), lw=0.6, zorder=0.5 + 0.1 * front)
    ax.plot(0, 0, ".", color=grey(0.5), ms=4, zorder=2)
    reach = MARGIN * radius
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_anchor("W")  # so that there is room for a legend on the right
    ax.set_axis_off()


def _wires() -> list[Float[np.ndarray, "s 3"]]:
    turn = np.linspace(0, 2 * np.pi, SMOOTH)
    half = np.linspace(-np.pi / 2, np.pi / 2, SMOOTH)
    meridians = [
        np.stack([np.cos(half) * np.cos(a), np.cos(half) * np.sin(a), np.sin(half)], axis=1)
        for a in np.arange(MERIDIANS) * 2 * np.pi / MERIDIANS
    ]
    heights = np.linspace(-np.pi / 2, np.pi / 2, PARALLELS + 2)[1:-1]
    parallels = [
        np.stack([np.cos(h) * np.cos(turn), np.cos(h) * np.sin(turn), np.full(SMOOTH, np.sin(h))], axis=1)
        for h in heights
    ]
    return [*meridians, *parallels]
