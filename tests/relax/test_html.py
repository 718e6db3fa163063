"""What Jupyter shows: the table of facts, and a small picture of the geometry."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image

from certify import Certificate, certify
from certify.picture import geometry_of
from relax import Ball, Problem, Ridge, solve
from relax.plots import thumbnail

LARGEST = 60_000  # characters


def pixels(html: str) -> np.ndarray:
    """Return the picture in the HTML."""
    (encoded,) = re.findall(r'<img alt="[^"]*" src="data:image/png;base64,([^"]*)">', html)
    return image.imread(BytesIO(b64decode(encoded)))


@pytest.mark.parametrize(
    "problem",
    [
        Problem([12, 6, 3]),
        Problem.from_dataset("places-lt"),
        Problem([12, 6, 3], norm=Ridge(0.01)),
        Problem([9, 4, 4, 2], norm=Ball(), nonnegative=True, temperature=0.5),
        Problem([4, 3], "decoupled", views=2),
    ],
    ids=str,
)
def test_solutions_and_certificates_show_facts_and_geometry(problem: Problem) -> None:
    solution = solve(problem)
    for shown in (solution, certify(solution)):
        html = shown._repr_html_()
        assert html.count("<tr>") == len(shown.facts()) and len(html) < LARGEST
        found = pixels(html)
        assert found.shape[:2] == (255, 330)
        assert np.unique(found.reshape(-1, found.shape[2]), axis=0).shape[0] > 30


@pytest.mark.parametrize(
    "problem", [Problem([12, 6, 3]), Problem({9: 3, 4: 2}), Problem([4, 1, 1], norm=Ball())]
)
def test_the_picture_of_a_certificate_is_that_of_its_point(problem: Problem) -> None:
    solution = solve(problem)
    drawn = geometry_of(certify(solution))
    assert drawn is not None
    np.testing.assert_allclose(drawn.groups.gram, solution.groups.gram, atol=1e-8)


def test_no_picture_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    two_roles = solve(Problem([5, 3], "cross-entropy"))
    assert "<img" in two_roles._repr_html_()
    without: list[Any] = [certify(two_roles), certify(two_roles.answer)]
    without.append(certify(solve(Problem([5, 3]))))
    without[-1].document["point"]["vectors"] = [["x"], ["x"]]
    for shown in without:
        assert shown._repr_html_().endswith("</table>")
    monkeypatch.setattr("relax.plots.figures.MOST_DRAWN", 1)
    assert thumbnail(solve(Problem([5, 3]))) is None


def test_matplotlib_is_loaded_for_pictures_alone() -> None:
    program = (
        "import sys; from relax import Problem, solve; from certify import certify; "
        "s = solve(Problem([5, 3])); certify(s); print(s); print(repr(s)); "
        "assert 'matplotlib' not in sys.modules; s._repr_html_(); assert 'matplotlib' in sys.modules"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True)


def test_a_loaded_certificate_has_the_picture(tmp_path: Path) -> None:
    proof = certify(solve(Problem([12, 6, 3])))
    proof.save(tmp_path / "c.json")
    assert Certificate.load(tmp_path / "c.json")._repr_html_() == proof._repr_html_()
