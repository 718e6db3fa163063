"""Verify a certificate twice: in ball arithmetic here, and by `checker.py`, which shares no code."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from certify import checker, statement
from certify.balls import ProvenBounds, decimal_above, decimal_below, prove
from certify.claim import is_certified
from certify.encoding import decode_point, decode_program, decode_witness, encode_program, same_program
from certify.grammar import UnusableError, claim_hash, parse, read_file, require_grammar
from relax import losses
from relax.by_slot import program_by_slot
from relax.errors import InputError, expect
from relax.facts import Shown, brief
from relax.losses import Reduction
from relax.problem import Problem
from relax.program import GramProgram

TOLERANCE = Decimal("1e-9")
OF_LOWER = {"lower", "excess_lower", "gap", "scale"}  # what a claim without a lower bound leaves out


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
    usable : bool
        Whether the file is a certificate at all, be it a false one.
    """

    accepted: bool
    named: bool
    message: str
    statement: str
    tolerance: Decimal | None = None
    usable: bool = True

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
        return self.balls.usable or self.checker.usable

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

    def _beside_the_statement(self) -> str:
        """Return what checker.py says, less the sentence that both say."""
        said = self.balls.statement.translate(checker.ASCII)
        return self.checker.message.replace(said, "the same statement.") if said else self.checker.message

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
            ("checker.py", self._beside_the_statement()),
        ]
        return [*said, ("proven", self.balls.statement)] if self.accepted else said


def check(path: str | Path) -> Check:
    """Verify a certificate file by both verifiers, which see the same bytes.

    Raises
    ------
    InputError
        If the file is not there or holds no JSON object.
    """
    return check_text(read_file(path))


def check_text(text: str) -> Check:
    """Verify the text of a certificate file by both verifiers.

    Raises
    ------
    InputError
        If it holds no JSON object.
    """
    return Check(verify(parse(text)), checker.check(text))


def verify(document: dict[str, Any]) -> Verified:
    """Recompute every bound of a certificate in ball arithmetic; whatever it holds, there is a verdict."""
    expect(document, dict, "document", "give certificate.document, or use check(path)")
    try:
        return _verify(document)
    except UnusableError as error:
        return Verified(False, False, f"unusable file: {error}", "", usable=False)
    except InputError as error:
        return Verified(False, False, f"rejected: {error}", "")
    except (ArithmeticError, MemoryError, RecursionError) as error:
        said = f"rejected: its numbers are too large to compute with ({type(error).__name__})"
        return Verified(False, False, said, "")


def _verify(document: dict[str, Any]) -> Verified:
    require_grammar(document)
    claim = document["claim"]
    if document["sha256"] != claim_hash(claim):
        raise InputError("the hash does not belong to the claim")
    program = decode_program(document["program"])
    known = _named(claim, document["program"])
    if known is not None and claim["gram_radius"] is not None and not known[1].below:
        raise InputError("a Gram radius is claimed of a loss whose program is not below it everywhere")
    witness = decode_witness(document["witness"], program)
    point = decode_point(document["point"], program)
    bounds = prove(program, witness, point, radius=claim["gram_radius"] is not None)
    _compare(claim, bounds)
    proven = _statement(known, program, claim)
    if (known is not None or claim["problem"] is None) and claim["words"] != proven:
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
    UnusableError
        If the problem makes no sense.
    InputError
        If the program is another one.
    """
    said = claim["problem"]
    if said is None or said["loss"]["name"] not in losses.names():
        return None
    try:
        problem = Problem.from_statement(said)
        reduction = problem.reduction(claim["level"])
        built = encode_program(program_by_slot(problem.assembled(reduction)))
    except InputError as error:
        raise UnusableError(f"the problem of the certificate makes no sense: {error}") from error
    if not same_program(built, program):
        raise InputError("the program is not the one of the problem that is stated")
    return problem, reduction


def _statement(known: tuple[Problem, Reduction] | None, program: GramProgram, claim: dict[str, Any]) -> str:
    if known is not None:
        return statement.of_problem(claim, known[1])
    return statement.of_program(claim, program.groups, int(program.multiplicity.sum()))


def _compare(claim: dict[str, Any], bounds: ProvenBounds) -> None:
    """Raise unless every number of the claim is on the safe side of what was recomputed."""
    has_floor = bounds.floor is not None
    proven: dict[str, tuple[Any, bool]] = {
        "lower": (bounds.lower, True),
        "upper": (bounds.upper, False),
        "excess_lower": (bounds.excess_lower if has_floor else None, True),
        "excess_upper": (bounds.excess_upper if has_floor else None, False),
        "gap": (bounds.gap, False),
        "scale": (bounds.scale, True),
        "gram_radius": (bounds.gram_radius, False),
    }
    optional = {"gram_radius"} | (OF_LOWER if claim["lower"] is None else set())
    for name, (ball, below) in proven.items():
        said = claim[name]
        if said is None and ball is not None and name not in optional:
            raise InputError(f"{name} is missing")
        if said is None:
            continue
        if ball is None:
            raise InputError(f"nothing was proven for {name}")
        bound = decimal_below(ball, 40) if below else decimal_above(ball, 40)
        if Decimal(said) > Decimal(bound) if below else Decimal(said) < Decimal(bound):
            raise InputError(f"{name} {said} is not proven; {bound} is")
    if bounds.rank != claim["rank"]:
        raise InputError(f"the dimension is {bounds.rank}, not what is claimed")
    if claim["verdict"] == "CERTIFIED" and not is_certified(claim):
        raise InputError("the verdict CERTIFIED is not proven: the gap is too large")
