"""The two errors a user can meet, one they can mend, one a solver could not, and how both quote the input."""

from __future__ import annotations

LONGEST_QUOTE = 60  # characters


class InputError(ValueError):
    """The input cannot be used; the message says what is wrong and how to mend it."""


class SolverError(RuntimeError):
    """A solver could not do what was asked; the message says which one and why."""


def shown(given: object) -> str:
    """Return what a user gave as it would be typed, short enough for a sentence."""
    try:
        said = " ".join(repr(given).split())
    except Exception:  # a repr is their code: Python's own refuses integers of over 4,300 digits
        said = f"of type {type(given).__name__}"
    return said if len(said) <= LONGEST_QUOTE else f"{said[:40]}…"
