"""checker.py and its digits: passed and not shared, and more of them wherever few cannot tell."""

from __future__ import annotations

import copy
import decimal
import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import pytest

from certify.verification import verify
from tests.certify.test_checker import (
    SMALL,
    Document,
    certificate,
    checker,
    confirms,
    contains,
    hashed,
    mp,
    parts,
    poor,
    real,
    tied_by_y,
    verdict_on,
)
from tests.certify.test_checker_random import batch
from tests.certify.test_losses_checked import certificate as of_loss


def numbers(proof: Any) -> list[tuple[Decimal, Decimal]]:
    """The ends of everything a proof computes."""
    bounds = [bound for bound, _, _ in proof.proven.values() if bound is not None]
    found = [*bounds, *proof.needed, *proof.point.values(), *proof.ties.values()]
    return [(x.lo, x.hi) for x in [*found, *(x for row in proof.terms for x in row)]]


# ----------------------------------------------------------------------------------------- passed, not shared
def test_digits_are_those_of_the_class_and_of_the_first_number() -> None:
    few, many = checker.reals(3), checker.reals(9)
    third, seventh = few.enclose(Fraction(1, 3)), many.enclose(Fraction(1, 7))
    assert (str(third.lo), str(third.hi)) == ("0.333", "0.334")
    for found, digits in ((third + seventh, 3), (seventh + third, 9), (seventh * third, 9), (-seventh, 9)):
        assert type(found) is checker.reals(digits)
        assert max(len(x.as_tuple().digits) for x in (found.lo, found.hi)) <= digits
    assert type(third.exp()) is type(third.log1p()) is type(third.mapped(Context.sqrt)) is few
    assert checker.reals(3) is few and few.up.prec == few.down.prec == 3


def test_two_precisions_are_used_side_by_side() -> None:
    """Every other operation in other numbers: each finds what it finds alone."""
    rng, few, many = random.Random(0), checker.reals(6), checker.reals(60)
    given = [Fraction(rng.randint(1, 999), rng.randint(1, 999)) for _ in range(40)]

    def steps(R: Any) -> Any:
        x = R.one
        for y in given:
            x = (x * R.enclose(y) + R.enclose(y).exp().log1p()) / R.enclose(1 + y)
            yield x.lo, x.hi

    alone = [[*steps(few)], [*steps(many)]]
    assert [[*side] for side in zip(*zip(steps(few), steps(many), strict=True), strict=True)] == alone
    assert all(b[0] < a[1] and a[0] < b[1] for a, b in zip(*alone, strict=True))


def test_threads_do_not_disturb_each_other() -> None:
    """Proofs with several precisions at once, and verdicts of files that need more digits and that do not."""
    documents = [certificate(name) for name in ("small sphere", "small ball", "cold", "frozen")]
    given = [(checker.reals(digits), *parts(x)) for x in documents for digits in (7, 20, 45, 90)]
    texts = [hashed(x) for x in documents] + [json.dumps(batch(8, "replacement", 1))]
    alone = [numbers(checker.Proof(*each)) for each in given], [checker.check(text) for text in texts]
    with ThreadPoolExecutor(6) as pool:
        proofs = pool.map(lambda each: numbers(checker.Proof(*each)), given * 3)
        verdicts = pool.map(checker.check, texts * 3)
        assert [*proofs] == alone[0] * 3
        assert [*verdicts] == alone[1] * 3
    assert all(found.accepted for found in alone[1])


def test_no_operation_rounds_by_the_context_of_the_thread() -> None:
    """A single digit there, and an error where anything is rounded to it."""
    documents = [*map(certificate, [*SMALL, "cold"]), batch(8, "shuffle", 2), batch(8, "replacement", 1)]
    documents += [of_loss("kernel"), of_loss("dhel"), of_loss("supcon-temperatures"), of_loss("decoupled")]
    expected = [verdict_on(document) for document in documents]
    with decimal.localcontext(Context(1, traps=[decimal.Inexact, decimal.Rounded, decimal.FloatOperation])):
        assert [verdict_on(document) for document in documents] == expected
    assert all(found.accepted for found in expected)


def test_no_interval_is_asked_whether_it_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Any) -> bool:
        raise AssertionError("an interval has no truth value")

    monkeypatch.setattr(checker.Interval, "__bool__", asked, raising=False)
    for document in (*map(certificate, SMALL), of_loss("decoupled"), of_loss("kernel"), of_loss("scl")):
        assert verdict_on(document).accepted


def test_nothing_is_computed_of_an_exponential_of_zero() -> None:
    R = checker.reals(45)
    assert R.zero.exp() is (-R.zero).exp() is R.one
    for ends in ("-1 1", "-1 0", "0 1", "0 1e-99", "-1e-99 0", "1 1"):
        low, high = map(Decimal, ends.split())
        found = R(low, high).exp()
        assert contains(found, mp.exp(real(str(low))), mp.exp(real(str(high)))), ends


# -------------------------------------------------------------------------- more digits where few cannot tell
EXACT = checker.reals(200)


def least_radius_of(document: Document) -> Decimal:
    """The least radius to be proven, to sixty digits, from the smallest that 200 digits prove."""
    proof = checker.Proof(EXACT, *parts(document))
    low, high = Decimal(0), Decimal(8)
    with decimal.localcontext(Context(90)):
        while high - low > high.scaleb(-62):
            middle = (low + high) / 2
            try:
                near = proof.proves_radius(middle, proof.proven["gap"][0])
            except checker.FewDigitsError:
                break
            low, high = (low, middle) if near else (middle, high)
        return high


