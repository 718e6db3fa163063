"""Colours, markers and dashes that are told apart on screens, on paper and by every kind of colour vision.

A picture takes its text colour and its background from Matplotlib's settings, whoever made them; `theme`
makes good ones for a light page, a dark one, and black-and-white print.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from cycler import cycler
from jaxtyping import Float
from matplotlib import colormaps, rc_context, rcParams, rcParamsDefault
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb

from relax.errors import among

# Of Okabe and Ito's eight colours (jfly.uni-koeln.de/color), those that stand out against each background.
# Some are shaded: lines are thin, and who has no green or no red cones sees their purple as a blue.
ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#663C54", "#000000")
ON_DARK = ("#56B4E9", "#CF8F00", "#80CEB9", "#A36186", "#F0E442")
IN_PRINT = ("#000000", "#6E6E6E", "#3C3C3C", "#8C8C8C", "#1E1E1E")
MARKERS = ("o", "s", "^", "D", "v")
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.3)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
COLOUR_MAP = "cividis"  # of even steps in lightness: in grey print it reads as in colour
MOST_SERIES = len(MARKERS)

_GROUND = {"light": ("#FFFFFF", "#1A1A1A"), "dark": ("#15181C", "#E8E8E8"), "print": ("#FFFFFF", "#000000")}
_COLOURS = {"light": ON_LIGHT, "dark": ON_DARK, "print": IN_PRINT}


@contextmanager
def theme(name: str = "light") -> Iterator[None]:
    """Draw in one of three styles: `with theme("dark"): ax = heat_map(solution)`.

    Figures that are made inside keep it, also where they are saved later. Outside, pictures take text and
    background from Matplotlib's settings, and colours that are seen on that background.

    Parameters
    ----------
    name : {"light", "dark", "print"}
        For a white page, for a dark one, or for paper without colour.

    Raises
    ------
    InputError
        If there is no such theme.
    """
    with rc_context(settings(name)):  # type: ignore[arg-type]
        yield


def settings(name: str) -> dict[str, Any]:
    """Return Matplotlib's settings of a theme, to be kept: `matplotlib.rcParams.update(settings("dark"))`.

    Raises
    ------
    InputError
        If there is no such theme.
    """
    ground, text = _GROUND[among(name, _GROUND, "theme")]
    return {
        "figure.facecolor": ground,
        "savefig.facecolor": ground,
        "axes.facecolor": ground,
        "legend.facecolor": ground,
        "text.color": text,
        "axes.labelcolor": text,
        "axes.edgecolor": text,
        "xtick.color": text,
        "ytick.color": text,
        "axes.prop_cycle": cycler(color=_COLOURS[name]),
        "hatch.linewidth": 0.6,
        "axes.linewidth": 0.8,
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.labelsize": 10,
        "legend.fontsize": 9,
    }


def series(place: int) -> dict[str, Any]:
    """Return colour, marker and dashes of one of at most five lines; each alone tells them apart."""
    colours = _cycle()
    return {
        "color": colours[place % len(colours)],
        "marker": MARKERS[place % MOST_SERIES],
        "linestyle": DASHES[place % MOST_SERIES],
    }


def grey(share: float) -> tuple[float, float, float]:
    """Return a colour between background (0) and text (1)."""
    ground, text = np.array(to_rgb(rcParams["axes.facecolor"])), np.array(to_rgb(rcParams["text.color"]))
    red, green, blue = (ground + share * (text - ground)).tolist()
    return red, green, blue


def lines_map() -> Colormap:
    """Return the part of the colour map whose colours are seen as lines on the background."""
    part = (0.42, 1.0) if luminance(rcParams["axes.facecolor"]) < 0.2 else (0.0, 0.62)
    return LinearSegmentedColormap.from_list("seen", colormaps[COLOUR_MAP](np.linspace(*part, 128)))


def readable_on(colour: Any) -> str:
    """Return black or white, whichever is read better on a colour."""
    bright = luminance(colour)
    return "white" if 1.05 / (bright + 0.05) > (bright + 0.05) / 0.05 else "black"


def luminance(colour: Any) -> float:
    """Return the relative luminance of an sRGB colour, from 0 to 1 (WCAG 2.2)."""
    rgb: Float[np.ndarray, " 3"] = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _cycle() -> list[str]:
    """Return the colours of lines: the user's, or ours for the background where those are Matplotlib's."""
    cycle = rcParams["axes.prop_cycle"]
    if cycle == rcParamsDefault["axes.prop_cycle"] or "color" not in cycle.keys:
        return list(ON_DARK if luminance(rcParams["axes.facecolor"]) < 0.2 else ON_LIGHT)
    return cycle.by_key()["color"]
