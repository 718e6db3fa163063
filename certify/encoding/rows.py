"""Blocks of rows in a certificate file, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from certify.encoding.numbers import exact, rational, rationals
from relax.errors import InputError
from relax.rows import LogSumExp, RandomLogSumExp, Rows, SumExp


class RowKind(NamedTuple):
    """How rows of one kind stand in a file; certify.grammar.table has their shape."""

    kind: type
    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[Mapping[str, Any], int], Any]  # what `encode` returned, and the number of groups


def encode_block(rows: Rows) -> dict[str, Any]:
    """Return a block of rows as JSON values.

    Raises
    ------
    InputError
        If rows are of a kind that no file has.
    """
    for name, kind in ROW_KINDS.items():
        if type(rows) is kind.kind:
            return {"kind": name, **kind.encode(rows)}
    name = type(rows).__name__
    raise InputError(f"rows of kind {name} have no form in a file; see certify.encoding.ROW_KINDS")


def decode_block(said: Mapping[str, Any], groups: int) -> Rows:
    """Return the block that `encode_block` wrote.

    Raises
    ------
    ValueError
        If its lists do not fit together.
    """
    if max(said["anchor"], default=0) >= groups:
        raise ValueError("an anchor is not a group")
    return ROW_KINDS[said["kind"]].decode(said, groups)


def encode_table(table: np.ndarray) -> dict[str, Any]:
    """Spell a matrix of exact numbers, once where all rows are equal."""
    if len(table) and np.all(table == table[0]):
        return {"every_row": rationals(table[0])}
    return {"rows": [rationals(line) for line in table]}


def decode_table(said: Mapping[str, Any], lines: int, groups: int) -> np.ndarray:
    """Read what `encode_table` wrote."""
    if "every_row" in said:
        return np.broadcast_to(column(said["every_row"], groups), (lines, groups))
    if len(said["rows"]) != lines:
        raise ValueError(f"{len(said['rows'])} rows where {lines} belong")
    table = [column(line, groups) for line in said["rows"]]
    kind = object if any(line.dtype == object for line in table) else float
    return np.array(table, dtype=kind).reshape(lines, groups)


def column(spelled: list[str], count: int) -> np.ndarray:
    """Return rationals, of which there must be so many."""
    if len(spelled) != count:
        raise ValueError(f"{len(spelled)} numbers where {count} belong")
    return exact(spelled)


def _encode_softmax(rows: LogSumExp | SumExp) -> dict[str, Any]:
    return {
        "anchor": [int(a) for a in rows.anchor],
        "weight": rationals(rows.weight),
        "own_multiplicity": rationals(rows.own_multiplicity),
        "own_target": rationals(rows.own_target),
        "peer_multiplicity": encode_table(rows.peer_multiplicity),
        "peer_target": None if rows.peer_target is None else encode_table(rows.peer_target),
    }


def _decode_softmax(said: Mapping[str, Any], groups: int) -> tuple[Any, ...]:
    anchor = np.array(said["anchor"], dtype=int)
    own = (column(said[key], len(anchor)) for key in ("weight", "own_multiplicity", "own_target"))
    weight, multiplicity, own_target = own
    peers = decode_table(said["peer_multiplicity"], len(anchor), groups)
    said_target = said["peer_target"]
    target = None if said_target is None else decode_table(said_target, len(anchor), groups)
    return anchor, weight, multiplicity, own_target, peers, target


def _decode_log_sum_exp(said: Mapping[str, Any], groups: int) -> LogSumExp:
    return LogSumExp(*_decode_softmax(said, groups))


def _encode_sum_exp(rows: SumExp) -> dict[str, Any]:
    return {**_encode_softmax(rows), "floor": rationals(rows.floor)}


def _decode_sum_exp(said: Mapping[str, Any], groups: int) -> SumExp:
    anchor, weight, own, own_target, peers, target = _decode_softmax(said, groups)
    return SumExp(anchor, weight, own, own_target, peers, column(said["floor"], len(anchor)), target)


def _encode_random(rows: RandomLogSumExp) -> dict[str, Any]:
    numbers = ("base", "own_multiplicity", "peer_multiplicity")
    return {
        "anchor": [int(a) for a in rows.anchor],
        "weight": rationals(rows.weight),
        "draws": rows.draws,
        "replacement": rows.replacement,
        **{name: rational(getattr(rows, name)) for name in numbers},
        "own_population": rationals(rows.own_population),
        "peer_population": encode_table(rows.peer_population),
    }


def _decode_random(said: Mapping[str, Any], groups: int) -> RandomLogSumExp:
    anchor = np.array(said["anchor"], dtype=int)
    return RandomLogSumExp(
        anchor,
        weight=column(said["weight"], len(anchor)),
        draws=said["draws"],
        replacement=said["replacement"],
        base=Fraction(said["base"]),
        own_multiplicity=Fraction(said["own_multiplicity"]),
        peer_multiplicity=Fraction(said["peer_multiplicity"]),
        own_population=column(said["own_population"], len(anchor)),
        peer_population=decode_table(said["peer_population"], len(anchor), groups),
    )


ROW_KINDS = {
    "random-log-sum-exp": RowKind(RandomLogSumExp, _encode_random, _decode_random),
    "log-sum-exp": RowKind(LogSumExp, _encode_softmax, _decode_log_sum_exp),
    "sum-exp": RowKind(SumExp, _encode_sum_exp, _decode_sum_exp),
}
"""The kinds of rows that a file can hold; whoever brings a new kind adds it, its shape in
certify.grammar.table.ROW_SHAPES, and its enclosure."""
