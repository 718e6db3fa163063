"""A value prints in one short line, whatever it holds."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import certify
import relax
from certify import check, ground_truth
from certify.balls import factored, prove
from certify.enclosure import enclose
from certify.features import certify_point
from certify.ground_truth.comparison import compare
from certify.verification import verify
from relax import ClassCounts, MeanSquare, Problem, Ridge, solve
from relax.arrangement import geometry
from relax.descent import approach, descend, match
from relax.geometry import align
from relax.losses import FixedBatches
from relax.sensitivity import sensitivity
from relax.testing import seli

LONGEST = 300


def classes() -> Iterator[type]:
    """Every class that relax and certify define."""
    for package in (relax, certify):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if found.__module__ == module.name:
                    yield found


def holds_arrays(cls: type) -> bool:
    """Dataclasses that hold arrays are compared by identity, which `eq=False` says."""
    return dataclasses.is_dataclass(cls) and "__eq__" not in vars(cls)


@pytest.mark.parametrize("cls", [*filter(holds_arrays, classes())], ids=lambda cls: cls.__qualname__)
def test_what_holds_arrays_is_brief(cls: type) -> None:
    assert cls.__repr__.__module__ == "relax.facts", "decorate it with @brief"


@cache
def values(folder: Path) -> dict[str, Any]:
    """One value of each public class, as large as tests can wait for."""
    problem = Problem.from_dataset("places-lt", temperature=0.1)
    solution = solve(problem)
    proof = certify.certify(solution)
    small, features = solve(Problem([12, 6, 3])), np.eye(21)
    certify.certify(small).save(folder / "small.json")
    found = check(folder / "small.json")
    descent = descend(small.problem, dim=3, starts=2, max_iterations=5, trajectory=True)
    batches = tuple(tuple(range(i, i + 60)) for i in range(0, 240, 30))
    labels = np.arange(270) % 9
    scattered = Problem.from_labels(labels, loss=FixedBatches.of(labels, batches))
    bounds = prove(small.program, small.witness, factored(small.program, small.point))
    truth = ground_truth(small.problem, cache=folder)
    norms = [solve(Problem([5, 3], "cross-entropy", norm=norm)) for norm in (Ridge(1e-3), MeanSquare(1.0))]
    made = [
        *(problem, problem.counts, solution, solution.answer, solution.program, solution.point),
        *(solution.witness, solution.reduction, solution.nodes, solution.bound, solution.groups),
        *(solution.program.rows[0], solution.program.rules[0], solution.program.states(solution.point)[0]),
        *(proof, found, found.balls, verify({"schema": "x" * 1000})),
        *(small, enclose(small), certify_point(features, small.problem), sensitivity(small), bounds, truth),
        *(compare(features, np.repeat([0, 1, 2], [12, 6, 3]), truth), align(features, features), descent),
        *(match(descent, small.gram, small.value), approach(descent, small.gram, small.value)),
        *(scattered, scattered.loss, solve(scattered), geometry(solution), geometry(solution).blocks[0]),
        *(geometry(solution).blocks[0].others, seli([5, 4]), small.nodes.members(0)),
        *(found.program.rules[1] for found in norms),
        *(solve(Problem([5, 3], "kernel")), solve(Problem([5, 3], "supcon:batch_size=4"))),
        ClassCounts.of(range(1, 10**6)),
        ClassCounts.of({10: 10**9, 3: 10**6}),
        ClassCounts.of([2, 3] * 500_000),
        Problem(range(1, 10**6)),
    ]
    return {f"{i} {type(value).__name__}": value for i, value in enumerate(made)}


# fmt: off
NAMES = {
    "Problem", "ClassCounts", "Solution", "Answer", "GramProgram", "OrbitMatrix", "Witness", "Reduction",
    "Nodes", "LowerBound", "Groups", "LogSumExp", "Fixed", "LogSumExpState", "Certificate", "Check",
    "Verified", "Enclosure", "PointVerdict", "Sensitivity", "ProvenBounds", "GroundTruth", "Comparison",
    "Alignment", "Descent", "Match", "Approach", "FixedBatches", "Geometry", "Block", "Range", "Seli",
    "Members", "RidgeCost", "Budget",
}
# fmt: on


def test_every_value_prints_in_one_short_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = values(tmp_path_factory.mktemp("values"))
    assert {name.split()[1] for name in found} >= NAMES
    for name, value in found.items():
        said = repr(value)
        assert "\n" not in said and "object at 0x" not in said and len(said) <= LONGEST, name
        assert said.startswith(f"{type(value).__name__}("), name


def test_what_they_say() -> None:
    solution = solve(Problem({30: 300, 20: 65}, temperature=0.1))
    proof = certify.certify(solution)
    assert repr(solution.problem) == "Problem(supcon, 365 classes, τ=0.1)"
    assert repr(proof).startswith("Certificate(CERTIFIED, supcon, 365 classes, τ=0.1, gap ≤ ")
    assert repr(solution).endswith("converged by dual_vector)")
    assert repr(Problem([3, 2], norm=Ridge(0.5), views=2)) == (
        "Problem(supcon, 3,2, τ=0.1, Ridge(weight=0.5), 2 views)"
    )
    assert repr(ClassCounts.of([3, 2])) == "ClassCounts(3,2)"
    assert "float64[2, 2]" in repr(solution.groups)
