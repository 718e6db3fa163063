"""Answers made by hand: parts of other programs are refused where they are put together, NaN in proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from certify import certify
from certify.enclosure import enclose
from relax import InputError, Problem, Solution, solve
from relax.bounds import Cluster
from relax.orbits import OrbitMatrix

pytestmark = [pytest.mark.usefixtures("unchecked"), pytest.mark.filterwarnings("ignore::RuntimeWarning")]

SOLUTION = solve(Problem([12, 6, 3], temperature=0.5))
OURS, OTHER = SOLUTION.answer, solve(Problem([5, 4])).answer
ROLES = solve(Problem([5, 3], "cross-entropy")).answer
POINT, WITNESS = OURS.point, OURS.witness


def point(own: Any, peer: Any) -> OrbitMatrix:
    return OrbitMatrix(POINT.multiplicity, own, peer)


def clusters(groups: Any, weight: Any) -> Any:
    return replace(WITNESS, clusters=(Cluster(groups, weight, 1.0),))


UNFIT: dict[str, Callable[[], Any]] = {
    "point of another program": lambda: replace(OURS, point=OTHER.point),
    "witness of another program": lambda: replace(OURS, witness=OTHER.witness),
    "program of another answer": lambda: replace(OURS, program=OTHER.program),
    "point of two roles": lambda: replace(OURS, point=ROLES.point),
    "witness of two roles": lambda: replace(OURS, witness=ROLES.witness),
    "program of two roles": lambda: replace(OURS, program=ROLES.program),
    "point of one role": lambda: replace(ROLES, point=OURS.point),
    "too few own entries": lambda: replace(OURS, point=point(POINT.own[:2], POINT.peer)),
    "a list": lambda: replace(OURS, point=point([1, 1, 1], POINT.peer)),
    "a factor as list": lambda: replace(OURS, witness=replace(WITNESS, factor=[[1]])),
    "a cluster beyond": lambda: replace(OURS, witness=clusters(np.array([7]), np.array([1.0]))),
    "an empty cluster": lambda: replace(OURS, witness=clusters(np.zeros(0, dtype=int), np.zeros(0))),
    "a cluster of floats": lambda: replace(OURS, witness=clusters(np.array([0.0]), np.array([1.0]))),
    "a cluster as list": lambda: replace(OURS, witness=clusters([0], [1.0])),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_parts_that_do_not_fit_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match=r"of other nodes than those of the program"):
        UNFIT[kind]()


NUMBERS = {
    "own NaN": point(POINT.own * np.nan, POINT.peer),
    "peer NaN": point(POINT.own, POINT.peer * np.nan),
    "own infinite": point(POINT.own * np.inf, POINT.peer),
    "zero": point(0 * POINT.own, 0 * POINT.peer),
    "negative": point(-POINT.own, -POINT.peer),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_points_that_are_none_are_refused(kind: str) -> None:
    answer = replace(OURS, point=NUMBERS[kind])
    forged: Solution = replace(SOLUTION, answer=answer)
    for prove in (lambda: certify(answer), lambda: certify(forged)):
        with pytest.raises(InputError, match=r"NaN or infinity|a vector of the point is zero"):
            prove()
    assert enclose(forged, 5).method == "Krawczyk"  # which reads no point
    assert repr(forged).startswith("Solution(")


def test_whole_numbers_are_a_point() -> None:
    answer = replace(OURS, point=point(np.ones((3, 1, 1), dtype=int), np.eye(3, dtype=int)))
    assert certify(answer).verdict.name == "UNDECIDED"
