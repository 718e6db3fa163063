"""Whether two programs, as a file spells them, are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

Program = Mapping[str, Any]


def same_program(one: Program, other: Program) -> bool:
    """Return whether two encoded programs say the same, number by number.

    Numbers have one spelling, so that texts are compared; only weights of rows are to be divided by the
    normaliser first. What is ignored: how rows are put into blocks and tables are written, the order of rules
    and of their groups, whether fixed and bounded rules are of one group or of several, and entries of pairs
    that there are not.

    Parameters
    ----------
    one, other : mapping
        JSON values of the grammar.
    """
    parts = ("multiplicity", "temperature", "nonnegative")
    if any(one[part] != other[part] for part in parts) or _rules(one) != _rules(other):
        return False
    return list(_rows(one)) == list(_rows(other))


def _rules(program: Program) -> dict[Any, int]:
    """Return rules in any order, with how often each stands."""
    found: dict[Any, int] = {}
    for rule in program["rules"]:
        if "value" in rule:
            parts = [(rule["kind"], rule["value"], group) for group in rule["groups"]]
        else:
            weights = frozenset(zip(rule["groups"], rule["weight"], strict=True))
            parts = [(rule["kind"], rule.get("total"), weights)]
        for part in parts:
            found[part] = found.get(part, 0) + 1
    return found


Row = tuple[Any, Mapping[str, list[str]]]  # numbers of the row itself, and its lines of tables


def _rows(program: Program) -> Iterator[Row]:
    """Yield rows one by one."""
    g, normaliser = program["multiplicity"], Fraction(program["normaliser"])
    blank = ["0"] * len(g)
    for block in program["rows"]:
        columns = {key: x for key, x in block.items() if isinstance(x, list)}
        alike = {key: x for key, x in block.items() if isinstance(x, (str, int))}
        tables = {key: x for key, x in block.items() if key not in columns and key not in alike}
        for t, a in enumerate(block["anchor"]):
            own = {key: x[t] for key, x in columns.items()} | alike
            own["weight"] = Fraction(own["weight"]) / normaliser
            lines = {key: _line(x, t) if x else blank for key, x in tables.items()}
            if g[a] == "1":  # there is no other member to read
                lines = {key: [*x[:a], "0", *x[a + 1 :]] for key, x in lines.items()}
            yield own, lines


def _line(table: Mapping[str, Any], row: int) -> list[str]:
    return table["every_row"] if "every_row" in table else table["rows"][row]
