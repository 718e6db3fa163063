"""Command lines by the hundred, each with the exit code that it must have by the way it was made.

A line is made of a good one, an option at a time being replaced. Good lines end with 0 or 1 and say nothing
on standard error; bad ones with 2, one sentence there, and nothing on standard output. None ends in a traceback.
"""

from __future__ import annotations

import contextlib
import io
import itertools
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
from relax import losses

Line = tuple[str, ...]
BASE: Line = ("solve", "--counts", "5,3")

GOOD_COUNTS = [
    "5,3",
    "3,5",
    "2,2",
    "5 , 3",
    "5x2,3",
    "5×2,3",
    "5x1,3x1",
    "1,2",
    "9,9,9",
    "007,3",
    "4x3",
    "2x2,2",
]
BAD_COUNTS = [
    "",
    " ",
    ",",
    "5",
    "1,1",
    "5,,3",
    "5,3,",
    ",5,3",
    "5x",
    "x5",
    "5x2x3",
    "5x0,3",
    "0,3",
    "-5,3",
    "+5,3",
]
BAD_COUNTS += [
    "5.0,3",
    "5.5,3",
    "1e3,3",
    "1_0,3",
    "٥,3",
    "five,3",
    "5;3",
    "5 3",
    "[5,3]",
    "5/1,3",
    "0x5,3",
    "inf,3",
]
BAD_COUNTS += [
    "nan,3",
    "9007199254740993,3",
    "9" * 30 + ",3",
    "9" * 5000 + ",3",
    "5\n3",
    "5,3\0",
    "５,3",
    "5,3 x",
]
GOOD_STEP = ["1,1,5,3", "1,1,3,5", "2,1,4,4", "1 ,1, 5,3", "2,3,10,2"]
BAD_STEP = [
    "",
    "1,1,5",
    "1,1,5,3,2",
    "2x2,3,4,5",
    "1,1,5,3.0",
    "-1,1,5,3",
    "0,1,5,3",
    "1,0,5,3",
    "1,1,0,3",
    "1,1,5,0",
]
BAD_STEP += [
    "1e1,1,5,3",
    "1_0,1,5,3",
    "a,b,c,d",
    "1,1,5,",
    ",1,5,3",
    "1;1;5;3",
    "1,1,9007199254740993,3",
    "+1,1,5,3",
]
GOOD_NUMBERS = [
    "0.1",
    ".5",
    "1.",
    "1e0",
    "1E0",
    "+1",
    "0.1 ",
    " 0.1",
    "1e-6",
    "2",
    "1e5",
    "0.50",
    "1e-100",
    "1e100",
]
BAD_NUMBERS = [
    "",
    "0",
    "-0",
    "0.0",
    "-1",
    "nan",
    "inf",
    "-inf",
    "infinity",
    "1e400",
    "1e-400",
    "1e-320",
    "1e-308",
]
BAD_NUMBERS += [
    "1e308",
    "1e-101",
    "1e101",
    "1/3",
    "1/0",
    "1/2",
    "٠.١",
    "0,1",
    "1_0",
    "0x1",
    "1e",
    "e1",
    ".",
    "--",
    "1 2",
]
BAD_NUMBERS += [
    "warm",
    "0.1000000000000000055",
    "1" * 10_000,
    "0." + "3" * 100,
    "true",
    "None",
    "1e1e1",
    "½",
    "\0",
    "1\n",
]
BAD_WHOLE = [
    "",
    "-1",
    "+1",
    "1.0",
    "1.5",
    "1e3",
    "1_0",
    "٣",
    "many",
    "nan",
    "inf",
    "0x1",
    "1/1",
    " ",
    "²",
    "9" * 500,
]
BAD_LOSSES = [
    "",
    "triplet",
    "SupCon",
    "supcon:",
    "supcon:x=1",
    "supcon:positives_weight",
    "supcon:positives_weight=",
]
BAD_LOSSES += ["supcon:positives_weight=x", "supcon:positives_weight=-1", "supcon:positives_weight=nan"]
BAD_LOSSES += [
    "supcon:positives_weight=1,positives_weight=1",
    "supcon:class_weights=both",
    "supcon:batch_size=0",
]
BAD_LOSSES += [
    "supcon:batch_size=1",
    "supcon:batch_size=2.5",
    "supcon:batch_size=1_0",
    "supcon:sampler=shuffle",
]
BAD_LOSSES += [
    "kernel:gamma=0",
    "kernel:gamma=1e400",
    "kernel:gamma=1e-320",
    "kernel:gamma=1,gamma=2",
    "kernel:=1",
]
BAD_LOSSES += [
    "cross-entropy:classifier=cube",
    "cross-entropy:classifier=ridge",
    "cross-entropy:classifier=ridge:0",
]
BAD_LOSSES += [
    "fixed-batches",
    "fixed-batches:labels=a",
    "fixed-batches:labels=@missing",
    "fixed-batches:labels=@\0",
]
BAD_LOSSES += [
    "decoupled",
    "dhel",
    "supcon,positives_weight=1",
    "@losses",
    "supcon:batch_size=٣",
    "pml-supcon:x=1",
]
BAD_LOSSES.remove("supcon:")  # which is supcon, without parameters
GOOD_NORMS = ["sphere", "ball", "ball:2", "sphere:0.5", "ridge:0.01", "mean-square:1", "mean-square:1/2"]
BAD_NORMS = [
    "",
    "cube",
    "Sphere",
    "ridge",
    "mean-square",
    "ball:",
    "ball:0",
    "ball:-1",
    "ball:nan",
    "ball:inf",
]
BAD_NORMS += [
    "ball:1e400",
    "ball:1e-320",
    "ball:1e308",
    "ridge:x",
    "ridge:0",
    "ridge:1/0",
    "ball:1_0",
    "ball:٢",
    "ball:2:3",
]
BAD_WORDS = {
    "--level": ["", "class", "Groups", "all", "groups "],
    "--solver": ["", "magic", "AUTO", "mosek ", "cvxpy", "gurobi"],
    "--dataset": [
        "",
        "imagenet",
        "cifar10-lt-",
        "cifar10-lt-0",
        "cifar10-lt-1.5",
        "cifar10-lt-x",
        "places-lt ",
    ],
}
BAD_OUTPUTS = [
    "missing/out",
    "folder",
    "folder/",
    "file/out",
    "/dev/null",
    "/dev/full",
    "/proc/out",
    "x" * 300,
    "",
    "a\0b",
]
BAD_LINES: list[Line] = [
    (),
    ("sol",),
    ("solve",),
    ("solve", "5,3"),
    ("solve", "--counts"),
    ("solve", "--count", "5,3"),
    ("solve", "--counts", "5,3", "more"),
    ("solve", "--counts", "5,3", "--json=yes"),
    ("solve", "--counts", "5,3", "--dataset", "places-lt"),
    ("solve", "--counts", "5,3", "--step", "1,1,5,3"),
    ("solve", "--counts", "5,3", "--labels", "good.txt"),
    ("--nonsense",),
    ("losses", "supcon"),
    ("datasets", "--no"),
    ("check",),
    ("check", "missing.json"),
    ("check", "folder"),
    ("check", "file"),
    ("check", "good.txt"),
    ("check", "out.json", "out.json"),
    *((*BASE, *pair) for pair in itertools.combinations(["--descent-dim=2", "--seed=1", "--json"], 2)),
    (*BASE, "--loss", "cross-entropy", "--nonnegative"),
    (*BASE, "--loss", "cross-entropy", "--level", "samples"),
    (*BASE, "--loss", "pml-ntxent", "--batch-size", "4"),
    (*BASE, "--loss", "supcon:batch_size=4", "--batch-size", "4"),
    (*BASE, "--loss", "jiang-ucl", "--solver", "scs"),
    (*BASE, "--loss", "supcon:batch_size=4", "--solver", "clarabel"),
    (*BASE, "--loss", "dhel", "--views", "2", "--norm", "ridge:1"),
    (*BASE, "--loss", "lightly-ntxent", "--views", "2", "--norm", "ball"),
    (*BASE, "--norm", "ridge:1", "--solver", "dual_vector"),
    ("solve", "--counts", "2000,5", "--level", "samples"),
    (*BASE, "--verify-descent", "1000000000"),
    (*BASE, "--verify-descent", "1", "--seed", str(2**64)),
    (*BASE, "--certificate", "one", "--save", "./one"),
    (*BASE, "--plot", "one.bmp"),
    (*BASE, "--plot", "one.png", "--save", "folder/../one.png"),
    ("solve", "--labels", "good.txt", "--certificate", "good.txt"),
    ("solve", "--labels", "good.csv:label", "--save", "link.csv"),
]
GOOD_LINES: list[Line] = [
    ("--version",),
    ("--help",),
    ("solve", "-h"),
    ("check", "-h"),
    ("losses",),
    ("losses", "--sources", "--json"),
    ("datasets",),
    ("datasets", "--sources"),
    ("datasets", "--json"),
    ("check", "out.json"),
    ("check", "out.json", "--json", "--quiet"),
    ("check", "out.json", "--tolerance", "1e-12"),
    ("check", "out.json", "--unnamed"),
    ("solve", "--labels", "good.txt"),
    ("solve", "--labels", "good.csv:label"),
    ("solve", "--labels", "good.csv:2"),
    ("solve", "--labels", "good.npy"),
    (*BASE, "--json", "--quiet"),
    (*BASE, "--certificate", "new.json", "--save", "new.npz"),
    (*BASE, "--nonnegative"),
    (*BASE, "--views", "2"),
    (*BASE, "--level", "classes"),
    (*BASE, "--level", "samples"),
    (*BASE, "--solver", "low_rank", "--tolerance", "1e-15"),
    (*BASE, "--time-limit", "60"),
]


