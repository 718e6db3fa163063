"""A sweep's rows against each problem solved by itself, closed forms, and brute force over pairs."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from certify import certify
from certify.cli.ranges import numbers as numbers_typed
from certify.sweeps import Point, counts_grid, step_grid, stretches, summary, sweep
from certify.sweeps.rows import COLUMNS, minorities_coincide, proven
from relax import InputError, MeanSquare, Problem, SolverError, solve
from relax.losses import FixedBatches
from relax.testing import step_geometry
from tests.pages import PAGES

GRID = step_grid(2, 3, 10, np.geomspace(1, 1e4, 12), temperatures=[0.05, 1.0])


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def closed_form(point: Point) -> np.ndarray:
    assert point.step is not None
    return step_geometry(*point.step, temperature=point.temperature)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sweep(GRID)


def test_every_row_is_certified_and_in_the_order_of_the_grid(table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COLUMNS)
    assert set(table["verdict"]) == {"CERTIFIED"} and set(table["status"]) == {"CONVERGED"}
    assert table["n_major"].tolist() == [one.step[2] for one in GRID if one.step]
    assert table["temperature"].tolist() == [one.temperature for one in GRID]
    assert table["ratio"].tolist() == [one.step[2] / one.step[3] for one in GRID if one.step]
    assert table["relative_gap"].to_numpy().max() <= 1e-9 and table.attrs["unfinished"] == ""


def test_angles_are_those_of_the_closed_form(table: pd.DataFrame) -> None:
    for point, row in zip(GRID, table.to_dict("records"), strict=True):
        gram = closed_form(point)
        for name, entry in (("alpha", gram[0, 1]), ("beta", gram[2, 3]), ("gamma", gram[0, 2])):
            assert abs(entry - row[name]) <= row["gram_radius"] + 1e-12


def test_minorities_coincide_where_the_closed_form_has_one_point(table: pd.DataFrame) -> None:
    said = table["minorities_coincide"].tolist()
    assert True in said and False in said
    assert said == [closed_form(point)[2, 3] == 1.0 for point in GRID]


def test_rows_enclose_what_each_problem_has_by_itself(table: pd.DataFrame) -> None:
    for point, row in zip(GRID, table.to_dict("records"), strict=True):
        assert point.problem is not None
        alone = certify(solve(point.problem))
        assert Fraction(row["lower"]) <= Fraction(Decimal(alone.upper))
        assert Fraction(Decimal(str(alone.lower))) <= Fraction(row["value"])


def test_proven_numbers_are_rounded_outward() -> None:
    for tau in (0.05, 0.3, 2.0):
        solution = solve(Problem([50, 20, 20, 3], temperature=tau))
        proof = certify(solution)
        row = proven(Point.of(solution.problem), solution, proof, 0.0)
        bounds = {"value": proof.upper, "gap": proof.gap, "gram_radius": proof.gram_radius}
        for name, decimal in (bounds | {"excess": proof.excess_upper}).items():
            exact, number = Fraction(Decimal(str(decimal))), row[name]
            assert Fraction(number) >= exact > Fraction(math.nextafter(number, -math.inf))
        exact = Fraction(Decimal(str(proof.lower)))
        assert Fraction(row["lower"]) <= exact < Fraction(math.nextafter(row["lower"], math.inf))
        gap, scale = (Fraction(Decimal(str(one))) for one in (proof.gap, proof.scale))
        assert Fraction(row["relative_gap"]) >= gap / scale


@pytest.mark.parametrize(
    "problem",
    [
        Problem([50, 20, 20, 3, 3, 3]),
        Problem([3, 50, 3, 50], temperature=1.0, views=2),
        Problem([20, 5, 5], "cross-entropy", norm=MeanSquare(1.0)),
        Problem([4, 2, 2], FixedBatches.of(np.repeat([0, 1, 2], [4, 2, 2]), ((0, 1, 4, 6), (2, 3, 5, 7)))),
    ],
)
def test_quantiles_are_those_of_all_pairs_of_classes(problem: Problem) -> None:
    row = sweep([problem]).iloc[0]
    gram = solve(problem).class_gram
    length = np.sqrt(np.diag(gram))
    cosine = gram / np.outer(length, length)
    pairs = sorted(cosine[a, b] for a, b in itertools.combinations(range(len(gram)), 2))
    for name, q in (("min", 0), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("max", 1)):
        expected = pairs[max(math.ceil(q * len(pairs)) - 1, 0)]
        assert row[f"cosine_{name}"] == pytest.approx(expected, abs=1e-5), name
    if len(problem.counts.sizes) == 2:
        size = np.array(problem.counts.apart().sizes)
        for name, kinds in (("alpha", (0, 0)), ("beta", (1, 1)), ("gamma", (0, 1))):
            first, second = (problem.counts.sizes[kind] for kind in kinds)
            block = [
                cosine[a, b]
                for a, b in itertools.permutations(range(len(gram)), 2)
                if (size[a], size[b]) == (first, second)
            ]
            expected = np.mean(block) if block else np.nan
            assert row[name] == pytest.approx(expected, abs=1e-5, nan_ok=True), name


def test_rows_of_losses_that_see_no_labels_have_no_classes() -> None:
    row = sweep([Problem([3, 2], "self-supervised", views=2)]).to_dict("records")[0]
    assert row["verdict"] == "CERTIFIED" and np.isnan(row["alpha"]) and not np.isnan(row["cosine_max"])


def test_two_classes_and_one_majority_have_no_pair_of_their_own() -> None:
    first, second = sweep(step_grid(1, 1, 5, [1, 3])).to_dict("records")
    assert np.isnan(first["alpha"]) and np.isnan(second["beta"])
    assert first["gamma"] == pytest.approx(-1) and second["gamma"] == pytest.approx(-1)


def test_equal_counts_have_one_cosine() -> None:
    (row,) = sweep(step_grid(2, 3, 7, [1])).to_dict("records")
    assert row["alpha"] == row["beta"] == row["gamma"] == pytest.approx(-0.25)


def test_a_million_classes_are_one_row() -> None:
    row = sweep(step_grid(500_000, 500_000, 10, [100], temperatures=[1.0])).iloc[0]
    assert row["verdict"] == "CERTIFIED" and row["classes"] == 10**6


def test_refused_and_failed_points_are_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def solver(problem: Problem, *arguments: Any) -> Any:
        if problem.counts.sizes[0] == 9:
            raise SolverError("nine is too many")
        if problem.counts.sizes[0] == 8:
            raise ZeroDivisionError("division by zero")
        return solve(problem, *arguments)

    monkeypatch.setattr(stretches, "solve", solver)
    table = sweep(counts_grid([[7, 2], [1, 1], [9, 2], [8, 2], [6, 2]]))
    assert table["status"].tolist() == ["CONVERGED", "REFUSED", "FAILED", "FAILED", "CONVERGED"]
    assert table["verdict"].tolist() == ["CERTIFIED", *["UNDECIDED"] * 3, "CERTIFIED"]
    assert table["reason"].tolist()[2:4] == [
        "SolverError: nine is too many", "ZeroDivisionError: division by zero",
    ]  # fmt: skip
    assert "no class has two samples" in table["reason"][1] and np.isnan(table["value"][1])
    found = summary(table)
    assert not found.all_certified and str(found).startswith(
        "5 points, 2 CERTIFIED, 2 without solution, 1 refused by their loss, "
        "largest relative gap of what is certified "
    )


def test_what_is_too_large_for_a_proof_keeps_its_geometry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certify.certificate.LARGEST_PROOF", 1)
    (row,) = sweep([Problem([7, 2, 2])]).to_dict("records")
    assert row["verdict"] == "UNDECIDED" and "too many for a proof" in row["reason"]
    assert np.isnan(row["gap"]) and row["gamma"] < 0


def test_an_undecided_point_says_so() -> None:
    table = sweep([Problem([7, 2, 2])], tolerance=1e-30)
    assert table["verdict"].tolist() == ["UNDECIDED"] and table["minorities_coincide"].tolist() == [False]
    assert str(summary(table)) == "1 point, 0 CERTIFIED, 1 UNDECIDED"


def test_equal_problems_are_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Problem] = []

    def solver(problem: Problem, *arguments: Any) -> Any:
        asked.append(problem)
        return solve(problem, *arguments)

    monkeypatch.setattr(stretches, "solve", solver)
    table = sweep([Problem([7, 2]), Problem([5, 2]), Problem([7, 2]), Problem({7: 1, 2: 1})])
    assert len(table) == 4 and len(asked) == 2
    assert numbers(table).iloc[0].equals(numbers(table).iloc[2])


def test_two_processes_find_the_same_numbers(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(numbers(sweep(GRID, jobs=2)), numbers(table), check_exact=True)


@pytest.mark.slow
def test_the_sentence_of_the_guide_is_that_of_its_command() -> None:
    grid = step_grid(2, 2, 10, numbers_typed("1:1e4:50log"), temperatures=[0.05, 0.1, 0.5, 1.0])
    start, end = str(summary(sweep(grid))).split("largest relative gap")
    guide = " ".join(PAGES["docs/sweeps.md"].split())
    assert f'The first says "{start}…{end[end.index(";") :]}"' in guide
    assert "--R 1:1e4:50log --temperature 0.05,0.1,0.5,1 " in guide


def test_stretches_are_of_one_curve() -> None:
    points = {str(i): point for i, point in enumerate(GRID)}
    cut = stretches.stretches(points)
    assert [key for stretch in cut for key, _ in stretch] == list(points)
    assert max(map(len, cut)) == stretches.LONGEST
    for stretch in cut:
        assert len({point.temperature for _, point in stretch}) == 1
    many = {str(i): point for i, point in enumerate(counts_grid([range(2, 90), range(3, 91)]))}
    assert [len(one) for one in stretches.stretches(many)] == [1, 1]


def test_coinciding_needs_several_classes_of_the_smallest_size() -> None:
    together = solve(Problem([1000, 10, 10], temperature=1.0))
    assert minorities_coincide(together) and together.gram[1, 2] == pytest.approx(1.0, abs=1e-15)
    assert not minorities_coincide(solve(Problem([30, 10, 10], temperature=1.0)))
    assert not minorities_coincide(solve(Problem([10**6, 10, 9], temperature=2.0)))


@pytest.mark.parametrize(
    ("problems", "options", "sentence"),
    [
        ([], {}, "the grid has no points"),
        ([Problem([3, 2])], {"jobs": 0}, "jobs = 0"),
        ([Problem([3, 2])], {"solver": "magic"}, "unknown solver 'magic'"),
        ([Problem([3, 2])], {"tolerance": 2}, "tolerance 2 must"),
        ([Problem([3, 2])], {"time_limit": -1}, "time limit -1 must"),
    ],
)
def test_refusals(problems: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        sweep(problems, **options)
    assert sentence in str(refused.value)


def test_a_time_limit_leaves_what_is_done() -> None:
    table = sweep(GRID, time_limit=1e-9)
    assert len(table) == 0 and table.attrs["unfinished"] == "the time limit was reached"
    assert list(table.columns) == list(COLUMNS)
