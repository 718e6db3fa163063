"""The journal: what is in it is not done again, and it is one sweep's and one process's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from certify.sweeps import journal, run, step_grid, stretches, sweep
from certify.sweeps.journal import Journal, opened
from relax import InputError, Problem, solve

GRID = step_grid(2, 2, 10, range(1, 31), temperatures=[0.1])


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def interrupted(path: Path, monkeypatch: pytest.MonkeyPatch, points: int) -> pd.DataFrame:
    """Sweep until so many points were begun, then Ctrl-C."""
    begun: list[Problem] = []

    def solver(problem: Problem, *arguments: Any) -> Any:
        begun.append(problem)
        if len(begun) > points:
            raise KeyboardInterrupt
        return solve(problem, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(stretches, "solve", solver)
        return sweep(GRID, journal=path)


def test_an_interrupted_sweep_goes_on_to_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    part = interrupted(path, monkeypatch, 25)
    assert part.attrs["unfinished"] == "interrupted" and len(part) == 20  # whole stretches
    begun: list[Problem] = []

    def solver(problem: Problem, *arguments: Any) -> Any:
        begun.append(problem)
        return solve(problem, *arguments)

    monkeypatch.setattr(stretches, "solve", solver)
    whole = sweep(GRID, journal=path)
    assert begun == [point.problem for point in GRID[20:]]
    assert whole[:20].equals(part)  # seconds, too
    pd.testing.assert_frame_equal(numbers(whole), numbers(sweep(GRID)), check_exact=True)
    begun.clear()
    assert sweep(GRID, journal=path).equals(whole) and begun == []


def test_a_solver_that_was_interrupted_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def solver(problem: Problem, *arguments: Any) -> Any:
        found = solve(problem, *arguments)
        object.__setattr__(found.answer, "status", stretches.Status.INTERRUPTED)
        return found

    monkeypatch.setattr(stretches, "solve", solver)
    table = sweep(GRID, journal=tmp_path / "j")
    assert len(table) == 0 and table.attrs["unfinished"] == "interrupted"


def test_at_a_time_limit_whole_stretches_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stretch that is cut off would go on from elsewhere: it is in the table, not in the journal."""
    clock = iter(range(10**6))
    with monkeypatch.context() as patched:
        patched.setattr(stretches.time, "time", lambda: float(next(clock)))
        patched.setattr(run, "request_of", lambda *_: stretches.Request("auto", 1e-9, 30.5))
        part = sweep(GRID, journal=tmp_path / "j")
    assert 10 < len(part) < 20 and part.attrs["unfinished"] == "the time limit was reached"
    with opened(tmp_path / "j", _keys()) as kept:
        assert len(kept.rows()) == 10
    whole = sweep(GRID, journal=tmp_path / "j")
    pd.testing.assert_frame_equal(numbers(whole), numbers(sweep(GRID)), check_exact=True)


def _keys() -> list[str]:
    problems = [(point.problem, point.step) for point in GRID if point.problem]
    return [journal.key_of(problem, step, "auto", 1e-9) for problem, step in problems]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "j", _keys()),
        pytest.raises(InputError, match="another process is using it"),
    ):
        sweep(GRID, journal=tmp_path / "j")
    assert len(sweep(GRID, journal=tmp_path / "j")) == 30


def test_the_journal_of_another_sweep_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    whole = sweep(GRID, journal=path)
    for other, options in ((GRID[:-1], {}), (GRID, {"tolerance": 1e-8}), (GRID, {"solver": "dual_vector"})):
        with pytest.raises(InputError, match="is of another sweep; delete it to begin anew"):
            sweep(other, journal=path, **options)  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(journal, "SCHEMA", "gramcert/sweep/0")
        with pytest.raises(InputError, match=r"another sweep \(gramcert/sweep/1, version"):
            sweep(GRID, journal=path)
    assert sweep(GRID, journal=path).equals(whole)


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "text", tmp_path / "database"
    text.write_text("nothing of ours, and long enough to be no header of SQLite" * 20)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    for path, sentence in ((text, "not a database"), (database, "no journal of a sweep")):
        before = path.read_bytes()
        with pytest.raises(InputError, match=sentence):
            sweep(GRID, journal=path)
        assert path.read_bytes() == before
    with pytest.raises(InputError, match="does not exist"):
        sweep(GRID, journal=tmp_path / "nowhere" / "j")
    with pytest.raises(InputError, match="is a folder"):
        sweep(GRID, journal=tmp_path)


def test_a_full_disk_leaves_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Journal.put

    def full(self: Journal, rows: Any) -> None:
        if len(self.rows()) >= 10:
            self.connection.execute("PRAGMA max_page_count = 1")  # SQLite's own error, as of a full disk
            rows = {key: row | {"reason": "x" * 100_000} for key, row in rows.items()}
        put(self, rows)

    monkeypatch.setattr(Journal, "put", full)
    table = sweep(GRID, journal=tmp_path / "j")
    assert table.attrs["unfinished"] == "the journal cannot be written (database or disk is full)"
    assert len(table) == 20
    with opened(tmp_path / "j", _keys()) as kept:
        assert len(kept.rows()) == 10


def test_keys_differ_where_rows_may() -> None:
    problem = Problem([30, 30, 10, 10])
    asked = [
        (problem, None, "auto", 1e-9),
        (problem, (2, 2, 30, 10), "auto", 1e-9),
        (Problem([30, 30, 10, 10], temperature=0.2), None, "auto", 1e-9),
        (Problem([30, 10, 30, 10]), None, "auto", 1e-9),
        (problem, None, "low_rank", 1e-9),
        (problem, None, "auto", 1e-8),
    ]
    assert len({journal.key_of(*one) for one in asked}) == len(asked)  # type: ignore[arg-type]
