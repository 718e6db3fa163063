"""The spellings of numbers in a certificate file, and programs, witnesses and points in them.

docs/certificate-format.md is the specification. Rationals are strings like "1/10", dyadic numbers are
binary64 in C99 hex; both are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from certify.balls import FactoredPoint
from relax.bounds import Cluster, Witness
from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram, Rows
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule


def rational(number: Any) -> str:
    """Spell an exact number: an integer, a Fraction, or a float taken as the dyadic number it is."""
    return str(Fraction(number.item() if isinstance(number, np.generic) else number))


def rationals(numbers: np.ndarray) -> list[str]:
    """Spell every number of a one-dimensional array."""
    return [rational(number) for number in numbers]


def dyadics(numbers: np.ndarray) -> list[str]:
    """Spell every float of a one-dimensional array in hex."""
    return [float(number).hex() for number in numbers]


def encode_program(program: GramProgram) -> dict[str, Any]:
    """Return the exact program as JSON values."""
    return {
        "roles": program.roles,
        "multiplicity": rationals(program.multiplicity),
        "temperature": rational(program.temperature),
        "normaliser": rational(program.normaliser),
        "nonnegative": program.nonnegative,
        "rules": [_encode_rule(rule) for rule in program.rules],
        "rows": [_encode_rows(rows) for rows in program.rows],
    }


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


def _encode_rows(rows: Rows) -> dict[str, Any]:
    return {
        "anchor": [int(a) for a in rows.anchor],
        "weight": rationals(rows.weight),
        "own_multiplicity": rationals(rows.own_multiplicity),
        "own_target": rationals(rows.own_target),
        "peer_multiplicity": _encode_table(rows.peer_multiplicity),
        "peer_target": None if rows.peer_target is None else _encode_table(rows.peer_target),
    }


def _encode_table(table: np.ndarray) -> dict[str, Any]:
    if np.all(table == table[0]):
        return {"every_row": rationals(table[0])}
    return {"rows": [rationals(line) for line in table]}


def encode_witness(witness: Witness) -> dict[str, Any]:
    """Return M₀ and the factors of the dual slack as JSON values (one role)."""
    peer = witness.point.peer
    clusters = [
        {
            "groups": [int(a) for a in cluster.groups],
            "weight": rationals(cluster.weight),
            "kappa": float(max(cluster.kappa, 0.0)).hex(),
        }
        for cluster in witness.clusters
    ]
    return {
        "own": dyadics(witness.point.own[:, 0, 0]),
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
    weight = np.array([float(Fraction(w)) for w in said["weight"]])
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
