"""Mutated certificates under both verifiers separately: what is false is accepted by neither."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from certify import certify
from certify.encoding import decode_program, encode_program
from certify.grammar import claim_hash
from relax import Ball, MeanSquare, Problem, Ridge, Sphere, solve, solve_program
from relax.by_slot import program_by_slot
from relax.problem import Level
from tests.certify.forging import Document, by_balls, by_checker, is_one_sentence, loosened, settled, words_of
from tests.certify.meaning import Entries, Meaning, mp, real
from tests.certify.mutations import KINDS

# Every kind of rows and rules, every level, losses without floors, clusters, lower bounds of losses.
POOL: list[tuple[list[int], str, dict[str, Any], Level]] = [
    ([5, 3, 1, 1], "supcon", {"temperature": 0.5}, "groups"),
    ([5, 3, 1, 1], "supcon", {"temperature": 0.5, "norm": Ball()}, "groups"),
    ([6, 4, 4], "supcon", {"temperature": 0.3, "norm": Ball(2.0)}, "groups"),
    ([5, 3, 3], "supcon", {"temperature": 0.5, "norm": Ridge(0.05)}, "groups"),
    ([5, 3], "supcon", {"temperature": 0.5, "nonnegative": True, "views": 2}, "groups"),
    ([3, 5, 3], "supcon:positives_weight=0.5", {"norm": Sphere(1.5)}, "classes"),
    ([3, 2], "supcon:positives_weight=2,class_weights=classes", {"temperature": 1.0}, "samples"),
    ([5, 3], "supcon:positives_weight=0", {"norm": MeanSquare(2.0)}, "groups"),
    ([5, 3, 1], "supcon:batch_size=4", {"temperature": 0.5}, "groups"),
    ([5, 3, 1], "supcon:batch_size=3,sampler=replacement", {"norm": Ball(2.0)}, "groups"),
    ([40, 20, 10], "supcon", {"temperature": 0.05}, "groups"),
    ([1000, 10, 10, 10], "supcon", {"temperature": 1.0}, "groups"),
    ([400, 3, 1], "supcon", {"temperature": 1.0}, "groups"),
    ([7, 2], "supcon", {"temperature": 1000.0}, "groups"),
    ([5, 3, 3, 1], "supcon-in", {}, "groups"),
    ([20, 5, 1], "supcon-temperatures", {}, "groups"),
    ([6, 4], "ntxent-labels", {"norm": Ridge(0.05), "views": 2}, "groups"),
    ([3, 2], "ntxent-labels", {"temperature": 0.5}, "samples"),
    ([5, 3, 3], "negatives-only:positives_weight=0.5", {"views": 3}, "groups"),
    ([3, 2], "decoupled", {"views": 2}, "groups"),
    ([3, 3], "self-supervised", {"views": 3, "norm": MeanSquare(2.0)}, "groups"),
    ([5, 3, 3], "cross-entropy:classifier=ball:2", {"temperature": 1.0}, "groups"),
    (
        [4, 2],
        "cross-entropy:classifier=mean-square:2",
        {"temperature": 1.0, "norm": MeanSquare(1.0)},
        "groups",
    ),
    ([5, 3, 1], "kernel", {}, "groups"),
    ([5, 3, 3], "kernel:gamma=0.5", {"norm": Sphere(2.0), "views": 2}, "groups"),
    ([3, 2, 2], "dhel:negatives=other-classes,energy=2", {"views": 3, "norm": Ball(1.5)}, "groups"),
    ([2, 3], "fixed-batches:labels=0.0.1.1.1,batches=0.1.2.3/1.2.3.4", {"temperature": 0.5}, "groups"),
    ([5, 3, 1], "graf-supcon", {}, "groups"),
    ([5, 3], "scl:q=3,a=0.5", {}, "groups"),
    ([5, 1], "ucl:psi=mean-softplus,a=2", {"norm": Ridge(0.005)}, "groups"),
    ([5, 3, 3], "scl:psi=mean-exp", {"norm": Ball(2.0)}, "classes"),
    ([5, 3], "google-supcon-out", {"views": 2}, "groups"),
]
SLACK = mp.mpf(10) ** -45


@dataclass(frozen=True)
class Optimum:
    """What is known of the optimum of a program: an interval, and a matrix whose value is its top."""

    low: Any
    high: Any
    matrix: Entries


@cache
def made(index: int) -> str:
    counts, loss, options, level = POOL[index]
    return certify(solve(Problem(counts, loss, **options), level=level)).to_json()


def pooled(index: int) -> Document:
    return json.loads(made(index))


def optimum_in(document: Document) -> Optimum:
    """The interval that a certificate's own witness and point prove, by the definitions at 60 digits."""
    meaning = Meaning(document["program"])
    matrix = meaning.scaled(document["point"])
    high = meaning.value(matrix)
    low = meaning.floor + meaning.lower(document["witness"], high - meaning.floor)
    assert low <= high + SLACK * abs(high)
    return Optimum(low, high, matrix)


