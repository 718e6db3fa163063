"""The pictures and words of the page: well-formed, with the numbers in them, whatever the geometry."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import numpy as np
import pytest

from certify.explore import page, scales
from certify.explore.angles import degrees
from certify.explore.background import TOO_SLOW, Latest
from certify.explore.model import Controls, View, given_up, look
from certify.explore.threshold import Mark, Marker, about, marks
from tests.certify.explore.waiting import wait

CASES = {
    "usual": Controls(),
    "two classes": Controls(k_major=1, k_minor=1),
    "equal": Controls(ratio=1.0),
    "merged": Controls(ratio=1e5, temperature=10.0),
    "many": Controls(k_major=30, k_minor=30),
    "very many": Controls(counts="1000x5,10x1000000"),
    "single samples": Controls(counts="50,3,1,1"),
    "long tail": Controls(counts=",".join(str(100 - i) for i in range(35))),
    "cold": Controls(temperature=0.01),
    "refused": Controls(counts="<b>"),
    "proving": Controls(sampler="shuffle", batch_size=64),
}


@pytest.fixture(scope="module", params=CASES)
def view(request: pytest.FixtureRequest) -> View:
    return look(CASES[request.param])


def test_the_page_is_well_formed_and_says_what_pictures_show(view: View) -> None:
    drawn = ElementTree.fromstring(page.stage(view, 30.0))
    pictures = [one for one in drawn.iter() if one.tag.endswith("svg")]
    assert len(pictures) == (0 if view.solution is None else 3)
    for one in pictures:
        title, described = list(one)[:2]
        assert one.get("role") == "img" and title.text and described.text
        assert one.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
        left, top, width, height = map(float, str(one.get("viewBox")).split())
        for circle in one.iter("{http://www.w3.org/2000/svg}circle"):
            assert left <= float(str(circle.get("cx"))) <= width
            assert top <= float(str(circle.get("cy"))) <= height
    ids = [one.get("id") for one in drawn.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert "nan" not in page.stage(view, 30.0).replace("name", "").lower()


def test_badges() -> None:
    def badge(view: View) -> str:
        return re.search('id="gram-badge">([^<]+)<', page.verdict(view))[1]  # type: ignore[index]

    proving = look(CASES["proving"])
    assert badge(look(CASES["usual"])) == "CERTIFIED"
    assert badge(proving) == "PROVING"
    assert badge(View(CASES["usual"], working="solving")) == "COMPUTING"
    assert badge(look(CASES["refused"])) == "NOT POSSIBLE"
    assert badge(given_up(proving, "it took too long here")) == "UNDECIDED"
    assert "not proven" in page.verdict(given_up(proving, "it took too long here"))
    assert "&lt;b&gt;" in page.verdict(look(CASES["refused"]))


def test_printed_bounds_are_rounded_outward() -> None:
    view = look(Controls(temperature=0.37))
    assert view.proof is not None and view.proof.lower is not None
    lower, upper = re.findall(r"<dd>([^<]+)</dd>", page.verdict(view))[:2]
    assert Fraction(lower) <= Fraction(view.proof.lower) <= Fraction(view.proof.upper) <= Fraction(upper)
    assert Fraction(upper) - Fraction(lower) < Fraction(1, 10**8)


def test_the_words_of_one_point_are_said_where_it_is_proven() -> None:
    merged = look(Controls(ratio=200.0))
    assert "On one point: 2 classes of 50 samples." in page.verdict(merged)
    assert "On one point" not in page.verdict(look(Controls(ratio=100.0)))
    assert "On one point" not in page.verdict(View(merged.controls, merged.solution, working="proving"))


@pytest.mark.parametrize("cosine", [1.0, 1 - 1e-15, 0.5, 0.0, -0.5, -1.0, 1.0000000001])
def test_degrees(cosine: float) -> None:
    assert degrees(cosine) == pytest.approx(np.degrees(np.arccos(np.clip(cosine, -1, 1))), abs=1e-5)


def test_the_mark_is_where_minorities_merge() -> None:
    """By the optima on both sides of it."""
    (mark,) = marks(Controls(ratio=7.0))
    assert mark.about == about(Controls(ratio=3.0)) and mark.ratio is not None
    apart, together = map(float, re.findall(r"R = ([\d.]+\d)", mark.words))
    assert apart < mark.ratio < together < apart * (1 + 1e-6)
    for factor, merged in ((0.97, False), (1.03, True)):
        view = look(Controls(ratio=mark.ratio * factor))
        assert ("On one point" in page.verdict(view)) is merged
    drawn = page.ratio_scale(scales.RATIOS, Controls(), mark)
    place = float(re.search(r'id="gram-mark" style="left:([\d.]+)%', drawn)[1])  # type: ignore[index]
    assert place == pytest.approx(100 * np.log10(mark.ratio) / 5, abs=0.1)


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        (Controls(k_minor=1), "No threshold is known: k_minor 1 leaves no two minority classes"),
        (Controls(n_minor=1), "No threshold is known: minority classes of one sample"),
        (
            Controls(k_major=10, k_minor=10, n_minor=5, temperature=0.3),
            "merge at no ratio; their cosine tends to 0.2182",
        ),
        (Controls(counts="<"), "No threshold is known"),
    ],
)
def test_words_where_there_is_no_mark(controls: Controls, said: str) -> None:
    (mark,) = marks(controls) if controls.counts is None else (Mark(controls, words="No threshold is known"),)
    assert said in mark.words and mark.ratio is None
    assert "gram-mark" not in page.ratio_scale(scales.RATIOS, controls, mark)


def test_a_mark_beyond_the_slider_is_said() -> None:
    (mark,) = marks(Controls(temperature=0.1))
    drawn = page.ratio_scale(scales.RATIOS, Controls(temperature=0.1), mark)
    assert "beyond this slider" in drawn and "gram-mark" not in drawn
    waiting = page.ratio_scale(scales.RATIOS, Controls(), Mark(Controls(), working=True))
    assert "is being computed" in waiting


def test_a_mark_is_computed_once_and_not_again_for_another_ratio() -> None:
    delivered: list[Mark] = []
    marker = Marker(Latest(patience=20.0, linger=0.0), delivered.append)
    first = marker.mark(Controls(ratio=7.0))
    assert first is not None and first.working
    assert marker.mark(Controls(ratio=9.0)) == first  # still that one
    wait(lambda: len(delivered) == 1)
    known = marker.mark(Controls(ratio=11.0))
    assert known is not None and known == delivered[0] and not known.working and known.ratio is not None
    assert marker.mark(Controls(counts="9,5,5")) is None
    assert marker.mark(Controls(batch_size=8)) is known  # of no batches
    other = marker.mark(Controls(temperature=1.0))
    assert other is not None and other.working
    wait(lambda: len(delivered) == 2)
    assert [mark.about.temperature for mark in delivered] == [0.5, 1.0]


def test_a_mark_that_takes_too_long_is_not_known() -> None:
    delivered: list[Mark] = []
    marker = Marker(Latest(patience=0.01, linger=0.0), delivered.append)
    marker.mark(Controls())
    wait(lambda: bool(delivered))
    assert delivered == [Mark(Controls(), words=f"Where minority classes merge is not known: {TOO_SLOW}.")]
