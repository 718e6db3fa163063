"""A hook of MkDocs: pages from outside docs/, and links that hold on the site and in the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {"README.md": "overview.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s#:]+)(#[^()\s]*)?\)")
FENCED = re.compile(r"(^```.*?^```[ \t]*$)", re.M | re.S)
OURS = re.compile(r"`((?:relax|certify)(?:\.\w+)+)(?:\([^`]*\))?`")  # becomes a link into the reference


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand at the root of the repository."""
    for name, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site; one to a file that is no page keeps its words."""
    at = page.file.src_uri
    of_page = next((name for name, place in OUTSIDE.items() if place == at), f"docs/{at}")
    home = posixpath.dirname(at) or "."

    def on_site(link: re.Match[str]) -> str:
        bang, words, target, anchor = link.groups()
        words = LINK.sub(on_site, words)  # a picture that is a link
        path = posixpath.normpath(posixpath.join(posixpath.dirname(of_page), target))
        place = OUTSIDE.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if place is None:
            return words
        return f"{bang}[{words}]({posixpath.relpath(place, home)}{anchor or ''})"

    parts = FENCED.split(markdown)  # the odd ones are code
    parts[::2] = [OURS.sub(r"[\g<0>][\1]", LINK.sub(on_site, part)) for part in parts[::2]]
    return "".join(parts)
