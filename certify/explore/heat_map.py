"""Cosines between classes, a cell for each pair."""

from __future__ import annotations

import numpy as np

from certify.explore.geometry import Table
from certify.explore.svg import picture, signed, text

SIDE, LEFT, BELOW, LEGEND = 400.0, 80.0, 30.0, 26.0
MOST_WRITTEN = 10  # rows whose cells have their value written in
MOST_NAMED = 14  # rows with a name each
DARK = 0.55  # from here on values are written in white


def heat_map(found: Table) -> str:
    """Return the picture: red for near, blue for opposed, paper for a right angle."""
    count = len(found.names)
    side = SIDE / count
    gap = 1.5 if count <= MOST_NAMED else 0.0
    reach = 1.0 if found.by_class else float(np.nanmax(np.abs(found.cosine)))
    shown = found.cosine / reach if reach else found.cosine
    body = [_cell(LEFT + b * side, a * side, side - gap, float(shown[a, b])) for a, b in _all(count)]
    if count <= MOST_WRITTEN:
        body += [_value(found, a, b, side, gap, bool(abs(shown[a, b]) > DARK)) for a, b in _all(count)]
    named = range(count) if count <= MOST_NAMED else np.unique(np.linspace(0, count - 1, 6).astype(int))
    for a in named:
        middle = (a + 0.5) * side - gap / 2
        body.append(text(LEFT - 8, middle, found.names[a], "end", "gram-soft"))
        if count <= MOST_NAMED and len(found.names[a]) * 8 <= side:
            body.append(text(LEFT + middle, SIDE + 14, found.names[a], "middle", "gram-soft"))
    body += _legend(LEFT, SIDE + BELOW, reach)
    each = "class" if found.by_class else "class size"
    return picture(
        "heat-map",
        LEFT + SIDE,
        SIDE + BELOW + LEGEND,
        "Gram matrix of the optimum",
        _described(found, each),
        body,
    )


def _all(count: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(count) for b in range(count)]


def _cell(x: float, y: float, side: float, value: float) -> str:
    if np.isnan(value):
        return f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.2f}" height="{side:.2f}" class="gram-none"/>'
    kind = "gram-near" if value > 0 else "gram-opposed"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.2f}" height="{side:.2f}" class="{kind}" '
        f'fill-opacity="{min(1.0, abs(value)):.3f}"/>'
    )


def _value(found: Table, a: int, b: int, side: float, gap: float, dark: bool) -> str:
    value = float(found.cosine[a, b])
    if np.isnan(value) or (found.by_class and a == b):
        said, kind = ("–" if np.isnan(value) else "1"), ("gram-soft" if np.isnan(value) else "gram-on-dark")
    else:
        said, kind = signed(value, 3), "gram-on-dark" if dark else ""
    sizes = f"--gram-size:{min(15.0, side / 3.6):.1f}px;--gram-larger:{min(26.0, side / 3.6):.1f}px"
    x, y = LEFT + (b + 0.5) * side - gap / 2, (a + 0.5) * side - gap / 2
    return f'<g style="{sizes}">{text(x, y, said, kind=kind)}</g>'


def _legend(left: float, top: float, reach: float) -> list[str]:
    width, digits = SIDE / 2, 0 if reach == 1 else 3
    start = left + (SIDE - width) / 2
    stops = "".join(
        f'<stop offset="{at}" style="stop-color:var(--gram-{name});stop-opacity:{opacity}"/>'
        for at, name, opacity in ((0, "opposed", 1), (0.5, "opposed", 0), (0.5, "near", 0), (1, "near", 1))
    )
    bar = f'<linearGradient id="gram-colours">{stops}</linearGradient>'
    bar += f'<rect x="{start:g}" y="{top:g}" width="{width:g}" height="8" fill="url(#gram-colours)"/>'
    ends = [text(start - 8, top + 4, signed(-reach, digits), "end", "gram-soft")]
    ends.append(text(start + width + 8, top + 4, signed(reach, digits), "start", "gram-soft"))
    ends.append(text(start + width / 2, top + 18, "cosine", "middle", "gram-soft"))
    return [bar, *ends]


def _described(found: Table, each: str) -> str:
    count = len(found.names)
    if count > MOST_WRITTEN:
        return f"Cosines, a row for each {each}, from {found.names[0]} to {found.names[-1]} samples."
    rows = [
        f"{found.names[a]}: {', '.join(signed(v, 3) for v in found.cosine[a].tolist())}" for a in range(count)
    ]
    return f"Cosines, a row for each {each}. {'; '.join(rows)}."
