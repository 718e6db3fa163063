"""An extension of Griffe, which reads docstrings: names in backticks become links, and ours must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from griffe import (
    Class,
    Docstring,
    DocstringSectionParameters,
    Extension,
    Function,
    GriffeError,
    GriffeLoader,
    Module,
    Object,
    get_logger,
)

logger = get_logger(__name__)
PACKAGES = ("relax", "certify")
NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.\w+)*)((?:\([^`]*\))?)`(?!`)")


class References(Extension):
    """Link `name`, `Class.name` and `module.name` of docstrings, as seen from where they stand."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **_: Any) -> None:
        """Rewrite the docstrings of a package when the second one is loaded, as they refer to each other."""
        for other in set(PACKAGES) - set(loader.modules_collection.members):
            loader.load(other, try_relative_path=False)
            return  # which comes back here
        known = Names(loader)
        for package in PACKAGES:
            for docstring in docstrings(loader.modules_collection[package]):
                linked = partial(known.linked, docstring)
                docstring.value = NAME.sub(linked, docstring.value)
                set_defaults(docstring)


def docstrings(top: Object) -> Iterator[Docstring]:
    """Yield every docstring at or below an object, not through imports."""
    if top.docstring is not None:
        yield top.docstring
    for member in top.members.values():
        if isinstance(member, Object):
            yield from docstrings(member)


def set_defaults(docstring: Docstring) -> None:
    """Give each parameter its own default: Griffe gives `a, b : int` that of a, and choices the first."""
    function = docstring.parent
    if not isinstance(function, Function):
        return
    for section in docstring.parsed:
        if isinstance(section, DocstringSectionParameters):
            for said in section.value:
                if said.name in function.parameters:
                    said.value = function.parameters[said.name].default


class Names:
    """What the names in docstrings refer to."""

    def __init__(self, loader: GriffeLoader) -> None:
        self._all = loader.modules_collection
        self._classes: dict[str, list[str]] = {}
        for package in PACKAGES:
            for path in _classes(self._all[package]):
                self._classes.setdefault(path.rpartition(".")[2], []).append(path)

    def linked(self, docstring: Docstring, found: re.Match[str]) -> str:
        """Return a name as a link where the reference has it; complain of one of ours that is nowhere."""
        name = found[1]
        head = name.partition(".")[0]
        assert docstring.parent is not None
        path = self._path(name, docstring.parent)
        if path is not None:
            return f'<autoref optional identifier="{path}">{found[0]}</autoref>'
        if "." in name and (head in PACKAGES or head in self._classes):
            logger.warning(f"{docstring.parent.path}: `{name}` is nowhere")
        return found[0]

    def _path(self, name: str, scope: Object) -> str | None:
        """Return the path of what is meant, None for a parameter, a value or a name of others."""
        head, _, rest = name.partition(".")
        if head in PACKAGES and rest:
            return self._walk(head, rest.split("."))
        try:
            start = scope.resolve(head)
        except GriffeError:
            alike = self._classes.get(head, [])
            start = alike[0] if len(alike) == 1 else "("
        is_parameter = "(" in start
        return None if is_parameter else self._walk(start, rest.split(".") if rest else [])

    def _walk(self, start: str, names: list[str]) -> str | None:
        """Return the path of a member of a member …; of what a property returns, the property."""
        try:
            there = self._all[start]
            for name in names:
                if there.is_attribute:
                    break
                there = there.all_members[name]
            return there.canonical_path
        except (KeyError, GriffeError):
            return None


def _classes(top: Object) -> Iterator[str]:
    for member in top.members.values():
        if isinstance(member, Class):
            yield member.path
        elif isinstance(member, Module):
            yield from _classes(member)
