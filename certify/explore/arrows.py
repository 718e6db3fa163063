"""Class vectors in the unit ball, seen from afar (an orthographic projection)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from certify.explore.geometry import Vectors
from certify.explore.svg import line, mixed, picture, text

SIDE, RADIUS = 400.0, 160.0
TILT = np.radians(18.0)  # how far the eye is above the equator
SAME = 0.02  # tips this near to each other carry one label
MOST_LABELS = 12
CLEAR = 24.0  # between labels
POINTS_OF_CIRCLE = 72


def arrows(found: Vectors, turn: float) -> str:
    """Return the picture, turned by so many degrees about the upright axis; what is behind is paler."""
    eye = _eye(np.radians(turn))
    seen = found.points @ eye.T  # to the right, up, towards the eye
    shades = _shades(found.sizes)
    body = [_circle(), *_graticule(eye)]
    for i in np.argsort(seen[:, 2]).tolist():
        body += _arrow(seen[i], shades[i])
    body += _labels(found, seen)
    return picture("arrows", SIDE, SIDE, "Class vectors of the optimum", _described(found), body)


def _eye(turn: float) -> Float[np.ndarray, "3 3"]:
    c, s, up, across = np.cos(turn), np.sin(turn), np.cos(TILT), np.sin(TILT)
    about = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    over = np.array([[1.0, 0.0, 0.0], [0.0, up, -across], [0.0, across, up]])
    return over @ about


def _shades(sizes: np.ndarray) -> list[str]:
    logs = np.log(sizes.astype(float))
    spread = float(np.ptp(logs))
    return [mixed(float((logs.max() - one) / spread) if spread else 0.0) for one in logs]


def _at(point: np.ndarray) -> tuple[float, float]:
    return SIDE / 2 + RADIUS * float(point[0]), SIDE / 2 - RADIUS * float(point[1])


def _circle() -> str:
    return f'<circle cx="{SIDE / 2:g}" cy="{SIDE / 2:g}" r="{RADIUS:g}" class="gram-ball"/>'


def _graticule(eye: Float[np.ndarray, "3 3"]) -> list[str]:
    """Return the equator and two meridians, their far halves paler."""
    angle = np.linspace(0, 2 * np.pi, POINTS_OF_CIRCLE + 1)
    zero, c, s = np.zeros_like(angle), np.cos(angle), np.sin(angle)
    body = []
    for circle in (np.stack([c, zero, s]), np.stack([c, s, zero]), np.stack([zero, s, c])):
        seen = (eye @ circle).T
        for near in (False, True):
            steps, drawing = [], False
            for point in seen:
                if (point[2] >= 0) != near:
                    drawing = False
                    continue
                x, y = _at(point)
                steps.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
                drawing = True
            body.append(f'<path d="{"".join(steps)}" class="gram-grid{"" if near else " gram-far"}"/>')
    return body


def _arrow(point: np.ndarray, shade: str) -> list[str]:
    x, y = _at(point)
    near = 0.5 + 0.5 * float(np.clip(point[2], -1.0, 1.0))  # 0 is farthest behind
    style = f"stroke:{shade};stroke-width:{1.6 + 2 * near:.2f};opacity:{0.45 + 0.55 * near:.2f}"
    return [
        line(SIDE / 2, SIDE / 2, x, y, "gram-arrow", style),
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 + 2.5 * near:.1f}" class="gram-tip" '
        f'style="fill:{shade};fill-opacity:{0.55 + 0.45 * near:.2f}"/>',
    ]


def _labels(found: Vectors, seen: np.ndarray) -> list[str]:
    """Return the class sizes beside the tips: one for all classes on a point, none on top of another."""
    points = _points(found)
    if len(points) > MOST_LABELS:
        return []
    body, taken = [], []
    for members in points:
        first = members[0]
        x, y = _at(seen[first])
        away = np.array([x - SIDE / 2, y - SIDE / 2])
        length = float(np.hypot(*away))
        push = away / length if length > 12 else np.array([0.0, -1.0])
        sizes = found.sizes[members]
        same = f"{sizes[0]:,}" if np.ptp(sizes) == 0 else f"{sizes.min():,}–{sizes.max():,}"
        said = same if len(members) == 1 else f"{same} ×{len(members)}"
        wide = 4.0 * len(said) * abs(float(push[0]))
        place = np.array([x, y]) + push * (14 + wide, 17)
        if all(np.abs(place - other).max() > CLEAR for other in taken):
            taken.append(place)
            body.append(text(float(place[0]), float(place[1]), said))
    return body


def _points(found: Vectors) -> list[list[int]]:
    """Return the classes in the order given, those whose tips are one to the eye together."""
    points: list[list[int]] = []
    for i, tip in enumerate(found.points):
        for members in points:
            if np.linalg.norm(found.points[members[0]] - tip) < SAME:
                members.append(i)
                break
        else:
            points.append([i])
    return points


def _described(found: Vectors) -> str:
    which = "all classes" if found.every_class else "a class of each size"
    held = "in three dimensions" if found.kept > 0.9995 else f"{100 * found.kept:.0f} % of squared length"
    return f"Unit vectors of {which}, {held}; {len(_points(found))} distinct points."
