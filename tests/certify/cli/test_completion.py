"""Help in groups with examples, and completion in bash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relax import datasets, losses
from relax.solvers import names

Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).resolve().parents[3]
MAIN = "from certify.cli import main; main()"


def completed(*words: str) -> list[str]:
    """Return what bash is offered for the last word."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_GRAMCERT_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("gramcert", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", MAIN], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.slow
def test_completion_in_bash() -> None:
    assert completed("so") == ["solve"]
    assert completed("solve", "--temp") == ["--temperature"]
    assert completed("solve", "--loss", "pml") == [name for name in losses.names() if name.startswith("pml")]
    assert completed("solve", "--dataset", "l") == [name for name in datasets.names() if name.startswith("l")]
    assert completed("solve", "--solver", "") == names()
    assert completed("solve", "--level", "c") == ["classes"]
    assert completed("solve", "--norm", "m") == ["mean-square"]


def test_the_script_for_bash() -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    arguments = [sys.executable, "-c", MAIN, "--show-completion", "bash"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "complete -o default -F _gramcert_completion gramcert" in done.stdout
    assert subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_help_is_in_groups_and_has_examples(gramcert: Command) -> None:
    code, out, _ = gramcert("solve", "-h")
    assert code == 0
    for group in ("Class counts", "The problem", "Solving", "Outputs", "gradient descent"):
        assert group in out
    options = out[: out.index("Class counts")]
    assert "--counts" not in options
    for command in ("solve", "check", "losses", "datasets"):
        code, out, _ = gramcert(command, "--help")
        assert code == 0
        assert f"gramcert {command}" in out[out.index("Examples:") :]


@pytest.mark.parametrize("arguments", [[], ["sol"], ["solve", "more", "words"], ["check"]])
def test_commands_that_are_none(arguments: list[str], gramcert: Command) -> None:
    code, out, error = gramcert(*arguments)
    assert (code, out) == (2, "")
    assert len(error.splitlines()) == 1
