"""Verify the file of a stationary point: the proof is done again, in ball arithmetic, from the file alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64

from certify.balls import decimal_above, decimal_below
from certify.encoding.numbers import floats
from certify.features.exact_loss import loss_of_features
from certify.grammar import UnusableError, claim_hash, parse, read_file
from certify.landscape.grammar import STATIONARY, require_stationary
from certify.landscape.measures import above, is_alone, measures, wrongly_active
from certify.landscape.roots import Proof, exists
from certify.landscape.second import curvature_along, is_at_least, second_order, spectrum
from certify.landscape.setting import PRECISION, Setting, check_size, held_by, program_of
from certify.landscape.system import RIGID, System, system
from certify.landscape.words import words
from certify.verification import check_text
from relax.errors import InputError, expect
from relax.facts import Shown, brief
from relax.problem import Problem

SMALLEST, LARGEST = Decimal("1e-30"), Decimal("1e30")  # of radii and curvatures, in absolute value
LARGEST_RADIUS = Decimal("0.1")  # of the box in which the stationary point is


@brief
@dataclass(frozen=True)
class PointCheck(Shown):
    """What ball arithmetic makes of the file of a stationary point.

    Attributes
    ----------
    accepted : bool
        Everything claimed is proven.
    message : str
        In one line.
    statement : str
        What is proven, in words made of verified values; empty where nothing is.
    usable : bool
        Whether the file is one of a stationary point at all, be it a false one.
    """

    accepted: bool
    message: str
    statement: str = ""
    usable: bool = True

    def in_brief(self) -> str:
        """Return the message."""
        return self.message

    def json_values(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"accepted": self.accepted, "message": self.message, "statement": self.statement}

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        verdict = "accepted" if self.accepted else "rejected" if self.usable else "unusable"
        said = [("stationary point", verdict), ("ball arithmetic", self.message)]
        return [*said, ("proven", self.statement)] if self.accepted else said


def is_stationary(document: dict[str, Any]) -> bool:
    """Return whether JSON values say that they are those of a stationary point."""
    return document.get("schema") == STATIONARY


def check(path: str | Path) -> PointCheck:
    """Verify the file of a stationary point that `save` wrote.

    Raises
    ------
    InputError
        If the file is not there or holds no JSON object.
    """
    return verify_point(parse(read_file(path)))


def verify_point(document: dict[str, Any]) -> PointCheck:
    """Do the proof of a file again; whatever it holds, there is a verdict."""
    expect(document, dict, "document", "give found.document, or use check(path)")
    try:
        with np.errstate(all="ignore"):  # of floats on which no proof depends; features may be huge
            return _verify(document)
    except UnusableError as error:
        return PointCheck(False, f"unusable file: {error}", usable=False)
    except InputError as error:
        return PointCheck(False, f"rejected: {error}")
    except (ArithmeticError, MemoryError, RecursionError, np.linalg.LinAlgError) as error:
        return PointCheck(False, f"rejected: its numbers cannot be computed with ({type(error).__name__})")


def _verify(document: dict[str, Any]) -> PointCheck:
    require_stationary(document)
    claim = document["claim"]
    for name in ("curvature", "alone"):
        if claim[name] is not None and not SMALLEST < abs(Decimal(claim[name])) < LARGEST:
            raise InputError(f"{name} {claim[name]} is not of a size that is proven")
    if document["sha256"] != claim_hash(claim):
        raise InputError("the hash does not belong to the claim")
    start = _setting(document)
    with ctx.workprec(PRECISION):
        given = system(start.program, start.features, held_by(start))
        proof = _existence(given, claim)
        _compare(given, proof, start, document)
    said = "" if document["optimum"] is None else f"; {_optimum(document, start.problem)}"
    proven = words(claim)
    if claim["words"] != proven:
        raise InputError("the words of the claim are not those of its numbers")
    return PointCheck(True, f"accepted: proven again at {PRECISION} bits{said}", proven)


def _setting(document: dict[str, Any]) -> Setting:
    """Return the program that the problem of a file has, and the file's features."""
    try:
        problem = Problem.from_statement(document["claim"]["problem"])
        program = program_of(problem)
    except InputError as error:
        raise UnusableError(f"the problem of the file makes no sense here: {error}") from error
    features = _vectors(document["features"])
    if len(features) != program.groups:
        raise UnusableError(f"the file has {len(features)} features, its problem {program.groups}")
    check_size(features)
    return Setting(problem, program, problem.reduction("samples").nodes.class_of_unit(), features)


