"""What cannot be drawn is refused in one sentence; what can be drawn at any size is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot

from relax import Problem, Solution, solve
from relax.errors import InputError
from relax.plots import (
    against_ratio,
    against_size,
    descent_losses,
    descent_paths,
    difference,
    heat_map,
    phase_diagram,
    spectrum,
    vectors,
)
from tests.relax.plots.gallery import descent, optimum, threshold

SOLUTION = optimum([12, 6, 3])
PATH, _ = descent(2)
NONE = np.zeros(0)
TABLE = {"ratio": [1.0, 2.0, 2.0], "beta": [0.1, 0.2, 0.3], "temperature": [1.0, 1.0, 2.0]}


def diagram(**parts: Any) -> Any:
    whole = {
        "parameter": "temperature",
        "values": [1.0, 2.0],
        "ratios": [1.0, 2.0],
        "cosine": np.zeros((2, 2)),
    }
    return SimpleNamespace(**(whole | {"thresholds": (threshold(None, None),) * 2} | parts))


def cosines(table: Any, *arguments: Any) -> Any:
    return against_ratio(table, *arguments, quantities=("beta",))


def long_descent(dim: int) -> Any:
    assert PATH.trajectory is not None
    wide = np.zeros((*PATH.trajectory.features.shape[:3], dim))
    return replace(PATH, trajectory=replace(PATH.trajectory, features=wide))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "words": (lambda: heat_map("gram"), "source is 'gram'"),
    "no square": (lambda: heat_map(np.zeros((2, 3))), r"source is a ndarray of shape \(2, 3\); give"),
    "no number": (lambda: spectrum(np.full((2, 2), np.nan)), "array of finite numbers"),
    "no entry": (lambda: vectors(np.zeros((0, 0))), "array of finite numbers"),
    "too many rows": (lambda: heat_map(np.broadcast_to(0.0, (5000, 5000))), "5,000 rows, more than 4,000"),
    "too many classes": (lambda: vectors(solve(Problem({50: 500}))), "500 vectors, more than the 400"),
    "too many in an array": (lambda: vectors(np.eye(500)), "500 rows, more than 400"),
    "no such role": (lambda: heat_map(SOLUTION, roles=("feature", "classifier")), "role 'classifier'"),
    "one role": (lambda: heat_map(SOLUTION, roles="feature"), "roles is 'feature'; give two"),  # type: ignore[arg-type]
    "blocks of a solution": (lambda: heat_map(SOLUTION, blocks=[1, 2, 3]), "leave them out"),
    "few blocks": (lambda: heat_map(SOLUTION.gram, blocks=[1, 2]), "give one entry for each of the 3"),
    "other shapes": (lambda: difference(SOLUTION, np.eye(2)), "must be of one shape"),
    "sizes of a solution": (lambda: vectors(SOLUTION, sizes=[1, 2, 3]), "leave them out"),
    "no sizes": (lambda: vectors(np.eye(3), sizes=[1, 0, 3]), "a positive number for each of 3"),
    "an indefinite matrix": (lambda: vectors(np.diag([1.0, -1.0])), "give a positive semidefinite matrix"),
    "one angle": (lambda: vectors(SOLUTION, view=(1.0,)), "give two angles in degrees"),  # type: ignore[arg-type]
    "an endless angle": (lambda: vectors(SOLUTION, view=(np.inf, 0.0)), "give two finite angles"),
    "no axes": (lambda: against_size(SOLUTION, ax=pyplot), "ax is a module; give the axes"),  # type: ignore[arg-type]
    "six geometries": (lambda: spectrum({str(i): SOLUTION for i in range(6)}), "give one to 5 geometries"),
    "no geometry": (lambda: spectrum({}), "give one to 5 geometries"),
    "no table": (lambda: cosines([1.0, 2.0]), "table is .*; give a DataFrame or a dictionary of arrays"),
    "no column": (lambda: cosines({"beta": [1.0]}), "table has no column 'ratio', only beta; add it"),
    "no numbers": (lambda: cosines(TABLE | {"beta": ["a", "b", "c"]}), "column 'beta' does not hold numbers"),
    "two lines in one": (lambda: cosines({"ratio": [1.0, 1.0], "beta": [0.1, 0.2]}), "rows of ratio 1;"),
    "nothing to draw": (lambda: cosines({"ratio": [0.0], "beta": [0.1]}), "no row with a positive ratio"),
    "short columns": (lambda: cosines({"ratio": [1.0, 2.0], "beta": [0.1]}), "2 ratios and 1 of 'beta'"),
    "few temperatures": (lambda: cosines(TABLE | {"temperature": [1.0]}), "3 ratios and 1 temperatures"),
    "no such quantity": (lambda: against_ratio(TABLE, quantities=("delta",)), "some of beta, gamma"),
    "six temperatures": (
        lambda: cosines({"ratio": [1.0] * 6, "beta": [0.1] * 6, "temperature": range(6)}), "6 temperatures"
    ),
    "whose threshold": (lambda: cosines(TABLE, threshold(1, 2)), "give a dictionary, one for each"),
    "another's threshold": (lambda: cosines(TABLE, {3.0: threshold(1, 2)}), "3.0 has no rows in the table"),
    "no diagram": (lambda: phase_diagram(SOLUTION), "without 'parameter'; give what phase_diagram returns"),
    "few cosines": (lambda: phase_diagram(diagram(cosine=np.zeros((2, 3)))), "cosines of shape"),
    "few thresholds": (lambda: phase_diagram(diagram(thresholds=())), "0 thresholds"),
    "falling ratios": (lambda: phase_diagram(diagram(ratios=[2.0, 1.0])), "must rise"),
    "no trajectory": (lambda: descent_losses(replace(PATH, trajectory=None), 1.0), "trajectory=True"),
    "no optimum": (lambda: descent_losses(PATH, "best"), "optimum is 'best'"),  # type: ignore[arg-type]
    "no such start": (lambda: descent_paths(PATH, start=4), "start 4 is none of 0 to 3"),
    "five dimensions": (lambda: descent_paths(long_descent(5)), "features have 5 dimensions"),
    "another optimum": (lambda: descent_paths(PATH, optimum=optimum([9, 5, 4, 3])), "4 classes of rank 3"),
}  # fmt: skip


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("case", REFUSED)
def test_a_sentence_says_what_to_do(case: str) -> None:
    draw, said = REFUSED[case]
    before = pyplot.get_fignums()
    with pytest.raises(InputError, match=said):
        draw()
    assert pyplot.get_fignums() == before


@pytest.mark.parametrize(
    ("draw", "limit"), [(heat_map, "grams.MOST_DRAWN"), (spectrum, "eigenvalues.MOST_GROUPS")]
)
def test_groups_beyond_a_limit_are_refused(draw: Any, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"relax.plots.{limit}", 3)
    draw(SOLUTION)
    monkeypatch.setattr(f"relax.plots.{limit}", 2)
    with pytest.raises(InputError, match="has 3 groups of vectors, more than 2"):
        draw(SOLUTION)


@pytest.mark.parametrize(
    "solution",
    [
        optimum([5, 5]),
        optimum([7, 1, 1]),
        solve(Problem({10: 3000}, temperature=0.1)),
        optimum([10**9, 10**9, 2, 2], 1.0),
        optimum([9, 5, 2], 0.03),
        optimum([9, 5, 2], 1e6),
        solve(Problem([4, 3], "decoupled", views=2)),
        solve(Problem([4, 3, 2], temperature=0.5), level="samples"),
        optimum([9, 5, 5, 1], 0.5, loss="cross-entropy"),
        optimum([9, 4, 4], nonnegative=True),
    ],
    ids=lambda solution: str(solution.problem),
)
def test_every_solution_can_be_drawn(solution: Solution) -> None:
    drawn = [heat_map(solution), against_size(solution), spectrum(solution)]
    if solution.problem.counts.classes <= 100:
        drawn += [vectors(solution), difference(solution, solution)]
    for ax in drawn:
        ax.figure.canvas.draw()  # which must not warn
