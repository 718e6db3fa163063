"""Witnesses and points in a certificate file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from certify.balls import FactoredPoint
from certify.encoding.numbers import dyadics, exact, floats, rationals
from certify.grammar import LARGEST_PROGRAM, UnusableError
from relax.bounds import Cluster, Witness
from relax.orbits import OrbitMatrix
from relax.program import GramProgram


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
    """Return the witness for a program that JSON values of the grammar say.

    Raises
    ------
    UnusableError
        If it does not fit the program.
    """
    m = program.groups
    with _fitting("witness"):
        own = _line(said["own"], m).reshape(m, 1, 1)
        peer = np.zeros((m, m))
        if len(said["peer"]) != m:
            raise ValueError("peer has the wrong number of rows")
        for a, line in enumerate(said["peer"]):
            peer[a, a:] = peer[a:, a] = _line(line, m - a)
        factor = _table(said["factor"], m)
        within = _table(said["within"], m)[:, None, :]
        if sum(len(cluster["groups"]) ** 2 for cluster in said["clusters"]) > LARGEST_PROGRAM**2:
            raise ValueError("its clusters are too many")
        clusters = tuple(_decode_cluster(cluster, m) for cluster in said["clusters"])
    return Witness(OrbitMatrix(program.multiplicity, own, peer), factor, within, clusters)


def _decode_cluster(said: Mapping[str, Any], groups: int) -> Cluster:
    inside, weight = said["groups"], said["weight"]
    if not (len(set(inside)) == len(inside) == len(weight) and max(inside) < groups):
        raise ValueError("a cluster is not one of distinct groups with a weight for each")
    return Cluster(np.array(inside, dtype=int), exact(weight), float.fromhex(said["kappa"]))


def decode_point(said: Mapping[str, Any], program: GramProgram) -> FactoredPoint:
    """Return the factored point for a program that JSON values of the grammar say.

    Raises
    ------
    UnusableError
        If it does not fit the program.
    """
    with _fitting("point"):
        return FactoredPoint(_table(said["vectors"], program.groups), _line(said["within"], program.groups))


@contextmanager
def _fitting(what: str) -> Iterator[None]:
    """Say of what is found here that it does not fit the program."""
    try:
        yield
    except ValueError as error:
        raise UnusableError(f"the {what} does not fit the program: {error}") from error


def _line(spelled: list[str], count: int) -> np.ndarray:
    if len(spelled) != count:
        raise ValueError(f"{len(spelled)} numbers where {count} belong")
    return floats(spelled)


def _table(spelled: list[list[str]], lines: int) -> np.ndarray:
    width = len(spelled[0]) if spelled else 0
    if len(spelled) != lines:
        raise ValueError(f"{len(spelled)} lines where {lines} belong")
    return np.array([_line(line, width) for line in spelled]).reshape(lines, width)
