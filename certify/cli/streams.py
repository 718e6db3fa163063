"""Standard output and error, whatever they are: not UTF-8, closed, a closed pipe, or full."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from typing import IO

from relax.errors import InputError, reason

IN_ASCII = {
    "≥": ">=", "≤": "<=", "≈": "~", "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "…": "...", "→": "->",
    "τ": "tau", "ν": "nu", "ω": "omega", "κ": "kappa", "λ": "lambda", "θ": "theta", "ψ": "psi", "γ": "gamma",
    "β": "beta", "η": "eta", "π": "pi", "μ": "mu", "Σ": "sum", "√": "sqrt", "°": " deg", "‖": "||", "⟨": "<",
    "⟩": ">", "∈": " in ", "≠": "!=", "±": "+-", "²": "^2", "³": "^3", "⁻": "^-", "₊": "+", "₋": "-",
    "½": "1/2", "‘": "'", "’": "'", "“": '"', "”": '"', "é": "e", "ö": "o", "ü": "u", "á": "a",
}  # fmt: skip


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Return ASCII in place of what a stream cannot take (an error handler, as `codecs` knows them)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    taken = error.object[error.start : error.end]
    said = (IN_ASCII.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in taken)
    return "".join(said), error.end


codecs.register_error("gramcert", _spelled)


def prepare() -> None:
    """Make all that is written to standard output and error writable there."""
    for descriptor in range(3):  # an output file would take the number of one that is closed
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="gramcert")


def writable(text: str) -> str:
    """Return a text as standard output will show it, so that columns may be measured."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "gramcert").decode(encoding)


def say(text: str) -> None:
    """Print a text on standard output; who reads no more, by a closed pipe, is told no more.

    Raises
    ------
    InputError
        If standard output cannot be written.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise InputError(
            f"standard output cannot be written ({reason(error)}); redirect it elsewhere"
        ) from error


def complain(message: str) -> None:
    """Print one line on standard error, if that can be."""
    try:
        print(f"gramcert: {' '.join(message.split())}", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: IO[str]) -> None:
    """Send what is left in the buffer, and all that follows, nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
