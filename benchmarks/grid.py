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
    """Return sizes ∝ rank⁻ˢ with s such that the last is 1/R of the first."""
    exponent = np.log(ratio) / np.log(k)
    return [max(2, round(10 * ratio * (c + 1) ** -exponent)) for c in range(k)]


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
PROSE = """\
A cell is one problem: class counts of one kind, the largest about R times the smallest (singletons apart);
k = 4, 30 or 300 classes (two, or those of a data set); τ = 2, 1, 0.5, 0.2, 0.1, 0.07, 0.05 or 0.02. Each is
solved with default settings and counts as certified when the gap between a feasible geometry and a lower
bound on every feature matrix is proven, in ball arithmetic, to be at most 10⁻⁹ of its scale. Seconds are
CPU seconds of one run on one thread.
"""


@dataclass(frozen=True)
class Cell:
    """One problem of the grid."""

    family: str
    ratio: int
    classes: int
    temperature: float

    def __str__(self) -> str:
        """Return it in words."""
        ratio = f", R = {self.ratio:,}" if self.ratio else ""
        return f"{self.family}{ratio}, k = {self.classes}, τ = {self.temperature:g}"

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
    """What became of one cell; `seconds` is the solve, `proof_seconds` what proving it took on top."""

    verdict: Verdict
    gap: float
    steps: int
    seconds: float
    proof_seconds: float
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
    started = time.process_time()
    solution = solve(cell.problem())
    seconds = time.process_time() - started
    proof = certify(solution)
    rest = time.process_time() - started - seconds
    return Outcome(
        proof.verdict, proof.relative_gap, solution.answer.iterations, seconds, rest, solution.status.name
    )


def _tried(cell: Cell) -> Outcome:
    """Return the outcome; a failure is one, too, and its words are the status."""
    try:
        return outcome(cell)
    except Exception as error:  # the grid goes on, and the page names the cell
        return Outcome(Verdict.UNDECIDED, np.inf, 0, np.inf, np.inf, f"{type(error).__name__}: {error}")


def section(progress: Progress) -> str:
    """Run the whole grid and return the section of `docs/robustness.md`."""
    found = {cell: _tried(cell) for cell in progress.track(list(cells()), description="grid")}
    failed = [
        f"- {cell}: {result.verdict.name}, gap / scale {result.gap:.1e}, {result.status}"
        for cell, result in found.items()
        if result.verdict is not Verdict.CERTIFIED
    ]
    return "\n".join([PROSE, *_summary(found), "", *_table(found), "", *failed]).rstrip()


def _summary(found: dict[Cell, Outcome]) -> list[str]:
    """Return how many cells are certified, and the worst of them."""
    good = sum(result.verdict is Verdict.CERTIFIED for result in found.values())
    worst = max(found.items(), key=lambda item: item[1].gap)
    slowest = max(found.items(), key=lambda item: item[1].seconds)
    return [
        f"**{good} of {len(found)} cells are certified.**",
        f"The largest proven gap is {worst[1].gap:.1e} of its scale ({worst[0]});",
        f"the slowest solve took {slowest[1].seconds:.2f} s ({slowest[0]}).",
    ]


def _table(found: dict[Cell, Outcome]) -> list[str]:
    """Return one line for each family and ratio."""
    by_line: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for cell, result in found.items():
        by_line[cell.family, cell.ratio].append(result)
    lines = [
        "| counts | R | certified | worst proven gap / scale | most Newton steps "
        "| median solve, s | slowest solve, s | slowest proof, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (family, ratio), outcomes in by_line.items():
        good = sum(o.verdict is Verdict.CERTIFIED for o in outcomes)
        seconds, proofs = [o.seconds for o in outcomes], [o.proof_seconds for o in outcomes]
        lines.append(
            f"| {family} | {f'{ratio:,}' if ratio else 'real'} | {good} of {len(outcomes)} "
            f"| {max(o.gap for o in outcomes):.1e} | {max(o.steps for o in outcomes)} "
            f"| {np.median(seconds):.3f} | {max(seconds):.3f} | {max(proofs):.2f} |"
        )
    return lines
