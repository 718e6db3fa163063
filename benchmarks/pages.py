"""The pages of docs/ that hold what was measured: a section for each part, replaced when the part is run."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from relax.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
OF_BATCHES = ("batch-sizes", "batch-merging", "batch-data-sets", "batch-training", "batch-binding")
BATCHES = dict.fromkeys(OF_BATCHES, "batches.md")
LANDSCAPE = dict.fromkeys(("landscape", "landscape-speed"), "landscape.md")
PROOFS = {"landscape-shattered": "landscape-proofs.md"}
PAGES = {"grid": "robustness.md", **LANDSCAPE, **PROOFS, **BATCHES}  # all other parts are on one page
OTHERS = "benchmark.md"
MEASURED = ("relax", "certify", "benchmarks")
PACKAGES = ("numpy", "cvxpy", "scs", "clarabel")


def page_of(part: str) -> Path:
    """Return the page that holds the section of a part."""
    return ROOT / "docs" / PAGES.get(part, OTHERS)


def write(part: str, text: str) -> None:
    """Replace the section of a part; what other parts measured stays as it is."""
    page = page_of(part)
    write_atomically(page, replaced(page.read_text(encoding="utf-8"), part, text))


def replaced(page: str, part: str, text: str) -> str:
    """Return a page with the section of a part replaced, or added at its end."""
    begin, end = f"<!-- part {part} -->", f"<!-- end of part {part} -->"
    section = f"{begin}\n\n{text.strip()}\n\n{measured(part)}\n\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    if pattern.search(page):
        return pattern.sub(lambda _: section, page)
    return f"{page.rstrip()}\n\n{section}\n"


def measured(part: str) -> str:
    """Return the command that makes a section, and what it was measured with, when and at which commit."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"`python -m benchmarks --part {part} --write`, {today}, {commit()}: {machine()}."


def commit() -> str:
    """Return the commit of the code that is measured, and whether it was changed since."""
    last = _git("log", "-1", "--format=%h", "--", *MEASURED)
    changed = ", changed" if _git("status", "--porcelain", "--", *MEASURED) else ""
    return f"commit {last}{changed}" if last else f"version {version('gramcert')}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> str:
    """Return what the numbers are measured with."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = f"{platform.machine()}, {os.environ['OMP_NUM_THREADS']} of {os.cpu_count()} cores"
    return f"{cores}, Python {platform.python_version()}, {packages}"


def markdown(table: Table) -> str:
    """Return a table under its title and caption."""
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(list(column.cells) for column in table.columns), strict=True)
    text = tabulated(heads, [[str(cell) for cell in row] for row in rows])
    return "\n\n".join([f"## {table.title}", *([str(table.caption)] if table.caption else []), text])


def tabulated(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def listed(counts: tuple[int, ...]) -> str:
    """Return class counts as pages name them."""
    return "[" + ", ".join(map(str, counts)) + "]"
