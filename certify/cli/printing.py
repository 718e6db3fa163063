"""Plain tables, a line a row: as they are where output is piped, cropped to the width of a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from certify.cli.streams import say, writable


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return the rows as lines of aligned columns: those named in `right` to the right."""
    rows = [[writable(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[c]) for row in rows) for c in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            " " * (width - cell_len(cell)) + cell if c in right else set_cell_size(cell, width)
            for c, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def cropped(line: str, width: int | None) -> str:
    """Return a line that is at most so wide; None sets no limit."""
    if width is None or cell_len(line) <= width:
        return line
    mark = writable("…")
    return set_cell_size(line, width - cell_len(mark)) + mark


def terminal_width() -> int | None:
    """Return the width of the terminal that is written to, None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_list(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Print a line a row, whatever the width of the terminal."""
    width = terminal_width()
    say("\n".join(cropped(line, width) for line in columns(rows, right)))


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print (label, value) pairs; lines of a value stand below each other, and nothing is cropped."""
    facts = [(writable(label), writable(value)) for label, value in facts]
    width = max(cell_len(label) for label, _ in facts) + 2
    lines = [
        (set_cell_size(label if i == 0 else "", width) + line).rstrip()
        for label, value in facts
        for i, line in enumerate(value.split("\n"))
    ]
    say("\n".join(lines))
