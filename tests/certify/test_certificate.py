"""Certificates: verdicts, outward rounding, both verifiers on the same files."""

from __future__ import annotations

import copy
import inspect
import json
import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import mpmath
import numpy as np
import pytest

from certify import Certificate, Verdict, certify, check, checker
from certify.grammar import claim_hash
from certify.verification import verify
from relax import Ball, Problem, Ridge, solve, solve_program
from relax.bounds import witness_at
from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.problem import Level
from tests.relax.programs import PROGRAMS

PROBLEMS = {
    "balanced": Problem([50] * 6, temperature=0.1),
    "step": Problem([100, 10, 100, 10], temperature=0.1),
    "two": Problem([7, 2], temperature=0.5),
    "collapse": Problem([1000, 10, 10, 10, 10], temperature=1.0),
    "singletons": Problem([10, 5, 1, 1, 1], temperature=0.5),
    "joined": Problem([400, 3, 1], temperature=1.0),
    "cold": Problem([40, 20, 10, 5], temperature=0.02),
    "ball": Problem([30, 10, 10], temperature=0.3, norm=Ball()),
    "ridge": Problem([30, 10, 10], temperature=0.3, norm=Ridge(0.01)),
    "nonnegative": Problem([20, 10, 5], temperature=0.2, nonnegative=True),
    "views": Problem([8, 4, 1], temperature=0.3, views=2),
    "million": Problem({1000: 5, 10: 10**6}),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_optima_are_certified_and_both_verifiers_agree(name: str, tmp_path: Path) -> None:
    proof = certify(solve(PROBLEMS[name]))
    assert proof.verdict is Verdict.CERTIFIED
    assert proof.relative_gap <= 1e-9
    proof.save(tmp_path / "c.json")
    found = check(tmp_path / "c.json")
    assert found.balls.accepted, found.balls.message
    assert found.checker.accepted, found.checker.message


def test_bounds_enclose_the_closed_form() -> None:
    mpmath.mp.dps = 40
    proof = certify(solve(PROBLEMS["balanced"]))
    tail = 5 * 50 * mpmath.exp((mpmath.mpf(-1) / 5 - 1) * 10)
    value = mpmath.log(49 + tail)
    assert mpmath.mpf(proof.lower) <= value <= mpmath.mpf(proof.upper)
    distance = Decimal(proof.upper) - Decimal(proof.lower or "nan")  # of two numbers rounded to 25 digits
    assert abs(Decimal(proof.gap or "nan") - distance) <= 2 * Decimal(10) ** -24


@pytest.mark.parametrize("tau", [0.05, 0.04, 0.02])
def test_the_orthogonal_frame_is_not_certified(tau: float) -> None:
    """4e-11 above the optimum at τ = 0.04: certified by any absolute tolerance in use."""
    solution = solve(Problem([100] * 4, temperature=tau))
    frame = OrbitMatrix(np.array([4.0]), np.ones((1, 1, 1)), np.zeros((1, 1)))
    for witness in (solution.witness, witness_at(solution.program, frame)):
        proof = certify(replace(solution.answer, point=frame, witness=witness))
        assert proof.verdict is Verdict.UNDECIDED
        assert proof.relative_gap > 0.5


def test_the_gram_radius_holds_on_perturbed_optima() -> None:
    solution = solve(Problem([100, 100, 10, 10], temperature=0.3))
    proof = certify(solution)
    assert proof.gram_radius is not None
    radius = float(proof.gram_radius)
    assert radius < 1e-5
    barrier = solve(solution.problem, "barrier")
    loose = certify(barrier)
    assert loose.gram_radius is not None
    assert np.abs(barrier.gram - solution.gram).max() <= float(loose.gram_radius) + radius


@pytest.mark.parametrize("counts", [[30, 10, 1, 1], [30, 10, 4]])
def test_gram_radius_bounds_the_distance_between_any_two_good_points(counts: list[int]) -> None:
    problem = Problem(counts, temperature=0.5)
    good = solve(problem)
    poor = solve(problem, "scs")
    proof = certify(poor)
    assert proof.gram_radius is not None
    assert np.abs(poor.gram - good.gram).max() <= float(proof.gram_radius) * (1 + 1e-9)


def document() -> dict:
    return certify(solve(PROBLEMS["step"])).document


def tampered(**claims: object) -> dict:
    changed = copy.deepcopy(document())
    changed["claim"] |= claims
    changed["sha256"] = claim_hash(changed["claim"])
    return changed


def test_numbers_moved_inward_are_refused() -> None:
    claim = document()["claim"]
    up = str(Decimal(claim["lower"]) * (1 + Decimal("1e-20")))
    for changed in (
        tampered(lower=str(Decimal(claim["upper"]))),
        tampered(lower=up) if Decimal(up) > Decimal(claim["upper"]) else tampered(lower="99"),
        tampered(upper=str(Decimal(claim["upper"]) * (1 - Decimal("1e-20")))),
        tampered(gap="0"),
        tampered(excess_lower=claim["excess_upper"]),
        tampered(gram_radius="1e-30"),
        tampered(rank=1),
        tampered(lower="NaN"),
        tampered(tolerance="0.5", verdict="SURE"),
    ):
        message = refusal(changed)
        assert "words" not in message  # which would be wrong as well


def refusal(changed: dict) -> str:
    found = verify(changed)
    assert not found.accepted
    assert found.statement == ""
    return found.message


def test_another_problem_is_refused() -> None:
    others: list[dict] = [
        {"temperature": "1/8"},
        {"counts": [[100, 2], [11, 2]]},
        {"norm": {"ball": None}},
        {"views": 2},
    ]
    for said in others:
        problem = document()["claim"]["problem"] | said
        assert "program is not the one" in refusal(tampered(problem=problem))
    assert "program is not the one" in refusal(tampered(level="classes"))


@pytest.mark.parametrize(
    "said",
    [
        {"temperature": "100000000000000005/1000000000000000000"},  # not the decimal of a float
        {"temperature": "2/20"},
        {"temperature": 0.1},
        {"counts": [[100, 1], [100, 1], [10, 2]]},  # a size twice
        {"nonnegative": "no"},
        {"views": True},
        {"norm": {"sphere": "1"}},
        {"loss": {"name": "supcon", "extra": 1}},
        {"loss": "supcon"},
        {"loss": []},
        {"more": 1},
    ],
)
def test_a_problem_has_one_spelling(said: dict) -> None:
    problem = document()["claim"]["problem"] | said
    refusal(tampered(problem=problem))
    changed = tampered(problem=problem)
    assert not checker.check(json.dumps(changed)).accepted


def test_words_are_those_of_the_numbers() -> None:
    assert "words of the claim" in refusal(tampered(words="the moon is made of cheese"))


def test_a_loss_that_no_table_knows_is_unchecked() -> None:
    problem = document()["claim"]["problem"] | {"loss": {"name": "another", "weight": "1/2"}}
    changed = tampered(problem=problem, words="anything")
    found, other = verify(changed), checker.check(json.dumps(changed))
    assert found.accepted and not found.named and "unchecked" in found.message
    assert other.accepted and not other.named and "unchecked" in other.message
    assert "another" not in found.statement and "anything" not in found.statement
    assert found.statement.startswith("For the convex program in the file")


def test_programs_written_by_hand_are_certified(tmp_path: Path) -> None:
    """Two roles and a budget, and a loss without a floor: every kind of slot becomes a node."""
    for name in ("cross-entropy", "negatives-only-groups"):
        program = PROGRAMS[name]
        proof = certify(solve_program(program))
        assert proof.verdict is Verdict.CERTIFIED
        assert proof.problem is None
        proof.save(tmp_path / "c.json")
        found = check(tmp_path / "c.json")
        assert found.accepted and not found.named
        assert Certificate.load(tmp_path / "c.json").document == proof.document
        changed = copy.deepcopy(proof.document)
        changed["claim"]["lower"] = str(Decimal(proof.upper) + 1)
        changed["sha256"] = claim_hash(changed["claim"])
        assert not verify(changed).accepted
        assert not checker.check(json.dumps(changed)).accepted


@pytest.mark.parametrize("level", ["groups", "classes", "samples"])
def test_every_level_is_certified_as_the_loss_that_it_is(level: Level, tmp_path: Path) -> None:
    """By classes, equal counts are separate classes: the groups of a solution have the nodes' sizes."""
    solution = solve(Problem([4, 2, 4, 2], temperature=0.5), level=level)
    assert solution.groups.gram.shape == (len(solution.groups.sizes),) * 2
    off = ~np.eye(4, dtype=bool)
    assert solution.class_gram[off].max() < 0.5  # separate classes do not coincide here
    proof = certify(solution)
    assert proof.verdict is Verdict.CERTIFIED
    proof.save(tmp_path / "c.json")
    found = check(tmp_path / "c.json")
    assert found.named, found


def test_wrong_types_get_one_sentence() -> None:
    with pytest.raises(InputError, match="certify takes what solve"):
        inspect.unwrap(certify)(PROBLEMS["two"])


def test_the_hash_guards_the_claim() -> None:
    changed = document()
    changed = {**changed, "claim": {**changed["claim"], "words": "anything"}}
    assert "hash" in refusal(changed)


def test_witnesses_are_untrusted() -> None:
    changed = copy.deepcopy(document())
    changed["witness"]["factor"][0][0] = (1.5).hex()
    assert "is not proven" in refusal(changed)


def test_a_poor_solution_gets_an_honest_gap() -> None:
    proof = certify(solve(Problem([40, 20, 10], temperature=0.2), "scs"), tolerance=1e-15)
    assert proof.verdict is Verdict.UNDECIDED
    assert math.isfinite(proof.relative_gap)
    assert "UNDECIDED" in str(proof)


def test_words_and_json() -> None:
    proof = certify(solve(PROBLEMS["step"]))
    assert json.loads(proof.to_json()) == proof.document
    words = proof.document["claim"]["words"]
    for said in ("supcon", "100x2,10x2", "1/10", str(proof.lower), proof.upper):
        assert said in words


def test_statements_of_different_counts_differ() -> None:
    """Fifteen sizes are abbreviated where a person reads, and never in a theorem."""
    said = [
        certify(solve(Problem([*range(30, 16, -1), middle]))).document["claim"]["words"] for middle in (9, 8)
    ]
    other = certify(solve(Problem([*range(30, 24, -1), 22, *range(20, 12, -1)]))).document["claim"]["words"]
    assert len({*said, other}) == 3
    assert "…" not in "".join([*said, other])
    assert "22x1" in other


def test_bad_tolerance() -> None:
    with pytest.raises(InputError, match="tolerance 2 must lie"):
        certify(solve(PROBLEMS["two"]), tolerance=2)
