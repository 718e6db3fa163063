"""Command lines by the hundred, each with the exit code that it must have by the way it was made.

A line is made of a good one, an option at a time being replaced. Good lines end with 0 or 1 and say nothing
on standard error; bad ones with 2, one sentence there, and nothing on standard output.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certify.cli import main
from tests.certify.cli.lines import BAD_FILES, BASE, Line, bad_lines, good_lines


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work in a folder that has the files which the lines name."""
    folder = tmp_path_factory.mktemp("fuzz")
    with contextlib.chdir(folder):
        Path("folder").mkdir()
        Path("file").write_text("no certificate")
        Path("good.txt").write_text("a\na\nb\nb\nb\n")
        Path("good.csv").write_text("id,label\n1,0\n2,0\n3,1\n4,1\n")
        Path("link.csv").symlink_to("good.csv")
        np.save("good.npy", np.array([0, 0, 1, 1, 1]))
        for name, content in BAD_FILES.items():
            Path(name).write_bytes(content)
        assert run(*BASE, "--certificate", "out.json")[0] == 0
        yield


def run(*line: str) -> tuple[int, str, str]:
    """Run the command in this process; return its exit code, standard output and standard error."""
    written = io.BytesIO(), io.BytesIO()
    out, error = map(io.TextIOWrapper, written)
    with patch.multiple(sys, argv=["gramcert", *line], stdout=out, stderr=error):
        try:
            main()
            code: object = 0
        except SystemExit as stopped:
            code = stopped.code or 0
        out.flush()
        error.flush()
    assert isinstance(code, int)
    return code, written[0].getvalue().decode(), written[1].getvalue().decode()


def check_bad(line: Line) -> None:
    code, out, error = run(*line)
    assert (code, out) == (2, ""), line
    assert error.startswith("gramcert: "), line
    assert len(error.splitlines()) == 1, line
    assert not any(word in error for word in ("Error(", "Traceback", "Errno", "<class")), error


def check_good(line: Line) -> None:
    code, out, error = run(*line)
    assert code in (0, 1), (line, error)
    assert error == "", line
    assert out, line
    if "--json" in line:
        assert json.loads(out)["schema"].startswith("gramcert/")


@pytest.mark.usefixtures("_folder")
def test_lines_that_are_refused() -> None:
    lines = list(dict.fromkeys(bad_lines()))
    for line in lines:
        check_bad(line)
    assert len(lines) >= 400


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_lines_that_are_answered(part: int) -> None:
    lines = list(dict.fromkeys(good_lines()))
    for line in lines[part::2]:
        check_good(line)
    assert len(lines) + len(set(bad_lines())) >= 500


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize(
    "line", [BASE, ("losses",), ("solve", "--counts", "5,,3"), ("check", "file"), ("sol",)]
)
def test_some_lines_as_processes(line: Line) -> None:
    code, out, error = run(*line)
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\nfrom certify.cli import main; main()",
            *line,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, error)
    assert bool(done.stdout) == bool(out)


UNUSED = [HealthCheck.function_scoped_fixture]
NOISE = st.text("0123456789xX,.-+eE/_ \t×٣½:=@\"'#", max_size=12)
LINES: dict[str, Callable[[str], Line]] = {
    "--counts": lambda text: ("solve", f"--counts={text}"),
    "--step": lambda text: ("solve", f"--step={text}"),
    "--temperature": lambda text: (*BASE, f"--temperature={text}"),
    "--views": lambda text: (*BASE, f"--views={text}"),
    "--norm": lambda text: (*BASE, f"--norm=ball:{text}"),
    "--loss": lambda text: (*BASE, f"--loss=supcon:positives_weight={text}"),
    "--labels": lambda text: ("solve", f"--labels=good.csv:{text}"),
}


def check_either(line: Line) -> None:
    """Ask of a line of noise that it is refused in one sentence, or answered without an error."""
    code, out, error = run(*line)
    assert code in (0, 1, 2), line
    assert (out == "") == (code == 2), line
    assert len(error.splitlines()) == (1 if code == 2 else 0), (line, error)


@pytest.mark.usefixtures("_folder")
@given(st.sampled_from(list(LINES)), NOISE)
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=UNUSED,
)
def test_noise(option: str, text: str) -> None:
    check_either(LINES[option](text))


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@given(st.sampled_from(list(LINES)), NOISE)
@settings(max_examples=3000, deadline=None, suppress_health_check=UNUSED)
def test_much_noise(option: str, text: str) -> None:
    check_either(LINES[option](text))


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@given(
    st.binary(max_size=60) | st.text("abn01 ,;|\t\r\n\"'#.-", max_size=40).map(str.encode),
    st.sampled_from(["", ":1", ":a"]),
)
@settings(max_examples=2000, deadline=None, suppress_health_check=UNUSED)
def test_noise_in_label_files(content: bytes, column: str) -> None:
    Path("noise.txt").write_bytes(content)
    check_either(("solve", "--labels", f"noise.txt{column}", "--temperature", "0.5"))
