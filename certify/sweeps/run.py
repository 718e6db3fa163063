"""The sweep itself: stretches in parallel, journalled as they come, until all are done or it is ended."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from certify.certificate import TOLERANCE
from certify.sweeps.grid import Point, check_number
from certify.sweeps.journal import key_of, opened
from certify.sweeps.rows import REFUSED, asked, without
from certify.sweeps.stretches import Request, Row, Stretch, solved, stretches
from certify.sweeps.table import check_pandas, frame
from relax.errors import InputError, expect, reason
from relax.facts import brief
from relax.problem import Problem
from relax.solvers import check_request

if TYPE_CHECKING:
    import pandas as pd


@brief
@dataclass(frozen=True)
class Done:
    """The rows of the points that are done, in the order of the grid, and why there are no more.

    Attributes
    ----------
    rows : sequence of dict
        One a point.
    points : int
        How many there are in the grid.
    unfinished : str
        What ended the sweep; empty where all points are done.
    """

    rows: Sequence[Row]
    points: int
    unfinished: str


def sweep(
    problems: Iterable[Problem | Point],
    solver: str = "auto",
    tolerance: float = TOLERANCE,
    jobs: int | None = None,
    time_limit: float | None = None,
    journal: str | Path | None = None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Solve and certify problems, and return a table with a row for each.

    Neighbours along a curve are solved one from the other, in stretches of up to ten that depend on the
    problems alone: so do all numbers but `seconds`, whatever the number of jobs, and after an interruption.

    Parameters
    ----------
    problems : iterable of Problem or Point
        Any problems, or a grid: `step_grid`, `long_tail_grid`, `counts_grid`. Equal ones are solved once.
    solver, tolerance : str, float
        As in `relax.solve` and `certify.certify`.
    jobs : int, optional
        Processes; −1 is one for each core. By default what `joblib.parallel_config` says, else one.
    time_limit : float, optional
        Seconds after which no point is begun; solvers stop at it, and a proof that has begun is finished.
    journal : path, optional
        A file in which rows are kept as they are found. The same sweep, started again, goes on there.
    quiet : bool
        No progress bar on standard error (there is one on terminals only).

    Returns
    -------
    pandas.DataFrame
        Columns as docs/sweeps.md lists them; bounds are proven, and rounded outward to float64. A point that
        its loss refuses or no solver can do is a row that says why. After Ctrl-C, or at the time limit, there
        are the rows that are done, and ``.attrs["unfinished"]`` says so.

    Raises
    ------
    InputError
        If there is nothing to solve or too much, an argument is unusable, or the journal is that of another
        sweep or of another process.
    """
    check_pandas()
    done = carry_out(problems, request_of(solver, tolerance, time_limit), jobs, journal, quiet)
    table = frame(done.rows)
    table.attrs["unfinished"] = done.unfinished
    return table


def request_of(solver: str, tolerance: float, time_limit: float | None) -> Request:
    """Return a request that makes sense, which ends so many seconds from now.

    Raises
    ------
    InputError
        If the solver is unknown or not installed, or a number is out of its range.
    """
    check_request(solver, tolerance, time_limit)
    return Request(solver, tolerance, float("inf") if time_limit is None else time.time() + time_limit)


def carry_out(
    problems: Iterable[Problem | Point],
    request: Request,
    jobs: int | None = None,
    journal: str | Path | None = None,
    quiet: bool = False,
) -> Done:
    """Return what is done of a sweep at its end; see `sweep`."""
    if jobs is not None and (expect(jobs, int, "jobs", "give a whole number, -1 for all cores") == 0):
        raise InputError("jobs = 0 would do nothing; give a number from 1 on, or -1 for all cores")
    points = _points(problems)
    how = request.solver, request.tolerance
    keys = [None if one.problem is None else key_of(one.problem, one.step, *how) for one in points]
    unique = {key: point for key, point in zip(keys, points, strict=True) if key is not None}
    with opened(journal, unique) as kept, _bar(quiet) as bar:
        found = kept.rows()
        task = bar.add_task("sweep", total=len(unique), completed=len(found))
        open_ones = [s for s in stretches(unique) if any(key not in found for key, _ in s)]
        unfinished = ""
        try:
            with closing(_results(open_ones, request, jobs)) as results:
                for stretch, rows in results:
                    found |= rows
                    bar.update(task, completed=len(found))
                    if len(rows) == stretch:  # of one that time cut off the rest would begin elsewhere
                        kept.put(rows)
        except KeyboardInterrupt:
            unfinished = "interrupted"
        except BrokenExecutor:
            unfinished = "a process was killed, by a system out of memory perhaps,"
        except sqlite3.Error as error:
            unfinished = f"the journal cannot be written ({reason(error)})"
    if len(found) < len(unique) and not unfinished:
        unfinished = "the time limit was reached"
    return Done(_rows(points, keys, found), len(points), unfinished)


@contextmanager
def _bar(quiet: bool) -> Iterator[Progress]:
    console = Console(stderr=True, quiet=quiet)
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        yield bar


def _points(problems: Iterable[Problem | Point]) -> list[Point]:
    expect(problems, Iterable, "problems", "give a list of problems, or what step_grid returns")
    points = []
    for one in problems:
        expect(one, (Problem, Point), "a problem of the sweep", "give Problem(counts)")
        points.append(Point.of(one) if isinstance(one, Problem) else one)
        check_number(len(points))
    check_number(len(points))
    return points


def _results(
    todo: list[Stretch], request: Request, jobs: int | None
) -> Generator[tuple[int, dict[str, Row]], None, None]:
    """Yield the length and the rows of stretches, in the order in which they are done."""
    from joblib import Parallel, delayed  # loads multiprocessing, for those who sweep

    batches: Any = 1  # one stretch at a time; joblib annotates it as a text
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=batches)
    yield from parallel(delayed(_counted)(stretch, request) for stretch in todo)  # type: ignore[misc]


def _counted(stretch: Stretch, request: Request) -> tuple[int, dict[str, Row]]:
    return len(stretch), solved(stretch, request)


def _rows(points: list[Point], keys: list[str | None], found: dict[str, Row]) -> list[Row]:
    rows = []
    for point, key in zip(points, keys, strict=True):
        if key is None:
            rows.append(asked(point) | without(REFUSED, point.refusal))
        elif key in found:
            rows.append(asked(point) | found[key])
    return rows