def _existence(given: System, claim: dict[str, Any]) -> Proof:
    if not SMALLEST < Decimal(claim["radius"]) < LARGEST_RADIUS:
        raise InputError(f"the radius {claim['radius']} is not between 0 and 0.1")
    if given.rigid:
        raise InputError(RIGID)
    proof = exists(given, claim["radius"])
    if proof is None:
        raise InputError(f"no stationary point is proven to lie within {claim['radius']} of the features")
    wrong = wrongly_active(given, proof.box)
    if wrong is not None:
        raise InputError(wrong)
    return proof


def _compare(given: System, proof: Proof, start: Setting, document: dict[str, Any]) -> None:
    """Raise unless every number about the point is on the safe side of what was proven again."""
    claim, found = document["claim"], measures(given, proof.box, start.classes)
    _require_inside("the loss", found.loss, claim["loss"])
    for i, (nu, said) in enumerate(zip(found.multipliers, claim["multipliers"], strict=True)):
        _require_inside(f"the multiplier of sample {i + 1}", nu, said)
    counted = {"distinct": found.siblings.distinct, "proven": found.siblings.proven}
    if claim["siblings"] != counted:
        raise InputError(f"the pairs of siblings are {counted}, not what is claimed")
    second, bound = second_order(given, proof.box), arb(claim["curvature"])
    if claim["kind"] == "saddle":
        bent = curvature_along(second, _vectors(document["direction"]))
        if not (bent < 0 and Decimal(claim["curvature"]) < 0 and bent <= bound):
            raise InputError(f"a curvature of at most {claim['curvature']} < 0 is not proven")
    elif not (Decimal(claim["curvature"]) > 0 and is_at_least(second, bound, spectrum(second)[2])):
        raise InputError(f"the Hessian is not proven to be at least {claim['curvature']} > 0")
    if claim["alone"] is not None and not is_alone(given, proof, claim["alone"]):
        raise InputError(f"other stationary points within {claim['alone']} are not excluded")


def _require_inside(what: str, ball: arb, said: list[str]) -> None:
    """Raise unless every number of a ball is between two decimals."""
    low, high = (Decimal(number) for number in said)
    if not (low <= Decimal(decimal_below(ball, 40)) and Decimal(decimal_above(ball, 40)) <= high):
        raise InputError(f"{what} is not proven to be between {said[0]} and {said[1]}")


def _optimum(document: dict[str, Any], problem: Problem) -> str:
    """Verify the certificate of the optimum and what is said to be below the point; return who accepted."""
    claim, proof = document["claim"], document["optimum"]
    found = check_text(json.dumps(proof))
    if not found.usable:
        raise UnusableError(f"the certificate of the optimum is none: {found.balls.message}")
    if not (found.accepted or found.by_one):
        raise InputError(f"the certificate of the optimum: {found.balls.message}; {found.checker.message}")
    inner = proof["claim"]
    if inner["problem"] != claim["problem"]:
        raise InputError("the certificate of the optimum is of another problem")
    if claim["optimum"] != [inner["lower"], inner["upper"]]:
        raise InputError("the optimum is not that of its certificate")
    attained = problem.reduction(inner["level"]).attained and inner["rank"] <= claim["dimension"]
    best = inner["upper"]
    if document["better"] is not None:
        best = decimal_above(loss_of_features(_vectors(document["better"]), problem))
    elif not attained:
        raise InputError(
            "the optimum needs more dimensions than the point has, and no better features are given"
        )
    if claim["better"] is None or Decimal(claim["better"]) < Decimal(best):
        raise InputError(f"a loss of at most {claim['better']} is not proven of other features; {best} is")
    _require_above(claim, inner["excess_upper"])
    return "the optimum by both verifiers" if found.accepted else "the optimum by ball arithmetic alone"


def _require_above(claim: dict[str, Any], excess: str | None) -> None:
    by, part = above(claim["loss"][0], claim["better"], excess)
    for name, proven in {"worse_by": by, "relative": part}.items():
        said = claim[name]
        if said is not None and (proven is None or not 0 < Decimal(said) <= Decimal(proven)):
            raise InputError(f"{name} {said} is not proven, or not positive; {proven} is")


def _vectors(said: list[list[str]]) -> Float64[np.ndarray, "n d"]:
    return np.array([floats(line) for line in said])
