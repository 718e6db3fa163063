"""The command before there is a page: what it refuses, in one sentence and with exit code 2."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from certify.cli import main
from certify.explore import serving


def _said(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["gramcert", "explore", "--no-browser", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.count("\n") == 1
    return err


def test_without_the_extra_the_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    said = _said([], monkeypatch, capsys)
    assert "needs marimo" in said and "pip install 'gramcert[explore]'" in said


def test_a_port_in_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind((serving.LOCAL, 0))
        other.listen()
        said = _said(["--port", str(other.getsockname()[1])], monkeypatch, capsys)
    assert "cannot be listened on (address already in use)" in said


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "70000"], ["--port", "x"], ["--host", "no host"]]
)
def test_unusable_addresses_are_refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert arguments[0].strip("-") in _said(arguments, monkeypatch, capsys)


def test_the_command_line_loads_no_marimo() -> None:
    program = "import sys, certify.cli; print('marimo' in sys.modules, 'uvicorn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
