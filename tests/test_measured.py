"""What is measured: the README repeats the tables, and each section of a page names its command."""

from __future__ import annotations

import re
from math import log10

import pytest

from benchmarks import pages
from benchmarks.__main__ import PARTS
from benchmarks.peers import HEADS
from tests.pages import PAGES, ROOT

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def table(page: str, head: str) -> list[list[str]]:
    """Return the cells of the lines below a head."""
    lines = PAGES[page][PAGES[page].index(head) :].splitlines()[2:]
    end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[:end]]


MEASURED = {tuple(line[:2]): line for line in table("docs/benchmark.md", "| task | solver |")}
SAID = {line[0]: line[1:] for line in table("README.md", "| | ours | SCS | Clarabel |")}


def duration(task: str, solver: str) -> str:
    """Return the seconds of a line, as the README rounds them."""
    seconds = float(MEASURED[task, solver][2])
    if seconds < 0.01:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1g} s" if seconds < 1 else f"{seconds:.0f} s"


def gap(task: str, solver: str) -> str:
    """Return the proven gap of a line, as the README rounds it."""
    exponent = round(log10(float(MEASURED[task, solver][8])))
    return "gap 0.1" if exponent == -1 else f"gap 10{str(exponent).translate(SUPERSCRIPTS)}"


def test_the_readme_says_what_was_measured_on_the_lift() -> None:
    task = "lift, n = 120"
    ours, scs, clarabel = SAID["n × n lift, n = 120"]
    assert ours == f"{duration(task, 'ours')}, {gap(task, 'ours')}"
    error = float(MEASURED[task, "SCS"][7])
    assert MEASURED[task, "SCS"][5] == "optimal"
    assert scs == f"{duration(task, 'SCS')}, says optimal, error {error:.0f} times the excess"
    assert clarabel == MEASURED[task, "Clarabel"][5] == "no answer in 120 s"


def test_the_readme_says_what_was_measured_on_the_reduced_program() -> None:
    task = "reduced, k = 60"
    solvers = ("ours", "SCS", "Clarabel")
    assert SAID["reduced program, 60 classes"] == [f"{duration(task, s)}, {gap(task, s)}" for s in solvers]
    tight = [float(MEASURED[task, f"{solver}, tight"][2]) for solver in ("SCS", "Clarabel")]
    assert "in 20 to 40 seconds" in " ".join(PAGES["README.md"].split())
    assert min(tight) > 19.5 and max(tight) < 44.5


def test_the_readme_says_what_was_measured_on_data_sets() -> None:
    assert SAID["Places-LT"][0] == f"{duration('places-lt', 'ours')}, {gap('places-lt', 'ours')}"
    lvis = ("lvis-v1", "lvis-v1-instances")
    times = ", ".join(duration(task, "ours") for task in lvis)
    assert SAID["LVIS images, instances"][0] == f"{times}, {gap('lvis-v1', 'ours')}"
    for row, names in (("Places-LT", ("places-lt",)), ("LVIS images, instances", lvis)):
        for name in names:
            assert SAID[row][1] == MEASURED[name, "SCS"][5]
            assert SAID[row][2] == "out of memory" and MEASURED[name, "Clarabel"][5].startswith("died, 12 GB")


def test_the_readme_says_what_the_grid_found() -> None:
    good, everything = re.findall(r"\*\*(\d+) of (\d+) cells are certified", PAGES["docs/robustness.md"])[0]
    assert good == everything
    assert f"{good} problems" in " ".join(PAGES["README.md"].split())
    assert f"{good} problems" in " ".join(PAGES["CHANGELOG.md"].split())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_a_section_that_names_its_command(part: str) -> None:
    page = pages.page_of(part).read_text(encoding="utf-8")
    section = re.findall(f"<!-- part {part} -->(.*)<!-- end of part {part} -->", page, re.S)
    assert len(section) == 1
    assert f"`python -m benchmarks --part {part} --write`, 20" in section[0]
    assert re.search(r"commit [0-9a-f]{7,}", section[0])


def test_the_heads_are_those_of_today() -> None:
    assert "| " + " | ".join(HEADS) + " |" in PAGES["docs/benchmark.md"]


def test_writing_a_part_leaves_the_others() -> None:
    page = "# Title\n\n<!-- part a -->\n\nold\n\n<!-- end of part a -->\n\n![x](y.png)\n"
    both = pages.replaced(pages.replaced(page, "b", "two"), "a", r"one \1")
    assert "old" not in both and "![x](y.png)" in both
    assert both.index(r"one \1") < both.index("y.png") < both.index("two")
    assert pages.replaced(both, "a", r"one \1") == both


def test_the_citation_is_of_this_version() -> None:
    import relax

    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.M) == [relax.__version__]
    assert re.findall(r"^license: (.*)$", citation, re.M) == re.findall(r'^license = "(.*)"$', project, re.M)
    assert 'authors = [{ name = "The gramcert authors" }]' in project
    assert "- name: The gramcert authors" in citation
    assert "url" not in citation and "urls" not in project  # none until there are any
