"""The two errors a user can meet: one they can mend, one a solver could not."""


class InputError(ValueError):
    """The input cannot be used; the message says what is wrong and how to mend it."""


class SolverError(RuntimeError):
    """A solver could not do what was asked; the message says which one and why."""


def in_words(error: Exception) -> str:
    """Return what an error of Python says, in bare words: of a `KeyError` the key alone is its message."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__
