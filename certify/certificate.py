"""Certificates: a claim about a problem, with the exact program and the witnesses that prove it."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from certify.balls import factored, prove
from certify.claim import claim_of
from certify.encoding import encode_point, encode_program, encode_witness
from certify.grammar import SCHEMA, claim_hash, parse, read_file, require_grammar
from certify.rounding import outward, ratio_upward, upward
from relax.answer import Answer
from relax.by_slot import by_slot
from relax.errors import InputError, between, expect
from relax.facts import Shown, brief
from relax.files import write_atomically
from relax.problem import Problem
from relax.solution import Solution

LARGEST_PROOF = 4_000  # groups; a proof takes some 1,200 bytes for each pair, 20 GB
TOLERANCE = 1e-9
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
        """The proven upper bound on the excess, rounded up to float64."""
        return outward(self.excess_upper, up=True) if self.excess_upper is not None else float("nan")

    @property
    def relative_gap(self) -> float:
        """The proven gap over its scale, rounded up; infinite where none is proven."""
        if self.gap is None or self.scale is None or Decimal(self.scale) <= 0:
            return np.inf
        return outward(ratio_upward(self.gap, self.scale, 17), up=True)

    def in_brief(self) -> str:
        """Return verdict, problem and gap."""
        about = "a program" if self.problem is None else self.problem.in_brief()
        gap = "nothing proven" if self.gap is None else f"gap ≤ {upward(self.gap, 2)}"
        return f"{self.verdict.name}, {about}, {gap}"

    def gap_in_words(self) -> str:
        """Return the proven gap and its part of the scale, both rounded up."""
        beside = f", {upward(self.relative_gap, 2)} of its scale" if np.isfinite(self.relative_gap) else ""
        return "nothing was proven" if self.gap is None else f"{upward(self.gap, 3)}{beside}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        radius = "not bounded" if self.gram_radius is None else upward(self.gram_radius, 2)
        return [
            ("verdict", f"{self.verdict.name}: {self.verdict.value}"),
            ("loss ≥", str(self.lower)),
            ("loss ≤", self.upper) if self.attained else ("bound ≤", self.upper + NOT_ATTAINED),
            ("gap ≤", self.gap_in_words()),
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
    claim = claim_of(solution, answer.program, bounds, Decimal(repr(float(tolerance))))
    document = {
        "schema": SCHEMA,
        "claim": claim,
        "program": encode_program(answer.program),
        "witness": encode_witness(answer.witness),
        "point": encode_point(point),
        "sha256": claim_hash(claim),
        "made_by": {**versions(), "solver": answer.solver},
    }
    said = {key: claim[key] for key in SAID}
    return Certificate(
        None if solution is None else solution.problem, Verdict[claim["verdict"]], **said, document=document
    )


@cache  # reading them takes as long as a small proof
def versions() -> dict[str, str]:
    """Return the versions of what makes a file."""
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
