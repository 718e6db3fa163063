"""Every link of the pages leads somewhere, and docs/tools/links.py sees those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.tools import links


@pytest.mark.parametrize("page", links.pages(), ids=lambda page: str(page.relative_to(links.ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert list(links.broken_in_page(page)) == []


def test_references_of_docstrings_and_citations_are_well_formed() -> None:
    code = [path for package in ("relax", "certify") for path in (links.ROOT / package).rglob("*.py")]
    sources = [*code, links.ROOT / "CITATION.cff"]
    assert len(sources) > 100
    assert [wrong for path in sources for wrong in links.malformed(path.read_text(encoding="utf-8"))] == []


PAGE = """# A title, with `code` and ×

## Twice

## Twice

[good](other.md#there) [code `[x]`](#a-title-with-code-and-) [second](#twice-1) [far](https://example.org/a?b#c)

`[code](is-no-link.md)`

```
[nor](is-this.md)
```
"""


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("", None),
        ("[a](gone.md)", "gone.md: there is no such file"),
        ("[a](other.md#nowhere)", "other.md#nowhere: there is no such heading"),
        ("[a](#twice-2)", "#twice-2: there is no such heading"),
        ("![a](gone.png)", "gone.png: there is no such file"),
        ("[a](http://example.org)", "http://example.org is no https address"),
        ("[a](https://example)", "https://example is no https address"),
        ("see doi 10.1073/pnas.2103091118.", None),
        ("see doi 10.1073.", "DOI '10.1073.' is malformed"),
        ("arXiv 2402.18884", None),
        ("arXiv 24021.8884", "arXiv number '24021.8884' is malformed"),
    ],
)
def test_what_is_broken_in_a_page_is_seen(tmp_path: Path, added: str, words: str | None) -> None:
    (tmp_path / "other.md").write_text("## There\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(f"{PAGE}\n{added}\n", encoding="utf-8")
    assert list(links.broken_in_page(page)) == ([] if words is None else [f"{page}: {words}"])


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("", None),
        ('<a href="gone.html">x</a>', "gone.html: there is no such file"),
        ('<a href="b.html#nowhere">x</a>', "b.html#nowhere: there is no such anchor"),
        ('<a href="#nowhere">x</a>', "#nowhere: there is no such anchor"),
        ('<img src="gone.png">', "gone.png: there is no such file"),
        ('<script src="https://a.org/x.js"></script>', "https://a.org/x.js is loaded from elsewhere"),
        ('<link href="//example.org/x.css">', "//example.org/x.css is no https address"),
    ],
)
def test_what_is_broken_in_the_site_is_seen(tmp_path: Path, added: str, words: str | None) -> None:
    (tmp_path / "b.html").write_text('<h2 id="there">x</h2>', encoding="utf-8")
    good = '<p id="here"></p><a href="b.html#there">x</a><a href="#here">x</a><a href="https://example.org/">x</a>'
    page = tmp_path / "a.html"
    page.write_text(good + added, encoding="utf-8")
    found = list(links.broken_in_site(tmp_path))
    assert found == [] if words is None else found[0] == f"{page}: {words}"


def test_a_folder_without_pages_is_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert links.main([str(tmp_path)]) == 1
    assert "holds no page" in capsys.readouterr().out
