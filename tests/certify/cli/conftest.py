"""The command inside the process of the tests, where starting Python anew would take most of the time."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from certify.cli import main


@pytest.fixture
def gramcert(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command; return its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gramcert", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    return run


@pytest.fixture
def refusal(gramcert: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """Run the command, which must refuse its input; return the sentence that says why."""

    def run(*arguments: str) -> str:
        code, out, error = gramcert(*arguments)
        assert (code, out) == (2, "")
        assert len(error.strip().splitlines()) == 1
        return error

    return run
