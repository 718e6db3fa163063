"""`gramcert threshold`: words first, JSON with a schema, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction

import pytest

Gramcert = Callable[..., tuple[int, str, str]]


def test_the_answer_comes_first(gramcert: Gramcert) -> None:
    code, out, _ = gramcert("threshold", "--step", "2,2,50", "--temperature", "1")
    assert code == 0
    assert out.splitlines()[0] == (
        "answer   the two minority classes coincide from R = 142.729 on "
        "(proven apart at 142.728848, together at 142.728935)"
    )


def test_json_of_a_threshold(gramcert: Gramcert) -> None:
    code, out, _ = gramcert("threshold", "--step", "1,4,10", "--temperature", "1", "--json")
    said = json.loads(out)
    assert code == 0 and said["schema"] == "gramcert/threshold/1"
    assert Fraction(said["lower"]) < Fraction(said["upper"]) < Fraction("48.72")
    assert said["smallest"] and said["final"] and said["limit"] is None
    assert [piece["together"] for piece in said["proven"]] == [False, True]


def test_no_threshold_is_an_answer_too(gramcert: Gramcert) -> None:
    code, out, _ = gramcert("threshold", "--step", "5,3,50", "--temperature", "0.5")
    assert code == 0
    assert "do not coincide (proven apart at every ratio; their cosine tends to 0.305821" in out


def test_what_is_open_has_another_exit_code(gramcert: Gramcert) -> None:
    balanced = "supcon:batch_size=8,sampler=class-balanced"
    code, out, _ = gramcert("threshold", "--step", "2,2,5", "--temperature", "0.5", "--loss", balanced)
    assert code == 1 and "nothing: the search was in float64" in out
    code, out, _ = gramcert(
        "threshold", "--counts", "500000,500000,50,5,5", "--temperature", "0.5", "--batch-size", "8"
    )
    assert code == 1 and "undecided" in out


@pytest.mark.slow
def test_counts(gramcert: Gramcert) -> None:
    code, out, _ = gramcert("threshold", "--counts", "400,3,1", "--temperature", "1")
    assert code == 0
    assert out.splitlines()[0].endswith("on one point: 1 of size 3 and 1 of size 1")
    assert "size 3    parts at a count of 9 (not at 8)" in out


def test_json_of_counts(gramcert: Gramcert) -> None:
    code, out, _ = gramcert("threshold", "--counts", "400,3,1", "--temperature", "1", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["points"] == [[3, 1]] and said["decided"]
    states = {tuple(pair["sizes"]): pair["state"] for pair in said["pairs"]}
    assert states == {(400, 3): "apart", (400, 1): "apart", (3, 1): "together"}
    assert [one["size"] for one in said["margins"]] == [400, 3, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--step", "2,2"], "--step '2,2' must be three numbers"),
        (["--step", "2,1,50"], "--step: k_minor 1 leaves no two"),
        (["--step", "2,2,50", "--counts", "5,5"], "exactly one of --step, --counts"),
        ([], "exactly one of"),
        (["--step", "2,2,50", "--loss", "negatives-only"], "give --views 2"),
    ],
)
def test_bad_input(gramcert: Gramcert, arguments: list[str], message: str) -> None:
    code, _, error = gramcert("threshold", *arguments)
    assert code == 2 and message in error and len(error.strip().splitlines()) == 1
