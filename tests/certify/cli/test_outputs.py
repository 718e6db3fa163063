"""Outputs: refused before work starts where they cannot be, or would lie over another file of the run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Command = Callable[..., tuple[int, str, str]]
Refusal = Callable[..., str]
COUNTS = ("--counts", "5,3")


@pytest.fixture(autouse=True)
def _no_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(tmp_path)
    if "refusal" in request.fixturenames:

        def solve(*_: object, **__: object) -> None:
            raise AssertionError("work began")

        monkeypatch.setattr("certify.cli.solving.carry_out", solve)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("out.npz", "out.npz"),
        ("out.npz", "./out.npz"),
        ("out.npz", "folder/../out.npz"),
        ("old.npz", "soft.npz"),
        ("old.npz", "hard.npz"),
        ("new.npz", "dangling.npz"),
    ],
)
def test_two_outputs_on_one_file(first: str, second: str, refusal: Refusal) -> None:
    Path("folder").mkdir()
    Path("old.npz").write_text("old")
    Path("soft.npz").symlink_to("old.npz")
    Path("dangling.npz").symlink_to("new.npz")
    os.link("old.npz", "hard.npz")
    message = refusal("solve", *COUNTS, "--certificate", first, "--save", second)
    assert f"--save {str(Path(second))!r} is the file of --certificate" in message
    assert Path("old.npz").read_text() == "old"


@pytest.mark.parametrize("name", ["y.npy", "./y.npy", "soft.npy", "hard.npy"])
def test_an_output_over_the_labels(name: str, refusal: Refusal) -> None:
    np.save("y.npy", np.array([0, 0, 1, 1, 1]))
    content = Path("y.npy").read_bytes()
    Path("soft.npy").symlink_to("y.npy")
    os.link("y.npy", "hard.npy")
    assert "is the file of --labels" in refusal("solve", "--labels", "y.npy", "--save", name)
    assert Path("y.npy").read_bytes() == content


def test_an_output_over_a_column_or_the_lists_of_a_loss(refusal: Refusal) -> None:
    Path("y.csv").write_text("label\n0\n0\n1\n1\n")
    assert "--labels" in refusal("solve", "--labels", "y.csv:label", "--certificate", "y.csv")
    Path("labels.txt").write_text("0 0 1 1")
    loss = "fixed-batches:labels=@labels.txt,batches=0.1.2.3"
    said = refusal("solve", "--counts", "2,2", "--loss", loss, "--certificate", "labels.txt")
    assert "is the file of --loss @labels.txt" in said


BAD = {
    "--certificate missing/out.json": "--certificate: output folder 'missing' does not exist",
    "--save folder": "--save: output path 'folder' is a folder",
    "--certificate folder/": "is a folder",
    "--certificate file/out.json": "cannot be written (not a directory)",
    "--certificate /dev/full": "--certificate: output path '/dev/full' is not a regular file",
    "--save /dev/null": "--save: output path '/dev/null' is not a regular file",
    "--certificate /proc/out.json": "--certificate: output path '/proc/out.json' cannot be written",
    "--plot out.bmp": "--plot 'out.bmp' must end in one of .png, .pdf, .svg",
    "--plot out": "--plot 'out' must end in",
    "--plot missing/out.png": "--plot: output folder 'missing' does not exist",
    f"--save {'x' * 300}": "cannot be written (file name too long)",
}


@pytest.mark.parametrize("options", BAD)
def test_outputs_that_cannot_be(options: str, refusal: Refusal) -> None:
    Path("folder").mkdir()
    Path("file").write_text("")
    assert BAD[options] in refusal("solve", *COUNTS, *options.split())
    assert sorted(os.listdir()) == ["file", "folder"]


def test_outputs_that_are_there_are_replaced(gramcert: Command) -> None:
    for name in ("out.json", "out.npz"):
        Path(name).write_text("old")
    code, _, error = gramcert("solve", *COUNTS, "--certificate", "out.json", "--save", "out.npz")
    assert (code, error) == (0, "")
    assert re.match(r'\{"schema"', Path("out.json").read_text())
    assert sorted(os.listdir()) == ["out.json", "out.npz"]
