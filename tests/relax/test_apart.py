"""Work apart: results come one by one, errors are those of the work, and nothing outlives the block."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from relax import Problem, solve
from relax.apart import Ended, OutOfTime, Woken, working
from relax.errors import InputError


def counted(count: int) -> Iterator[int]:
    yield from range(count)


def refusing() -> Iterator[int]:
    yield 1
    raise InputError("no")


def sleeping(seconds: float) -> Iterator[Any]:
    yield os.getpid()
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        yield "asked"


class Deaf:
    def __del__(self) -> None:
        time.sleep(0.6)  # what is raised in here is lost


def deaf() -> Iterator[str]:
    yield "begun"
    heard = Deaf()
    del heard
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        yield "asked"


def killed() -> Iterator[None]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield


def test_results_come_one_by_one_and_then_no_more() -> None:
    with working(counted, 3) as worker:
        assert [worker.receive() for _ in range(3)] == [0, 1, 2]
        with pytest.raises(Ended, match=r"^$"):
            worker.receive()


def test_errors_are_raised_where_results_are_received() -> None:
    with working(refusing) as worker:
        assert worker.receive() == 1
        with pytest.raises(InputError, match="no") as refused:
            worker.receive()
    assert "refusing" in refused.value.__notes__[0]


def test_a_killed_process_is_told_from_one_at_its_end() -> None:
    with working(killed) as worker, pytest.raises(Ended, match="was killed"):
        worker.receive()


def test_deadlines_bells_and_requests_to_end() -> None:
    bell, ring = Pipe(duplex=False)
    with working(sleeping, 60) as worker:
        pid, started = worker.receive(), time.monotonic()
        with pytest.raises(OutOfTime):
            worker.receive(started + 0.1)
        ring.send_bytes(b"!")
        with pytest.raises(Woken):
            worker.receive(others=[bell])
        worker.ask_to_end()
        assert worker.receive() == "asked"
        with pytest.raises(Ended, match=r"^$"):
            worker.receive()
    with working(sleeping, 60) as worker:
        pid = worker.receive()
    assert not Path(f"/proc/{pid}").exists()
    assert time.monotonic() - started < 30


def test_a_request_that_a_callback_swallowed_is_made_again(capfd: pytest.CaptureFixture[str]) -> None:
    with working(deaf) as worker:
        assert worker.receive() == "begun"
        time.sleep(0.2)
        worker.ask_to_end()
        assert worker.receive(time.monotonic() + 20) == "asked"
    assert capfd.readouterr().err == ""


def test_solutions_can_be_sent() -> None:
    for loss, views in (("supcon", 1), ("dhel", 2), ("decoupled", 2), ("pml-ntxent", 1)):
        solution = solve(Problem([4, 3, 2], loss, views=views))
        again = pickle.loads(pickle.dumps(solution))
        assert again.problem == solution.problem
        assert again.value == solution.value
        assert (again.labels == solution.labels).all()
        assert (again.gram == solution.gram).all()
