"""The stages of `gramcert solve`, in a process that can be ended: what they found by then stands."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import numpy as np

from certify.certificate import Certificate, certify
from relax.apart import Ended, OutOfTime, Woken, Worker, working
from relax.endpoints import Descent, Match, certified
from relax.errors import InputError
from relax.problem import Level, Problem
from relax.solution import Solution
from relax.solvers import check_request, solve

SLACK, PART = 1.0, 0.1  # a time limit holds within a second, or within this part of it where that is more
KEPT = 0.4  # of that, for writing and printing what was found
PATIENCE = 1.0  # seconds after Ctrl-C in which a stage may still come to an end


@dataclass(frozen=True)
class Task:
    """What is to be done: `picture` is the kind of one, `starts` are those of descents."""

    problem: Problem
    solver: str
    level: Level
    tolerance: float
    time_limit: float | None = None
    starts: int | None = None
    dim: int | None = None
    seed: int = 0
    picture: str | None = None

    def load(self) -> None:
        """Refuse what makes no sense, and import what the stages need, which is not on the clock."""
        check_request(self.solver, self.tolerance, self.time_limit)
        if self.starts is not None:
            import relax.descent
        if self.picture is not None:
            import relax.plots  # noqa: F401


@dataclass(frozen=True)
class Found:
    """What the stages have found; None where they did not come to it.

    Attributes
    ----------
    solution : Solution or None
        A point and a witness.
    proof : Certificate or None
        What they prove.
    descent : (Descent, Match) or None
        Where gradient descents ended.
    picture : bytes or None
        The picture's file.
    unfinished : str
        Why there is not all that was asked for, and in which stage; empty where there is.
    """

    solution: Solution | None = None
    proof: Certificate | None = None
    descent: tuple[Descent, Match] | None = None
    picture: bytes | None = None
    unfinished: str = ""


class Interrupts:
    """While this is entered the first Ctrl-C rings `bell`, and the second raises KeyboardInterrupt.

    A process that is told to ignore Ctrl-C, as those that a script starts beside itself are, ignores it.
    """

    def __init__(self) -> None:
        self.bell, self._ring = Pipe(duplex=False)
        self.rung = False

    def __enter__(self) -> Interrupts:
        self._before: Any = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        self.bell.close()
        self._ring.close()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.rung:
            raise KeyboardInterrupt
        self.rung = True
        self._ring.send_bytes(b"!")


def carry_out(
    task: Task, interrupts: Interrupts, show: Callable[[str], None], keep: Callable[[Found], None]
) -> Found:
    """Go through the stages until they end, time is up, or the user interrupts.

    Parameters
    ----------
    task : Task
        What to do.
    interrupts : Interrupts
        Entered.
    show : function
        Called with the name of each stage as it begins.
    keep : function
        Called with what each stage found, and that alone, while the next one runs.

    Raises
    ------
    InputError, SolverError
        If the request makes no sense, or a stage raises one.
    """
    task.load()
    deadline = np.inf
    if task.time_limit is not None:
        deadline = time.monotonic() + task.time_limit + (1 - KEPT) * max(SLACK, PART * task.time_limit)
    with working(_stages, task) as worker:
        return _collected(worker, deadline, interrupts, show, keep)


def _collected(
    worker: Worker,
    deadline: float,
    interrupts: Interrupts,
    show: Callable[[str], None],
    keep: Callable[[Found], None],
) -> Found:
    found, stage, why = Found(), "starting", ""
    others: list[Connection] = [interrupts.bell]
    while True:
        try:
            result = worker.receive(deadline, others)
        except Woken:
            worker.ask_to_end()
            deadline, others = min(deadline, time.monotonic() + PATIENCE), []
            why = f"interrupted while {stage}"
        except (OutOfTime, Ended, MemoryError) as end:
            return replace(found, unfinished=why or _reason(end, stage) or found.unfinished)
        else:
            if isinstance(result, str):
                stage = result
                show(stage)
            else:
                found = replace(found, **result)
                keep(Found(**result))


def _reason(end: OutOfTime | Ended | MemoryError, stage: str) -> str:
    if isinstance(end, OutOfTime):
        return f"the time limit was reached while {stage}"
    if isinstance(end, MemoryError):
        return f"there was not enough memory while {stage}"
    return f"{end} while {stage}" if str(end) else ""


def _stages(task: Task) -> Iterator[str | dict[str, Any]]:
    """Yield the name of each stage, then what it found, as fields of `Found`."""
    deadline = np.inf if task.time_limit is None else time.monotonic() + task.time_limit
    if task.starts is not None:
        from relax.descent import check_descent  # torch is loaded where tensors are

        yield "looking at the descents"
        check_descent(task.problem, task.dim or _enough_dimensions(task.problem), task.starts, task.seed)
    yield "solving"
    solution = solve(task.problem, task.solver, task.level, task.tolerance, task.time_limit)
    yield {"solution": solution}
    yield "proving"
    try:
        yield {"proof": certify(solution, task.tolerance)}
    except InputError as refusal:  # the solution stands
        yield {"unfinished": str(refusal)}
    if task.starts is not None:
        stage = f"descending from {task.starts} random starts"
        yield stage
        found = {"descent": _descend(solution, task, deadline)}
        cut = {"unfinished": f"the time limit was reached while {stage}"}
        yield found | (cut if time.monotonic() > deadline else {})
    if task.picture is not None:
        yield "drawing"
        from relax.plots import geometry_picture

        yield {"picture": geometry_picture(solution, task.picture)}


def _descend(solution: Solution, task: Task, deadline: float) -> tuple[Descent, Match]:
    from relax.descent import descend, match  # torch is loaded where tensors are

    left = None if deadline == np.inf else max(0.0, deadline - time.monotonic())
    assert task.starts is not None
    dim = task.dim or _enough_dimensions(task.problem)
    found = descend(task.problem, dim, task.starts, task.seed, time_limit=left)
    return found, match(found, *certified(solution))


def _enough_dimensions(problem: Problem) -> int:
    """Return a dimension that holds the optimum; in one dimension features could not move."""
    nodes = problem.reduction("groups").nodes
    units = problem.counts.classes if nodes.unit == "class" else nodes.units
    centred = len(nodes.roles) == 1 and not problem.nonnegative
    return max(2, units - 1 if centred else units)
