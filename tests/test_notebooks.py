"""Notebooks are stored executed, and the page of them shows their titles and their pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs.tools.notebook_pictures import ROOT, notebooks, picture, place

PAGE = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
LARGEST_PICTURE = 80_000  # bytes

each = pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)


def title_of(notebook: Path) -> str:
    first = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]
    found = re.match(r"# (.+)", "".join(first["source"]))
    assert first["cell_type"] == "markdown" and found is not None
    return found[1]


@each
def test_the_title_is_a_question_that_the_page_asks(notebook: Path) -> None:
    assert title_of(notebook).endswith("?")
    section = PAGE.partition(f"\n## {title_of(notebook)}\n")[2].partition("\n## ")[0]
    assert f"(notebooks/{place(notebook).name})" in section
    assert section.count(f"(../notebooks/{notebook.name})") == 2


@each
def test_the_picture_of_the_page_is_the_first_of_the_notebook(notebook: Path) -> None:
    assert picture(notebook) == place(notebook).read_bytes()
    assert place(notebook).stat().st_size < LARGEST_PICTURE


@each
def test_cells_were_executed_in_order_and_failed_nowhere(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert "stderr" not in {output.get("name") for cell in code for output in cell["outputs"]}


def test_the_page_has_no_other_sections_and_no_picture_is_left_over() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.M) == [title_of(notebook) for notebook in notebooks()]
    assert sorted((ROOT / "docs" / "notebooks").iterdir()) == [place(notebook) for notebook in notebooks()]


def test_a_notebook_without_a_figure_has_no_picture(tmp_path: Path) -> None:
    bare = tmp_path / "00_bare.ipynb"
    shown = {"output_type": "execute_result", "data": {"image/png": "", "text/plain": "a thumbnail"}}
    bare.write_text(json.dumps({"cells": [{"cell_type": "code", "outputs": [shown]}]}), encoding="utf-8")
    with pytest.raises(ValueError, match="shows no figure"):
        picture(bare)
