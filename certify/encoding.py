"""The spellings of numbers in a certificate file, and programs, witnesses and points in them.

docs/certificate-format.md is the specification. Rationals are strings like "1/10", dyadic numbers are
binary64 in C99 hex; both are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from certify.balls import FactoredPoint
from relax.bounds import Cluster, Witness
from relax.counts import LARGEST_COUNT, spelled_rational
from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp, RandomLogSumExp, Rows, SumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule

LARGEST_PROGRAM = 20_000  # groups


def rational(number: Any) -> str:
    """Spell an exact number: an integer, a Fraction, or a float taken as the dyadic number it is."""
    return str(Fraction(number.item() if isinstance(number, np.generic) else number))


def rationals(numbers: np.ndarray) -> list[str]:
    """Spell every number of a one-dimensional array."""
    return [rational(number) for number in numbers]


def dyadics(numbers: np.ndarray) -> list[str]:
    """Spell every float of a one-dimensional array in hex."""
    return [float(number).hex() for number in numbers]


class RowKind(NamedTuple):
    """How rows of one kind stand in a file."""

    kind: type
    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[Mapping[str, Any], int], Any]  # what `encode` returned, and the number of groups


def encode_program(program: GramProgram) -> dict[str, Any]:
    """Return the exact program, whose nodes have one role, as JSON values.

    Raises
    ------
    InputError
        If rows are of a kind that no file has.
    """
    return {
        "multiplicity": rationals(program.multiplicity),
        "temperature": rational(program.temperature),
        "normaliser": rational(program.normaliser),
        "nonnegative": program.nonnegative,
        "rules": [_encode_rule(rule) for rule in program.rules],
        "rows": [_encode_block(rows) for rows in program.rows],
    }


def _encode_block(rows: Rows) -> dict[str, Any]:
    for name, kind in ROW_KINDS.items():
        if type(rows) is kind.kind:
            return {"kind": name, **kind.encode(rows)}
    name = type(rows).__name__
    raise InputError(f"rows of kind {name} have no form in a file; see certify.encoding.ROW_KINDS")


def decode_program(said: Mapping[str, Any]) -> GramProgram:
    """Return the exact program that `encode_program` wrote.

    Raises
    ------
    InputError
        If it is not of that form.
    """
    try:
        multiplicity = np.array([_whole(g) for g in said["multiplicity"]], dtype=float)
        if not 1 <= len(multiplicity) <= LARGEST_PROGRAM:
            raise ValueError(f"{len(multiplicity)} groups; there may be 1 to {LARGEST_PROGRAM}")
        program = GramProgram(
            multiplicity=multiplicity,
            temperature=spelled_rational(said["temperature"]),
            rows=tuple(_decode_block(block, len(multiplicity)) for block in said["rows"]),
            normaliser=spelled_rational(said["normaliser"]),
            rules=tuple(_decode_rule(rule) for rule in said["rules"]),
            nonnegative=said["nonnegative"],
        )
        if encode_program(program) != said:
            raise ValueError("a number or a key is not spelled as in docs/certificate-format.md")
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, IndexError) as error:
        raise InputError(f"the program of the certificate is unusable: {error}") from error
    return program


def _whole(spelled: str) -> int:
    number = spelled_rational(spelled)
    if number.denominator != 1 or not 1 <= number <= LARGEST_COUNT:
        raise ValueError(f"{spelled} is no number of members")
    return int(number)


def _decode_block(said: Mapping[str, Any], groups: int) -> Rows:
    if said["kind"] not in ROW_KINDS:
        raise InputError(f"rows of kind {str(said['kind'])[:40]!r} are not known here")
    kind = ROW_KINDS[said["kind"]]
    return kind.decode({key: value for key, value in said.items() if key != "kind"}, groups)


def _decode_rule(said: Mapping[str, Any]) -> Rule:
    slots = np.array(said["groups"], dtype=int)
    if said["kind"] in ("fixed", "bounded"):
        return (Fixed if said["kind"] == "fixed" else Bounded)(slots, spelled_rational(said["value"]))
    weight = _exact(said["weight"], len(slots))
    if said["kind"] == "budget":
        return Budget(slots, weight, spelled_rational(said["total"]))
    return RidgeCost(slots, weight)


def _exact(spelled: list[str], count: int) -> np.ndarray:
    """Read rationals as an array of floats where all are floats, else of Fractions."""
    numbers = [spelled_rational(number) for number in spelled]
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers where {count} belong")
    if all(abs(x) <= LARGEST_COUNT and x.denominator & (x.denominator - 1) == 0 for x in numbers):
        floats = np.array([float(x) for x in numbers])
        if all(Fraction(y) == x for x, y in zip(numbers, floats.tolist(), strict=True)):
            return floats
    return np.array(numbers, dtype=object)


def _encode_rule(rule: Rule) -> dict[str, Any]:
    groups = [int(slot) for slot in rule.slots]
    if isinstance(rule, (Fixed, Bounded)):
        kind = "fixed" if isinstance(rule, Fixed) else "bounded"
        return {"kind": kind, "groups": groups, "value": rational(rule.value)}
    weights = {"groups": groups, "weight": rationals(rule.weight)}
    if isinstance(rule, Budget):
        return {"kind": "budget", **weights, "total": rational(rule.total)}
    assert isinstance(rule, RidgeCost)
    return {"kind": "ridge", **weights}


def _encode_softmax(rows: LogSumExp | SumExp) -> dict[str, Any]:
    return {
        "anchor": [int(a) for a in rows.anchor],
        "weight": rationals(rows.weight),
        "own_multiplicity": rationals(rows.own_multiplicity),
        "own_target": rationals(rows.own_target),
        "peer_multiplicity": encode_table(rows.peer_multiplicity),
        "peer_target": None if rows.peer_target is None else encode_table(rows.peer_target),
    }


def _anchors(said: Mapping[str, Any], groups: int) -> np.ndarray:
    anchor = np.array(said["anchor"], dtype=int)
    if len(anchor) and not 0 <= anchor.min() <= anchor.max() < groups:
        raise ValueError("an anchor is not a group")
    return anchor


def _decode_softmax(said: Mapping[str, Any], groups: int) -> tuple[Any, ...]:
    anchor = _anchors(said, groups)
    own = (_exact(said[key], len(anchor)) for key in ("weight", "own_multiplicity", "own_target"))
    peers = decode_table(said["peer_multiplicity"], len(anchor), groups)
    said_target = said["peer_target"]
    target = None if said_target is None else decode_table(said_target, len(anchor), groups)
    weight, multiplicity, own_target = own
    return anchor, weight, multiplicity, own_target, peers, target


def _decode_log_sum_exp(said: Mapping[str, Any], groups: int) -> LogSumExp:
    return LogSumExp(*_decode_softmax(said, groups))


def _encode_sum_exp(rows: SumExp) -> dict[str, Any]:
    return {**_encode_softmax(rows), "floor": rationals(rows.floor)}


def _decode_sum_exp(said: Mapping[str, Any], groups: int) -> SumExp:
    parts = _decode_softmax({key: value for key, value in said.items() if key != "floor"}, groups)
    anchor, weight, own, own_target, peers, target = parts
    return SumExp(anchor, weight, own, own_target, peers, _exact(said["floor"], len(anchor)), target)


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
    anchor = _anchors(said, groups)
    return RandomLogSumExp(
        anchor,
        weight=_exact(said["weight"], len(anchor)),
        draws=said["draws"],
        replacement=said["replacement"],
        base=spelled_rational(said["base"]),
        own_multiplicity=spelled_rational(said["own_multiplicity"]),
        peer_multiplicity=spelled_rational(said["peer_multiplicity"]),
        own_population=_exact(said["own_population"], len(anchor)),
        peer_population=decode_table(said["peer_population"], len(anchor), groups),
    )


ROW_KINDS = {
    "random-log-sum-exp": RowKind(RandomLogSumExp, _encode_random, _decode_random),
    "log-sum-exp": RowKind(LogSumExp, _encode_softmax, _decode_log_sum_exp),
    "sum-exp": RowKind(SumExp, _encode_sum_exp, _decode_sum_exp),
}
"""The kinds of rows that a file can hold; whoever brings a new kind adds it, and its enclosure."""


def encode_table(table: np.ndarray) -> dict[str, Any]:
    """Spell a matrix of exact numbers, once where all rows are equal."""
    if len(table) and np.all(table == table[0]):
        return {"every_row": rationals(table[0])}
    return {"rows": [rationals(line) for line in table]}


def decode_table(said: Mapping[str, Any], lines: int, groups: int) -> np.ndarray:
    """Read what `encode_table` wrote."""
    if "every_row" in said:
        return np.broadcast_to(_exact(said["every_row"], groups), (lines, groups))
    if len(said["rows"]) != lines:
        raise ValueError(f"{len(said['rows'])} rows where {lines} belong")
    table = [_exact(line, groups) for line in said["rows"]]
    return np.array(table, dtype=object if any(line.dtype == object for line in table) else float)


def encode_witness(witness: Witness) -> dict[str, Any]:
    """Return M₀ and the factors of the dual slack as JSON values (one role)."""
    peer = witness.base.peer
    clusters = [
        {
            "groups": [int(a) for a in cluster.groups],
            "weight": rationals(cluster.weight),
            "kappa": float(max(cluster.kappa, 0.0)).hex(),
        }
        for cluster in witness.clusters
    ]
    return {
        "own": dyadics(witness.base.own[:, 0, 0]),
        "peer": [dyadics(peer[a, a:]) for a in range(len(peer))],
        "factor": [dyadics(line) for line in witness.factor],
        "within": [dyadics(line) for line in witness.within[:, 0, :]],
        "clusters": clusters,
    }


def encode_point(point: FactoredPoint) -> dict[str, Any]:
    """Return a factored feasible point as JSON values."""
    return {"vectors": [dyadics(line) for line in point.vectors], "within": dyadics(point.within)}


def decode_witness(said: Mapping[str, Any], program: GramProgram) -> Witness:
    """Read a witness for a program.

    Raises
    ------
    InputError
        If it does not fit the program or holds something else than finite numbers.
    """
    try:
        m = program.groups
        own = _floats(said["own"], (m,)).reshape(m, 1, 1)
        peer = np.zeros((m, m))
        if len(said["peer"]) != m:
            raise ValueError("peer has the wrong number of rows")
        for a, line in enumerate(said["peer"]):
            peer[a, a:] = peer[a:, a] = _floats(line, (m - a,))
        factor = _table(said["factor"], m)
        within = _table(said["within"], m)[:, None, :]
        clusters = tuple(_decode_cluster(cluster, m) for cluster in said["clusters"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"the witness does not fit the program: {error}") from error
    return Witness(OrbitMatrix(program.multiplicity, own, peer), factor, within, clusters)


def _decode_cluster(said: Mapping[str, Any], groups: int) -> Cluster:
    inside = np.array(said["groups"], dtype=int)
    weight = np.array([float(spelled_rational(w)) for w in said["weight"]])
    exact = all(Fraction(w) == Fraction(x) for w, x in zip(said["weight"], weight.tolist(), strict=True))
    kappa = float.fromhex(said["kappa"])
    distinct = len(set(inside.tolist())) == len(inside) == len(weight) > 0
    in_range = bool(np.all((inside >= 0) & (inside < groups)))
    if not (exact and distinct and in_range and np.all(weight > 0) and 0 <= kappa < np.inf):
        raise ValueError("a cluster is not one of distinct groups with positive weights and kappa ≥ 0")
    return Cluster(inside, weight, kappa)


def decode_point(said: Mapping[str, Any], program: GramProgram) -> FactoredPoint:
    """Read a factored point for a program.

    Raises
    ------
    InputError
        If it does not fit the program or holds something else than finite numbers.
    """
    try:
        vectors = _table(said["vectors"], program.groups)
        within = _floats(said["within"], (program.groups,))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"the point does not fit the program: {error}") from error
    return FactoredPoint(vectors, within)


def _floats(spelled: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.array([float.fromhex(number) for number in spelled], dtype=float).reshape(-1)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{len(array)} numbers where {shape[0]} finite ones belong")
    return array


def _table(spelled: Any, lines: int) -> np.ndarray:
    width = len(spelled[0]) if spelled else 0
    if len(spelled) != lines:
        raise ValueError(f"{len(spelled)} lines where {lines} belong")
    return np.array([_floats(line, (width,)) for line in spelled]).reshape(lines, width)
