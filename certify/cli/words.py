"""The words of the API's messages as those of the command: its options in place of arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from relax.errors import InputError

# What a message begins with, and the option that gives it: "level x must …" is "--level x must …".
ARGUMENTS = {
    "counts is": "--counts is",
    "counts item": "--counts item",
    "temperature": "--temperature",
    "tolerance": "--tolerance",
    "time limit": "--time-limit",
    "number of views": "--views",
    "level": "--level",
    "norm": "--norm",
    "loss": "--loss",
    "seed": "--seed",
    "dim": "--descent-dim",
    "starts": "--verify-descent",
    "labels": "--labels",
    "ratio": "--R",
    "journal": "--journal",
    "solver": "--solver",
    "unknown solver": "--solver: unknown solver",
    "unknown data set": "--dataset: unknown data set",
    "k_major": "--step: k_major",
    "k_minor": "--step: k_minor",
    "n_major": "--step: n_major",
    "n_minor": "--step: n_minor",
}
# What a message advises, and how that is typed.
ADVICE = {
    r"\bgive views=": "give --views ",
    r"\bgive level ": "give --level ",
    r"\bgive norm ": "give --norm ",
    r"\bleave nonnegative out\b": "leave --nonnegative out",
    r"\bsolver auto finds\b": "--solver auto finds",
    r"\bProblem\.from_labels\b": "--labels",
}


def in_options(message: str) -> str:
    """Return a message of the API in the words of the command."""
    for words, option in ARGUMENTS.items():
        message = re.sub(rf"^{words} =? ?(?=\S)", f"{option} ", message)
    for advised, typed in ADVICE.items():
        message = re.sub(advised, typed, message)
    return message


@contextmanager
def about(option: str) -> Iterator[None]:
    """Name the option that what is done here is about, where its message does not.

    Raises
    ------
    InputError
        In the words of the one that was raised here, after the option.
    """
    try:
        yield
    except InputError as error:
        said = in_options(str(error))
        raise InputError(said if said.startswith(option) else f"{option}: {said}") from error
