"""Waiting for what a thread does."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait(done: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return as soon as it is done, or when time is up, which the caller's assertions then tell."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