def bad_lines() -> Iterator[Line]:
    """Yield lines that must be refused."""
    yield from BAD_LINES
    yield from (("solve", "--counts", counts) for counts in BAD_COUNTS)
    yield from (("solve", "--step", step) for step in BAD_STEP)
    yield from ((*BASE, "--temperature", number) for number in BAD_NUMBERS)
    for option in ("--tolerance", "--time-limit"):
        in_range = {
            "1e-320",
            "1e-308",
            "1e-101",
            "1e101",
            "1e308",
        }  # of a time limit, and most of a tolerance
        yield from ((*BASE, option, number) for number in BAD_NUMBERS if number not in in_range)
    yield from ((*BASE, "--tolerance", number) for number in ("1", "2", "1e308"))
    for option in ("--views", "--batch-size", "--verify-descent"):
        yield from ((*BASE, option, number) for number in ["0", *BAD_WHOLE])
    for option in ("--descent-dim", "--seed"):
        yield from ((*BASE, "--verify-descent", "1", option, number) for number in BAD_WHOLE)
    yield from ((*BASE, "--loss", loss) for loss in BAD_LOSSES)
    yield from ((*BASE, "--norm", norm) for norm in BAD_NORMS)
    several = zip(itertools.cycle(BAD_COUNTS), BAD_NORMS * 2, BAD_LOSSES * 2, strict=False)
    yield from (("solve", "--counts", one, "--norm", two, "--loss", three) for one, two, three in several)
    for option, words in BAD_WORDS.items():
        base = ("solve",) if option == "--dataset" else BASE
        yield from ((*base, option, word) for word in words)
    for option in ("--certificate", "--save", "--plot"):
        paths = [path for path in BAD_OUTPUTS if "/dev" not in path] if option == "--plot" else BAD_OUTPUTS
        for path in paths:
            yield (*BASE, option, f"{path}.png" if option == "--plot" and "/" in path else path)
    yield from (("solve", "--labels", name) for name in BAD_FILES)
    yield from (("solve", "--labels", f"good.csv:{column}") for column in ("", "0", "3", "x", "label ,"))
    yield from (
        ("check", "out.json", "--tolerance", number) for number in ("", "-1", "nan", "often", "1e-9x")
    )


