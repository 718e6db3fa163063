"""Certificates: a claim about a problem, with the exact program and the witnesses that prove it."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, Context, Decimal
from enum import Enum
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, ctx

from certify import statement
from certify.balls import ProvenBounds, decimal_above, decimal_below, factored, prove, room_for
from certify.encoding import encode_point, encode_program, encode_witness
from certify.grammar import SCHEMA, claim_hash, parse, read_file, require_grammar
from relax.answer import Answer
from relax.by_slot import by_slot
from relax.errors import InputError, between, expect
from relax.facts import Shown, brief
from relax.files import write_atomically
from relax.problem import Problem
from relax.program import GramProgram
from relax.rows import RandomLogSumExp
from relax.solution import Solution

LARGEST_PROOF = 4_000  # groups; a proof takes some 1,200 bytes for each pair, 20 GB
TOLERANCE = 1e-9
EXACT = Context(1_000, Emin=MIN_EMIN, Emax=MAX_EMAX)  # digits enough for any product of two claimed numbers
ARITHMETIC = "ball arithmetic"
NOT_ATTAINED = ", which bounds the loss from below: no loss as small is claimed"
SAID = (
    "tolerance",
    "lower",
    "upper",
    "excess_lower",
    "excess_upper",
    "gap",
    "scale",
    "gram_radius",
    "rank",
)


class Verdict(Enum):
    """What was proven."""

    CERTIFIED = "the gap is proven to be within the tolerance times its scale"
    REFUTED = "a better point is proven to exist"
    UNDECIDED = "the proven gap is larger than the tolerance allows"


@brief
@dataclass(frozen=True, eq=False)
class Certificate(Shown):
    """A proven interval for the optimum, and what proves it.

    Attributes
    ----------
    problem : Problem or None
        What the claim is about; None for a program that stands for itself.
    verdict : Verdict
        CERTIFIED when gap ≤ tolerance · scale, else UNDECIDED.
    lower, upper : str
        Decimals rounded outward: every feasible loss is ≥ lower (None when nothing was proven), and the
        point's loss is ≤ upper; where it is not `attained`, the value of the program that bounds the loss.
    excess_lower, excess_upper : str
        The same above the infimum of the loss over unconstrained entries.
    gap : str
        ≥ upper − lower.
    scale : str or None
        What the gap is measured against, a proven lower bound of min(excess, range): the range is how far
        the loss is below that of equal similarities. With a ridge it is the excess alone, without a floor
        the range alone, and None where there is neither or nothing was proven.
    gram_radius : str or None
        Every feasible point as good as ours has its Gram entries within this of ours.
    rank : int
        The dimension the point lives in.
    document : dict
        The whole certificate as JSON values (docs/certificate-format.md).
    """

    problem: Problem | None
    verdict: Verdict
    tolerance: str
    lower: str | None
    upper: str
    excess_lower: str | None
    excess_upper: str | None
    gap: str | None
    scale: str | None
    gram_radius: str | None
    rank: int
    document: dict[str, Any]

    @cached_property
    def attained(self) -> bool:
        """Whether the point's value is a loss; False where it is that of a mere lower bound on the loss."""
        return self.problem is None or self.problem.reduction(self.document["claim"]["level"]).attained

    @property
    def excess(self) -> float:
        """The proven upper bound on the excess, rounded to float64."""
        return float(self.excess_upper) if self.excess_upper is not None else float("nan")

    @property
    def relative_gap(self) -> float:
        """The proven gap over its scale; infinite where none is proven."""
        if self.gap is None or self.scale is None or Decimal(self.scale) <= 0:
            return np.inf
        return float(Decimal(self.gap) / Decimal(self.scale))

    def in_brief(self) -> str:
        """Return verdict, problem and gap."""
        about = "a program" if self.problem is None else self.problem.in_brief()
        up = Context(prec=2, rounding=ROUND_CEILING)
        gap = "nothing proven" if self.gap is None else f"gap ≤ {up.create_decimal(self.gap):e}"
        return f"{self.verdict.name}, {about}, {gap}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        beside = f", {self.relative_gap:.1e} of its scale" if np.isfinite(self.relative_gap) else ""
        proven = "nothing was proven" if self.gap is None else f"{Decimal(self.gap):.2e}{beside}"
        radius = "not bounded" if self.gram_radius is None else f"{float(self.gram_radius):.1e}"
        return [
            ("verdict", f"{self.verdict.name}: {self.verdict.value}"),
            ("loss ≥", str(self.lower)),
            ("loss ≤", self.upper) if self.attained else ("bound ≤", self.upper + NOT_ATTAINED),
            ("gap ≤", proven),
            ("Gram radius", radius),
            ("dimension", str(self.rank)),
            ("arithmetic", ARITHMETIC),
        ]

    def to_json(self) -> str:
        """Return the certificate file's text."""
        return json.dumps(self.document, ensure_ascii=True)

    def save(self, path: str | Path) -> None:
        """Write the certificate (to a temporary file, then renamed).

        Raises
        ------
        InputError
            If it is beyond what a certificate file holds, so that no verifier could read it.
        """
        try:
            require_grammar(self.document)
        except InputError as error:
            raise InputError(
                f"no verifier could read this certificate, which is not written: {error}"
            ) from error
        write_atomically(path, self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Certificate:
        """Read a certificate file, without verifying it (`certify.check` does).

        Raises
        ------
        InputError
            If the file is not there or holds no certificate.
        """
        return cls.from_document(parse(read_file(path)))

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Certificate:
        """Return the certificate that JSON values hold, without verifying it.

        Raises
        ------
        InputError
            If they are not of the grammar, or name a loss that is not known here.
        """
        expect(document, dict, "document", "give the JSON values of a certificate")
        require_grammar(document)
        claim = document["claim"]
        problem = None if claim["problem"] is None else Problem.from_statement(claim["problem"])
        said = {key: claim[key] for key in SAID}
        return cls(problem, Verdict[claim["verdict"]], document=document, **said)


def certify(found: Solution | Answer, tolerance: float = TOLERANCE) -> Certificate:
    """Prove what a solution is worth, in ball arithmetic; nothing the solver says is used.

    Parameters
    ----------
    found : Solution or Answer
        Of a problem, or of a program written by hand. Its point and witness are untrusted: bad ones cost
        gap, never truth.
    tolerance : float
        CERTIFIED means proven gap ≤ tolerance · scale (`Certificate.scale`).

    Raises
    ------
    InputError
        If the tolerance is not in (0, 1), or the program has no form in a certificate or is too large.
    """
    expect(found, (Solution, Answer), "found", "certify takes what solve returns: certify(solve(problem))")
    tolerance = between(tolerance, 0, 1, "tolerance", "1e-9")
    solution = found if isinstance(found, Solution) else None
    answer = by_slot(found.answer if isinstance(found, Solution) else found)
    if answer.program.groups > LARGEST_PROOF:
        raise InputError(
            f"{answer.program.groups} groups are too many for a proof in ball arithmetic, which takes "
            f"{LARGEST_PROOF}; the bounds in float64 stand"
        )
    point = factored(answer.program, answer.point)
    radius = solution is None or solution.reduction.below
    bounds = prove(answer.program, answer.witness, point, radius)
    claim = _claim(solution, answer.program, bounds, Decimal(repr(float(tolerance))))
    document = {
        "schema": SCHEMA,
        "claim": claim,
        "program": encode_program(answer.program),
        "witness": encode_witness(answer.witness),
        "point": encode_point(point),
        "sha256": claim_hash(claim),
        "made_by": {**_versions(), "solver": answer.solver},
    }
    said = {key: claim[key] for key in SAID}
    return Certificate(
        None if solution is None else solution.problem, Verdict[claim["verdict"]], **said, document=document
    )


def _claim(
    solution: Solution | None, program: GramProgram, bounds: ProvenBounds, tolerance: Decimal
) -> dict[str, Any]:
    """Round what was proven outward, and say it."""
    bounds = _with_room(program, bounds)
    has_floor = bounds.floor is not None
    above, below = bounds.upper, bounds.lower
    lower = None if below is None else decimal_below(below)
    claim: dict[str, Any] = {
        "problem": None if solution is None else solution.problem.statement(),
        "level": None if solution is None else solution.level,
        "tolerance": str(tolerance),
        "lower": lower,
        "upper": decimal_above(above),
        "excess_lower": decimal_below(bounds.excess_lower)
        if has_floor and bounds.excess_lower is not None
        else None,
        "excess_upper": decimal_above(bounds.excess_upper) if has_floor else None,
        "gap": None if bounds.gap is None else decimal_above(_with_slack(bounds)),
        "scale": None if bounds.scale is None else decimal_below(bounds.scale),
        "gram_radius": None if bounds.gram_radius is None else decimal_above(bounds.gram_radius, 6),
        "rank": bounds.rank,
    }
    claim["verdict"] = "CERTIFIED" if is_certified(claim) else "UNDECIDED"
    if solution is None:
        words = statement.of_program(program.groups, int(program.multiplicity.sum()), claim)
    else:
        words = statement.of_problem(solution.problem, solution.reduction, claim)
    return {"words": words, **claim}


def _with_room(program: GramProgram, bounds: ProvenBounds) -> ProvenBounds:
    """Return bounds five times as wide where they come from a quadrature, so that another one agrees.

    Two balls of one number, of errors that no precision narrows, reach at most three times their radius.
    """
    if not any(isinstance(rows, RandomLogSumExp) for rows in program.rows):
        return bounds
    with ctx.workprec(bounds.precision):
        lower, upper, gap, scale = (
            None if x is None else x + arb(0, 4) * x.rad()
            for x in (bounds.excess_lower, bounds.excess_upper, bounds.gap, bounds.scale)
        )
    assert upper is not None
    return replace(bounds, excess_lower=lower, excess_upper=upper, gap=gap, scale=scale)


def _with_slack(bounds: ProvenBounds) -> arb:
    """Return the gap and 10⁻³⁰ of its scale, so that a verifier with fewer digits can reproduce it."""
    assert bounds.gap is not None
    with ctx.workprec(bounds.precision):
        return room_for(bounds.gap, bounds.scale)


def is_certified(claim: dict[str, Any]) -> bool:
    """Return whether the numbers of a claim, exactly as they stand, prove the gap small enough."""
    gap, scale = claim["gap"], claim["scale"]
    if gap is None or scale is None:
        return False
    return Decimal(gap) <= EXACT.multiply(Decimal(claim["tolerance"]), Decimal(scale))


def _versions() -> dict[str, str]:
    try:
        own = version("gramcert")
    except PackageNotFoundError:
        own = "source tree"
    return {
        "gramcert": own,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "python-flint": version("python-flint"),
    }
