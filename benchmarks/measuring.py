"""Timing: medians of several runs in CPU seconds, and peers in processes of their own with limits."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

LONG = 5.0  # seconds; what takes longer is measured once


class Timed(NamedTuple):
    """What a function returned, and the median, least and largest of its times in CPU seconds."""

    result: Any
    median: float
    least: float
    largest: float


def timed(function: Callable[[], Any], runs: int) -> Timed:
    """Run a function `runs` times after one run that does not count, or once where that takes long."""
    started = time.process_time()
    result = function()
    seconds = [time.process_time() - started]
    if seconds[0] <= LONG:
        seconds = []
        for _ in range(runs):
            started = time.process_time()
            result = function()
            seconds.append(time.process_time() - started)
    return Timed(result, statistics.median(seconds), min(seconds), max(seconds))


def in_a_process(function: Callable[[], Any], seconds: float, memory: int) -> Any:
    """Return what a function returns in a fresh process, or a sentence when it fails or meets a limit."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, function, memory))
    process.start()
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(seconds) else f"no answer in {seconds:.0f} s"
    except EOFError:
        process.join()
        answer = f"died, {memory / 2**30:.0f} GB allowed; exit code {process.exitcode}"
    process.kill()
    process.join()
    return answer


def _send(sender: Any, function: Callable[[], Any], memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        sender.send(function())
    except Exception as error:  # a peer's failure is a table entry, whatever it is
        sender.send(f"failed: {type(error).__name__}: {error}")
