"""Phase diagrams: the minority cosine over a parameter and the ratio, and the threshold of collapse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from certify.thresholds.threshold import Threshold, collapse_threshold
from relax.counts import whole_number
from relax.errors import InputError, among
from relax.facts import Shown, brief
from relax.losses import Loss, SupCon, parse
from relax.problem import Problem
from relax.solvers import solve

PARAMETERS = ("temperature", "batch_size", "k_minor", "positives_weight")
_SUPCON = SupCon()


@brief
@dataclass(frozen=True, eq=False)
class PhaseDiagram(Shown):
    """The minority cosine of STEP problems on a grid, and a threshold for each value of the parameter.

    Attributes
    ----------
    parameter : str
        "temperature", "batch_size", "k_minor" or "positives_weight".
    values : array, shape (v,)
        Its values.
    ratios : array, shape (r,)
        n_major/n_minor, of whole counts.
    cosine : array, shape (v, r)
        Between two minority classes at the optimum, float64; NaN where a batch is larger than all samples.
    gap : array, shape (v, r)
        The gap of each solution beside its scale, float64 (`Solution.relative_gap`).
    thresholds : tuple of Threshold
        One for each value, proven.
    """

    parameter: str
    values: Float[np.ndarray, " v"]
    ratios: Float[np.ndarray, " r"]
    cosine: Float[np.ndarray, "v r"]
    gap: Float[np.ndarray, "v r"]
    thresholds: tuple[Threshold, ...]

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        from certify.thresholds.words import headline

        lines = [
            (f"{self.parameter} {value:g}", headline(t))
            for value, t in zip(self.values, self.thresholds, strict=True)
        ]
        return [("largest gap", f"{np.nanmax(self.gap):.1e} of its scale"), *lines]


def phase_diagram(
    parameter: str,
    values: Iterable[float],
    ratios: Iterable[float],
    k_major: int = 2,
    k_minor: int = 2,
    n_minor: int = 10,
    temperature: float | None = None,
    loss: Loss | str = _SUPCON,
    views: int = 1,
    jobs: int = 1,
) -> PhaseDiagram:
    """Return the minority cosine over a parameter and the ratio, and the threshold at each value.

    Parameters
    ----------
    parameter : str
        Which of temperature, batch_size, k_minor and positives_weight takes the values; the others are as
        given.
    values, ratios : iterables of numbers
        The grid. Ratios are rounded to whole counts n_major; `PhaseDiagram.ratios` are those of these.
    k_major, k_minor, n_minor, temperature, loss, views
        As those of `collapse_threshold`.
    jobs : int
        Processes, by joblib.

    Raises
    ------
    InputError
        If there is no such parameter, the loss has none, the grid is empty or a number is out of its range.
    """
    among(parameter, PARAMETERS, "parameter")
    chosen = parse(loss) if isinstance(loss, str) else loss
    options = {"k_major": k_major, "k_minor": k_minor, "n_minor": whole_number(n_minor, "n_minor")}
    options |= {"temperature": temperature, "loss": chosen, "views": views}
    grid = np.array([float(value) for value in values])
    sizes = [whole_number(max(1, round(float(ratio) * n_minor)), "n_major") for ratio in ratios]
    if not len(grid) or not sizes:
        raise InputError("values and ratios must not be empty; give e.g. [0.1, 0.5] and [1, 10, 100]")
    from joblib import Parallel, delayed  # loads multiprocessing, for those who draw diagrams

    points = [_with(options, parameter, value) for value in grid.tolist()]
    rows: Any = Parallel(n_jobs=jobs)(delayed(_row)(point, sizes) for point in points)
    cosines, gaps, thresholds = zip(*rows, strict=True)
    ratio = np.array(sizes) / n_minor
    return PhaseDiagram(parameter, grid, ratio, np.array(cosines), np.array(gaps), thresholds)


def _with(options: dict[str, Any], parameter: str, value: float) -> dict[str, Any]:
    if parameter == "temperature":
        return options | {"temperature": value}
    if parameter == "k_minor":
        return options | {"k_minor": whole_number(value, "k_minor")}
    loss = options["loss"]
    if parameter not in {field.name for field in fields(loss)}:
        raise InputError(f"loss {loss.name} has no parameter {parameter}; give e.g. SupCon()")
    given = whole_number(value, "batch_size") if parameter == "batch_size" else value
    return options | {"loss": replace(loss, **{parameter: given})}


def _row(options: dict[str, Any], sizes: list[int]) -> tuple[list[float], list[float], Threshold]:
    cosine, gap = [], []
    k_major, k_minor, n_minor = (options[name] for name in ("k_major", "k_minor", "n_minor"))
    given = {name: options[name] for name in ("temperature", "loss", "views")}
    for size in sizes:
        batch = getattr(options["loss"], "batch_size", None) or 0
        if (
            getattr(options["loss"], "sampler", None) == "shuffle"
            and batch > k_major * size + k_minor * n_minor
        ):
            cosine.append(np.nan)
            gap.append(np.nan)
            continue
        solution = solve(Problem.step(k_major, k_minor, size, n_minor, **given))
        gram = solution.groups.gram
        cosine.append(float(gram[-1, -1]))
        gap.append(solution.relative_gap())
    return cosine, gap, collapse_threshold(k_major, k_minor, n_minor, **given)
