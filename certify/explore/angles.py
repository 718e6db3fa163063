"""Angles between classes: a line from 0° to 180° for each kind of pair."""

from __future__ import annotations

import math

from certify.explore.geometry import Row
from certify.explore.svg import line, picture, signed, text

WIDTH, LEFT, RIGHT, HIGH = 680.0, 130.0, 160.0, 32.0
ALIKE = 5e-4  # cosines whose least and largest are written as one


def degrees(cosine: float) -> float:
    """Return the angle of a cosine, exact where it is near to one."""
    return math.degrees(2.0 * math.asin(math.sqrt(min(max((1.0 - cosine) / 2.0, 0.0), 1.0))))


def angles(rows: list[Row], classes: int) -> str:
    """Return the picture, with the angle of the simplex of so many classes as a dashed line."""
    span = WIDTH - LEFT - RIGHT
    height = HIGH * len(rows) + 44
    simplex = degrees(-1.0 / (classes - 1))
    at = LEFT + span * simplex / 180
    body = [line(at, 8, at, HIGH * len(rows) + 8, "gram-simplex")]
    body.append(text(at, HIGH * len(rows) + 36, f"simplex {simplex:.1f}°", "middle", "gram-simplex-word"))
    for mark in range(0, 181, 30):
        x = LEFT + span * mark / 180
        body.append(line(x, 8, x, HIGH * len(rows) + 8, "gram-rule"))
        body.append(text(x, HIGH * len(rows) + 20, f"{mark}°", "middle", "gram-soft"))
    for i, row in enumerate(rows):
        body += _row(row, 8 + (i + 0.5) * HIGH, span)
    return picture("angles", WIDTH, height, "Angles between classes", _described(rows, simplex), body)


def _row(row: Row, y: float, span: float) -> list[str]:
    near, mean, far = (LEFT + span * degrees(value) / 180 for value in (row.high, row.mean, row.low))
    body = [
        text(LEFT - 12, y, row.name, "end"),
        line(LEFT, y, LEFT + span, y, "gram-rail"),
        line(near, y, far, y, "gram-spread"),
        f'<circle cx="{mean:.1f}" cy="{y:.1f}" r="6" class="gram-dot"/>',
    ]
    return [*body, text(WIDTH, y, said(row), "end", "gram-number")]


def said(row: Row) -> str:
    """Return the angle and the cosine, the mean where they differ."""
    differ = "~" if row.high - row.low > ALIKE else ""
    return f"{differ}{degrees(row.mean):.2f}°  {signed(row.mean, 4)}"


def _described(rows: list[Row], simplex: float) -> str:
    listed = "; ".join(f"{row.name}: {degrees(row.mean):.2f} degrees" for row in rows)
    return f"{listed}. The simplex has {simplex:.2f} degrees."
