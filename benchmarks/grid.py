"""Robustness: every kind of imbalance × ratio × temperature × number of classes, each proven in balls."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from rich.progress import Progress

from certify import Verdict, certify
from relax import Problem, datasets, solve

RATIOS = (1, 10, 100, 10_000, 1_000_000)
TEMPERATURES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.07, 0.05, 0.02)
CLASSES = (4, 30, 300)


def _step(k: int, ratio: int) -> list[int]:
    return [10 * ratio] * (k // 2) + [10] * (k - k // 2)


def _long_tail(k: int, ratio: int) -> list[int]:
    return [max(2, round(10 * ratio * ratio ** (-c / (k - 1)))) for c in range(k)]


def _zipf(k: int, ratio: int) -> list[int]:
    return [max(2, 20 * ratio // (c + 1)) for c in range(k)]


def _giant(k: int, ratio: int) -> list[int]:
    return [10 * ratio] + [10] * (k - 1)


def _random(k: int, ratio: int) -> list[int]:
    generator = np.random.default_rng([k, ratio])
    return [2 + int(n) for n in np.exp(generator.uniform(0.0, np.log(2 * ratio + 1), k))]


def _singletons(k: int, ratio: int) -> list[int]:
    return [10 * ratio] * (k // 4) + [5] * (k - 2 * (k // 4)) + [1] * (k // 4)


FAMILIES: dict[str, Callable[[int, int], list[int]]] = {
    "STEP": _step,
    "long tail": _long_tail,
    "Zipf": _zipf,
    "one giant class": _giant,
    "random": _random,
    "with singletons": _singletons,
}
DATA_SETS = ("places-lt", "lvis-v1", "lvis-v1-instances")


@dataclass(frozen=True)
class Cell:
    """One problem of the grid."""

    family: str
    ratio: int
    classes: int
    temperature: float

    def problem(self) -> Problem:
        """Return it."""
        if self.family in DATA_SETS:
            counts = list(datasets.counts(self.family))
        elif self.family == "two classes":
            counts = [2 * self.ratio, 2]
        else:
            counts = FAMILIES[self.family](self.classes, self.ratio)
        return Problem(counts, temperature=self.temperature)


@dataclass(frozen=True)
class Outcome:
    """What became of one cell."""

    verdict: Verdict
    gap: float
    steps: int
    seconds: float
    status: str


def cells() -> Iterator[Cell]:
    """Yield all cells; data sets have their own ratio and number of classes."""
    for family, ratio, k, tau in product(FAMILIES, RATIOS, CLASSES, TEMPERATURES):
        yield Cell(family, ratio, k, tau)
    for ratio, tau in product(RATIOS, TEMPERATURES):
        yield Cell("two classes", ratio, 2, tau)
    for name, tau in product(DATA_SETS, TEMPERATURES):
        yield Cell(name, 0, len(datasets.counts(name)), tau)


def sampled(number: int) -> list[Cell]:
    """Return a fixed sample of the cells."""
    return random.Random(0).sample(list(cells()), number)


def outcome(cell: Cell) -> Outcome:
    """Solve one cell and prove its gap in ball arithmetic."""
    started = time.perf_counter()
    solution = solve(cell.problem())
    seconds = time.perf_counter() - started
    proof = certify(solution)
    return Outcome(proof.verdict, proof.relative_gap, solution.iterations, seconds, solution.status.name)


def table(progress: Progress) -> str:
    """Run the whole grid and return it as a Markdown table, one line for each family and ratio."""
    everything = list(cells())
    found: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    failed = []
    for cell in progress.track(everything, description="grid"):
        result = outcome(cell)
        found[cell.family, cell.ratio].append(result)
        if result.verdict is not Verdict.CERTIFIED:
            failed.append(f"- {cell}: {result.verdict.name}, gap {result.gap:.1e}, {result.status}")
    lines = [
        "| counts | R | certified | worst proven gap / excess | most Newton steps | median s | most s |",
        "|---|---|---|---|---|---|---|",
    ]
    for (family, ratio), outcomes in found.items():
        good = sum(o.verdict is Verdict.CERTIFIED for o in outcomes)
        seconds = [o.seconds for o in outcomes]
        lines.append(
            f"| {family} | {f'{ratio:,}' if ratio else 'real'} | {good} of {len(outcomes)} "
            f"| {max(o.gap for o in outcomes):.1e} | {max(o.steps for o in outcomes)} "
            f"| {np.median(seconds):.3f} | {max(seconds):.2f} |"
        )
    return "\n".join([*lines, "", *(failed or ["Every cell is certified."])])
