"""The lines of docs/pictures.md draw the pictures below them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest

from docs.tools.pictures import drawn, pictures
from tests.pages import PAGES, ROOT, blocks
from tests.relax.plots.likeness import ALIKE, lightness, likeness

MADE = list(pictures())


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        pytest.param(
            *made,
            id=made[0].stem,
            marks=[pytest.mark.slow] if "descend(" in made[1] or "phase_diagram(" in made[1] else [],
        )
        for made in MADE
    ],
)
def test_the_lines_draw_the_picture(file: Path, lines: str) -> None:
    assert likeness(lightness(BytesIO(drawn(lines))), lightness(file)) > ALIKE


def test_every_block_has_a_picture_and_every_picture_a_block() -> None:
    page = "docs/pictures.md"
    assert [lines for _, lines in MADE] == blocks(page, "python")
    linked = {ROOT / "docs" / target for target in re.findall(r"\]\((pictures/[^)]*)\)", PAGES[page])}
    assert {file for file, _ in MADE} == linked == set((ROOT / "docs" / "pictures").glob("*"))
