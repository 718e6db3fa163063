"""Certificates: a claim about a problem, with the exact program and the witnesses that prove it."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, ctx

from certify.balls import ProvenBounds, decimal_above, decimal_below, factored, prove
from certify.encoding import encode_point, encode_program, encode_witness
from relax.errors import InputError
from relax.files import write_atomically
from relax.problem import Ball, Problem, Ridge, exact_rational
from relax.solution import Solution

SCHEMA = "gramcert/certificate/1"
TOLERANCE = 1e-9
ARITHMETIC = "ball arithmetic"


class Verdict(Enum):
    """What was proven."""

    CERTIFIED = "the gap is proven to be within the tolerance times the excess"
    REFUTED = "a better point is proven to exist"
    UNDECIDED = "the proven gap is larger than the tolerance allows"


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proven interval for the optimum, and what proves it.

    Attributes
    ----------
    problem : Problem
        What the claim is about.
    verdict : Verdict
        CERTIFIED when gap ≤ tolerance · excess, else UNDECIDED.
    lower, upper : str
        Decimals rounded outward: every feasible loss is ≥ lower (None when nothing was proven), and the
        point's loss is ≤ upper.
    excess_lower, excess_upper : str
        The same above the infimum of the loss over unconstrained entries.
    gap : str
        ≥ upper − lower.
    gram_radius : str or None
        Every feasible point as good as ours has its Gram entries within this of ours.
    rank : int
        The dimension the point lives in.
    document : dict
        The whole certificate as JSON values (docs/certificate-format.md).
    """

    problem: Problem
    verdict: Verdict
    tolerance: str
    lower: str | None
    upper: str
    excess_lower: str | None
    excess_upper: str | None
    gap: str | None
    gram_radius: str | None
    rank: int
    document: dict[str, Any]

    @property
    def excess(self) -> float:
        """The proven upper bound on the excess, rounded to float64."""
        return float(self.excess_upper) if self.excess_upper is not None else float("nan")

    @property
    def relative_gap(self) -> float:
        """The proven gap over the proven lower bound of the excess; infinite where nothing was proven."""
        if self.gap is None:
            return np.inf
        scale = Decimal(self.excess_lower) if self.excess_lower is not None else None
        if scale is None:
            scale = max(Decimal(1), abs(Decimal(self.upper)))
        return float(Decimal(self.gap) / scale) if scale > 0 else np.inf

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        proven = "" if self.gap is None else f"{float(self.gap):.2e}, {self.relative_gap:.1e} of the excess"
        radius = "not bounded" if self.gram_radius is None else f"{float(self.gram_radius):.1e}"
        return [
            ("verdict", f"{self.verdict.name}: {self.verdict.value}"),
            ("loss ≥", str(self.lower)),
            ("loss ≤", self.upper),
            ("gap ≤", proven or "nothing was proven"),
            ("Gram radius", radius),
            ("dimension", str(self.rank)),
            ("arithmetic", ARITHMETIC),
        ]

    def __str__(self) -> str:
        """Write `rows` as a table."""
        return "\n".join(f"{label:<13}{value}" for label, value in self.rows())

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in self.rows())
        return f"<table>{cells}</table>"

    def to_json(self) -> str:
        """Return the certificate file's text."""
        return json.dumps(self.document, ensure_ascii=True)

    def save(self, path: str | Path) -> None:
        """Write the certificate (to a temporary file, then renamed)."""
        write_atomically(path, self.to_json() + "\n")


