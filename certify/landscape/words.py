"""What the file of a stationary point proves, in words, from verified values alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from certify.statement import norm_words, problem_words


def words(claim: Mapping[str, Any]) -> str:
    """Return the sentence of a claim (docs/landscape-proofs.md, "The format")."""
    problem, low, high = claim["problem"], *claim["loss"]
    kind = f"features {norm_words(problem['norm'])} in dimension {claim['dimension']}"
    parts = [f"For {problem_words(problem)}, over all {kind}: {_point(claim)}"]
    if claim["alone"] is not None:
        parts.append(
            f"no other features within {claim['alone']} of those given here (in the Frobenius norm) are "
            "stationary, up to rotation"
        )
    parts.append(f"its loss is between {low} and {high}")
    parts += _above(claim)
    negative = sum(Decimal(top) < 0 for _, top in claim["multipliers"])
    parts.append(f"of its {len(claim['multipliers'])} multipliers {negative} are negative")
    distinct, proven = claim["siblings"]["distinct"], claim["siblings"]["proven"]
    if distinct:
        parts.append(f"ν_i + ν_j < 2 D_ij for {proven} of {distinct} pairs of siblings that are distinct")
    return "; ".join(parts) + "."


def _point(claim: Mapping[str, Any]) -> str:
    where = f"within {claim['radius']} of the features given here, entry by entry,"
    if claim["kind"] == "minimum":
        return (
            f"{where} lies a strict local minimum up to rotation, and its Hessian is at least "
            f"{claim['curvature']} across rotations"
        )
    return (
        f"{where} lies a stationary point that is no local minimum: along the direction given here the "
        f"loss has a curvature of at most {claim['curvature']}"
    )


def _above(claim: Mapping[str, Any]) -> list[str]:
    if claim["optimum"] is None:
        return []
    low, high = claim["optimum"]
    optimum = f"at most {high}" if low is None else f"between {low} and {high}"
    said = [f"the least loss over every dimension is {optimum}"]
    if claim["worse_by"] is not None:
        part = "" if claim["relative"] is None else f", {claim['relative']} of the excess of the optimum,"
        said.append(
            f"it is worse by at least {claim['worse_by']}{part} than features of the same dimension, whose "
            f"loss is at most {claim['better']}"
        )
    return said
