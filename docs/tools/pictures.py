"""Draw the pictures of docs/pictures.md anew: `python docs/tools/pictures.py`; then look at each.

A picture is made by the Python block above its link, which leaves the axes in `ax`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from matplotlib import pyplot

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "pictures.md"
MADE = re.compile(r"^```python\n(.*?)^```\n+!\[[^\]]*\]\((pictures/[\w-]+\.png)\)", re.M | re.S)
DPI = 100


def pictures() -> Iterator[tuple[Path, str]]:
    """Yield the file of each picture of the page, and the lines that draw it."""
    for lines, file in MADE.findall(PAGE.read_text(encoding="utf-8")):
        yield PAGE.parent / file, lines


def drawn(lines: str) -> bytes:
    """Return the PNG that lines draw."""
    names: dict[str, object] = {}
    exec(lines, names)
    figure, file = names["ax"].figure, BytesIO()  # type: ignore[attr-defined]
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    pyplot.close(figure)
    return file.getvalue()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    pyplot.switch_backend("agg")
    for path, lines in pictures():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn(lines))
        print(path.relative_to(ROOT))