def certify(solution: Solution, tolerance: float = TOLERANCE) -> Certificate:
    """Prove what a solution is worth, in ball arithmetic; nothing the solver says is used.

    Parameters
    ----------
    solution : Solution
        Its point and witness are untrusted: bad ones cost gap, never truth.
    tolerance : float
        CERTIFIED means proven gap ≤ tolerance · (proven lower bound of the excess).

    Raises
    ------
    InputError
        If the tolerance is not in (0, 1), or nodes of the program have several roles.
    """
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance {tolerance!r} must lie between 0 and 1; give e.g. 1e-9")
    point = factored(solution.program, solution.point)
    bounds = prove(solution.program, solution.witness, point)
    allowed = Decimal(repr(float(tolerance)))
    claim = _claim(solution.problem, bounds, allowed)
    document = {
        "schema": SCHEMA,
        "claim": claim,
        "program": encode_program(solution.program),
        "witness": encode_witness(solution.witness),
        "point": encode_point(point),
        "sha256": claim_hash(claim),
        "made_by": {**_versions(), "solver": solution.solver},
    }
    said = {key: claim[key] for key in ("lower", "upper", "excess_lower", "excess_upper", "gap")}
    verdict, radius = Verdict[claim["verdict"]], claim["gram_radius"]
    return Certificate(
        problem=solution.problem,
        verdict=verdict,
        tolerance=claim["tolerance"],
        gram_radius=radius,
        rank=claim["rank"],
        document=document,
        **said,
    )


def claim_hash(claim: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON text of a claim."""
    text = json.dumps(claim, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _claim(problem: Problem, bounds: ProvenBounds, tolerance: Decimal) -> dict[str, Any]:
    """Round what was proven outward, and say it."""
    has_floor = bounds.floor is not None
    above, below = bounds.upper, bounds.lower
    lower = None if below is None else decimal_below(below)
    claim: dict[str, Any] = {
        "problem": problem.statement(),
        "tolerance": str(tolerance),
        "lower": lower,
        "upper": decimal_above(above),
        "excess_lower": decimal_below(bounds.excess_lower)
        if has_floor and bounds.excess_lower is not None
        else None,
        "excess_upper": decimal_above(bounds.excess_upper) if has_floor else None,
        "gap": None if bounds.gap is None else decimal_above(_with_slack(bounds)),
        "gram_radius": None if bounds.gram_radius is None else decimal_above(bounds.gram_radius, 6),
        "rank": bounds.rank,
    }
    claim["verdict"] = "CERTIFIED" if is_certified(claim, tolerance) else "UNDECIDED"
    return {"words": _words(problem, claim), **claim}


def _with_slack(bounds: ProvenBounds) -> arb:
    """Return the gap and 10⁻³⁰ of the excess, so that a verifier with fewer digits can reproduce it."""
    assert bounds.gap is not None
    with ctx.workprec(bounds.precision):
        return bounds.gap + abs(bounds.excess_upper) * arb("1e-30")


def is_certified(claim: dict[str, Any], tolerance: Decimal) -> bool:
    """Return whether the rounded numbers of a claim prove the gap small enough.

    The allowed gap is shortened by a part in 10⁹, more than the rounding of any number in the claim, so
    that whoever recomputes them more accurately agrees.
    """
    if claim["gap"] is None or claim["lower"] is None:
        return False
    has_floor = claim["excess_lower"] is not None
    scale = Decimal(claim["excess_lower"]) if has_floor else max(Decimal(1), abs(Decimal(claim["lower"])))
    return Decimal(claim["gap"]) <= tolerance * scale * (1 - Decimal("1e-9"))


def _words(problem: Problem, claim: dict[str, Any]) -> str:
    norms = {Ball: "of norm at most one", Ridge: "of any norm (the ridge is part of the loss)"}
    kind = norms.get(type(problem.norm), "of norm one")
    attained = "the geometry given here attains a loss"
    if problem.nonnegative:
        kind += ", entrywise non-negative"
        attained = "a positive semidefinite and entrywise non-negative Gram matrix given here has a loss"
    lower = "nothing is proven from below" if claim["lower"] is None else f"loss ≥ {claim['lower']}"
    near = ""
    if claim["gram_radius"] is not None:
        near = (
            f", and every H whose loss is at most that of this geometry has its class-mean Gram matrix "
            f"within {claim['gram_radius']} of it, entrywise off the diagonal"
        )
    return (
        f"For the loss {problem.loss}, class counts {problem.counts}, views {problem.views}, temperature "
        f"{exact_rational(problem.temperature)}, over every dimension and every feature matrix H with rows "
        f"{kind}: {lower}; {attained} ≤ {claim['upper']} in dimension {claim['rank']}{near}."
    )


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
