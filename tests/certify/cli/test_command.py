"""The command: outputs, exit codes, one sentence for bad input, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from certify import certify, checker
from relax import Problem, solve, solve_program

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "certify"]  # of this tree, whichever one is installed


def run(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def solved(*arguments: str) -> dict:
    done = run("solve", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_solve_says_what_the_contract_names() -> None:
    said = solved("--counts", "100,10,100,10", "--temperature", "0.5")
    keys = "schema verdict status loss temperature counts upper_bound lower_bound gap excess gram_radius "
    keys += "arithmetic solver iterations seconds groups gram"
    assert set(keys.split()) <= said.keys()
    assert said["verdict"] == "CERTIFIED"
    assert said["counts"] == [100, 10, 100, 10]
    assert said["lower_bound"] <= said["upper_bound"]
    assert said["gap"] <= 1e-9 * said["excess"]
    gram = np.array(said["gram"])
    assert gram.shape == (4, 4)
    assert gram[0, 2] == pytest.approx(said["groups"]["gram"][0][0])
    assert said["groups"]["sizes"] == [100, 10]


def test_the_default_temperature_is_the_losss_own_and_printed() -> None:
    assert solved("--counts", "10,5")["temperature"] == 0.1
    assert "temperature 0.1" in run("solve", "--counts", "10,5").stdout


@pytest.mark.parametrize(
    ("source", "sizes", "multiplicities"),
    [
        (["--counts", "1000x5,10x1000000"], [1000, 10], [5, 1000000]),
        (["--counts", "10x2,100x2"], [100, 10], [2, 2]),
        (["--step", "2,2,100,10"], [100, 10], [2, 2]),
    ],
)
def test_sources_of_counts(source: list[str], sizes: list[int], multiplicities: list[int]) -> None:
    said = solved(*source, "--temperature", "1")
    assert said["groups"]["sizes"] == sizes
    assert said["groups"]["multiplicities"] == multiplicities


def test_labels_and_data_sets(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]))
    assert solved("--labels", str(tmp_path / "y.npy"))["counts"] == [3, 2, 4]
    (tmp_path / "y.txt").write_text("cat\ncat\ndog\ndog\ndog\n")
    assert solved("--labels", str(tmp_path / "y.txt"))["counts"] == [2, 3]
    places = solved("--dataset", "places-lt", "--temperature", "0.1")
    assert sum(places["counts"]) == 62500
    assert "gram" not in places


def test_norms_and_the_exit_code_of_what_is_not_certified() -> None:
    assert solved("--counts", "10,5", "--norm", "ball")["norm"] == "ball"
    assert solved("--counts", "10,5", "--norm", "ridge:0.01")["solver"] == "low_rank"
    done = run("solve", "--counts", "40,20,10", "--solver", "scs", "--tolerance", "1e-15", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "UNDECIDED"


@pytest.mark.slow
def test_verify_descent_prints_the_match() -> None:
    said = solved("--counts", "12,6,3", "--temperature", "0.5", "--verify-descent", "4", "--seed", "1")
    assert said["descent"]["agree"] == 4
    assert said["descent"]["worst_loss_gap"] <= 1e-9
    assert said["descent"]["worst_gram_distance"] <= 1e-5
    shown = run("solve", "--counts", "6,3", "--temperature", "0.5", "--verify-descent", "2").stdout
    assert "Procrustes" in shown


def test_certificate_is_written_and_checked_by_both(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert run("solve", "--counts", "100,100,10,10", "--certificate", str(path)).returncode == 0
    done = run("check", str(path), "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert said["accepted"] and said["agree"]
    text = path.read_text()
    lower = json.loads(text)["claim"]["lower"]
    path.write_text(text.replace(lower, lower[:-5] + "99999"))
    assert run("check", str(path)).returncode == 1


def test_check_ends_with_0_only_for_what_is_asked_for(tmp_path: Path) -> None:
    path, nameless = tmp_path / "named.json", tmp_path / "nameless.json"
    certify(solve(Problem([20, 10, 5]))).save(path)
    certify(solve_program(Problem([20, 10, 5]).program())).save(nameless)
    for arguments, code in (
        ((str(path),), 0),
        ((str(path), "--tolerance", "1e-10"), 1),
        ((str(path), "--tolerance", "often"), 2),
        ((str(nameless),), 1),
        ((str(nameless), "--unnamed"), 0),
        ((str(nameless), "--unnamed", "--tolerance", "1e-10"), 1),
    ):
        for command in ([*COMMAND, "check"], [sys.executable, checker.__file__]):
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
            assert done.returncode == code, (command, arguments, done.stdout, done.stderr)
    path.write_text("{}")
    assert run("check", str(path)).returncode == 2


def test_pictures_and_solutions_are_written(tmp_path: Path) -> None:
    picture, saved = tmp_path / "out.png", tmp_path / "out.npz"
    done = run("solve", "--counts", "50,20,10", "--plot", str(picture), "--save", str(saved))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.npz", "out.png"]


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("gramcert 0.")
    short, long = run("solve", "-h"), run("solve", "--help")
    assert short.returncode == 0
    assert short.stdout == long.stdout
    assert "Examples:" in short.stdout
    assert "Usage: gramcert solve" in short.stdout


def test_a_terminal_is_known_by_itself() -> None:
    ours, theirs = os.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "50"}
    subprocess.run([*COMMAND, "datasets", "--sources"], stdout=theirs, env=environment, check=True)
    os.close(theirs)
    lines = os.read(ours, 100_000).decode().splitlines()
    os.close(ours)
    assert lines[1].startswith("places-lt")
    assert all(len(line) <= 50 for line in lines)
    assert lines[1].endswith("…")


def test_check_refuses_what_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1, 2")
    for name in ("x.json", "missing.json"):
        done = run("check", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.strip().splitlines()) == 1
