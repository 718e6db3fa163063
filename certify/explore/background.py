"""Work beside the page, of which only the last request counts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from relax.apart import Ended, OutOfTime, Woken, Worker, working
from relax.errors import reason

TOO_SLOW = "it took too long here"


class Request(NamedTuple):
    """Work to be done beside the page.

    Attributes
    ----------
    work : function
        Of a module, as for `relax.apart.working`.
    argument : object
        What it is called with.
    deliver : function
        Called with each result, in a thread.
    give_up : function
        Called there with a reason where there is no end.
    """

    work: Callable[..., Iterable[Any]]
    argument: Any
    deliver: Callable[[Any], None]
    give_up: Callable[[str], None]


class Latest:
    """A process beside this one for the last request; the one before it is ended.

    A thread waits for its results and hands them over, so that a page stays free to move.

    Parameters
    ----------
    patience : float
        Seconds for each result of a request.
    linger : float
        Seconds before a process is started, so that a slider on its way starts none.
    thread : type
        A kind of `threading.Thread` that may deliver: marimo's, within its pages.
    """

    def __init__(
        self, patience: float, linger: float = 0.1, thread: type[threading.Thread] = threading.Thread
    ) -> None:
        self._patience, self._linger, self._thread = patience, linger, thread
        self._bell: Connection | None = None

    def ask(self, request: Request) -> None:
        """Begin anew: nothing more is heard of the request before."""
        self.stop()
        bell, self._bell = Pipe(duplex=False)
        self._thread(target=self._follow, args=(request, bell), daemon=True).start()

    def stop(self) -> None:
        """End the last request, if it is still at work."""
        if self._bell is not None:
            with suppress(OSError):  # it has come to its end
                self._bell.send_bytes(b"!")  # to close it is not enough: processes may have copies
            self._bell.close()
            self._bell = None

    def _follow(self, request: Request, bell: Connection) -> None:
        with bell:
            if bell.poll(self._linger):
                return
            with working(_gently, request.work, request.argument) as worker:
                try:
                    self._hand_over(worker, request, bell)
                except Woken:
                    return
                except OutOfTime:
                    request.give_up(TOO_SLOW)
                except Ended as end:
                    if str(end):
                        request.give_up(str(end).rstrip(","))
                except Exception as error:  # of the work: a page says so, and goes on
                    request.give_up(f"it failed ({reason(error)})")

    def _hand_over(self, worker: Worker, request: Request, bell: Connection) -> None:
        while True:
            result = worker.receive(time.monotonic() + self._patience, [bell])
            if bell.poll():  # nobody waits for this any more
                return
            request.deliver(result)


def _gently(work: Callable[..., Iterable[Any]], argument: Any) -> Iterable[Any]:
    """Do the work with what the page leaves of the processor."""
    if hasattr(os, "nice"):
        os.nice(10)
    yield from work(argument)
