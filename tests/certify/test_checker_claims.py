"""What checker.py lets a claim say and leave out, and of which programs."""

from __future__ import annotations

import json

import pytest

from certify.verification import verify
from tests.certify.test_checker import certificate, hashed, verdict_on
from tests.certify.test_losses_checked import certificate as of_loss


@pytest.mark.parametrize("field", ["excess_lower", "excess_upper"])
def test_what_a_program_lacks_is_not_claimed(field: str) -> None:
    document = of_loss("decoupled")
    assert document["claim"][field] is None
    document["claim"][field] = "-99" if field == "excess_lower" else "99"
    found = verdict_on(document)
    assert found.message == f"rejected: {field} is not proven" and found.decided


def test_upper_bounds_are_claimed_even_alone() -> None:
    """Without a lower bound it alone, and what needs it, may be null."""
    document = certificate("step")
    without = dict.fromkeys(("lower", "excess_lower", "gap", "scale", "gram_radius"))
    document["claim"] |= without | {"verdict": "UNDECIDED"}
    assert verdict_on(document).accepted
    document["claim"]["excess_upper"] = None
    assert verdict_on(document).message == "rejected: excess_upper is missing"


@pytest.mark.parametrize(
    ("loss", "which", "attained"),
    [("supcon", 0, True), ("kernel", 0, True), ("kernel", 2, False), ("hscl", 0, False)],
)
def test_a_value_is_a_loss_only_where_features_attain_it(loss: str, which: int, attained: bool) -> None:
    message = verdict_on(of_loss(loss, which)).message
    assert ("attains a loss" in message) == attained
    assert ("no loss as small is claimed" in message) != attained


@pytest.mark.parametrize("loss", ["kernel", "cross-entropy", "dhel"])
def test_no_radius_is_proven_of_other_rows(loss: str) -> None:
    """Sums of exponentials, targets on peers: however large the radius, it is not proven."""
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


def test_no_radius_is_proven_of_sums_of_exponentials_that_read_themselves() -> None:
    """As if their terms had the curvature of a logarithm's: a constant more, which changes no geometry."""
    document = of_loss("kernel")
    document["program"]["rows"][0]["own_multiplicity"] = ["1"] * 2
    document["claim"]["problem"]["loss"] = {"name": "another"}
    loose = {"lower": "-99", "excess_lower": "-99", "upper": "99", "excess_upper": "99", "scale": "-99"}
    document["claim"] |= loose | {"gap": "1e-9", "verdict": "UNDECIDED", "gram_radius": "9"}
    assert verdict_on(document).message == "rejected: the Gram radius is not proven"
    document["claim"]["gram_radius"] = None
    assert verdict_on(document).accepted


@pytest.mark.parametrize(("groups", "proven"), [([0, 1], True), ([1], False)])
def test_what_nothing_ties_and_no_row_reads_has_no_radius(groups: list[int], proven: bool) -> None:
    """Not even one that all cosines obey; a cluster ties those that are in it."""
    document = certificate("collapse")
    document["claim"]["problem"]["loss"] = {"name": "another"}
    loose = {"lower": "-99", "excess_lower": "-99", "upper": "99", "excess_upper": "99", "scale": "-99"}
    loose |= {"gap": "999", "verdict": "UNDECIDED", "rank": 1}
    document["claim"] |= loose | {"gram_radius": "999"}
    document["program"]["rows"][0]["peer_multiplicity"] = {"rows": [["0", "0"], ["0", "0"]]}
    cluster = {"groups": groups, "weight": ["1"] * len(groups), "kappa": "0x1p-10"}
    document["witness"] |= {"clusters": [cluster], "factor": [[], []]}
    document["point"] = {"vectors": [["0x1p+0"], ["0x1p+0"]], "within": ["0x0p+0", "0x0p+0"]}
    found = verdict_on(document)
    assert found.accepted == proven
    assert proven or found.message == "rejected: the Gram radius is not proven"


def test_a_product_of_two_long_decimals_is_not_rounded() -> None:
    """(1 − 10⁻¹⁹⁰)(1 + 10⁻¹⁹⁰) is below a gap of 1, which it reaches in 379 digits."""
    document = certificate("step")
    document["claim"] |= {"gap": "1", "tolerance": "0." + "9" * 190, "scale": "1." + "0" * 189 + "1"}
    assert verdict_on(document).message.startswith("rejected: the verdict CERTIFIED is not proven")
    document["claim"]["tolerance"] = "1"
    assert verdict_on(document).message.startswith("rejected: scale is claimed to be")


def test_entries_of_zero_are_not_negative() -> None:
    document = certificate("small nonnegative")
    loose = {"upper": "99", "excess_upper": "99", "gap": "999", "scale": "-99", "gram_radius": None}
    document["claim"] |= loose | {"verdict": "UNDECIDED", "rank": 2}
    document["point"]["vectors"] = [["0x1p+0", "0x0p+0"], ["0x0p+0", "0x1p+0"]]
    assert verdict_on(document).accepted
    document["point"]["vectors"][1][0] = "-0x1p-60"
    assert verdict_on(document).message == "rejected: an entry is negative"
