"""The installed command: outputs, exit codes, one sentence for bad input, nothing half-written."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMMAND = shutil.which("gramcert", path=str(Path(sys.executable).parent)) or shutil.which("gramcert")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    assert COMMAND is not None, "install the package: the tests run the command it installs"
    return subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


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


def test_pictures_and_solutions_are_written(tmp_path: Path) -> None:
    picture, saved = tmp_path / "out.png", tmp_path / "out.npz"
    done = run("solve", "--counts", "50,20,10", "--plot", str(picture), "--save", str(saved))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.npz", "out.png"]


BAD = {
    "zero": (["--counts", "10,0"], "not positive"),
    "negative": (["--counts", "10,-5"], "not positive"),
    "fraction": (["--counts", "10,2.5"], "'2.5' is not a class size"),
    "word": (["--counts", "10,many"], "'many' is not a class size"),
    "empty": (["--counts", ""], "--counts is empty"),
    "large": (["--counts", f"10,{2**53 + 1}"], "beyond 2**53"),
    "one class": (["--counts", "10"], "one class only"),
    "no anchor": (["--counts", "1,1"], "no anchor"),
    "tau zero": (["--counts", "10,5", "--temperature", "0"], "temperature 0.0 must be a positive"),
    "tau negative": (["--counts", "10,5", "--temperature", "-1"], "must be a positive"),
    "tau nan": (["--counts", "10,5", "--temperature", "nan"], "must be a positive"),
    "tau inf": (["--counts", "10,5", "--temperature", "inf"], "must be a positive"),
    "tau word": (["--counts", "10,5", "--temperature", "warm"], "valid number"),
    "data set": (["--dataset", "imagenet"], "imagenet"),
    "loss": (["--counts", "10,5", "--loss", "triplet"], "unknown loss 'triplet'"),
    "solver": (["--counts", "10,5", "--solver", "magic"], "unknown solver 'magic'"),
    "norm": (["--counts", "10,5", "--norm", "cube"], "norm 'cube'"),
    "no source": ([], "exactly one of"),
    "two sources": (["--counts", "10,5", "--dataset", "places-lt"], "exactly one of"),
    "no file": (["--labels", "missing.npy"], "missing.npy"),
    "step": (["--step", "2,2,100"], "four numbers"),
    "option": (["--count", "10,5"], "--count"),
    "certificate": (["--counts", "10,5", "--certificate", "missing/out.json"], "missing"),
    "picture": (["--counts", "10,5", "--plot", "out.bmp"], "must end in"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_exit_code_2(name: str, tmp_path: Path) -> None:
    arguments, message = BAD[name]
    done = run("solve", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 2), dtype=int), "shape (3, 2)"),
        (np.array([0.5, math.nan]), "NaN"),
        (np.array([], dtype=int), "shape (0,)"),
        (np.array([1 + 2j, 3j]), "complex128"),
    ],
)
def test_bad_label_files(array: np.ndarray, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", array)
    done = run("solve", "--labels", str(tmp_path / "y.npy"))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_version_losses_datasets() -> None:
    assert run("--version").stdout.startswith("gramcert 0.")
    assert "supcon" in run("losses").stdout
    assert "places-lt" in run("datasets").stdout


def test_check_refuses_what_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1, 2")
    for name in ("x.json", "missing.json"):
        done = run("check", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.strip().splitlines()) == 1
