"""Angles between classes: a line from 0° to 180° for each kind of pair."""

from __future__ import annotations

import math

from certify.explore.geometry import Row
from certify.explore.svg import line, picture, signed, text

WIDTH, EDGE, HIGH, BELOW = 560.0, 26.0, 42.0, 44.0
ALIKE = 5e-4  # cosines whose least and largest are written as one


def degrees(cosine: float) -> float:
    """Return the angle of a cosine, exact where it is near to one."""
    return math.degrees(2.0 * math.asin(math.sqrt(min(max((1.0 - cosine) / 2.0, 0.0), 1.0))))


def angles(rows: list[Row], classes: int) -> str:
    """Return the picture, with the angle of the simplex of so many classes as a dashed line."""
    floor = HIGH * len(rows) + 6
    simplex = degrees(-1.0 / (classes - 1))
    body = []
    for mark in range(0, 181, 30):
        body.append(line(_at(mark), 6, _at(mark), floor, "gram-rule"))
        body.append(text(_at(mark), floor + 13, f"{mark}°", "middle", "gram-soft"))
    body.append(line(_at(simplex), 6, _at(simplex), floor, "gram-simplex"))
    body.append(text(_at(simplex), floor + 31, f"simplex {simplex:.1f}°", "middle", "gram-soft"))
    for i, row in enumerate(rows):
        body += _row(row, (i + 1) * HIGH - 4)
    described = _described(rows, simplex)
    return picture("angles", WIDTH, floor + BELOW - 6, "Angles between classes", described, body)


def _at(angle: float) -> float:
    return EDGE + (WIDTH - 2 * EDGE) * angle / 180


def _row(row: Row, y: float) -> list[str]:
    near, mean, far = (_at(degrees(value)) for value in (row.high, row.mean, row.low))
    return [
        line(EDGE, y, WIDTH - EDGE, y, "gram-rail"),
        line(near, y, far, y, "gram-spread"),
        f'<circle cx="{mean:.1f}" cy="{y:.1f}" r="6" class="gram-dot"/>',
        text(EDGE, y - 18, row.name, "start", "gram-over"),
        text(WIDTH - EDGE, y - 18, said(row), "end", "gram-over gram-number"),
    ]


def said(row: Row) -> str:
    """Return the angle and the cosine, the mean where they differ."""
    differ = "~" if row.high - row.low > ALIKE else ""
    return f"{differ}{degrees(row.mean):.2f}°  {signed(row.mean, 4)}"


def _described(rows: list[Row], simplex: float) -> str:
    listed = "; ".join(f"{row.name}: {degrees(row.mean):.2f} degrees" for row in rows)
    return f"{listed}. The simplex has {simplex:.2f} degrees."
