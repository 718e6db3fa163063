"""Every Python snippet of the README runs as printed, and says what the text around it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
SAYS = [
    r"CERTIFIED[\s\S]*\[\[ 1\. ",
    r"400 0\.[0-8]\d*\n1000 (1\.0|0\.9999999999)",
    r"'agree': '8 of 8'",
    r"supcon CERTIFIED -0\.0159\nsupcon:batch_size=8 CERTIFIED 0\.3068",
    r"\[\[ 1\.[\s\S]*\]\] [\d.]+e-0\d\nG",
    r"proven apart at 142\.7\d+, together at 142\.7\d+[\s\S]*\[\(5, 3\)\]",
    r"accepted",
]


def test_there_is_an_expectation_for_every_snippet() -> None:
    assert len(SNIPPETS) == len(SAYS)


@pytest.mark.parametrize("number", range(len(SAYS)))
def test_snippet_runs(number: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SNIPPETS[number]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[number], done.stdout), done.stdout
