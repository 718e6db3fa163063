"""What `gramcert solve` says of a geometry: printed, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from certify.cli.geometry import geometry_facts, geometry_json
from relax import Problem, Solution, solve
from relax.arrangement import geometry
from relax.norms import MeanSquare, Ridge

Command = Callable[..., tuple[int, str, str]]
STEP = [100, 100, 10, 10]


def lines(solution: Solution, proven: bool = True) -> list[str]:
    return "\n".join(text for _, text in geometry_facts(geometry(solution), proven)).split("\n")


def cells(rows: list[str], name: str) -> list[list[str]]:
    """Return the cells of all rows that are called this; titles of columns stand deeper."""
    return [row.split(name)[1].split() for row in rows if row.startswith(f"  {name} ")]


def test_cosines_and_degrees_of_few_sizes() -> None:
    solution = solve(Problem(STEP, temperature=0.1))
    said, gram = lines(solution), solution.gram
    assert said[:2] == ["of classes, by class size: each is one vector", "cosines"]
    cosine, degrees = cells(said, "10 ×2")
    np.testing.assert_allclose([float(x) for x in cosine], [gram[0, 2], gram[2, 3]], atol=5e-5)
    expected = [math.degrees(math.acos(x)) for x in (gram[0, 2], gram[2, 3])]
    np.testing.assert_allclose([float(x) for x in degrees], expected, atol=5e-3)
    assert not any("one point" in line for line in said)


def test_many_sizes_are_ranges() -> None:
    solution = solve(Problem.from_dataset("places-lt", temperature=0.1))
    said = lines(solution)
    assert said[2].split() == ["nearest", "farthest", "mean", "nearest", "°", "farthest", "°"]
    assert len(said) == 11
    assert said[-1].strip().startswith("29–5 ×100")
    gram, counts = solution.gram, np.array(solution.problem.counts.apart().sizes)
    few = gram[counts <= 29]
    apart = few[~np.eye(len(gram), dtype=bool)[counts <= 29]]
    nearest, farthest, mean = (float(x) for x in said[-1].split()[2:5])
    np.testing.assert_allclose([nearest, farthest, mean], [apart.max(), apart.min(), apart.mean()], atol=5e-5)


def test_coinciding_is_said_of_what_is_proven_only() -> None:
    together = solve(Problem([100, 100, 1, 1], temperature=0.1))
    assert lines(together)[-1] == "on one point: classes, 2 of size 1"
    assert not any("one point" in line for line in lines(together, proven=False))
    assert geometry_json(geometry(together), True)["coincide"] == [[{"size": 1, "units": 2}]]
    assert geometry_json(geometry(together), False)["coincide"] == []
    # low_rank finds the same point, but its witness does not hold the classes together
    near = solve(Problem([100, 100, 1, 1], temperature=0.1), solver="low_rank")
    assert not any("one point" in line for line in lines(near))


def test_nearly_one_is_not_one() -> None:
    solution = solve(Problem([6, 4, 2]), level="samples", solver="clarabel")
    held = {cell for row in cells(lines(solution), "6 ×6")[:1] for cell in row[:1]}
    assert held != {"1"}
    assert all(cell.startswith(("1-", "0.99", "1.0000")) for cell in held)


@pytest.mark.parametrize("norm", [Ridge(0.01), MeanSquare(1.0)])
def test_norms_and_inner_products_where_norms_differ(norm: Ridge | MeanSquare) -> None:
    solution = solve(Problem(STEP, norm=norm, temperature=0.5))
    said = "\n".join(lines(solution))
    assert "norms and inner products" in said
    assert "cosine" not in said and "degrees" not in said
    (row,) = cells(said.split("\n"), "100 ×2")
    assert float(row[0]) == pytest.approx(math.sqrt(solution.gram[0, 0]), rel=1e-3)


def test_two_roles_have_three_tables() -> None:
    solution = solve(Problem(STEP, loss="cross-entropy"))
    said = lines(solution)
    assert "norms and inner products of classifiers" in said
    assert "norms and inner products of features" in said
    at = said.index("inner products of classifier and feature")
    assert said[at + 1].split()[:2] == ["same", "class"]
    matched = [float(row.split()[2]) for row in said[at + 2 : at + 4]]
    crossed = solution.block("classifier", "feature")
    np.testing.assert_allclose(matched, [crossed[0, 0], crossed[2, 2]], rtol=1e-3)


def test_losses_without_labels_are_about_samples() -> None:
    said = lines(solve(Problem([3, 2], loss="decoupled", views=2)))
    assert said[0].startswith("of samples: the loss sees no labels")
    assert cells(said, "5 samples") == [["-0.2500"], ["104.48"]]


def test_nearly_zero_is_not_zero() -> None:
    frame = lines(solve(Problem([5, 5, 3, 3], nonnegative=True)))
    assert cells(frame, "5 ×2")[0] == ["0.0000"]
    many = lines(solve(Problem({1000: 5, 10: 1_000_000}, temperature=1.0)))
    assert cells(many, "10 ×1000000")[0][1] == "-1e-06"


def test_no_pair_is_a_dash() -> None:
    assert cells(lines(solve(Problem([6, 4, 3]))), "3 ×1")[0][-1] == "–"


def test_json_has_the_same(gramcert: Command) -> None:
    code, out, _ = gramcert("solve", "--counts", "100,10,100,10", "--loss", "cross-entropy", "--json")
    said = json.loads(out)
    found = said["geometry"]
    assert code == 0
    assert (found["sizes"], found["units"]) == ([[100, 100], [10, 10]], [2, 2])
    assert [block["roles"] for block in found["blocks"]][1] == ["classifier", "feature"]
    crossed = np.array(said["blocks"]["classifier-feature"])
    assert crossed.shape == (4, 4)
    assert set(said["blocks"]) == {"classifier-classifier", "classifier-feature", "feature-feature"}
    block = found["blocks"][1]
    np.testing.assert_allclose(block["own"]["mean"], [crossed[0, 0], crossed[1, 1]], rtol=1e-12)
    np.testing.assert_allclose(block["others"]["mean"][0][1], crossed[0, 1], rtol=1e-12)
    np.testing.assert_allclose(said["gram"], said["blocks"]["feature-feature"])
    many = json.loads(gramcert("solve", "--dataset", "places-lt", "--json")[1])["geometry"]
    assert len(many["sizes"]) == len(many["blocks"][0]["nearest"]) == 8
    assert sum(many["units"]) == 365


def test_json_has_classes_where_they_are_seen(gramcert: Command) -> None:
    lifted = json.loads(gramcert("solve", "--counts", "4,3", "--level", "samples", "--json")[1])
    assert np.array(lifted["gram"]).shape == (2, 2)
    none = json.loads(
        gramcert("solve", "--counts", "4,3", "--loss", "decoupled", "--views", "2", "--json")[1]
    )
    assert np.array(none["gram"]).shape == (7, 7)
    assert none["geometry"]["sees_labels"] is False
    large = gramcert("solve", "--counts", "400,300", "--loss", "decoupled", "--views", "2", "--json")[1]
    assert "gram" not in json.loads(large)
