"""A run that is killed, or interrupted in a terminal, and one on a cluster, by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from certify.cli.ranges import numbers
from certify.sweeps import stretches, sweep
from certify.sweeps.grid import step_grid
from relax import Problem, solve

ROOT = Path(__file__).resolve().parents[3]
SHORT, LONG = "1:1e4:80log", "1:1e4:400log"  # ratios
GRID, LONG_GRID = (step_grid(2, 2, 10, numbers(R), temperatures=[0.1, 1.0]) for R in (SHORT, LONG))
LONGEST = 60.0  # seconds that a busy machine may take to begin


def start(out: Path, ratios: str, jobs: int) -> subprocess.Popen[str]:
    """Start the command in a group of its own, as a terminal does."""
    grid = ["--step", "2,2,10", "--R", ratios, "--temperature", "0.1,1"]
    command = [sys.executable, "-m", "certify", "sweep", *grid, "--out", str(out), "--jobs", str(jobs)]
    return subprocess.Popen(
        command,
        cwd=out.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def under_way(out: Path, running: subprocess.Popen[str]) -> None:
    """Wait until several stretches are journalled."""
    written, deadline = Path(f"{out}.journal-wal"), time.monotonic() + LONGEST
    while not (written.exists() and written.stat().st_size > 40_000):
        assert running.poll() is None and time.monotonic() < deadline, running.communicate()
        time.sleep(0.01)


def numbers_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def test_a_killed_run_loses_only_what_was_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "t.parquet"
    running = start(out, SHORT, jobs=1)
    under_way(out, running)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    running.communicate()
    assert not out.exists()
    begun: list[Problem] = []

    def solver(problem: Problem, *arguments: Any) -> Any:
        begun.append(problem)
        return solve(problem, *arguments)

    monkeypatch.setattr(stretches, "solve", solver)
    resumed = sweep(GRID, journal=f"{out}.journal", quiet=True)
    anew = begun.copy()
    monkeypatch.undo()
    assert 0 < len(anew) < len(GRID) and len(anew) % stretches.LONGEST == len(GRID) % stretches.LONGEST
    assert anew == [point.problem for point in GRID][-len(anew) :]
    pd.testing.assert_frame_equal(numbers_of(resumed), numbers_of(sweep(GRID)), check_exact=True)


@pytest.mark.slow
def test_ctrl_c_leaves_a_table_of_what_is_done_and_the_command_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    running = start(out, LONG, jobs=2)
    under_way(out, running)
    os.killpg(running.pid, signal.SIGINT)  # a terminal sends it to the workers as well
    said, complaint = running.communicate(timeout=LONGEST)
    assert running.returncode == 1
    part = pd.read_parquet(out)
    assert 0 < len(part) < len(LONG_GRID) and set(part["verdict"]) == {"CERTIFIED"}
    assert said.startswith(f"{len(part):,} points, all CERTIFIED, ")
    assert complaint.strip() == (
        f"gramcert: interrupted after {len(part):,} of {len(LONG_GRID):,} points; "
        f"the same command goes on from '{out}.journal'"
    )
    again = start(out, LONG, jobs=2)
    said, complaint = again.communicate(timeout=10 * LONGEST)
    assert (again.returncode, complaint) == (0, "")
    assert said.startswith(f"{len(LONG_GRID):,} points, all CERTIFIED, ")
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]  # the journal is gone
    whole = pd.read_parquet(out)
    key = ["n_major", "temperature"]
    kept = whole.merge(part[[*key, "seconds"]], on=key, suffixes=("", "_before"))
    assert kept["seconds"].tolist() == kept["seconds_before"].tolist()


@pytest.mark.slow
def test_a_killed_worker_leaves_a_table_of_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    running = start(out, LONG, jobs=2)
    under_way(out, running)
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(running.pid)], capture_output=True, text=True
    )
    workers = [int(line.split()[0]) for line in listed.stdout.splitlines() if "LokyProcess" in line]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    said, complaint = running.communicate(timeout=LONGEST)
    assert workers and running.returncode == 1
    assert said.startswith(f"{len(pd.read_parquet(out)):,} points, all CERTIFIED, ")
    assert complaint.splitlines()[-1].startswith("gramcert: a process was killed, by a system out of memory")


@pytest.mark.slow
def test_a_dask_cluster_finds_the_same_numbers(tmp_path: Path) -> None:
    """As docs/sweeps.md has it, on two workers of this machine; the client is in a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(
        """
import joblib
from distributed import Client, LocalCluster
from certify.sweeps import step_grid, sweep

if __name__ == "__main__":
    grid = step_grid(2, 2, 10, range(1, 41), temperatures=[0.1, 1.0])
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        with joblib.parallel_config("dask"):
            table = sweep(grid)
        ran = client.run(lambda dask_worker: dask_worker.state.executed_count)
        assert len(ran) == 2 and min(ran.values()) > 0, ran
    alone = sweep(grid)
    assert table.drop(columns="seconds").equals(alone.drop(columns="seconds"))
    assert (table["verdict"] == "CERTIFIED").all() and len(table) == 80
"""
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
