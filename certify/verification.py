"""Verify a certificate file twice: in ball arithmetic here, and by `checker.py`, which shares no code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from certify import checker
from certify.balls import ProvenBounds, decimal_above, decimal_below, prove
from certify.certificate import SCHEMA, claim_hash, is_certified
from certify.encoding import decode_point, decode_witness, encode_program
from relax import losses
from relax.errors import InputError
from relax.problem import Problem


@dataclass(frozen=True)
class Check:
    """The verdicts of two independent verifiers on one certificate.

    Attributes
    ----------
    accepted : bool
        Both accept.
    balls, checker : str
        What each says, in one line.
    balls_accepts, checker_accepts : bool
        Whether each accepts.
    claim : dict
        The claim that was verified.
    """

    accepted: bool
    balls: str
    checker: str
    balls_accepts: bool
    checker_accepts: bool
    claim: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "accepted": self.accepted,
            "agree": self.balls_accepts == self.checker_accepts,
            "balls": {"accepts": self.balls_accepts, "message": self.balls},
            "checker": {"accepts": self.checker_accepts, "message": self.checker},
            "claim": self.claim,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        agree = self.balls_accepts == self.checker_accepts
        verdict = ("accepted" if self.accepted else "rejected") if agree else "the verifiers disagree"
        return [
            ("certificate", verdict),
            ("ball arithmetic", self.balls),
            ("checker.py", self.checker),
            ("claim", str(self.claim.get("words", ""))),
        ]

    def __str__(self) -> str:
        """Write `rows` as a table."""
        return "\n".join(f"{label:<17}{value}" for label, value in self.rows())


def check(path: str | Path) -> Check:
    """Verify a certificate file by both verifiers.

    Raises
    ------
    InputError
        If the file is not there or holds no JSON object.
    """
    document = _read(path)
    second = checker.check_file(str(path))
    try:
        first, accepts = f"accepted: {verify(document)}", True
    except InputError as error:
        first, accepts = f"rejected: {error}", False
    claim = document.get("claim")
    claim = claim if isinstance(claim, dict) else {}
    return Check(accepts and second.accepted, first, second.message, accepts, second.accepted, claim)


def verify(document: dict[str, Any]) -> str:
    """Recompute every bound of a certificate in ball arithmetic; return a line that says what was proven.

    Raises
    ------
    InputError
        If anything claimed is not proven; the message says what.
    """
    if document.get("schema") != SCHEMA:
        raise InputError(f"the schema is not {SCHEMA}")
    claim = document.get("claim")
    if not isinstance(claim, dict) or document.get("sha256") != claim_hash(claim):
        raise InputError("the hash does not belong to the claim")
    for part in ("program", "witness", "point"):
        if not isinstance(document.get(part), dict):
            raise InputError(f"the certificate has no {part}")
    program = losses.build(Problem.from_statement(claim.get("problem", {})))
    if encode_program(program) != document["program"]:
        raise InputError("the program is not the one of the problem that is stated")
    witness = decode_witness(document["witness"], program)
    point = decode_point(document["point"], program)
    bounds = prove(program, witness, point, radius=claim.get("gram_radius") is not None)
    _compare(claim, bounds)
    gap = "none" if bounds.gap is None else decimal_above(bounds.gap, 3)
    return f"proven at {bounds.precision} bits, gap ≤ {gap}"


def _compare(claim: dict[str, Any], bounds: ProvenBounds) -> None:
    """Raise unless every number of the claim is on the safe side of what was recomputed."""
    proven: dict[str, tuple[Any, bool]] = {
        "lower": (bounds.lower, True),
        "upper": (bounds.upper, False),
        "gap": (bounds.gap, False),
        "gram_radius": (bounds.gram_radius, False),
    }
    if bounds.floor is not None:
        proven |= {"excess_lower": (bounds.excess_lower, True), "excess_upper": (bounds.excess_upper, False)}
    try:
        if bounds.floor is None and (claim["excess_lower"], claim["excess_upper"]) != (None, None):
            raise InputError("an excess is claimed where the program has no floor")
        for name, (ball, below) in proven.items():
            said = claim[name]
            if said is None:
                continue
            if ball is None:
                raise InputError(f"nothing was proven for {name}")
            bound = decimal_below(ball, 40) if below else decimal_above(ball, 40)
            too_much = Decimal(said) > Decimal(bound) if below else Decimal(said) < Decimal(bound)
            if too_much or not Decimal(said).is_finite():
                raise InputError(f"{name} {said} is not proven; {bound} is")
        certified = is_certified(claim, Decimal(claim["tolerance"]))
        wrong_rank = bounds.rank != claim["rank"]
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise InputError(f"the claim cannot be read: {error!r}") from error
    if claim.get("verdict") not in ("CERTIFIED", "UNDECIDED") or wrong_rank:
        raise InputError("the verdict or the dimension is not what was proven")
    if claim["verdict"] == "CERTIFIED" and not certified:
        raise InputError("the verdict CERTIFIED is not proven: the gap is too large")


def _read(path: str | Path) -> dict[str, Any]:
    def refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is not a number")

    try:
        text = Path(path).read_text(encoding="utf-8")
        document = json.loads(text, object_pairs_hook=refuse_twice, parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a certificate ({error}); write one with --certificate") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a certificate (no JSON object); write one with --certificate")
    return document
