"""Work beside the page, of which only the last request counts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from relax.apart import Ended, OutOfTime, Woken, working

Deliver = Callable[[Any], None]
TOO_SLOW = "it took too long here"


class Latest:
    """A process beside this one for the last request; the one before it is ended.

    A thread waits for its results and hands them over, so that a page stays free to move.

    Parameters
    ----------
    patience : float
        Seconds for each result of a request.
    thread : type
        A kind of `threading.Thread` that may deliver: marimo's, within its pages.
    """

    def __init__(self, patience: float, thread: type[threading.Thread] = threading.Thread) -> None:
        self._patience, self._thread = patience, thread
        self._bell: Connection | None = None

    def ask(
        self,
        work: Callable[..., Iterable[Any]],
        argument: Any,
        deliver: Deliver,
        give_up: Callable[[str], None],
    ) -> None:
        """Begin anew: `deliver` is called with each result, `give_up` with a reason if there is no end.

        Parameters
        ----------
        work : function
            Of a module, as for `relax.apart.working`.
        argument : object
            What it is called with.
        deliver, give_up : functions
            Called in the thread, and not at all for a request that was ended by another one.
        """
        self.stop()
        bell, self._bell = Pipe(duplex=False)
        arguments = (work, argument, deliver, give_up, bell)
        self._thread(target=self._follow, args=arguments, daemon=True).start()

    def stop(self) -> None:
        """End the last request, if it is still at work."""
        if self._bell is not None:
            with suppress(OSError):  # it has come to its end
                self._bell.send_bytes(b"!")  # to close it is not enough: processes may have copies
            self._bell.close()
            self._bell = None

    def _follow(
        self,
        work: Callable[..., Iterable[Any]],
        argument: Any,
        deliver: Deliver,
        give_up: Callable[[str], None],
        bell: Connection,
    ) -> None:
        with bell, working(_gently, work, argument) as worker:
            try:
                while True:
                    result = worker.receive(time.monotonic() + self._patience, [bell])
                    if bell.poll():  # nobody waits for this any more
                        return
                    deliver(result)
            except Woken:
                return
            except OutOfTime:
                give_up(TOO_SLOW)
            except MemoryError:
                give_up("there was not enough memory")
            except Ended as end:
                if str(end):
                    give_up(str(end).rstrip(","))


def _gently(work: Callable[..., Iterable[Any]], argument: Any) -> Iterable[Any]:
    """Do the work with what the page leaves of the processor."""
    if hasattr(os, "nice"):
        os.nice(10)
    yield from work(argument)
