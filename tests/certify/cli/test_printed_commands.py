"""Every command `gramcert …` of the README and of docs/ runs as printed, and writes what it says."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tests.pages import PAGES, ROOT, blocks, commands

NOT_RUN = {  # the reason
    "gramcert check": "the name of the command",
    "gramcert landscape": "the name of the command",
    "gramcert check FILE": "a placeholder; the README's first command checks a file",
    "gramcert solve": "the name of the command",
    "gramcert threshold": "the name of the command",
    "gramcert sweep": "the name of the command",
    "gramcert explore": "serves until Ctrl-C; tests/certify/explore/test_browser.py",
    "gramcert explore --port 8000 --no-browser": "serves until Ctrl-C; tests/certify/explore/test_browser.py",
    "gramcert solve --labels FILE[:COLUMN]": "a placeholder; tests/certify/cli/test_labels.py",
    "gramcert solve --loss balanced-negatives": "tests/test_guides.py, where the loss is installed",
}
LANDSCAPE = "gramcert landscape --counts 10,10,10 --temperature 0.1 --dims 1:4"  # finds bad minima: exit 1
BATCHES = "gramcert solve --dataset cifar10-lt-100 --temperature 0.1 --loss supcon:batch_size=256"
SWEEP = "gramcert sweep --step 2,2,10 --R 1:1e4:200log --temperature 0.05,0.1,0.5,1 --out sweep.parquet"
LVIS = "gramcert solve --dataset lvis-v1 --plot lvis.png"
SLOW = {"gramcert solve --step 2,2,100,10 --verify-descent 16", LANDSCAPE, BATCHES, SWEEP, LVIS}
PRINTED = sorted({command for page in PAGES for command in commands(page, "gramcert")})


def test_all_that_is_not_run_is_printed_somewhere() -> None:
    assert NOT_RUN.keys() | SLOW <= set(PRINTED)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=[pytest.mark.slow] if command in SLOW else [])
        for command in PRINTED
        if command not in NOT_RUN
    ],
)
def test_a_printed_command_runs(
    gramcert: Callable[..., tuple[int, str, str]],
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command)[1:]
    code, out, error = gramcert(*arguments)
    assert code == (1 if command == LANDSCAPE else 0), error
    assert out
    for option in {"--plot", "--certificate", "--save"} & set(arguments):
        assert (tmp_path / arguments[arguments.index(option) + 1]).stat().st_size > 1000
    if "--verify-descent" in arguments:
        assert "16 of 16" in out
    if command == LANDSCAPE:
        (said,) = blocks("docs/landscape.md", "text")
        for printed, line in zip(said.splitlines(), out.splitlines(), strict=False):
            assert line.startswith(printed.rstrip("…"))


def test_the_picture_of_the_readme_is_what_its_command_draws(
    gramcert: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (command,) = (c for c in commands("README.md", "gramcert") if "--plot places-lt.png" in c)
    drawn = tmp_path / "places-lt.png"
    code, _, error = gramcert(*shlex.split(command)[1:-1], str(drawn))
    assert code == 0, error
    ours, shown = imread(ROOT / "docs" / "places-lt.png"), imread(drawn)
    assert ours.shape == shown.shape
    assert np.abs(ours - shown).mean() < 0.01  # of 1; the fonts of another version move some pixels
