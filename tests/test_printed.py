"""What runs each thing that the pages print: nothing is without something that executes it."""

from __future__ import annotations

import re

import pytest

from benchmarks.__main__ import PARTS
from tests.pages import PAGES, ROOT, blocks, commands, languages
from tests.test_guides import GUIDES

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
# test_readme.py, test_pictures_page.py and test_guides.py
SCRIPTS = {"README.md", "docs/pictures.md"} | {f"docs/{guide}" for guide in GUIDES}
NOT_PYTHON = {  # other blocks than Python and commands
    ("docs/certificate-format.md", ""): "a grammar; tests/certify/test_refusals.py breaks it part by part",
    ("docs/landscape-proofs.md", ""): "a grammar; tests/certify/landscape/test_file.py breaks it",
    ("docs/your-own-loss.md", "toml"): "test_guides.py installs it",
}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_by_something(page: str) -> None:
    said = languages(page)
    assert page in SCRIPTS or "python" not in said
    assert all(language in languages(page) for page, language in NOT_PYTHON)
    assert {page for page in SCRIPTS if blocks(page, "python")} == SCRIPTS


def test_the_readme_opens_with_the_two_commands_that_ci_runs() -> None:
    first, second = blocks("README.md", "bash")  # .ci/run takes them from there
    assert "&& gramcert solve" in first and "&& gramcert check" in first
    assert second.strip().endswith("&& python -m pytest -n 2")


@pytest.mark.parametrize("command", "".join(blocks("CONTRIBUTING.md", "bash")).splitlines())
def test_commands_of_contributing_are_those_of_ci(command: str) -> None:
    if command == "python -m pytest -n 2":
        assert command in PAGES["README.md"]
        return
    # CI installs the extras one after the other, and builds elsewhere
    words = {"'.[test,docs]'": "'.[docs]'", " site": ' "$work/site"'}
    for printed, run in words.items():
        command = command.replace(printed, run)
    assert command.replace("pip install", "pip install --quiet") in CI


MODULES = {command for page in PAGES for command in commands(page, "python")}
BENCHMARKS = sorted(command for command in MODULES if command.startswith("python -m benchmarks"))


@pytest.mark.parametrize("command", BENCHMARKS)
def test_benchmarks_have_the_parts_that_pages_name(command: str) -> None:
    found = re.fullmatch(r"python -m benchmarks(?: --part ([\w-]+))?(?: --write)?", command)
    assert found is not None
    assert found[1] is None or found[1] in PARTS
