"""The pictures whose look is kept: each on its own figure, from data that is the same every time.

`python -m tests.relax.plots.gallery` draws them anew into `reference/`; look at each before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from relax import Problem, Ridge, Solution, solve
from relax.endpoints import Descent, Trajectory
from relax.plots import (
    against_ratio,
    against_size,
    descent_losses,
    descent_paths,
    difference,
    heat_map,
    phase_diagram,
    spectrum,
    theme,
    vectors,
)

REFERENCE = Path(__file__).parent / "reference"
DPI = 50


def optimum(counts: list[int], temperature: float = 0.5, **options: Any) -> Solution:
    """Return the optimum of supervised contrast, or of the loss in the options."""
    return solve(Problem(counts, temperature=temperature, **options))


@cache
def sweep(majorities: int, minorities: int, temperatures: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Return a table of cosines against the ratio, as a sweep has it."""
    rows = []
    for temperature in temperatures:
        for ratio in np.geomspace(1, 1000, 13):
            gram = optimum([round(10 * ratio)] * majorities + [10] * minorities, temperature).gram
            alpha = gram[0, 1] if majorities > 1 else np.nan
            rows.append((round(10 * ratio) / 10, temperature, alpha, gram[-1, -2], gram[0, -1]))
    names = ("ratio", "temperature", "alpha", "beta", "gamma")
    return dict(zip(names, np.array(rows).T, strict=True))


def threshold(lower: float | None, upper: float | None, limit: float = 1.0) -> Any:
    """Return what a threshold has."""
    ratio = None if lower is None or upper is None else (lower + upper) / 2
    pieces = () if ratio is None else (SimpleNamespace(start=upper, end=None, together=True),)
    return SimpleNamespace(lower=lower, upper=upper, ratio=ratio, limit=limit, pieces=pieces)


def diagram() -> Any:
    """Return a phase diagram of one large class and four small ones, its thresholds by bisection."""
    values, every = np.geomspace(0.4, 2, 5), np.geomspace(1, 1000, 12)
    cosine = np.array([[_minority(ratio, value) for ratio in every] for value in values])
    found = []
    for value in values:
        low, high = 5.0, 5e3
        while high / low > 1.1:
            middle = (low * high) ** 0.5
            low, high = (low, middle) if _minority(middle, value) > 1 - 1e-9 else (middle, high)
        found.append(threshold(low, high) if high < 5e3 else threshold(None, None, 0.9))
    return SimpleNamespace(
        parameter="temperature", values=values, ratios=every, cosine=cosine, thresholds=tuple(found)
    )


@cache
def _minority(ratio: float, temperature: float) -> float:
    return float(optimum([round(100 * ratio), 100, 100, 100, 100], temperature).gram[1, 2])


def descent(dim: int, norms: tuple[float, float] = (1.0, 1.0)) -> tuple[Descent, Solution]:
    """Return a descent that is written by formula: from random points to the optimum, by shrinking angles."""
    solution = optimum([12, 6, 3] if dim == 2 else [12, 6, 3, 3])
    draw, target = np.random.default_rng(3), solution.embedding(dim)
    labels = np.repeat(np.arange(len(target)), 3)
    starts = draw.standard_normal((4, len(labels), dim))
    share = 1 - np.exp(-((np.arange(40) / 7) ** 2))[:, None, None, None]
    moved = (1 - share) * starts + share * target[labels]
    moved *= np.linspace(*norms, 40)[:, None, None, None] / np.linalg.norm(moved, axis=3, keepdims=True)
    above = ((moved - target[labels]) ** 2).sum(axis=(2, 3))
    above[:, 2] += 0.05
    losses = solution.value + above
    ends = moved[-1]
    trajectory = Trajectory(losses, moved)
    flags = np.ones(4, dtype=bool)
    return Descent(
        ends, labels, losses[-1], losses[-1], 0 * losses[-1], flags, 40, trajectory=trajectory
    ), solution


STEP = [1000, 1000, 10, 10]
PICTURES: dict[str, Callable[[], Axes]] = {
    "heat-map": lambda: heat_map(optimum([100, 100, 50, 10, 10, 10])),
    "heat-map-of-array": lambda: heat_map(optimum(STEP).gram, blocks=STEP),
    "heat-map-of-roles": lambda: heat_map(
        optimum([10, 10, 4, 3], loss="cross-entropy"), roles=("classifier", "feature")
    ),
    "heat-map-of-many": lambda: heat_map(solve(Problem.from_dataset("places-lt", temperature=0.1))),
    "difference": lambda: difference(optimum(STEP), optimum([100, 100, 10, 10])),
    "against-size": lambda: against_size(optimum([1000, 300, 100, 30, 30, 10])),
    "against-size-of-roles": lambda: against_size(optimum([100, 30, 10], loss="cross-entropy")),
    "against-ratio": lambda: against_ratio(sweep(1, 4, (1.0,)), threshold(48.6, 48.8)),
    "against-ratio-of-temperatures": lambda: against_ratio(
        sweep(1, 4, (1.0, 2.0)), {1.0: threshold(48.6, 48.8)}, quantities=("beta", "gamma"), degrees=True
    ),
    "against-ratio-without-threshold": lambda: against_ratio(
        sweep(5, 5, (0.5,)), threshold(None, None, optimum([10**8] * 5 + [10] * 5).gram[-1, -2])
    ),
    "phase-diagram": lambda: phase_diagram(diagram()),
    "spectrum": lambda: spectrum(
        {"R = 1": optimum([10] * 5, 1.0), "R = 100": optimum([1000, *[10] * 4], 1.0)}
    ),
    "spectrum-of-many": lambda: spectrum(
        {f"τ = {t}": solve(Problem.from_dataset("places-lt", temperature=t)) for t in (0.1, 1.0)}
    ),
    "vectors-of-two": lambda: vectors(optimum([20, 5])),
    "vectors-on-the-circle": lambda: vectors(optimum([12, 6, 3])),
    "vectors-merged": lambda: vectors(optimum([1000, 10, 10, 10, 10], 1.0)),
    "vectors-on-the-sphere": lambda: vectors(optimum([1000, 1000, 10, 10], 0.5)),
    "vectors-of-many": lambda: vectors(optimum([1000, 700, 400, 200, 100, 60, 30, 20, 10, 10], 0.5)),
    "vectors-of-roles": lambda: vectors(optimum([50, 20, 10], loss="cross-entropy", norm=Ridge(0.02))),
    "descent-losses": lambda: descent_losses(*descent(2)),
    "descent-on-the-circle": lambda: descent_paths(descent(2)[0], optimum=descent(2)[1]),
    "descent-on-the-sphere": lambda: descent_paths(descent(3)[0], optimum=descent(3)[1]),
}
THEMED = {"dark": ("heat-map", "vectors-merged", "phase-diagram"), "print": ("against-ratio",)}


def file_name(picture: str, style: str) -> Path:
    """Return where the reference image of a picture is."""
    return REFERENCE / f"{picture}{'' if style == 'light' else f'-{style}'}.png"


def draw(picture: str, style: str, file: Any, dpi: int = DPI) -> None:
    """Write a picture as PNG."""
    from matplotlib import pyplot

    with theme(style):
        figure = PICTURES[picture]().figure
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})  # type: ignore[union-attr]
        pyplot.close(figure)  # type: ignore[arg-type]


def kept() -> list[tuple[str, str]]:
    """Return the pictures and themes that have a reference image."""
    return [(picture, "light") for picture in PICTURES] + [
        (picture, style) for style, pictures in THEMED.items() for picture in pictures
    ]


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for picture, style in kept():
        draw(picture, style, file_name(picture, style))
