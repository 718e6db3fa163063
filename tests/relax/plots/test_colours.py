"""Text and lines stand out against the background, and colours apart from each other, to every eye."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps, pyplot, rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.text import Text

from relax import Problem, solve
from relax.errors import InputError
from relax.plots import against_size, heat_map, spectrum, theme, vectors
from relax.plots.themes import (
    COLOUR_MAP,
    DASHES,
    IN_PRINT,
    MARKERS,
    ON_DARK,
    ON_LIGHT,
    grey,
    lines_map,
    luminance,
    readable_on,
    series,
)

TEXT, GRAPHICS = 4.5, 3.0  # the least contrasts of WCAG 2.2, 1.4.3 and 1.4.11
APART = 20.0  # the least distance of two colours in CIELAB; 2.3 is just seen
# G. Machado et al., A physiologically-based model for simulation of color vision deficiency (2009), doi
# 10.1109/TVCG.2009.113, table 1 at severity 1
SEEN_BY = {
    "all": np.eye(3),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def contrast(first: Any, second: Any) -> float:
    """Return the contrast of two colours, from 1 to 21, by the formula of WCAG, written once more."""
    bright = []
    for colour in (first, second):
        channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        bright.append(0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2])
    return (max(bright) + 0.05) / (min(bright) + 0.05)


def lab(colour: Any, eye: str) -> np.ndarray:
    """Return a colour in CIELAB (white D65), as an eye sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SEEN_BY[eye] @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    f = np.where(f > 6 / 29, f, xyz / [0.9505, 1.0, 1.089] / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", SEEN_BY)
@pytest.mark.parametrize("colours", [ON_LIGHT, ON_DARK], ids=["light", "dark"])
def test_colours_are_apart_to_every_eye(colours: tuple[str, ...], eye: str) -> None:
    distances = {
        pair: float(np.linalg.norm(lab(pair[0], eye) - lab(pair[1], eye)))
        for pair in combinations(colours, 2)
    }
    assert min(distances.values()) > APART, distances


def test_the_simulation_finds_red_and_green_alike() -> None:
    red, green = "#C44E00", "#7A7A00"
    assert np.linalg.norm(lab(red, "all") - lab(green, "all")) > 2 * APART
    assert np.linalg.norm(lab(red, "deuteranopes") - lab(green, "deuteranopes")) < APART


def test_no_colour_alone_carries_meaning() -> None:
    assert len(set(MARKERS)) == len(set(map(str, DASHES))) == len(ON_LIGHT) == len(ON_DARK) == len(IN_PRINT)


def test_the_colour_map_reads_in_grey_as_in_colour() -> None:
    bright = [luminance(colour) for colour in colormaps[COLOUR_MAP](np.linspace(0, 1, 64))]
    assert np.diff(bright).min() > 0


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_lines_stand_out(name: str) -> None:
    with theme(name):
        ground = rcParams["axes.facecolor"]
        assert contrast(rcParams["text.color"], ground) > 12
        for place in range(len(MARKERS)):
            assert contrast(series(place)["color"], ground) > GRAPHICS
        for colour in lines_map()(np.linspace(0, 1, 9)):
            assert contrast(colour, ground) > GRAPHICS
        assert contrast(grey(0.1), ground) < 1.5 < GRAPHICS < contrast(grey(0.6), ground)  # grids are faint


def test_text_on_cells_is_read() -> None:
    for colour in colormaps[COLOUR_MAP](np.linspace(0, 1, 64)):
        assert contrast(readable_on(colour), colour) >= TEXT


def pictures() -> list[Axes]:
    solution = solve(Problem([100, 100, 10, 10], temperature=0.5))
    return [heat_map(solution), against_size(solution), spectrum(solution), vectors(solution)]


def grounds_of_cells(ax: Axes) -> dict[Text, Any]:
    """Return the colour behind each text that stands on a cell of a heat map."""
    (image,) = ax.images
    values = np.asarray(image.get_array())
    found: dict[Text, Any] = {}
    for text in ax.texts:
        column, row = text.get_position()
        found[text] = image.cmap(float(np.asarray(image.norm(values[int(row), int(column)]))))
    return found


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_every_text_of_a_picture_is_read(name: str) -> None:
    with theme(name):
        for ax in pictures():
            figure = ax.figure
            figure.canvas.draw()
            cells = grounds_of_cells(ax) if ax.images else {}
            shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
            assert len(shown) > 3
            for text in shown:
                assert isinstance(text, Text)
                ground = cells.get(text, to_rgba(figure.get_facecolor()))  # type: ignore[union-attr]
                assert contrast(text.get_color(), ground) >= TEXT, (name, text)
            pyplot.close(figure)  # type: ignore[arg-type]


def test_colours_are_those_of_the_background_unless_the_user_has_some() -> None:
    with rc_context({"axes.facecolor": "black"}):
        assert series(0)["color"] == ON_DARK[0]
    assert series(0)["color"] == ON_LIGHT[0]
    with rc_context({"axes.prop_cycle": "cycler(color=['#123456', '#654321'])"}):
        assert [series(i)["color"] for i in range(3)] == ["#123456", "#654321", "#123456"]
    before = dict(rcParams)
    with theme("dark"):
        assert rcParams["axes.facecolor"] != before["axes.facecolor"]
    assert dict(rcParams) == before
    with pytest.raises(InputError, match="theme 'sepia' is not one of: light, dark, print"), theme("sepia"):
        pass
