"""Standard output and error that are not UTF-8, closed, closed pipes, or full."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certify.cli import streams

ROOT = Path(__file__).resolve().parents[3]
COMMAND = f"{sys.executable} -m certify"


def shell(line: str, **variables: str) -> tuple[int, str, str]:
    """Run a line of bash; return the exit code of its first command, and what came out."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"], env=environment, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_every_output_in_other_encodings(encoding: str) -> None:
    one = f"{COMMAND} solve --counts 5,3"
    more = f"{COMMAND} losses; {COMMAND} losses --sources; {COMMAND} solve -h" if encoding == "ascii" else ":"
    every = f"({one}; {more})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run(["bash", "-c", every], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding)
    assert "loss >= " in said
    assert encoding != "ascii" or ("default tau" in said and "tau > 0" in said)


def test_the_locale_of_c_and_errors() -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    code, out, error = shell(f"{COMMAND} solve --counts 5,3", **plain)
    assert (code, error) == (0, "")
    assert "loss >= " in out
    code, out, error = shell(f"{COMMAND} solve --counts $'τ\\xff'", **plain)
    assert (code, out) == (2, "")
    assert "is not a class size" in error
    code, out, error = shell(f"{COMMAND} solve --counts 5,3 --norm ٥", PYTHONIOENCODING="ascii")
    assert (code, out) == (2, "")
    assert r"\u0665" in error


def test_closed_and_full_streams(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    solve = f"{COMMAND} solve --counts 5,3"
    assert shell(f"{solve} --certificate {path} >&-") == (0, "", "")
    assert json.loads(path.read_text())["claim"]["verdict"] == "CERTIFIED"
    assert shell(f"{solve} --json | head -0") == (0, "", "")
    code, out, error = shell(f"{solve} > /dev/full")
    assert (code, out) == (2, "")
    assert (
        error
        == "gramcert: standard output cannot be written (no space left on device); redirect it elsewhere\n"
    )
    assert shell(f"{COMMAND} solve --counts 0 2>&-") == (2, "", "")
    assert shell(f"{COMMAND} solve --counts 0 2> /dev/full") == (2, "", "")
    assert shell(f"{solve} 2>&-")[0] == 0
    code, out, error = shell(f"{COMMAND} --help > /dev/full")
    assert code == 2
    assert len(error.splitlines()) == 1
    assert shell(f"{COMMAND} losses --json | head -c 0") == (0, "", "")


def test_an_output_over_standard_output(tmp_path: Path) -> None:
    code, _, error = shell(f"{COMMAND} solve --counts 5,3 --certificate /dev/stdout > {tmp_path}/out")
    assert code == 2
    assert "is where the command prints" in error


def test_each_replacement_is_ascii_and_columns_stay_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(said.isascii() and len(letter) == 1 for letter, said in streams.IN_ASCII.items())
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert streams.writable("τ ≥ 1 × 2 −½ ☃ \udcff") == "tau >= 1 x 2 -1/2 \\u2603 \\udcff"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert streams.writable("τ ≥ 1") == "τ ≥ 1"


def test_all_printing_goes_through_one_place() -> None:
    for path in (ROOT / "certify" / "cli").glob("*.py"):
        assert path.name == "streams.py" or "print(" not in path.read_text().replace("_print(", ""), path.name