def tied() -> Document:
    """Four members that no row compares, and that the point has apart: Y alone has them together."""
    document = tied_by_y()
    document["program"]["rows"][0]["peer_multiplicity"] = {"rows": [["1000", "10"], ["1000", "0"]]}
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["point"]["within"] = ["0x0p0", "0x1p-20"]
    loose = dict.fromkeys(("upper", "excess_upper", "gap"), "99") | {"verdict": "UNDECIDED", "rank": 4}
    document["claim"] |= dict.fromkeys(("lower", "excess_lower", "scale"), "-99") | loose
    return document


NEAR: dict[str, Callable[[], Document]] = {
    "rows": lambda: poor(certificate("small sphere"), 1e-5),
    "rows and play": lambda: poor(certificate("small ball"), 1e-5),
    "ties": tied,
}


@pytest.mark.parametrize("name", NEAR)
def test_a_radius_that_is_just_proven_is_accepted_with_more_digits(name: str) -> None:
    """A part in 10⁵⁰ above the least: 45 digits do not tell, and no more than 90 are needed."""
    document = NEAR[name]()
    least = least_radius_of(document)
    with decimal.localcontext(Context(90)):
        above, below, far = (least * (1 + Decimal(x)) for x in ("1e-50", "-1e-50", "-1e-30"))
    outcomes = {}
    for radius in (above, below, far):
        document["claim"]["gram_radius"] = str(radius)
        outcomes[radius] = verdict_on(document)
    assert outcomes[above].accepted, outcomes[above].message
    for radius in (below, far):
        assert outcomes[radius].message == "rejected: the Gram radius is not proven"
        assert outcomes[radius].decided
    said = checker.read(document["claim"] | {"gram_radius": str(above)}, checker.CLAIM, "claim")
    proof = checker.Proof(checker.reals(45), *parts(document))
    assert not confirms(said, proof, cautious=True) and confirms(said, proof, cautious=False)


@pytest.mark.parametrize("field", ["lower", "upper", "excess_lower", "excess_upper", "gap", "scale"])
def test_a_bound_that_is_just_proven_is_accepted_with_more_digits(field: str) -> None:
    document = certificate("small sphere")
    document["claim"]["verdict"] = "UNDECIDED"
    proof = checker.Proof(EXACT, *parts(document))
    bound = proof.proven[field][0].lo
    for part, accepted in (("1e-70", True), ("-1e-70", False)):
        side = -1 if field in ("lower", "excess_lower", "scale") else 1
        with decimal.localcontext(Context(120)):
            document["claim"][field] = str(bound * (1 + side * Decimal(part)))
        found = verdict_on(document)
        assert found.accepted == accepted, found.message
        assert accepted or found.message.startswith(f"rejected: {field} is claimed to be")


@pytest.mark.parametrize("digits", [1, 2, 4])
@pytest.mark.parametrize("make", [*(lambda name=name: certificate(name) for name in SMALL), tied_by_y])
def test_what_is_true_is_accepted_from_the_fewest_digits(
    make: Callable[[], Document], digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Divisors and multipliers that are positive, of which a few digits do not know it."""
    monkeypatch.setattr(checker, "FEWEST_DIGITS", digits)
    found = verdict_on(make())
    assert found.accepted, found.message


@pytest.mark.parametrize("digits", [1, 2, 4])
@pytest.mark.parametrize("sampler", ["shuffle", "replacement"])
def test_expectations_are_accepted_from_the_fewest_digits(
    sampler: str, digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "FEWEST_DIGITS", digits)
    found = checker.check(json.dumps(batch(8, sampler, 2)))
    assert found.accepted, found.message


def test_multipliers_of_unknown_sign_ask_for_digits() -> None:
    """Needed multipliers of bounded groups have to be positive, which [−1, 1] does not tell."""
    document = certificate("small ball")
    proof = checker.Proof(checker.reals(45), *parts(document))
    claim = checker.read(document["claim"], checker.CLAIM, "claim")
    assert confirms(claim, proof, cautious=True)
    for low, high, cautious, hopeful in (("-1", "1", False, True), ("-1", "0", False, False)):
        changed = copy.copy(proof)
        changed.needed = [proof.R(Decimal(low), Decimal(high)), *proof.needed[1:]]
        assert confirms(claim, changed, cautious=True) == cautious
        assert confirms(claim, changed, cautious=False) == hopeful


@pytest.mark.parametrize("loss", ["kernel", "cross-entropy", "scl", "dhel"])
def test_no_radius_is_proven_of_other_rows(loss: str) -> None:
    """Sums of exponentials, targets on peers, expectations: however large the radius, it is not proven."""
    document = of_loss(loss)
    assert document["claim"]["gram_radius"] is None
    document["claim"]["gram_radius"] = "9"
    document["claim"]["problem"]["loss"] = {"name": "another"}
    assert verdict_on(document).message == "rejected: the Gram radius is not proven"


def test_weights_of_clusters_are_any_rationals_to_both() -> None:
    document = certificate("collapse")
    (cluster,) = document["witness"]["clusters"]
    cluster["weight"] = ["1/3"]  # of one group: κ w (δ − 1/g), whatever the weight
    cluster["kappa"] = (float.fromhex(cluster["kappa"]) * 3).hex()
    document["claim"] |= {"gram_radius": None, "verdict": "UNDECIDED"}
    document["claim"] |= {"lower": "0", "excess_lower": "0", "gap": "9", "scale": "-9"}
    assert verdict_on(document).accepted
    found = verify(json.loads(hashed(document)))
    assert found.accepted or "words" in found.message, found.message
