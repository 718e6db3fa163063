"""Does every link lead somewhere? `python docs/tools/links.py [SITE]` reads the pages, and the built site.

Needs nothing but Python. Of links to other hosts the form alone is checked, as a test has no network.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```.*?^```[ \t]*$", re.M | re.S)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
DOI = re.compile(r"\bdoi(?:\.org/|[: ]\s*)(\S*)", re.I)
ARXIV = re.compile(r"\barXiv(?:[: ]\s*)(\S*)", re.I)


def pages() -> list[Path]:
    """Return the Markdown pages of the repository, in a fixed order."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(markdown: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", markdown)):
        words = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = next(n for n in range(len(found) + 1) if (f"{slug}-{n}" if n else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def broken_in_page(page: Path) -> Iterator[str]:
    """Yield a sentence for each link of a Markdown page that leads nowhere, and each malformed reference."""
    text = page.read_text(encoding="utf-8")
    yield from (f"{page}: {wrong}" for wrong in malformed(text))
    for link in LINK.findall(CODE.sub("", FENCED.sub("", text))):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            yield from (f"{page}: {wrong}" for wrong in wrong_address(link))
            continue
        target = page.parent / unquote(parts.path) if parts.path else page
        if not target.exists():
            yield f"{page}: {link}: there is no such file"
        elif parts.fragment and unquote(parts.fragment) not in anchors(target.read_text(encoding="utf-8")):
            yield f"{page}: {link}: there is no such heading"


def wrong_address(address: str) -> Iterator[str]:
    """Yield what is wrong with the form of an address elsewhere."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc):
        yield f"{address} is no https address"


def malformed(text: str) -> Iterator[str]:
    """Yield the DOIs and arXiv numbers of a text that are none."""
    for doi in DOI.findall(text):
        if not re.fullmatch(r"10\.\d{4,9}/[^\s()]*[^\s().,;]", doi.rstrip(".,:;)\"'")):
            yield f"DOI {doi!r} is malformed"
    for number in ARXIV.findall(text):
        if not re.match(r"(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?!\d)", number):
            yield f"arXiv number {number!r} is malformed"


class Html(HTMLParser):
    """The anchors of a built page, its links, and what a browser would load for it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect from one tag."""
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if "href" in values:
            (self.links if tag == "a" else self.loads).append(values["href"])
        if "src" in values:
            self.loads.append(values["src"])


def broken_in_site(site: Path) -> Iterator[str]:
    """Yield a sentence for each link of the built pages that leads nowhere, or loads what is elsewhere."""
    read = {path.resolve(): Html(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}
    for path, page in read.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                elsewhere = link in page.loads
                yield from (f"{path}: {wrong}" for wrong in wrong_address(link))
                yield from [f"{path}: {link} is loaded from elsewhere"] * elsewhere
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{path}: {link}: there is no such file"
            elif parts.fragment and target in read and unquote(parts.fragment) not in read[target].anchors:
                yield f"{path}: {link}: there is no such anchor"


def main(arguments: list[str]) -> int:
    """Print what is broken; return 1 if anything is."""
    wrong = [line for page in pages() for line in broken_in_page(page)]
    for site in map(Path, arguments):
        if not any(site.rglob("*.html")):
            wrong.append(f"{site} holds no page")
        wrong.extend(broken_in_site(site))
    print("\n".join(wrong) or "every link leads somewhere")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
