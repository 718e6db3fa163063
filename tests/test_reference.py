"""The reference of docs/ has everything public, and everything public has a docstring."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.pages import PAGES, blocks

PACKAGES = (
    "relax",
    "relax.losses",
    "relax.descent",
    "relax.plots",
    "relax.rows",
    "relax.testing",
    "relax.testing.conformance",
    "certify",
    "certify.balls",
    "certify.explore",
    "certify.features",
    "certify.ground_truth",
    "certify.landscape",
    "certify.thresholds",
    "certify.sweeps",
)
DIRECTIVE = re.compile(r"^::: ([\w.]+)\n((?:    .*\n)*)", re.M)


def described() -> set[int]:
    """Return the identities of the objects that the pages of the reference describe."""
    found: set[int] = set()
    for page, text in PAGES.items():
        if not page.startswith("docs/reference/"):
            continue
        for path, options in DIRECTIVE.findall(text + "\n"):
            top = located(path)
            found.add(id(top))
            if inspect.ismodule(top):
                chosen = re.search(r"members: \[([^]]*)\]", options)
                names = chosen[1].split(", ") if chosen else list(public(top))
                found |= {id(getattr(top, name)) for name in names}
    return found


def located(path: str) -> Any:
    """Return what a dotted path names; an error where it names nothing."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def public(module: ModuleType) -> Iterator[str]:
    """Yield the names of a module that are for users: those that it lists, else those that it defines."""
    if hasattr(module, "__all__"):
        yield from module.__all__
        return
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__:
            yield name


def _is_described(value: Any) -> bool:
    """Whether a reference describes it: constants are said where they are used."""
    return inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)


DESCRIBED = described()


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_described(package: str) -> None:
    module = importlib.import_module(package)
    names = [name for name in module.__all__ if _is_described(getattr(module, name))]
    assert names
    assert [name for name in names if id(getattr(module, name)) not in DESCRIBED] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_have_docstrings(package: str) -> None:
    module = importlib.import_module(package)
    bare = [name for name in module.__all__ if not inspect.getdoc(getattr(module, name))]
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            own = {key: member for key, member in vars(value).items() if not key.startswith("_")}
            callables = {key: m for key, m in own.items() if inspect.isfunction(m) or isinstance(m, property)}
            bare += [f"{name}.{key}" for key, member in callables.items() if not inspect.getdoc(member)]
    assert bare == []


def imported(page: str) -> set[str]:
    """Return the names that the snippets of a page import from the package."""
    names = set()
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("relax", "certify"):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_what_snippets_import_is_described(page: str) -> None:
    names = imported(page)
    assert names
    values = {name: value for name in names if _is_described(value := located(name))}
    assert [name for name, value in values.items() if id(value) not in DESCRIBED] == []