@cache
def optimum(program: str) -> Optimum:
    """What is known of the optimum of a program: of one of the pool, or of one that is solved anew."""
    for index in range(len(POOL)):
        document = pooled(index)
        if json.dumps(document["program"], sort_keys=True) == program:
            return optimum_in(document)
    return optimum_in(certify(solve_program(decode_program(json.loads(program)))).document)


def program_meant(document: Document, named: bool) -> Document:
    """The program that the claim is about: that of the problem where it is named, else that of the file."""
    if not named:
        return document["program"]
    problem = Problem.from_statement(document["claim"]["problem"])
    reduction = problem.reduction(document["claim"]["level"])
    return encode_program(program_by_slot(problem.assembled(reduction)))


def falsehoods(document: Document, named: bool) -> list[str]:
    """What a claim says that is not so."""
    claim, point = document["claim"], document["point"]
    program = program_meant(document, named)
    meaning, known = Meaning(program), optimum(json.dumps(program, sort_keys=True))
    matrix = meaning.scaled(point)
    here, floor = meaning.value(matrix), meaning.floor
    size = SLACK * max(1, abs(here))
    high, low = min(known.high, here) + size, known.low - size
    said: dict[str, Any] = {key: None if claim[key] is None else real(claim[key]) for key in NUMBERS}
    ranks = [g - 1 for g, y in zip(meaning.g, point["within"], strict=True) if real(y)]
    scale = scale_at_most(meaning, here, size)
    false = {
        "lower": said["lower"] is not None and said["lower"] > high,
        "upper": said["upper"] < here - size or said["upper"] < low,
        "excess_lower": said["excess_lower"] is not None and said["excess_lower"] > high - floor,
        "excess_upper": said["excess_upper"] is not None and said["excess_upper"] < here - floor - size,
        "an excess without a floor": not meaning.has_floor
        and (said["excess_lower"], said["excess_upper"]) != (None, None),
        "no excess above a floor": meaning.has_floor and said["excess_upper"] is None,
        "excess_lower alone is missing": meaning.has_floor
        and said["lower"] is not None
        and said["excess_lower"] is None,
        "gap": said["gap"] is not None and said["gap"] < here - high - size,
        "rank": claim["rank"] != len(point["vectors"][0]) + sum(ranks),
        "entries": meaning.program["nonnegative"] and min(matrix.peer.values(), default=0) < 0,
        "radius": said["gram_radius"] is not None
        and distance(meaning, known, matrix, here) > said["gram_radius"] + size,
        "scale": said["scale"] is not None and said["scale"] > scale + size,
        "CERTIFIED": claim["verdict"] == "CERTIFIED" and here - high > said["tolerance"] * scale + size,
        "hash": claim_hash(claim) != document["sha256"],
    }
    return [name for name, is_false in false.items() if is_false]


NUMBERS = ("lower", "upper", "excess_lower", "excess_upper", "gap", "scale", "gram_radius", "tolerance")


def scale_at_most(meaning: Meaning, here: Any, size: Any) -> Any:
    """A bound on what geometry can change: the point's excess, and how far it is below M = 0."""
    known = [here - meaning.floor + size] if meaning.has_floor else []
    if all(rule["kind"] != "ridge" for rule in meaning.program["rules"]):
        zero = Entries([mp.mpf(0)] * len(meaning.g), dict.fromkeys(meaning.pairs, mp.mpf(0)))
        known.append(meaning.value(zero) - here + size)
    return min(known, default=-mp.inf)


def distance(meaning: Meaning, known: Optimum, matrix: Entries, here: Any) -> Any:
    """How far a known point, at least as good as this one, is from it: radii must not be smaller."""
    if known.high > here:
        return mp.mpf(0)
    return max((abs(known.matrix.peer[pair] - x) for pair, x in matrix.peer.items()), default=mp.mpf(0))


@dataclass
class Survey:
    """What became of mutants: counts of (kind, what balls say, what checker.py says)."""

    found: Counter[tuple[str, str, str]]
    true: Counter[str]

    def of(self, *, accepted: str) -> int:
        return sum(n for (_, *both), n in self.found.items() if accepted in both)


