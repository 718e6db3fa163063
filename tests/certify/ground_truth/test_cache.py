"""The cache: a proof on disk saves solving, is never trusted, and is shared by processes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from certify import certify, check, ground_truth
from certify.grammar import claim_hash
from certify.ground_truth.cache import file_of, folder_of
from relax import InputError, Problem, solve
from relax.files import write_atomically

ROOT = Path(__file__).resolve().parents[3]
PETS = Problem([6, 3, 2], temperature=0.5)


def no_solver(problem: Problem) -> None:
    raise AssertionError("solved although a proof is on disk")


def test_a_proof_on_disk_is_used(solving: Callable[..., None], cache: Path) -> None:
    first = ground_truth(PETS)
    assert [path.name for path in cache.iterdir()] == [file_of(PETS, None).name]
    assert check(file_of(PETS, None)).accepted  # what is kept is a certificate like any other
    solving(no_solver)
    second = ground_truth(PETS)
    assert np.array_equal(first.gram, second.gram)
    assert (first.error, first.certificate) == (second.error, second.certificate)
    for other in (Problem([6, 3, 2]), Problem([6, 2, 3], temperature=0.5)):  # τ, order
        with pytest.raises(AssertionError, match="solved although"):
            ground_truth(other)


def rewritten(document: dict[str, Any], **claims: object) -> str:
    """Change a claim as a forger would, with the hash that belongs to it."""
    claim = document["claim"] | claims
    return json.dumps(document | {"claim": claim, "sha256": claim_hash(claim)})


CORRUPTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "empty": lambda d: "",
    "truncated": lambda d: json.dumps(d)[:700],
    "binary": lambda d: "\udcff",
    "list": lambda d: "[]",
    "object": lambda d: "{}",
    "deep": lambda d: "[" * 100_000,
    "null parts": lambda d: json.dumps(dict.fromkeys(d, None)),
    "hash": lambda d: json.dumps(d | {"sha256": "0" * 64}),
    "radius": lambda d: rewritten(d, gram_radius="1e-30"),
    "no radius": lambda d: rewritten(d, gram_radius=None),
    "radius that is no number": lambda d: rewritten(d, gram_radius="NaN"),
    "radius of a wrong type": lambda d: rewritten(d, gram_radius=[1]),
    "undecided": lambda d: rewritten(d, verdict="UNDECIDED"),
    "another problem": lambda d: json.dumps(certify(solve(Problem([6, 3, 3], temperature=0.5))).document),
    "another order": lambda d: json.dumps(certify(solve(Problem([6, 2, 3], temperature=0.5))).document),
    "point": lambda d: json.dumps(d | {"point": d["point"] | {"vectors": [["0x1p+0"]] * 3}}),
    "loose": lambda d: json.dumps(certify(solve(PETS, "scs"), tolerance=0.5).document),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_bad_file_is_replaced(name: str) -> None:
    truth = ground_truth(PETS)
    path = file_of(PETS, None)
    whole = path.read_bytes()
    path.write_bytes(CORRUPTIONS[name](json.loads(whole)).encode("utf-8", "surrogateescape"))
    again = ground_truth(PETS)
    assert np.array_equal(again.gram, truth.gram)
    assert again.error == truth.error
    assert path.read_bytes() == whole


def test_the_folder_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert folder_of(tmp_path / "here") == tmp_path / "here"
    assert folder_of(None) == tmp_path / "cache"
    monkeypatch.setenv("GRAMCERT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder_of(None) == tmp_path / "xdg" / "gramcert"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/paths/are/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_of(None) == tmp_path / ".cache" / "gramcert"
    ground_truth(PETS, cache=tmp_path / "made" / "on the way")
    assert len(list((tmp_path / "made" / "on the way").iterdir())) == 1


def test_only_a_folder_that_was_named_must_be_writable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cache folder '.*file.x' cannot be written"):
        ground_truth(PETS, cache=tmp_path / "file" / "x")
    monkeypatch.setenv("GRAMCERT_CACHE", str(tmp_path / "file" / "x"))
    with pytest.raises(InputError, match="set GRAMCERT_CACHE"):
        ground_truth(PETS)
    monkeypatch.delenv("GRAMCERT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert ground_truth(PETS).error < 1e-6


def test_a_folder_that_is_deleted_meanwhile_is_made_again(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    module = importlib.import_module("certify.ground_truth.cache")
    attempts: list[Path] = []

    def write(path: Path, content: str) -> None:
        attempts.append(path)
        if len(attempts) == 1:
            path.parent.rmdir()
        write_atomically(path, content)

    monkeypatch.setattr(module, "write_atomically", write)
    ground_truth(PETS)
    assert attempts == [file_of(PETS, None)] * 2
    assert len(list(cache.iterdir())) == 1


WORKER = """
import sys
from pathlib import Path
from certify import ground_truth
from certify.ground_truth.cache import file_of
from relax import Problem

folder, number, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
problem = Problem([6, 3, 2], temperature=0.5)
path = file_of(problem, folder)
(folder / f"ready{number}").touch()
while not (folder / "go").exists():
    pass
found = set()
for turn in range(rounds):
    if (turn + number) % 3 == 0:
        path.unlink(missing_ok=True)
    elif (turn + number) % 3 == 1:
        path.write_text("{")  # as a crashed machine might leave it, and not atomically
    truth = ground_truth(problem, cache=folder)
    found.add((truth.gram.tobytes().hex(), truth.error))
assert len(found) == 1, found
print(*found.pop())
"""


def run_at_once(folder: Path, workers: int, rounds: int) -> list[str]:
    """Start workers that wait for each other, and return what each printed."""
    folder.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER, str(folder), str(number), str(rounds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(workers)
    ]
    while any(p.poll() is None for p in processes) and len(list(folder.glob("ready*"))) < workers:
        time.sleep(0.05)
    (folder / "go").touch()
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * workers, outputs
    return [said for said, _ in outputs]


def test_processes_share_a_folder_that_is_corrupted_all_the_time(tmp_path: Path) -> None:
    said = run_at_once(tmp_path / "shared", workers=3, rounds=12)
    assert len(set(said)) == 1
    assert not list((tmp_path / "shared").glob("*.tmp"))


@pytest.mark.slow
def test_many_processes_share_a_folder(tmp_path: Path) -> None:
    assert len(set(run_at_once(tmp_path / "shared", workers=8, rounds=100))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["places-lt"])
def test_real_counts(name: str, solving: Callable[..., None]) -> None:
    problem = Problem.from_dataset(name)
    first = ground_truth(problem)
    assert first.error < 1e-4
    solving(no_solver)
    assert np.array_equal(ground_truth(problem).gram, first.gram)
