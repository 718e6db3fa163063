"""What is no convex program, no certificate, or not said exactly, is refused or said exactly."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from certify import certify
from certify.grammar import claim_hash
from certify.verification import verify
from relax import Answer, Ball, InputError, MeanSquare, Problem, Ridge, Sphere, Status, solve
from relax.bounds import Witness
from relax.counts import exact_rational
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp, RandomLogSumExp
from relax.rules import Fixed


def test_normalisers_of_too_many_digits_have_no_file() -> None:
    """P(B > 0) of 1,024 draws among 250,250 samples is a fraction of 5,500 digits."""
    loss = "supcon:batch_size=1024,sampler=replacement"
    solution = solve(Problem.step(50, 50, 5000, 5, loss=loss, temperature=0.1))
    with pytest.raises(InputError, match=r"more than 4,300 digits.*smaller batch size"):
        certify(solution)


@pytest.mark.parametrize(
    "norm", [Sphere(0.9999996), Ball(0.9999996), Ridge(0.010000004), MeanSquare(0.9999996)]
)
def test_norms_are_said_with_all_digits(norm: Any) -> None:
    # six digits would make another theorem of it: the optimum of Sphere() is below this bound
    assert repr(norm.parameter) in norm.words
    found = verify(certify(solve(Problem([3, 2], "supcon", 1.0, norm))).document)
    assert str(exact_rational(norm.parameter)) in found.statement


def answer(program: GramProgram) -> Answer:
    g = program.multiplicity
    m = len(g)
    corners = np.array([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    matrix = OrbitMatrix(g, np.ones((m, 1, 1)), corners)
    return Answer(
        program, matrix, Witness(matrix, np.zeros((m, 1)), np.zeros((m, 1, 0))), next(iter(Status)), 0
    )


def program(rows: Any, multiplicity: Any = (1.0, 1.0, 1.0)) -> GramProgram:
    return GramProgram(
        np.array(multiplicity), Fraction(1, 2), (rows,), Fraction(1), (Fixed(np.arange(3), Fraction(1)),)
    )


def drawn(**changes: Any) -> RandomLogSumExp:
    said: dict[str, Any] = {
        "anchor": np.array([0]),
        "weight": np.ones(1),
        "draws": 1,
        "replacement": True,
        "base": Fraction(1, 20),
        "own_multiplicity": 1,
        "peer_multiplicity": 1,
        "own_population": np.ones(1),
        "peer_population": np.array([[0.0, 2.0, 1.0]]),
    }
    return RandomLogSumExp(**said | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"peer_population": np.array([[0.0, 2.0, -1.0]])},  # proved ≥ −1.86 where a matrix has −2.68
        {"own_population": np.array([-1.0])},
        {"own_population": np.array([np.nan])},
        {"own_population": np.zeros(1), "peer_population": np.zeros((1, 3))},
        {"peer_multiplicity": Fraction(-1, 100)},
        {"peer_multiplicity": 0},
        {"own_multiplicity": -1},
        {"base": -1},
        {"base": 0, "own_multiplicity": 0},
        {"draws": 0},
        {"draws": 10**12},
        {"replacement": False, "own_population": np.array([1.5])},
        {"replacement": False, "draws": 9},
    ],
)
def test_random_rows_that_are_no_expectation_are_refused(changes: dict[str, Any]) -> None:
    certify(answer(program(drawn())))
    with pytest.raises(InputError):
        certify(answer(program(drawn(**changes))))


def softmax(**changes: Any) -> LogSumExp:
    ones = np.ones(3)
    said = {"anchor": np.arange(3), "weight": ones, "own_multiplicity": ones, "own_target": ones}
    said |= {"peer_multiplicity": np.ones((3, 3))}
    return LogSumExp(**said | changes)  # type: ignore[arg-type]


def test_more_members_than_floats_count_are_refused() -> None:
    with pytest.raises(InputError, match="2\\*\\*53"):  # 2**60 − 1 peers are no float64
        certify(answer(program(softmax(), (2.0**60, 1.0, 1.0))))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_targets_that_are_no_numbers_are_refused(number: float) -> None:
    with pytest.raises(InputError, match="targets"):
        certify(answer(program(softmax(own_target=np.array([1.0, number, 1.0])))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("claim", "tolerance"), "1e99999999999"),
        (("claim", "problem", "order"), [1.0, 0.0]),
        (("claim", "level"), "classes"),
    ],
)
def test_whatever_a_claim_holds_there_is_a_verdict(path: tuple[str, ...], value: Any) -> None:
    document = copy.deepcopy(certify(solve(Problem([2, 3]))).document)
    if value == "classes":
        document["claim"]["problem"] |= {"counts": [[3, 2**50]]}
        document["claim"]["problem"].pop("order")
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    document["sha256"] = claim_hash(document["claim"])
    assert not verify(json.loads(json.dumps(document))).accepted
