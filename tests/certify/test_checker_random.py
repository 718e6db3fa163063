"""checker.py on expectations over random draws: against balls, and certificates of batches and risks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from certify import certify
from certify.balls.enclosures import BallMatrix, balls
from certify.balls.random.rows import random_row_table
from certify.checker import Verdict
from certify.verification import Check, verify
from relax import Problem, solve
from tests.certify.forging import settled
from tests.certify.test_checker import Document, checker, hashed, is_named
from tests.relax.rows.test_random import Case, case, made

EACH_BATCH = [
    (b, sampler, views)
    for b in (8, 32)
    for sampler in ("shuffle", "replacement", "class-balanced")
    for views in (1, 2)
]


R = checker.reals(checker.FEWEST_DIGITS)


# ------------------------------------------------------------------------------------------------ enclosures
def row_of(given: Case, R: Any = R) -> tuple[Any, list[Any]]:
    """The row of a case as the checker has it, and m e^{(x − x_own)/τ} in numbers of so many digits."""
    rows, rise = given.rows, [Fraction(x) for x in given.rise.tolist()]
    numbers = [Fraction(x) for x in (rows.base, rows.own_multiplicity, rows.peer_multiplicity)]
    terms = {(0,): checker.Term(1, Fraction(int(rows.own_population[0])), Fraction(0))}
    peers = [Fraction(int(p)) for p in rows.peer_population[0, 1:]]
    terms |= {(0, e): checker.Term(1, p, Fraction(0)) for e, p in enumerate(peers, start=1)}
    draws = checker.Draws(rows.draws, rows.replacement, *numbers)
    reach = [R.enclose(rows.peer_multiplicity) * R.enclose(x).exp() for x in rise]
    return checker.Row(0, Fraction(1), terms, None, draws), reach


def inside(found: Any, ball: Any) -> bool:
    low, high = (arb(str(x)) for x in (found.lo, found.hi))
    return bool(low <= ball.upper()) and bool(ball.lower() <= high)


def narrow(found: Any) -> bool:
    return found.hi - found.lo < abs(found.hi) * Decimal("5e-16")


def agrees(given: Case, digits: int) -> None:
    R = checker.reals(digits)
    row, reach = row_of(given, R)
    excess, slope = checker.expected(R, row, reach, slopes=True)
    k = len(given.rise) + 1
    with ctx.workprec(128):
        table = random_row_table(given.rows, np.ones(k))
        peer = balls(np.concatenate([[0.0], given.rise])[None].repeat(k, axis=0))
        at = table.state(BallMatrix(balls(np.zeros(k)), peer), arb(1))
        assert inside(excess, at.excess[0]) and narrow(excess), (excess.lo, excess.hi)
        assert inside(checker.random_floor(R, row), table.floor[0])
        for one, ball in zip(slope, at.slope[0, 2:], strict=True):
            assert inside(one, ball) and narrow(one), (one.lo, one.hi, ball)
    assert checker.expected(R, row, reach, slopes=False)[0].lo == excess.lo


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_rows_agree_with_balls(first: int) -> None:
    for seed in range(first, first + 10):
        given = case(seed)
        agrees(given, 45 - int(min(0.0, float(mpmath.log10(given.exact.excess)))))


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("draws", [3, 60, 255])
def test_many_draws_agree_with_balls(replacement: bool, draws: int) -> None:
    for base in (0, 1):
        row, reach = row_of(large(draws, replacement, base))
        excess, slope = checker.expected(R, row, reach, slopes=True)
        given = large(draws, replacement, base).rows
        with ctx.workprec(128):
            rise = np.array([0.0, -8.5, -9.5, -0.25])
            at = random_row_table(given, np.ones(4)).state(
                BallMatrix(balls(np.zeros(4)), balls(rise[None].repeat(4, axis=0))), arb(1)
            )
            assert inside(excess, at.excess[0]) and narrow(excess)
            assert all(inside(x, y) and narrow(x) for x, y in zip(slope, at.slope[0, 2:], strict=True))


def large(draws: int, replacement: bool, base: int) -> Case:
    small = made(2, replacement, base, 1 + base, 1 + base, [300, 200, 5, 1], np.array([-8.5, -9.5, -0.25]))
    rows = small.rows
    object.__setattr__(rows, "draws", draws)
    return small


def test_one_draw_of_one_peer_is_a_logarithm() -> None:
    """Independent of balls: base 1 and a peer that is always drawn make log(1 + a)."""
    for a in (Fraction(1, 10**30), Fraction(1, 7), Fraction(3), Fraction(10**12)):
        terms = {(0,): checker.Term(1, 0, 0), (0, 1): checker.Term(1, Fraction(2), 0)}
        row, R = checker.Row(0, Fraction(1), terms), checker.reals(90)
        for replacement in (True, False):
            draws = checker.Draws(1, replacement, Fraction(1), Fraction(1), Fraction(1))
            row = row._replace(draws=draws)
            excess, (slope,) = checker.expected(R, row, [R.enclose(a)], slopes=True)
            with mpmath.workdps(90):
                x = mpmath.mpf(a.numerator) / a.denominator
                for found, exact in ((excess, mpmath.log1p(x)), (slope, x / (1 + x))):
                    assert mpmath.mpf(str(found.lo)) < exact < mpmath.mpf(str(found.hi))
                    assert narrow(found)


def test_moments_miss_nothing_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checker.gauss(R)[1].hi < Decimal("1e-19")
    (u, kappa), *others = checker.GAUSS
    monkeypatch.setattr(checker, "GAUSS", ((u, kappa[:-25]), *others))
    assert checker.gauss.__wrapped__(R)[1].lo > Decimal("1e-16")  # a wrong number is noticed


@pytest.mark.parametrize("count", [4, 8, 15])
def test_rows_enclose_with_few_digits(count: int) -> None:
    """Whatever is rounded is rounded outward: a fine interval lies in a coarse one."""
    for seed in range(0, 24):
        given = case(seed)
        fine, few = checker.expected(R, *row_of(given), slopes=True), checker.reals(count)
        try:
            coarse = checker.expected(few, *row_of(given, few), slopes=True)
        except (ArithmeticError, checker.RejectedError):
            continue
        for small, wide in zip([fine[0], *fine[1]], [coarse[0], *coarse[1]], strict=True):
            middle = (small.lo + small.hi) / 2
            assert wide.lo <= middle <= wide.hi


@pytest.mark.parametrize("count", [2, 5, 30])
def test_one_minus_an_exponential_encloses(count: int) -> None:
    R = checker.reals(count)
    with mpmath.workdps(120):
        for text in ("0", "1e-60", "0.123456789012345678901234567890123456789", "3.3", "400"):
            found = checker.fall(R(Decimal(text), Decimal(text)))
            exact = -mpmath.expm1(-mpmath.mpf(text))
            assert mpmath.mpf(str(found.lo)) <= exact <= mpmath.mpf(str(found.hi))


# ---------------------------------------------------------------------------------------------- certificates
@cache
def text_of(loss: str, counts: tuple[int, ...], views: int) -> str:
    return certify(solve(Problem(list(counts), loss=loss, views=views))).to_json()


def batch(b: int, sampler: str, views: int) -> Document:
    return json.loads(text_of(f"supcon:batch_size={b},sampler={sampler}", (500, 500, 5, 5), views))


def both(document: Document) -> Check:
    return Check(verify(document), Verdict(*checker.check(json.dumps(document))))


def is_proven(found: Check) -> bool:
    return found.named and found.suffices() and is_named(found.checker)


@pytest.mark.parametrize(("b", "sampler", "views"), EACH_BATCH)
def test_batches_are_accepted(b: int, sampler: str, views: int) -> None:
    document = batch(b, sampler, views)
    found = both(document)
    assert Decimal(document["claim"]["gram_radius"]) < Decimal("1e-4")
    assert is_proven(found), (found.balls.message, found.checker.message)
    said = f"(batch_size = {b}, class_weights = samples, positives_weight = 1, sampler = {sampler})"
    assert said in found.checker.message


@pytest.mark.parametrize("loss", ["scl:q=64", "ucl:q=64", "hucl:q=8,eta=top-q,beta=0.1", "jiang-ucl"])
def test_risks_are_accepted(loss: str) -> None:
    found = both(json.loads(text_of(loss, (500, 500, 5, 5), 1)))
    assert is_proven(found), (found.balls.message, found.checker.message)


SHUFFLE = pytest.param("shuffle", marks=pytest.mark.slow)


@pytest.mark.parametrize("sampler", ["replacement", SHUFFLE])
def test_cifar(sampler: str) -> None:
    problem = Problem.from_dataset("cifar10-lt-100", loss=f"supcon:batch_size=64,sampler={sampler}", views=2)
    found = both(certify(solve(problem)).document)
    assert is_proven(found), (found.balls.message, found.checker.message)


# --------------------------------------------------------------------------------------------------- mutants
def changed(document: Document, *path: Any, value: Any) -> Document:
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value(place[path[-1]]) if callable(value) else value
    return json.loads(settled(copied))


def mutants(document: Document) -> Iterator[Document]:
    claim, block = document["claim"], document["program"]["rows"][0]
    loss, rows = ("claim", "problem", "loss"), ("program", "rows", 0)
    for b in (2, 7, 9, 31, 513, 1026):
        yield changed(document, *loss, "batch_size", value=b)
    for sampler in {"shuffle", "replacement", "class-balanced"} - {claim["problem"]["loss"]["sampler"]}:
        yield changed(document, *loss, "sampler", value=sampler)
    without = {key: x for key, x in claim["problem"]["loss"].items() if key not in ("batch_size", "sampler")}
    yield changed(document, *loss, value=without)
    yield changed(document, "claim", "problem", "views", value=lambda views: 3 - views)
    sizes = (
        [[501, 2], [5, 2]] if claim["problem"]["loss"]["sampler"] != "class-balanced" else [[500, 3], [5, 2]]
    )
    yield changed(document, "claim", "problem", "counts", value=sizes)
    for key in ("draws", "replacement"):
        yield changed(document, *rows, key, value=lambda x: not x if type(x) is bool else x + 1)
    for key, value in (
        ("draws", 0),
        ("draws", -1),
        ("draws", True),
        ("replacement", 1),
        ("replacement", None),
    ):
        yield changed(document, *rows, key, value=value)
    for key in ("base", "own_multiplicity", "peer_multiplicity"):
        for value in ("3", "-1", "1/2"):
            yield changed(document, *rows, key, value=value)
    for value in ("-1", "0", "3", "1/2"):
        if value != block["own_population"][0]:
            yield changed(document, *rows, "own_population", 0, value=value)
        yield changed(document, *rows, "peer_population", "every_row", 1, value=value)
    for value in ("7", "-1", "0"):
        yield changed(document, *rows, "weight", 0, value=value)
    yield changed(document, "program", "normaliser", value=lambda x: str(Fraction(x) * 2))
    step = Decimal(claim["excess_lower"]) * Decimal("1e-9")
    for key in ("lower", "excess_lower"):
        yield changed(document, "claim", key, value=str(Decimal(claim[key]) + step))
    for key in ("upper", "excess_upper"):
        yield changed(document, "claim", key, value=str(Decimal(claim[key]) - step))
    yield changed(document, "claim", value=claim | moved(claim, "1e-12"))
    yield changed(document, "claim", "gram_radius", value="1e-30")
    yield changed(document, "claim", "gap", value="1e-40")


def moved(claim: Document, floor: str) -> Document:
    """The claim above another floor: excesses and gap remain."""
    return {key: str(Decimal(claim[key]) + Decimal(floor)) for key in ("lower", "upper")}


@pytest.mark.parametrize(
    ("b", "sampler", "views"),
    [(8, "shuffle", 1), (8, "replacement", 2), (32, "class-balanced", 1), (8, "shuffle", 2)],
)
def test_what_is_false_is_refused_by_both(b: int, sampler: str, views: int) -> None:
    document = batch(b, sampler, views)
    found = list(mutants(document))
    assert len(found) >= 40
    for mutant in found:
        verdict = both(mutant)
        assert not verdict.balls.accepted, (verdict.balls.message, mutant["program"], mutant["claim"])
        assert not verdict.checker.accepted, (verdict.checker.message, mutant["program"], mutant["claim"])
        assert "words of the claim" not in verdict.balls.message
        assert "Error" not in verdict.checker.message


def alone(document: Document) -> Document:
    """The program without a problem."""
    claim = document["claim"] | {"problem": None, "level": None}
    return document | {"claim": claim}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("base", "-1", "base is not a rational"),
        ("own_multiplicity", "0", "own_multiplicity is not a positive rational"),
        ("peer_multiplicity", "-1", "peer_multiplicity is not a positive rational"),
        ("own_population", ["-1", "4"], "own_population is not a rational"),
        ("own_population", ["4"], "differ in length"),
        ("own_population", ["498", "4"], "populations of one size"),
        ("own_population", ["997/2", "7/2"], "no whole number"),
        ("draws", 0, "draws is not an integer from 1 to"),
        ("draws", 1010, "more is drawn without replacement"),
        ("draws", 1025, "this verifier has not checked the file"),
        ("replacement", 0, "replacement is not true or false"),
        ("peer_population", {"every_row": ["500"]}, "differ in length"),
        ("peer_population", {}, "either every_row or rows"),
        ("floor", ["0", "0"], "no use for, the key 'floor'"),
    ],
)
def test_programs_that_are_none_are_refused(key: str, value: Any, words: str) -> None:
    document = alone(batch(8, "shuffle", 1))
    document["program"]["rows"][0][key] = value
    found = checker.check(hashed(document))
    assert not found.accepted and words in found.message, found.message
    assert not verify(json.loads(hashed(document))).accepted


def test_draws_from_nothing_are_refused() -> None:
    document = alone(batch(8, "replacement", 1))
    rows = document["program"]["rows"][0]
    rows["own_population"], rows["peer_population"] = ["0", "0"], {"every_row": ["0", "0"]}
    found = both(json.loads(hashed(document)))
    assert "draws from nothing" in found.checker.message and "draws from nothing" in found.balls.message


def test_work_has_a_limit_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    document = batch(8, "shuffle", 2)
    monkeypatch.setattr(checker, "LARGEST_DRAWING", 100)
    found = both(document)
    assert found.balls.accepted and not found.checker.accepted and found.checker.usable
    assert found.by_one and not found.agree and not found.suffices()
    assert "take too long here; this verifier has not checked the file" in found.checker.message
    assert "one verifier checked it" in dict(found.facts())["certificate"]
    assert found.json_values()["by_one"]


def test_one_verifier_that_rejects_is_not_one_that_could_not() -> None:
    document = batch(8, "shuffle", 2)
    wrong = Verdict(*checker.check(json.dumps(document | {"sha256": ""})))
    assert not Check(verify(document), wrong).by_one
    assert dict(Check(verify(document), wrong).facts())["certificate"] == "the verifiers disagree"


def test_long_normalisers_are_read_and_longer_ones_refused_in_words() -> None:
    document = batch(32, "replacement", 1)
    assert len(document["program"]["normaliser"]) < checker.LARGEST_NORMALISER
    long = alone(batch(8, "replacement", 2))
    long["program"]["normaliser"] = f"{10**3900}/{7 * 10**3000 + 1}"
    assert "unusable" not in checker.check(hashed(long)).message
    for text in ("1" * 8001, f"{'1' * 3000}/{'1' * 5002}", "-1", "2/4", "1" * 4301):
        long["program"]["normaliser"] = text
        found = checker.check(hashed(long))
        assert not found.usable, found.message


def test_batches_of_many_samples_have_normalisers_of_many_digits() -> None:
    document = json.loads(text_of("supcon:batch_size=64,sampler=replacement", (5000, 50, 7), 1))
    assert len(document["program"]["normaliser"]) > checker.LARGEST_NUMBER
    assert is_proven(both(document))


def test_claims_have_room_for_another_quadrature() -> None:
    """At the first digits: bounds of both verifiers err by parts in 10¹⁶ of the excess, each in its way."""
    document = batch(8, "replacement", 1)
    program = checker.read_program(checker.read(document["program"], checker.PROGRAM, "program"))
    witness = checker.read_witness(checker.read(document["witness"], checker.WITNESS, "witness"), program)
    point, _ = checker.read_point(
        checker.read(document["point"], checker.CERTIFICATE["point"], "point"), program
    )
    proof = checker.Proof(R, program, witness, point)
    claim, excess = document["claim"], proof.upper.hi
    for key, sign in (("excess_lower", 1), ("excess_upper", -1), ("gap", -1)):
        bound = proof.proven[key][0].lo if sign == 1 else proof.proven[key][0].hi
        room = sign * (bound - Decimal(claim[key]))
        assert 0 < room < excess * Decimal("1e-13"), (key, room)


@pytest.mark.parametrize(("sampler", "views", "tau"), [("shuffle", 1, 0.02), ("shuffle", 2, 0.01)])
def test_tiny_excesses_are_accepted(sampler: str, views: int, tau: float) -> None:
    """More digits are taken where differences cancel: excesses are down to 1e-59."""
    problem = Problem(
        [500, 500, 5, 5], loss=f"supcon:batch_size=16,sampler={sampler}", views=views, temperature=tau
    )
    document = certify(solve(problem)).document
    assert Decimal(document["claim"]["excess_upper"]) < Decimal("1e-29")
    assert is_proven(both(document))
