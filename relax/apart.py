"""Work in a process of its own, which can be ended at any time: at a deadline, by a user, by the system.

Code that cannot look at a clock (BLAS, ball arithmetic, conic solvers, pictures) stops for nothing else, and
a process that is out of memory leaves the one that waits for it alive.
"""

from __future__ import annotations

import ctypes
import multiprocessing as mp
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

FORKS = sys.platform == "linux"  # elsewhere system libraries may not survive a fork
LONGEST_WAIT = 1e6  # seconds; select takes no infinity
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


def can_fork() -> bool:
    """Return whether `working` forks: else a new interpreter imports the user's script, which may run it."""
    return FORKS and not mp.current_process().daemon  # which may have no children


class Ended(Exception):  # noqa: N818 - it is no error
    """The process has nothing more to say: its work is done, or it was killed."""


class OutOfTime(Exception):  # noqa: N818 - it is no error
    """The deadline has passed."""


class Woken(Exception):  # noqa: N818 - it is no error
    """Something else that was waited for has come."""


class Worker:
    """A process that sends results one by one; made by `working`."""

    def __init__(self, process: Any, results: Connection) -> None:
        self._process, self._results = process, results

    def receive(self, deadline: float = float("inf"), others: Sequence[Connection] = ()) -> Any:
        """Return the next result.

        Parameters
        ----------
        deadline : float
            On the clock of `time.monotonic`.
        others : sequence of Connection
            Something on one of these ends the wait as well.

        Raises
        ------
        Ended
            If there is none; says whether the process was killed, for instance by a system out of memory.
        OutOfTime, Woken
            If the deadline passes, or something is on one of the others.
        Exception
            What the work raised.
        """
        left = min(max(0.0, deadline - time.monotonic()), LONGEST_WAIT)
        ready = wait([self._results, *others], left)
        if self._results not in ready:
            raise Woken if ready else OutOfTime
        try:
            result, error = self._results.recv()
        except EOFError:
            self._process.join()
            killed = self._process.exitcode != 0
            raise Ended(
                "the process was killed, by a system out of memory perhaps," if killed else ""
            ) from None
        if error is not None:
            raise error
        return result

    def ask_to_end(self) -> None:
        """Raise KeyboardInterrupt in the process (where there is no such signal, end it)."""
        self._process.terminate()


@contextmanager
def working(work: Callable[..., Iterable[Any]], *arguments: Any) -> Iterator[Worker]:
    """Run a function of a module in a process that sends what it yields, and does not outlive the block.

    Parameters
    ----------
    work : function
        Its arguments and results are pickled.
    """
    context: Any = mp.get_context("fork" if FORKS else "spawn")
    results, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, work, arguments))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads; ours hold no locks
        process.start()
    sender.close()
    try:
        yield Worker(process, results)
    finally:
        process.kill()
        process.join()
        results.close()


def _work(sender: Connection, work: Callable[..., Iterable[Any]], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.unraisablehook = _asked_where_nothing_is_raised
    if FORKS:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    try:
        for result in work(*arguments):
            _send(sender, result, None)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        error.add_note(traceback.format_exc())
        _send(sender, None, error)


def _asked_where_nothing_is_raised(unraisable: Any) -> None:
    """Ask again where a callback swallowed the request to end; imports and `__del__` have such callbacks."""
    if unraisable.exc_type is KeyboardInterrupt:
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM)).start()
    else:
        sys.__unraisablehook__(unraisable)


def _send(sender: Connection, result: Any, error: Exception | None) -> None:
    """Send all of a message, whatever signal comes meanwhile."""
    try:
        message = pickle.dumps((result, error))
    except (pickle.PicklingError, TypeError, AttributeError) as failure:
        if error is None:
            raise
        message = pickle.dumps((None, RuntimeError(f"{error!r} ({failure})")))
    mask = getattr(signal, "pthread_sigmask", None)
    before = mask(signal.SIG_BLOCK, {signal.SIGTERM}) if mask else None
    sender.send_bytes(message)
    if mask:
        mask(signal.SIG_SETMASK, before)
