"""Texts of labels: one label a line, or a table that is read by column; what is ambiguous is refused."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from relax.errors import InputError, worded
from relax.numerals import is_number, typed_whole

DELIMITERS = ("\t", ";", ",", "|")  # the first of these that the text has
TITLES = frozenset(["class", "classes", "category", "label", "labels", "target", "targets", "species", "y"])
MISSING = frozenset(["", "nan", "<na>", "nat"])  # as pandas and NumPy write labels that are not there
MISSING_NUMBERS = frozenset(["none", "null", "na", "n/a", "-", "?", "inf", "-inf"])  # words among numbers


class Row(NamedTuple):
    """The cells of a row, and the line of the text that it ends on."""

    line: int
    cells: list[str]


def column_of(text: str, column: str | None) -> list[int] | list[float] | list[str]:
    """Return the labels of a text, as numbers where all are.

    Parameters
    ----------
    text : str
        One label a line, or rows of cells separated by tabs, semicolons, commas, bars or blanks.
    column : str or None
        The title of a column in the first line, or its number from 1 on; None where there is one column
        and no title.

    Raises
    ------
    InputError
        If there is no such column, a label is missing, or the text may be read in two ways.
    """
    rows = _checked(_by_blanks(list(_rows(text))))
    if column is None:
        index, titled = _only_column(rows), False
    else:
        index, titled = _chosen(rows, column)
    body = rows[1:] if titled else rows
    for line, cells in body:
        if cells[index].casefold() in MISSING:
            raise InputError(f"line {line} has no label; leave that sample out")
    return _labels([row.cells[index] for row in body])


def _rows(text: str) -> Iterator[Row]:
    delimiter = next((mark for mark in DELIMITERS if mark in text), "\t")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in lines:
            yield Row(lines.line_num, [cell.strip() for cell in cells] or [""])
    except csv.Error as error:
        raise InputError(f"line {lines.line_num} is no row of a table ({error}); mend its quotes") from error


def _by_blanks(rows: list[Row]) -> list[Row]:
    """Split rows of one cell at blanks, where every row has as many parts and they look like columns.

    "golden retriever" is one label; a row of several numbers, or a column of numbers beside another, is none.
    """
    parted = [Row(line, " ".join(cells).split()) for line, cells in rows]
    full = [row for row in parted if row.cells]
    widths = {len(row.cells) for row in full}
    if any(len(row.cells) > 1 for row in rows) or len(widths) != 1 or widths == {1}:
        return rows
    columns = list(zip(*(row.cells for row in full), strict=True))
    numbers = any(all(map(is_number, column[1:] or column)) for column in columns)
    return [Row(line, cells or [""]) for line, cells in parted] if numbers or len(full) == 1 else rows


def _checked(rows: list[Row]) -> list[Row]:
    """Return the rows without empty lines at the end; others, and rows of unequal width, are refused."""
    while rows and rows[-1].cells == [""]:
        rows = rows[:-1]
    if not rows:
        raise InputError("it is empty; write one label a line")
    width = len(rows[0].cells)
    for line, cells in rows:
        if cells == [""]:
            raise InputError(f"line {line} is empty; delete it, or give it a label")
        if len(cells) != width:
            raise InputError(
                f"line {line} has {len(cells)} cells and the first {width}; quote what belongs together"
            )
    return rows


def _only_column(rows: list[Row]) -> int:
    first = rows[0].cells
    if len(first) > 1 and len(rows) == 1:
        raise InputError(f"its only line has {len(first)} cells; write one label a line")
    if len(first) > 1:
        listed = ", ".join(f"{i} {worded(title)}" for i, title in enumerate(first[:12], 1))
        more = ", …" if len(first) > 12 else ""
        raise InputError(f"it has {len(first)} columns ({listed}{more}); name one, FILE:COLUMN")
    labels = [row.cells[0] for row in rows]
    if _has_title(labels) or _may_have_title(labels):
        raise InputError(
            f"its first line {worded(first[0])} looks like a column name; say FILE:{first[0]} if it is one, "
            "and else move that line down"
        )
    return 0


def _chosen(rows: list[Row], column: str) -> tuple[int, bool]:
    """Return the index of the column, and whether the first row holds titles."""
    titles = rows[0].cells
    if re.fullmatch("[0-9]+", column):
        number = typed_whole(column)
        if not 1 <= number <= len(titles):
            raise InputError(f"it has no column {number}, but columns 1 to {len(titles)}")
        columns = [[row.cells[i] for row in rows] for i in range(len(titles))]
        if any(map(_has_title, columns)):
            return number - 1, True
        if _may_have_title(columns[number - 1]):
            raise InputError(
                f"{worded(titles[number - 1])} in the first line may be a column name; say "
                f"FILE:{titles[number - 1]} if it is one, and else move that line down"
            )
        return number - 1, False
    if titles.count(column) != 1:
        listed = ", ".join(map(worded, titles[:12])) + (", …" if len(titles) > 12 else "")
        found = "no column" if column not in titles else "several columns"
        raise InputError(f"it has {found} {worded(column)}; its first line is {listed}")
    return titles.index(column), True


def _has_title(cells: list[str]) -> bool:
    """Return whether the first cell is a word above numbers."""
    return len(cells) > 1 and not is_number(cells[0]) and all(map(is_number, cells[1:]))


def _may_have_title(cells: list[str]) -> bool:
    """Return whether the first cell of a column of words may be its title: nowhere else does it stand."""
    number_of = Counter(cells)
    if len(cells) < 2 or is_number(cells[0]) or number_of[cells[0]] > 1:
        return False
    known = cells[0].casefold() in TITLES or cells[0].startswith("#")
    return known or all(times > 1 for label, times in number_of.items() if label != cells[0])


def _labels(cells: list[str]) -> list[int] | list[float] | list[str]:
    """Return numbers where all cells are; one number has one spelling."""
    if not all(map(is_number, cells)):
        words = [cell for cell in cells if cell.casefold() in MISSING_NUMBERS]
        if words and any(map(is_number, cells)):
            raise InputError(f"{worded(words[0])} stands among numbers; leave samples without a label out")
        return cells
    whole = all(re.fullmatch("[+-]?[0-9]{1,400}", cell) for cell in cells)
    numbers = [int(cell) for cell in cells] if whole else [float(cell) for cell in cells]
    spelled: dict[float, str] = {}
    for number, cell in zip(numbers, cells, strict=True):
        if spelled.setdefault(number, cell) != cell:
            raise InputError(f"{spelled[number]} and {cell} are one number; spell it alike everywhere")
    return numbers
