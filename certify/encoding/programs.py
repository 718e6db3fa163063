"""Programs in a certificate file."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from certify.balls.random.rows import check_random_rows
from certify.encoding.numbers import rational, rationals
from certify.encoding.rows import column, decode_block, encode_block
from certify.grammar import LARGEST_PROGRAM, UnusableError
from relax.counts import LARGEST_COUNT
from relax.program import GramProgram
from relax.rows import RandomLogSumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule


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
        "rows": [encode_block(rows) for rows in program.rows],
    }


def decode_program(said: Mapping[str, Any]) -> GramProgram:
    """Return the exact program that JSON values of the grammar say.

    Raises
    ------
    UnusableError
        If its parts do not fit together.
    """
    try:
        multiplicity = np.array([_whole(g) for g in said["multiplicity"]], dtype=float)
        if sum(len(block["anchor"]) for block in said["rows"]) > LARGEST_PROGRAM:
            raise ValueError(f"it has more than {LARGEST_PROGRAM} rows")
        rows = tuple(decode_block(block, len(multiplicity)) for block in said["rows"])
        for block in rows:
            if isinstance(block, RandomLogSumExp):
                check_random_rows(block, multiplicity)
        return GramProgram(
            multiplicity=multiplicity,
            temperature=Fraction(said["temperature"]),
            rows=rows,
            normaliser=Fraction(said["normaliser"]),
            rules=tuple(_decode_rule(rule) for rule in said["rules"]),
            nonnegative=said["nonnegative"],
        )
    except (ValueError, OverflowError) as error:
        raise UnusableError(f"the program of the certificate is unusable: {error}") from error


def _whole(spelled: str) -> int:
    number = Fraction(spelled)
    if number.denominator != 1 or number > LARGEST_COUNT:
        raise ValueError(f"{spelled} is no number of members")
    return int(number)


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


def _decode_rule(said: Mapping[str, Any]) -> Rule:
    slots = np.array(said["groups"], dtype=int)
    if said["kind"] in ("fixed", "bounded"):
        return (Fixed if said["kind"] == "fixed" else Bounded)(slots, Fraction(said["value"]))
    weight = column(said["weight"], len(slots))
    if said["kind"] == "budget":
        return Budget(slots, weight, Fraction(said["total"]))
    return RidgeCost(slots, weight)
