"""The grammar of the file of a stationary point; docs/landscape-proofs.md says the same in words."""

from __future__ import annotations

from typing import Any

from certify.grammar import UnusableError
from certify.grammar.shapes import Array, Fault, Null, Object, Of, one_of
from certify.grammar.table import COUNT, DECIMAL, DYADIC, INDEX, PROBLEM, TEXT, versions

STATIONARY = "gramcert/stationary/1"
LARGEST = 2_000  # features
INTERVAL = Array(DECIMAL, 2, 2)
VECTORS = Array(Array(DYADIC, 1), 1, LARGEST)

CLAIM = Object(
    {
        "words": TEXT,
        "kind": one_of("minimum", "saddle"),
        "problem": PROBLEM,
        "dimension": COUNT,
        "radius": DECIMAL,
        "alone": Null(DECIMAL),
        "loss": INTERVAL,
        "optimum": Null(Array(Null(DECIMAL), 2, 2)),
        "better": Null(DECIMAL),
        "worse_by": Null(DECIMAL),
        "relative": Null(DECIMAL),
        "curvature": DECIMAL,
        "multipliers": Array(INTERVAL, 1, LARGEST),
        "siblings": Object({"distinct": INDEX, "proven": INDEX}),
    }
)
FILE = Object(
    {
        "schema": one_of(STATIONARY),
        "claim": CLAIM,
        "features": VECTORS,
        "direction": Null(VECTORS),
        "better": Null(VECTORS),
        "optimum": Null(Of(dict, "a certificate")),
        "sha256": TEXT,
        "made_by": versions,
    }
)


def require_stationary(document: dict[str, Any]) -> None:
    """Return if JSON values are those of a stationary point's file.

    Raises
    ------
    UnusableError
        If they are not, naming the first place, or if their parts do not fit together.
    """
    try:
        FILE(document)
    except Fault as fault:
        raise UnusableError(str(fault).replace("the certificate", "the file", 1)) from None
    claim = document["claim"]
    parts = [document[part] for part in ("features", "direction", "better") if document[part] is not None]
    lengths = {len(claim["multipliers"]), *map(len, parts)}
    if len(lengths) > 1 or {len(line) for part in parts for line in part} != {claim["dimension"]}:
        raise UnusableError("features, directions and multipliers of the file have different shapes")
    saddle = claim["kind"] == "saddle"
    if saddle != (document["direction"] is not None) or saddle != (document["optimum"] is None):
        raise UnusableError("a minimum has an optimum and no direction, a saddle a direction and no optimum")
    if (document["optimum"] is None) != (claim["optimum"] is None):
        raise UnusableError("the claim of an optimum and its certificate belong together")
