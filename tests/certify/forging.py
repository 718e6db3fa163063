"""Certificates to be changed, and what each verifier alone makes of a text."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from certify import certify, checker, statement
from certify.encoding import decode_program
from certify.grammar import UnusableError, claim_hash, parse
from certify.verification import verify
from relax import Ball, MeanSquare, Problem, Ridge, losses, solve, solve_program
from tests.relax.programs import PROGRAMS

Document = dict[str, Any]

PROBLEMS: dict[str, Callable[[], Problem]] = {
    "step": lambda: Problem([100, 10, 100, 10], temperature=0.1),
    "ridge": lambda: Problem([30, 10, 10], temperature=0.3, norm=Ridge(0.01)),
    "ball": lambda: Problem([6, 4, 4], temperature=0.5, norm=Ball()),
    "collapse": lambda: Problem([1000, 10, 10, 10, 10], temperature=1.0),
    "nonnegative": lambda: Problem([5, 3], temperature=0.5, nonnegative=True),
    "random": lambda: Problem([5, 3, 5, 1], "supcon:batch_size=4", views=2),
    "kernel": lambda: Problem([5, 3, 1], "kernel"),
    "budget": lambda: Problem([5, 3, 3], "cross-entropy:classifier=mean-square:2", norm=MeanSquare(1.0)),
    "batches": lambda: Problem(
        [2, 3], "fixed-batches:labels=0.0.1.1.1,batches=0.1.2.3/1.2.3.4", temperature=0.5
    ),
}


@cache
def _text(name: str) -> str:
    if name == "hand":
        return certify(solve_program(PROGRAMS["negatives-only-groups"])).to_json()
    return certify(solve(PROBLEMS[name]())).to_json()


def certificate(name: str) -> Document:
    """A fresh copy of the certificate of a problem, or of a program written by hand ("hand")."""
    return json.loads(_text(name))


def loosened(document: Document, part: str = "1e-5") -> Document:
    """The certificate with bounds that leave a part of the scale, or of the value, unclaimed."""
    claim = document["claim"]
    slack = abs(Decimal(claim["scale"] or claim["upper"])) * Decimal(part)
    signs = {"lower": -1, "excess_lower": -1, "scale": -1, "upper": 1, "excess_upper": 1, "gap": 2}
    for name, sign in signs.items():
        if claim[name] is not None:
            claim[name] = str(Decimal(claim[name]) + sign * slack)
    claim["tolerance"] = str(100 * Decimal(part))
    if claim["gram_radius"] is not None:
        claim["gram_radius"] = str(10 * Decimal(claim["gram_radius"]))
    return document


def words_of(document: Document) -> str:
    """The words that the numbers of a claim have."""
    claim = document["claim"]
    said = claim["problem"]
    if said is None or said["loss"]["name"] not in losses.names():
        program = decode_program(document["program"])
        return statement.of_program(program.groups, int(program.multiplicity.sum()), claim)
    problem = Problem.from_statement(said)
    return statement.of_problem(problem, problem.reduction(claim["level"]), claim)


def settled(document: Document, words: bool = True) -> str:
    """The file's text with the hash, and the words, that a forger would give it."""
    claim = document.get("claim")
    if isinstance(claim, dict):
        if words and isinstance(claim.get("words"), str):
            with suppress(ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError):
                claim["words"] = words_of(document)  # unless it makes no sense, whatever it says
        if "sha256" in document:
            document["sha256"] = claim_hash(claim)
    return json.dumps(document)


def by_balls(text: str) -> tuple[str, str]:
    """The class that ball arithmetic puts a text into, and its sentence."""
    try:
        found = verify(parse(text))
    except UnusableError as error:
        return "unusable", str(error)
    return "accepted" if found.accepted else "rejected" if found.usable else "unusable", found.message


def by_checker(text: str) -> tuple[str, str]:
    """The class that checker.py puts a text into, and its sentence; "undecided" is beyond it."""
    found = checker.check(text)
    if not (found.decided or found.accepted):
        return "undecided", found.message
    return "accepted" if found.accepted else "rejected" if found.usable else "unusable", found.message


def is_one_sentence(message: str) -> bool:
    """Whether a message is one line that a terminal can take."""
    return 3 < len(message) < 1_000 and message.isprintable() and "Traceback" not in message


def scaled_weights(cluster: Document, by: Fraction) -> Document:
    """The same slack from other weights: κ w w/ω is what it was when w is multiplied and κ divided."""
    weight = [str(Fraction(x) * by) for x in cluster["weight"]]
    return cluster | {
        "weight": weight,
        "kappa": float(np.float64(float.fromhex(cluster["kappa"])) / float(by)).hex(),
    }