def mutant(seed: int) -> tuple[str, str]:
    """The kind and the text of a mutant."""
    rng = random.Random(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    document, other = pooled(rng.randrange(len(POOL))), pooled(rng.randrange(len(POOL)))
    if rng.random() < 0.6:
        loosened(document, rng.choice(["1e-3", "1e-6", "1e-9"]))
    KINDS[kind](document, rng, other)
    if rng.random() < 0.1:
        KINDS[rng.choice(list(KINDS))](document, rng, other)
    text = json.dumps(document) if kind == "hash" else settled(document, words=kind != "words")
    return kind, text


def survey(seeds: range) -> Survey:
    result = Survey(Counter(), Counter())
    for seed in seeds:
        try:
            kind, text = mutant(seed)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue  # a second mutation of what the first one broke
        (balls, said), (other, answer) = by_balls(text), by_checker(text)
        assert is_one_sentence(said) and is_one_sentence(answer), (seed, kind, said, answer)
        result.found[kind, balls, other] += 1
        for verdict, message in ((balls, said), (other, answer)):
            if verdict == "accepted":
                document = json.loads(text)
                wrong = falsehoods(document, "unchecked" not in message)
                assert not wrong, (seed, kind, wrong, message)
        if balls != other:
            assert is_explained(text, balls, other), (seed, kind, said, answer)
        result.true[kind] += "accepted" in (balls, other)
    return result


def is_explained(text: str, balls: str, other: str) -> bool:
    """Whether verifiers may differ: words are read by balls alone, and each may prove a little more."""
    document = json.loads(text)
    if (balls, other) == ("rejected", "accepted") and document["claim"]["words"] != words_of(document):
        return True
    return "unusable" not in (balls, other)


def test_the_pool_means_what_it_claims() -> None:
    """The definitions at 60 digits give the bounds of every certificate, to all digits that it has."""
    assert len(POOL) >= 30
    for index in range(len(POOL)):
        document = pooled(index)
        text = settled(document)
        assert (by_balls(text)[0], by_checker(text)[0]) == ("accepted", "accepted"), index
        claim, known = document["claim"], optimum_in(document)
        random_rows = any(rows["kind"].startswith("random") for rows in document["program"]["rows"])
        slack = mp.mpf(10) ** (-14 if random_rows else -23) * max(1, abs(known.high))
        assert 0 <= known.low - real(claim["lower"]) <= slack, (index, claim["lower"], known.low)
        assert 0 <= real(claim["upper"]) - known.high <= slack, (index, claim["upper"], known.high)
        assert falsehoods(document, named=True) == []


def test_the_oracle_knows_what_is_false() -> None:
    """Every number, moved inward by a thousandth, is recognised; else the survey would be vacuous."""
    document = pooled(0)
    claim = document["claim"]
    for name, factor in (
        ("lower", "1.001"),
        ("upper", ".999"),
        ("excess_lower", "1.001"),
        ("excess_upper", ".999"),
    ):
        changed = json.loads(json.dumps(document))
        changed["claim"][name] = str(Decimal(claim[name]) * Decimal(factor))
        settled(changed)
        assert name in falsehoods(changed, named=True)
    for changes, name in (
        ({"rank": 9}, "rank"),
        ({"excess_lower": None}, "excess_lower alone is missing"),
        ({"problem": pooled(10)["claim"]["problem"]}, "upper"),
    ):
        changed = json.loads(json.dumps(document))
        changed["claim"] |= changes
        settled(changed)
        assert name in falsehoods(changed, named=True)
    far = json.loads(json.dumps(document))
    far["point"] = {
        "vectors": [["0x1p0", "0x0p0"], ["0x0p0", "0x1p0"], ["0x1p0", "0x1p0"]],
        "within": ["0x0p0"] * 3,
    }
    far["claim"] |= {"gram_radius": "0.1", "upper": "9", "excess_upper": "9", "gap": "0", "rank": 2}
    settled(far)
    assert falsehoods(far, named=True) == ["gap", "radius", "CERTIFIED"]


def test_no_mutant_that_is_false_is_accepted() -> None:
    start, result = time.monotonic(), survey(range(204))  # six of each kind
    assert sum(result.found.values()) >= 180
    assert len(result.true) >= 12 and result.of(accepted="accepted") >= 20, result.found
    assert result.of(accepted="rejected") >= 40 and result.of(accepted="unusable") >= 20, result.found
    print(f"{time.monotonic() - start:.0f} s", summary(result))


@pytest.mark.slow
def test_no_mutant_of_many_that_is_false_is_accepted() -> None:
    result = survey(range(1_000, 7_000))
    assert sum(result.found.values()) >= 5_000
    print(summary(result))


def summary(result: Survey) -> str:
    """Counts in one line a pair of outcomes."""
    pairs: Counter[tuple[str, str]] = Counter()
    for (_, *both), n in result.found.items():
        pairs[both[0], both[1]] += n
    return f"{dict(pairs)}; accepted by kind: {dict(result.true)}"
