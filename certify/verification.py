"""Verify a certificate twice: in ball arithmetic here, and by `checker.py`, which shares no code."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from certify import checker, statement
from certify.balls import ProvenBounds, decimal_above, decimal_below, prove
from certify.certificate import SCHEMA, claim_hash, is_certified, parse, read_file
from certify.encoding import decode_point, decode_program, decode_witness, encode_program
from relax import losses
from relax.by_slot import program_by_slot
from relax.errors import InputError, expect, reason
from relax.facts import Shown, brief
from relax.losses import Reduction
from relax.problem import Problem
from relax.program import GramProgram

TOLERANCE = Decimal("1e-9")


@brief
@dataclass(frozen=True)
class Verified:
    """What ball arithmetic makes of a certificate.

    Attributes
    ----------
    accepted : bool
        Everything claimed is proven.
    named : bool
        The program is the one of the loss that is named.
    message : str
        In one line.
    statement : str
        What is proven, in words made of verified values; empty where nothing is.
    tolerance : Decimal or None
        At which the verdict CERTIFIED is proven; None where that is not claimed.
    """

    accepted: bool
    named: bool
    message: str
    statement: str
    tolerance: Decimal | None = None

    def in_brief(self) -> str:
        """Return the message."""
        return self.message


@brief
@dataclass(frozen=True)
class Check(Shown):
    """The verdicts of two independent verifiers on one certificate.

    Attributes
    ----------
    balls : Verified
        Ball arithmetic's.
    checker : checker.Verdict
        That of checker.py.
    """

    balls: Verified
    checker: checker.Verdict

    def in_brief(self) -> str:
        """Return the verdict of both."""
        return self.facts()[0][1]

    @property
    def accepted(self) -> bool:
        """Both accept."""
        return self.balls.accepted and self.checker.accepted

    @property
    def by_one(self) -> bool:
        """Ball arithmetic accepts what checker.py cannot take: other rows, too large, too much work."""
        beyond = not (self.checker.usable and self.checker.decided)
        return self.balls.accepted and not self.checker.accepted and beyond

    @property
    def named(self) -> bool:
        """Both know the loss, and its program is that of the file."""
        return self.accepted and self.balls.named and self.checker.named

    @property
    def usable(self) -> bool:
        """Whether the file is a certificate at all, be it a false one."""
        return self.balls.accepted or self.checker.usable

    def suffices(self, tolerance: Decimal = TOLERANCE, unnamed: bool = False) -> bool:
        """Whether both prove an optimum at a tolerance.

        Parameters
        ----------
        tolerance : Decimal
            What the file's own tolerance may be at most.
        unnamed : bool
            Accept the program of a loss that a verifier does not know, or of none.
        """
        both = (self.balls.tolerance, self.checker.tolerance)
        near = all(found is not None and found <= tolerance for found in both)
        return self.accepted and near and (self.named or unnamed)

    @property
    def agree(self) -> bool:
        """Both accept or both reject."""
        return self.balls.accepted == self.checker.accepted

    def json_values(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "accepted": self.accepted,
            "named": self.named,
            "agree": self.agree,
            "by_one": self.by_one,
            "tolerance": None if self.balls.tolerance is None else str(self.balls.tolerance),
            "balls": {"accepts": self.balls.accepted, "message": self.balls.message},
            "checker": {"accepts": self.checker.accepted, "message": self.checker.message},
            "statement": self.balls.statement if self.accepted else "",
        }

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        verdict = "accepted" if self.accepted else "rejected" if self.agree else "the verifiers disagree"
        if self.by_one:
            verdict = (
                "not accepted: one verifier checked it, ball arithmetic, and accepts; checker.py could not"
            )
        said = [
            ("certificate", verdict),
            ("ball arithmetic", self.balls.message),
            ("checker.py", self.checker.message),
        ]
        return [*said, ("proven", self.balls.statement)] if self.accepted else said


def check(path: str | Path) -> Check:
    """Verify a certificate file by both verifiers, which see the same bytes.

    Raises
    ------
    InputError
        If the file is not there or holds no JSON object.
    """
    text = read_file(path)
    return Check(verify(parse(text)), checker.check(text))


def verify(document: dict[str, Any]) -> Verified:
    """Recompute every bound of a certificate in ball arithmetic; whatever it holds, there is a verdict."""
    expect(document, dict, "document", "give certificate.document, or use check(path)")
    try:
        return _verify(document)
    except InputError as error:
        return Verified(False, False, f"rejected: {error}", "")
    except (ArithmeticError, MemoryError, RecursionError) as error:
        said = f"rejected: its numbers are too large to compute with ({type(error).__name__})"
        return Verified(False, False, said, "")


def _verify(document: dict[str, Any]) -> Verified:
    if document.get("schema") != SCHEMA:
        raise InputError(f"the schema is not {SCHEMA}")
    claim = document.get("claim")
    if not isinstance(claim, dict) or document.get("sha256") != claim_hash(claim):
        raise InputError("the hash does not belong to the claim")
    for part in ("program", "witness", "point"):
        if not isinstance(document.get(part), dict):
            raise InputError(f"the certificate has no {part}")
    program = decode_program(document["program"])
    known = _named(claim, document["program"])
    if known is not None and claim.get("gram_radius") is not None and not known[1].below:
        raise InputError("a Gram radius is claimed of a loss whose program is not below it everywhere")
    witness = decode_witness(document["witness"], program)
    point = decode_point(document["point"], program)
    bounds = prove(program, witness, point, radius=claim.get("gram_radius") is not None)
    _compare(claim, bounds)
    proven = _statement(known, program, claim)
    if (known is not None or claim.get("problem") is None) and claim.get("words") != proven:
        raise InputError("the words of the claim are not those of its numbers")
    gap = "none" if bounds.gap is None else decimal_above(bounds.gap, 3)
    unchecked = "" if known else f" ({statement.UNCHECKED})"
    message = f"accepted: proven at {bounds.precision} bits, gap ≤ {gap}{unchecked}"
    tolerance = Decimal(claim["tolerance"]) if claim["verdict"] == "CERTIFIED" else None
    return Verified(True, known is not None, message, proven, tolerance)


def _named(claim: dict[str, Any], program: dict[str, Any]) -> tuple[Problem, Reduction] | None:
    """Return the problem that is named, having built its program; None where the loss is not known.

    Raises
    ------
    InputError
        If the program is another one, or the problem makes no sense.
    """
    said = claim.get("problem")
    if said is None:
        return None
    loss = said.get("loss") if isinstance(said, dict) else None
    if isinstance(loss, dict) and loss.get("name") not in losses.names():
        return None
    problem = Problem.from_statement(said)
    reduction = problem.reduction(claim.get("level", ""))
    if encode_program(program_by_slot(problem.assembled(reduction))) != program:
        raise InputError("the program is not the one of the problem that is stated")
    return problem, reduction


def _statement(known: tuple[Problem, Reduction] | None, program: GramProgram, claim: dict[str, Any]) -> str:
    if known is not None:
        return statement.of_problem(*known, claim)
    return statement.of_program(program.groups, int(program.multiplicity.sum()), claim)


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
        optional = {"gram_radius"} | ({"lower", "excess_lower", "gap"} if claim["lower"] is None else set())
        for name, (ball, below) in proven.items():
            said = claim[name]
            if said is None and (ball is None or name in optional):
                continue
            if said is None:
                raise InputError(f"{name} is missing")
            if ball is None:
                raise InputError(f"nothing was proven for {name}")
            bound = decimal_below(ball, 40) if below else decimal_above(ball, 40)
            too_much = Decimal(said) > Decimal(bound) if below else Decimal(said) < Decimal(bound)
            if too_much or not Decimal(said).is_finite():
                raise InputError(f"{name} {said} is not proven; {bound} is")
        certified = is_certified(claim, Decimal(claim["tolerance"]))
        wrong_rank = bounds.rank != claim["rank"]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise InputError(f"the claim cannot be read ({reason(error)})") from error
    if claim.get("verdict") not in ("CERTIFIED", "UNDECIDED") or wrong_rank:
        raise InputError("the verdict or the dimension is not what was proven")
    if claim["verdict"] == "CERTIFIED" and not certified:
        raise InputError("the verdict CERTIFIED is not proven: the gap is too large")
