"""The pages of documentation, as the tests read them: fenced blocks, and commands within the text."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
}
_FENCED = re.compile(r"^```(\w*)[ \t]*\n(.*?)^```[ \t]*$", re.M | re.S)


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of one language, as printed."""
    return [text for said, text in _FENCED.findall(PAGES[page]) if said == language]


def languages(page: str) -> set[str]:
    """Return the languages of the fenced blocks, "" for none."""
    return {said for said, _ in _FENCED.findall(PAGES[page])}


def commands(page: str, program: str) -> list[str]:
    """Return the commands of a program in the page: lines of bash blocks, and code within the text."""
    lines = [line.strip() for block in blocks(page, "bash") for line in block.splitlines()]
    prose = _FENCED.sub("", PAGES[page])
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    return [line for line in [*lines, *spans] if line.startswith(f"{program} ")]
