"""Pictures look as they did when somebody last looked at them; `gallery.py` says how to renew them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes

from relax.plots import against_ratio, heat_map, spectrum, vectors
from tests.relax.plots import gallery
from tests.relax.plots.likeness import ALIKE, lightness, likeness

KEPT = gallery.kept()
LARGEST = 60_000  # bytes of a reference image


def reference(picture: str, style: str = "light") -> np.ndarray:
    return lightness(gallery.file_name(picture, style))


def drawn(picture: str, style: str = "light") -> np.ndarray:
    file = BytesIO()
    gallery.draw(picture, style, file)
    file.seek(0)
    return lightness(file)


@pytest.mark.parametrize(("picture", "style"), KEPT)
def test_a_picture_looks_like_its_reference(picture: str, style: str) -> None:
    assert likeness(drawn(picture, style), reference(picture, style)) > ALIKE


def test_references_are_small_and_of_pictures_that_there_are() -> None:
    files = {gallery.file_name(*each) for each in KEPT}
    assert files == set(gallery.REFERENCE.glob("*.png"))
    assert max(file.stat().st_size for file in files) < LARGEST


@pytest.mark.parametrize(("picture", "style"), KEPT)
def test_half_a_pixel_is_no_difference(picture: str, style: str) -> None:
    image = reference(picture, style)
    moved = (image + np.roll(image, 1, axis=1)) / 2
    assert ALIKE < likeness(image, moved) < 1 - 1e-3


def mirrored() -> Axes:
    """Return the cosines over an axis that runs the other way."""
    ax = against_ratio(gallery.sweep(1, 4, (1.0,)), gallery.threshold(48.6, 48.8))
    ax.invert_xaxis()
    return ax


def transposed() -> Axes:
    """Return a phase diagram whose cosines stand upside down."""
    found = gallery.diagram()
    found.cosine = found.cosine[::-1]
    return gallery.phase_diagram(found)


def unmarked() -> Axes:
    return against_ratio(gallery.sweep(1, 4, (1.0,)), gallery.threshold(68.6, 68.8))


WRONG: list[tuple[str, Callable[[], Axes]]] = [
    ("heat-map", lambda: heat_map(gallery.optimum([100, 100, 50, 10, 10, 10], 0.6))),
    ("heat-map-of-array", lambda: heat_map(gallery.optimum(gallery.STEP, 0.4).gram, blocks=gallery.STEP)),
    ("heat-map-of-array", lambda: heat_map(gallery.optimum(gallery.STEP).gram, blocks=[1, 2, 1, 2])),
    ("against-ratio", mirrored),
    ("against-ratio", unmarked),
    ("phase-diagram", transposed),
    ("spectrum", lambda: spectrum({"R = 1": gallery.optimum([9] * 5), "R = 100": gallery.optimum([9, 3])})),
    ("vectors-on-the-circle", lambda: vectors(gallery.optimum([12, 8, 2]))),
    ("vectors-merged", lambda: vectors(gallery.optimum([400, 10, 10, 10, 10], 1.0))),
    ("vectors-on-the-sphere", lambda: vectors(gallery.optimum(gallery.STEP), view=(0, 16))),
]  # fmt: skip


@pytest.mark.parametrize(("picture", "wrong"), WRONG)
def test_a_wrong_picture_is_found(
    picture: str, wrong: Callable[[], Axes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(gallery.PICTURES, picture, wrong)
    assert likeness(drawn(picture), reference(picture)) < ALIKE


def test_likeness_knows_equal_empty_and_other_sizes() -> None:
    image = reference("heat-map")
    assert likeness(image, image) == pytest.approx(1.0)
    assert likeness(0 * image, 0 * image) == 1.0
    assert likeness(image, image[1:]) == 0.0
    assert likeness(image, 1 - image) < 0.5
