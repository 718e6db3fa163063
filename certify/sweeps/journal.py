"""The journal of a sweep: rows in SQLite as they are found; a killed run loses only those in flight."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certify.sweeps.grid import Step
from relax import __version__
from relax.errors import InputError, reason
from relax.files import check_writable, named
from relax.problem import Problem

SCHEMA = "gramcert/sweep/1"
Rows = Mapping[str, dict[str, Any]]


def key_of(problem: Problem, step: Step | None, solver: str, tolerance: float) -> str:
    """Return the SHA-256 of all that a row depends on: the exact statement, and how it is solved and read."""
    asked = [SCHEMA, __version__, solver, repr(float(tolerance)), step, problem.statement()]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Journal:
    """An open journal, of one sweep and held by one process."""

    connection: sqlite3.Connection

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what it holds, by keys."""
        return {key: json.loads(row) for key, row in self.connection.execute("SELECT key, row FROM rows")}

    def put(self, rows: Rows) -> None:
        """Add rows, all or none of them.

        Raises
        ------
        sqlite3.Error
            If they cannot be written.
        """
        written = [(key, json.dumps(row)) for key, row in rows.items()]
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", written)


@contextmanager
def opened(path: str | Path | None, keys: Iterable[str]) -> Iterator[Journal]:
    """Open the journal of the sweep that has these keys, made where there is none; None keeps it in memory.

    Raises
    ------
    InputError
        If it cannot be written, is in use, is no journal, or is one of another sweep.
    """
    if path is not None:
        check_writable(path)
    name = ":memory:" if path is None else named(path)
    sweep = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    try:
        with closing(sqlite3.connect(name, timeout=1.0)) as connection:
            _begin(connection, name, sweep)
            yield Journal(connection)
    except sqlite3.Error as error:
        raise InputError(f"journal {name!r} cannot be used ({_said(error)}); give another path") from error


def _begin(connection: sqlite3.Connection, name: str, sweep: str) -> None:
    """Take the journal for this process alone, and see that it is of this sweep."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # which the system ends with the process
    there = {table for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if there and there != {"sweep", "rows"}:
        raise InputError(f"journal {name!r} is no journal of a sweep; give another path")
    connection.execute("PRAGMA journal_mode = WAL")  # a killed process leaves what it has committed
    connection.execute("PRAGMA synchronous = NORMAL")
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sweep (schema TEXT, version TEXT, hash TEXT)")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, row TEXT)")
        if not there:
            connection.execute("INSERT INTO sweep VALUES (?, ?, ?)", (SCHEMA, __version__, sweep))
    found = connection.execute("SELECT schema, version, hash FROM sweep").fetchall()
    if found != [(SCHEMA, __version__, sweep)]:
        schema, version, _ = found[0] if found else ("an unknown schema", "?", "")
        of = "" if (schema, version) == (SCHEMA, __version__) else f" ({schema}, version {version})"
        raise InputError(
            f"journal {name!r} is of another sweep{of}; delete it to begin anew, or give another --journal"
        )


def _said(error: sqlite3.Error) -> str:
    said = reason(error)
    return "another process is using it" if "locked" in said else said


def remove(path: str | Path) -> None:
    """Remove a journal with what SQLite keeps beside it."""
    for name in (path, f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