def good_lines() -> Iterator[Line]:
    """Yield lines that must be answered."""
    yield from GOOD_LINES
    yield from (("solve", "--counts", counts) for counts in GOOD_COUNTS)
    yield from (("solve", "--step", step) for step in GOOD_STEP)
    yield from ((*BASE, "--temperature", number) for number in GOOD_NUMBERS)
    yield from ((*BASE, "--norm", norm) for norm in GOOD_NORMS)
    several = itertools.product(GOOD_COUNTS[:5], ["0.2", "1", "30"])
    yield from (("solve", "--counts", one, "--temperature", two, "--json") for one, two in several)
    for name in losses.names():
        if name not in ("fixed-batches", "kini-supcon"):
            yield ("solve", "--counts", "5,3,3", "--loss", name, "--views", "2")


BAD_FILES = {
    "empty.txt": b"",
    "title.txt": b"label\n0\n0\n1\n1\n",
    "title.csv": b"species\ncat\ncat\ndog\ndog\n",
    "columns.csv": b"id,label\n1,0\n2,0\n3,1\n",
    "line.csv": b"0,0,1,2",
    "blanks.txt": b"0 0 1 2",
    "gap.txt": b"0\n0\n\n1\n",
    "utf16.txt": "0\n0\n1\n1\n".encode("utf-16"),
    "latin.txt": b"caf\xe9\ncaf\xe9\n",
    "nan.txt": b"0\n0\nnan\n1\n",
    "half.txt": b"0.5\n0.5\n1\n1\n",
    "one.txt": b"0\n0\n0\n",
    "quote.txt": b'"0\n0\n',
    "cut.npy": b"\x93NUMPY\x01\x00",
    "text.npy": b"0\n0\n1\n",
    "cut.npz": b"PK\x03\x04",
    "null.txt": b"\0\0\0",
}


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
    out, error = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with patch.multiple(sys, argv=["gramcert", *line], stdout=out, stderr=error):
        try:
            main()
            code: object = 0
        except SystemExit as stopped:
            code = stopped.code or 0
        out.flush(), error.flush()
    said = tuple(stream.buffer.getvalue().decode() for stream in (out, error))  # type: ignore[attr-defined]
    assert isinstance(code, int)
    return code, *said


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
def test_lines_that_are_answered() -> None:
    lines = list(dict.fromkeys(good_lines()))
    for line in lines:
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
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_noise(option: str, text: str) -> None:
    check_either(LINES[option](text))


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@given(st.sampled_from(list(LINES)), NOISE)
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
def test_much_noise(option: str, text: str) -> None:
    check_either(LINES[option](text))


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@given(
    st.binary(max_size=60) | st.text("abn01 ,;|\t\r\n\"'#.-", max_size=40).map(str.encode),
    st.sampled_from(["", ":1", ":a"]),
)
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
def test_noise_in_label_files(content: bytes, column: str) -> None:
    Path("noise.txt").write_bytes(content)
    check_either(("solve", "--labels", f"noise.txt{column}", "--temperature", "0.5"))
