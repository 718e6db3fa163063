"""Solutions as files: back as they were, and damaged files refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from certify import certify
from relax import Ball, MeanSquare, Problem, Ridge, Solution, losses, solve
from relax.errors import InputError
from tests.test_api_fuzz import is_one_sentence, outcome

SOLUTION = solve(Problem([12, 6, 3], temperature=0.5))


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


ROUND = {
    "classes": (Problem([12, 6, 3, 1, 1]), "classes"),
    "samples": (Problem([4, 3], temperature=0.5), "samples"),
    "collapse": (Problem([1000, 10, 10, 10], temperature=1.0), "groups"),
    "roles": (Problem([5, 3], "cross-entropy", norm=Ridge(0.01)), "groups"),
    "budget": (Problem([5, 3], norm=MeanSquare(2.0)), "groups"),
    "ball": (Problem([5, 3], norm=Ball(0.5), views=2), "groups"),
    "nonnegative": (Problem([5, 3, 3], nonnegative=True), "groups"),
    "kernel": (Problem([5, 3], "kernel"), "groups"),
    "batches": (Problem([5, 3], "supcon:batch_size=4"), "groups"),
    "fixed batches": (Problem([2, 2], losses.FixedBatches((0, 0, 1, 1), ((0, 1, 2, 3),))), "groups"),
    "order": (Problem([3, 12, 6]), "groups"),
}


@pytest.mark.parametrize("kind", ROUND)
def test_solutions_come_back_as_they_were(kind: str) -> None:
    problem, level = ROUND[kind]
    solution = solve(problem, level=level)  # type: ignore[arg-type]
    solution.save("s.npz")
    found = Solution.load("s.npz")
    assert found.problem == problem and found.level == level and found.status is solution.status
    assert (found.value, found.gap(), str(found)) == (solution.value, solution.gap(), str(solution))
    np.testing.assert_array_equal(found.gram, solution.gram)
    for first, second in zip(found.witness.clusters, solution.witness.clusters, strict=True):
        np.testing.assert_array_equal(first.groups, second.groups)
    assert certify(found).document["claim"] == certify(solution).document["claim"]


def damaged(arrays: dict[str, np.ndarray], way: str) -> dict[str, np.ndarray]:
    """Return the arrays of a solution file with something wrong."""
    name, _, what = way.partition(" ")
    array = arrays.pop(name)
    with np.errstate(all="ignore"):
        new = {
            "missing": lambda: None,
            "nan": lambda: array * np.nan,
            "text": lambda: array.astype(str),
            "longer": lambda: np.concatenate([array, array]),
            "flat": lambda: array.ravel()[:1],
            "float32": lambda: array.astype(np.float32),
            "negative": lambda: array - 5,
        }[what]()
    return arrays if new is None else {**arrays, name: new}


PARTS = ["own", "peer", "base_own", "base_peer", "factor", "within"]
WAYS = [f"{part} {what}" for part in PARTS for what in ("missing", "text", "longer", "flat", "float32")]
WAYS += ["facts missing", "facts flat", "own nan", "factor nan", "cluster0_groups negative"]
WAYS += [f"cluster0_{part} missing" for part in ("groups", "weight", "kappa")]


@pytest.mark.parametrize("way", WAYS)
def test_damaged_solution_files_are_refused(way: str) -> None:
    solve(ROUND["collapse"][0]).save("s.npz")
    with np.load("s.npz") as file:
        arrays = dict(file)
    if way == "facts flat":
        arrays["facts"] = np.array('{"schema": "other"}')
    elif way.startswith("within") and "missing" not in way:
        arrays["within"] = np.zeros((3, 2))
    else:
        arrays = damaged(arrays, way)
    np.savez("s.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is not a solution file") as error:
        Solution.load("s.npz")
    assert is_one_sentence(str(error.value)), error.value


@pytest.mark.parametrize("cut", [0, 1, 10, 100, 1000, -1, -10])
@pytest.mark.parametrize("kind", ["cut", "flipped"])
def test_files_cut_or_flipped_are_refused_or_read_alike(cut: int, kind: str) -> None:
    SOLUTION.save("s.npz")
    content = bytearray(Path("s.npz").read_bytes())
    if kind == "cut":
        content = content[:cut]
    else:
        content[cut] ^= 0xFF
    Path("s.npz").write_bytes(content)
    found = outcome(Solution.load, "s.npz")
    assert found == "refused" if kind == "cut" else found in ("refused", "answered"), found
