"""The geometry of a solution, in words and as JSON values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from certify.cli.printing import columns
from relax.arrangement import ROUNDING, Block, Geometry
from relax.ranges import Range

MOST_KINDS = 8  # class sizes whose pairs are all shown; beyond, so many ranges of sizes
SHOWN_ALIKE = 5e-5  # entries that print alike


def geometry_facts(geometry: Geometry, proven: bool) -> list[tuple[str, str]]:
    """Return what there is to print, as (label, text) pairs; texts have several lines.

    Parameters
    ----------
    geometry : Geometry
        The geometry.
    proven : bool
        Whether the units that the geometry says to coincide are proven to. Else nothing is said of it.
    """
    few = len(geometry.sizes) <= MOST_KINDS
    facts = [("geometry", _subject(geometry))]
    for block in geometry.blocks:
        table = _all_pairs(geometry, block) if few else _by_ranges(geometry, block)
        facts.append(("", "\n".join([_title(geometry, block), *("  " + line for line in table)])))
    if proven:
        facts += [("", f"on one point: {said}") for said in _coinciding(geometry)]
    return facts


def geometry_json(geometry: Geometry, proven: bool) -> dict[str, Any]:
    """Return the same as JSON values: of all pairs of class sizes while they are few, else by ranges."""
    few = len(geometry.sizes) <= MOST_KINDS
    parts = geometry.parts(len(geometry.sizes) if few else MOST_KINDS)
    return {
        "unit": geometry.unit,
        "sees_labels": geometry.labelled,
        "sizes": [[int(geometry.sizes[part[-1]]), int(geometry.sizes[part[0]])] for part in parts],
        "units": [int(geometry.units[part].sum()) for part in parts],
        "blocks": [_block_json(geometry, block) for block in geometry.blocks],
        "coincide": [_members(geometry, point) for point in geometry.coincide] if proven else [],
    }


def _block_json(geometry: Geometry, block: Block) -> dict[str, Any]:
    said: dict[str, Any] = {
        "roles": [block.first, block.second],
        "quantity": "cosine" if block.cosine else "inner product",
    }
    if len(geometry.sizes) <= MOST_KINDS:
        said |= {"own": _range_json(block.own), "others": _range_json(block.others)}
        if block.kin is not None:
            said[f"same_{geometry.kin}"] = _range_json(block.kin)
    else:
        low, mean, high = _range_json(geometry.by_parts(block, geometry.parts(MOST_KINDS))).values()
        said |= {"farthest": low, "mean": mean, "nearest": high}
    return said


def _range_json(found: Range) -> dict[str, Any]:
    def listed(values: np.ndarray) -> Any:
        if values.ndim > 1:
            return [listed(row) for row in values]
        return [None if math.isnan(value) else value for value in values.tolist()]

    return {"low": listed(found.low), "mean": listed(found.mean), "high": listed(found.high)}


def _members(geometry: Geometry, point: np.ndarray) -> list[dict[str, int]]:
    return [
        {"size": int(geometry.sizes[kind]), "units": int(point[kind])}
        for kind in np.flatnonzero(point).tolist()
    ]


def _subject(geometry: Geometry) -> str:
    if not geometry.labelled:
        return f"of {geometry.unit}s: the loss sees no labels, so that classes have no geometry of their own"
    if geometry.unit == "class":
        return "of classes, by class size: each is one vector"
    size, units = geometry.sizes[0], geometry.units[0]
    what = geometry.unit_plural
    return f"of {what}, by class size: {size} ×{units} are {units} {what} in classes of {size}"


def _title(geometry: Geometry, block: Block) -> str:
    if block.first != block.second:
        return f"inner products of {block.first} and {block.second}"
    what = "cosines" if block.cosine else "norms and inner products"
    return what if len(geometry.blocks) == 1 else f"{what} of {block.first}s"


def _kinds(geometry: Geometry, parts: list[np.ndarray]) -> list[str]:
    """Return what kinds, or ranges of them, are called: "100 ×2" is two classes of 100 samples."""
    names = []
    for part in parts:
        units = int(geometry.units[part].sum())
        low, high = geometry.sizes[part[-1]], geometry.sizes[part[0]]
        size = f"{high}" if low == high else f"{high}–{low}"
        names.append(f"{size} ×{units}" if geometry.labelled else f"{units} {geometry.unit_plural}")
    return names


def _all_pairs(geometry: Geometry, block: Block) -> list[str]:
    """Return a table of all pairs of kinds, and one in degrees where entries are cosines."""
    names = _kinds(geometry, geometry.parts(len(geometry.sizes)))
    lines = columns(*_table(geometry, block, names, _cosine if block.cosine else _number))
    if block.cosine:
        lines += ["in degrees", *columns(*_table(geometry, block, names, _degrees))]
    return lines + (["~ mean of pairs that differ"] if any("~" in line for line in lines) else [])


def _table(geometry: Geometry, block: Block, names: list[str], spell: Any) -> tuple[list[list[str]], range]:
    """Return the rows of a table, titles first, and its columns of numbers."""
    left: list[tuple[str, list[str]]] = []
    if block.first == block.second and not block.cosine:
        left.append(("norm", [_number(math.sqrt(max(square, 0.0))) for square in block.own.mean]))
    elif block.first != block.second:
        left.append((f"same {geometry.unit}", _spelled(block.own, spell)))
    if block.kin is not None:
        left.append((f"same {geometry.kin}", _spelled(block.kin, spell)))
    titles = ["", *(title for title, _ in left), *names]
    rows = [titles]
    for a, name in enumerate(names):
        others = _spelled(Range(*(part[a] for part in block.others)), spell)
        if block.first == block.second:  # the rest says the same again
            others[a + 1 :] = [""] * (len(names) - a - 1)
        rows.append([name, *(cells[a] for _, cells in left), *others])
    return rows, range(1, len(titles))


def _by_ranges(geometry: Geometry, block: Block) -> list[str]:
    """Return a table of nearest, farthest and mean by ranges of sizes."""
    parts = geometry.parts(MOST_KINDS)
    found = geometry.by_parts(block, parts)
    spell = _cosine if block.cosine else _number
    shown = [("nearest", found.high, spell), ("farthest", found.low, spell), ("mean", found.mean, spell)]
    if block.cosine:
        shown += [("nearest °", found.high, _degrees), ("farthest °", found.low, _degrees)]
    if block.first != block.second or not block.cosine:
        own = [np.average(block.own.mean[part], weights=geometry.units[part]) for part in parts]
        same = block.first == block.second
        values = np.sqrt(np.maximum(own, 0.0)) if same else np.array(own)
        shown.insert(0, ("norm" if same else f"same {geometry.unit}", values, _number))
    rows = [["", *(title for title, _, _ in shown)]]
    for i, name in enumerate(_kinds(geometry, parts)):
        rows.append([name, *(say(float(values[i])) for _, values, say in shown)])
    return columns(rows, range(1, len(rows[0])))


def _spelled(found: Range, spell: Any) -> list[str]:
    """Return the means in words: "–" where there is no pair, "~" before those of pairs that differ."""
    cells = []
    for low, mean, high in zip(*found, strict=True):
        differ = high - low > SHOWN_ALIKE * max(1.0, abs(high), abs(low))
        cells.append("–" if math.isnan(mean) else ("~" if differ else "") + spell(float(mean)))
    return cells


def _cosine(value: float) -> str:
    """Return four decimals, and the distance to zero or one where they would hide it."""
    distance = 1.0 - abs(value)
    if ROUNDING < distance < SHOWN_ALIKE:
        return f"1-{distance:.0e}" if value > 0 else f"-1+{distance:.0e}"
    if abs(value) < SHOWN_ALIKE:
        return f"{value:.0e}" if abs(value) > ROUNDING else f"{0:.4f}"
    return f"{value:.4f}"


def _degrees(value: float) -> str:
    angle = math.degrees(2.0 * math.asin(math.sqrt(min(max((1.0 - value) / 2.0, 0.0), 1.0))))
    return f"{angle:.2f}" if angle >= 0.005 or 1.0 - value <= ROUNDING else f"{angle:.0e}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _coinciding(geometry: Geometry) -> list[str]:
    said = []
    for point in geometry.coincide:
        members = _members(geometry, point)
        if len(members) <= MOST_KINDS:
            parts = [f"{one['units']} of size {one['size']}" for one in members]
        else:
            sizes = [one["size"] for one in members]
            parts = [f"{int(point.sum())} of sizes {max(sizes)}–{min(sizes)}"]
        said.append(f"{geometry.unit_plural}, {', '.join(parts)}")
    return said
