"""The two errors a user can meet: one they can mend, one a solver could not."""


class InputError(ValueError):
    """The input cannot be used; the message says what is wrong and how to mend it."""


class SolverError(RuntimeError):
    """A solver could not do what was asked; the message says which one and why."""
