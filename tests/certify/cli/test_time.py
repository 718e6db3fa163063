"""Time limits and Ctrl-C hold in every stage, and what was found by then is printed and written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certify import Certificate
from certify.cli import stages
from relax import Problem, Solution, solve
from relax.solvers import check_request

ROOT = Path(__file__).resolve().parents[3]
LVIS = ["--dataset", "lvis-v1-instances"]  # solved in a fifth of a second, proven in three
LONG = ["--counts", ",".join(str(size) for size in range(400, 50, -1))]  # minutes for general solvers
DESCENTS = ["--counts", "60,50,40,30,20", "--temperature", "0.05", "--verify-descent", "5000"]
BUSY = 2.0  # seconds that a busy machine, the start of Python and the writing of files may take besides


def start(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start the command as a terminal does, whatever started the tests."""
    return subprocess.Popen(
        [sys.executable, "-m", "certify", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )


def wait_for(there: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the children of a process."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=60)
    assert "Traceback" not in error
    return process.returncode, out, error


@pytest.mark.parametrize(
    ("solver", "options"),
    [
        ("dual_vector", []),
        ("low_rank", []),
        ("scs", []),
        pytest.param("clarabel", [], marks=pytest.mark.slow),
        pytest.param("orthogonal_frame", ["--nonnegative"], marks=pytest.mark.slow),
        ("barrier", ["--counts", ",".join(str(size) for size in range(100, 41, -1))]),
        pytest.param("auto", ["--norm", "ridge:0.01"], marks=pytest.mark.slow),
        ("auto", ["--loss", "supcon:batch_size=90000", "--counts", "10x1000000000"]),
        ("auto", DESCENTS),
        ("auto", LVIS),
    ],
)
def test_a_time_limit_holds(
    solver: str, options: list[str], gramcert: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    given = options if {"--counts", "--dataset"} & set(options) else [*LONG, *options]
    task = stages.Task(Problem([2, 2]), solver, "groups", 1e-9, starts=1, picture="png")
    task.load()  # is not on the clock
    started = time.monotonic()
    picture = str(tmp_path / "out.png")
    _, out, error = gramcert(
        "solve", *given, "--solver", solver, "--time-limit", "0.2", "--json", "--plot", picture
    )
    assert time.monotonic() - started <= 0.2 + 1.0 + BUSY
    assert not list(tmp_path.glob(".*"))
    if out:
        said = json.loads(out)
        assert said["verdict"] == "CERTIFIED" or said["unfinished"] or said["status"] == "TIME_LIMIT"
    else:
        assert error == "gramcert: the time limit was reached while solving; nothing is known yet\n"


def test_what_is_not_proven_in_time_is_said_in_floats(gramcert: Callable[..., tuple[int, str, str]]) -> None:
    code, out, error = gramcert("solve", *LVIS, "--time-limit", "0.3", "--json")
    said = json.loads(out)
    assert (code, said["verdict"], said["proven"]) == (1, "UNDECIDED", None)
    assert said["arithmetic"] == "float64, nothing is proven"
    assert said["lower_bound"] <= said["upper_bound"]
    assert said["unfinished"] == "the time limit was reached while proving"
    assert error.count("\n") == 1
    _, out, _ = gramcert("solve", *LVIS, "--time-limit", "0.3")
    assert "UNDECIDED: the proof was not finished; these are floats\n" in out
    assert "loss ≥" not in out


def test_descents_ask_the_clock() -> None:
    from relax.descent import descend

    problem = Problem([60, 50, 40], temperature=0.05)
    whole = descend(problem, dim=3, starts=1, max_iterations=2)
    started = time.monotonic()
    cut = descend(problem, dim=3, starts=2000, time_limit=0.3)
    assert time.monotonic() - started <= 0.3 + BUSY
    assert 1 <= len(cut.losses) < 2000
    assert not cut.converged.all()
    assert cut.excesses.shape == cut.gradient_norms.shape
    assert (whole.excesses > 0).all()


def test_the_library_keeps_time() -> None:
    problem = Problem(list(range(400, 50, -1)))
    for solver in ("low_rank", "scs", "clarabel"):
        check_request(solver, 1e-9, None)  # loads it
        started = time.monotonic()
        solution = solve(problem, solver, time_limit=0.2)
        assert time.monotonic() - started <= 0.2 + 1.0 + BUSY
        assert solution.lower_bound() <= solution.value
        assert solution.status.name == "TIME_LIMIT"


def interrupted(process: Any) -> tuple[int, str, str]:
    """What a command says that ends in time after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    found = ended(process)
    assert time.monotonic() - started <= stages.PATIENCE + BUSY
    return found


def test_a_solution_is_saved_before_it_is_proven_and_ctrl_c_keeps_it(tmp_path: Path) -> None:
    saved, proof = tmp_path / "out.npz", tmp_path / "out.json"
    process = start("solve", *LVIS, "--save", str(saved), "--certificate", str(proof))
    wait_for(saved.exists)
    workers = workers_of(process)
    code, out, error = interrupted(process)
    assert code == 1
    assert "interrupted while proving; what is known is in floats, and not proven" in error
    assert "UNDECIDED" in out
    assert Solution.load(saved).relative_gap() <= 1e-9
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]
    assert workers
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_ctrl_c_while_descending_keeps_the_certificate(tmp_path: Path) -> None:
    proof, picture = tmp_path / "out.json", tmp_path / "out.png"
    process = start("solve", *DESCENTS, "--certificate", str(proof), "--plot", str(picture), "--json")
    wait_for(proof.exists)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, out, error = ended(process)
    assert code == 1
    assert error == "gramcert: interrupted while descending from 5000 random starts\n"
    said = json.loads(out)
    assert said["verdict"] == "CERTIFIED"
    assert said["unfinished"].startswith("interrupted while descending")
    assert Certificate.load(proof).lower is not None
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["low_rank", "scs", "clarabel"])
def test_ctrl_c_while_solving(solver: str, tmp_path: Path) -> None:
    most = 500 if solver == "low_rank" else 160
    sizes = ",".join(str(size) for size in range(most, 10, -1))
    process = start("solve", "--counts", sizes, "--solver", solver, "--tolerance", "1e-15", cwd=tmp_path)
    wait_for(lambda: bool(workers_of(process)))
    time.sleep(0.5)
    code, out, error = interrupted(process)
    assert code == 1
    assert "interrupted while solving" in error
    assert "UNDECIDED" in out or "nothing is known yet" in error
    assert not list(tmp_path.iterdir())


def test_two_ctrl_c_end_at_once(tmp_path: Path) -> None:
    saved = tmp_path / "out.npz"
    process = start("solve", *LVIS, "--save", str(saved))
    wait_for(saved.exists)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)  # the first alone ends a proof within a tenth of a second
    process.send_signal(signal.SIGINT)
    code, out, error = ended(process)
    assert time.monotonic() - started <= BUSY
    assert (code, out) == (1, "")
    assert error == "gramcert: ended at the second Ctrl-C\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


@pytest.mark.slow  # makes a certificate that takes seconds to check
def test_ctrl_c_while_checking(tmp_path: Path) -> None:
    proof = tmp_path / "out.json"
    assert ended(start("solve", *LVIS, "--certificate", str(proof)))[0] == 0
    process = start("check", str(proof))
    wait_for(lambda: bool(workers_of(process)))
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, out, error = ended(process)
    assert (code, out) == (1, "")
    assert error == "gramcert: interrupted before the certificate was checked\n"


def test_a_stage_out_of_memory_leaves_what_others_found(
    gramcert: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: Any) -> None:
        raise MemoryError

    def killed(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    for fate, words in ((exhausted, "there was not enough memory"), (killed, "the process was killed")):
        monkeypatch.setattr(stages, "certify", fate)
        code, out, error = gramcert("solve", "--counts", "12,6,3")
        assert code == 1
        assert words in error
        assert "while proving" in error
        assert "value        " in out
