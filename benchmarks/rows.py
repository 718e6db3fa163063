"""Other rows than the supervised-contrastive loss's, on real and on strongly imbalanced counts."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from benchmarks.grid import FAMILIES
from benchmarks.measuring import timed
from relax import Answer, Status, datasets
from relax.counts import ClassCounts
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Fixed
from relax.solvers import solve_program

HEADS = ("rows", "counts", "τ", "solver", "steps", "CPU seconds (least … largest)", "gap / scale (float)")
GRID_HEADS = ("rows", "problems", "at 1e-9", "largest gap / scale", "median, s", "slowest, s", "solvers")
TIME_LIMIT = 300.0  # seconds by the clock for one solve
WORDS = f"""\
One row an anchor class, the target on its own entry: log(c + Σ n' e^((M−1)/τ)) with weight ω. `steps` are
Newton steps of dual_vector and Hessian products of low_rank; a gap is measured against its scale, and
against max(1, |value|) for negatives-only, which has no floor. A solve has {TIME_LIMIT:g} s by the clock;
at the limit the gap is the one reached by then."""
DATA_SETS = ("places-lt", "lvis-v1")
IMBALANCED = ("STEP", "long tail", "Zipf", "one giant class", "random")
RATIOS = (100, 10_000, 1_000_000)
TEMPERATURES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.07, 0.05, 0.02)
CLASSES = (4, 30, 300)
NUMBER = 200  # problems of the grid for each kind of rows


@dataclass(frozen=True)
class Kind:
    """Rows by their weight ω and own multiplicity c, functions of the class size n; peers have n'."""

    weight: Callable[[int], Fraction]
    own: Callable[[int], Fraction]


def _positives_weight(w: Fraction) -> Kind:
    """Return rows in whose denominators positives weigh w: 1 is supcon, 0 is negatives-only."""
    return Kind(lambda n: Fraction(n), lambda n: w * (n - 1))


KINDS = {
    "supcon": _positives_weight(Fraction(1)),
    "ntxent-labels": Kind(lambda n: Fraction(n * (n - 1)), lambda n: Fraction(1)),
    "negatives-only": _positives_weight(Fraction(0)),
    "class weights": Kind(lambda n: Fraction(1), lambda n: Fraction(n - 1)),
    "w = 1/2": _positives_weight(Fraction(1, 2)),
    "w = 1/100": _positives_weight(Fraction(1, 100)),
}


def program(kind: str, counts: list[int], temperature: float, level: str = "groups") -> GramProgram:
    """Return the program of one kind of rows, by groups of equal classes or by classes.

    Classes of one sample have no row.
    """
    seen = ClassCounts.of(counts)
    sizes, g = list(seen.sizes), list(seen.multiplicities)
    if level == "classes":
        sizes, g = list(counts), [1] * len(counts)
    anchored = [a for a, n in enumerate(sizes) if n > 1]
    weight = [g[a] * KINDS[kind].weight(sizes[a]) for a in anchored]
    rows = LogSumExp(
        anchor=np.array(anchored),
        weight=np.array(weight, dtype=float),
        own_multiplicity=np.array([KINDS[kind].own(sizes[a]) for a in anchored], dtype=float),
        own_target=np.ones(len(anchored)),
        peer_multiplicity=np.broadcast_to(np.array(sizes, dtype=float), (len(anchored), len(sizes))),
    )
    tau, rule = Fraction(str(temperature)), Fixed(np.arange(len(sizes)))
    return GramProgram(np.array(g, dtype=float), tau, (rows,), Fraction(sum(weight)), (rule,))


def lines() -> Iterator[tuple[str, str, float]]:
    """Yield what the first table measures: rows, data set and temperature."""
    yield from product(KINDS, DATA_SETS, (1.0, 0.1))


def line(kind: str, name: str, temperature: float) -> list[str]:
    """Return one line of the first table."""
    stated = program(kind, list(datasets.counts(name)), temperature)
    run = timed(lambda: solve_program(stated, time_limit=TIME_LIMIT), runs=3)
    answer: Answer = run.result
    seconds = f"{run.median:.3f} ({run.least:.3f} … {run.largest:.3f})"
    late = " at the limit" if answer.status is Status.TIME_LIMIT else ""
    numbers = (answer.solver, str(answer.iterations), seconds, f"{answer.relative_gap():.1e}{late}")
    return [kind, name, f"{temperature:g}", *numbers]


def cells() -> list[tuple[str, int, int, float]]:
    """Return the imbalanced problems: a fixed sample of family × ratio × classes × temperature."""
    everything = list(product(IMBALANCED, RATIOS, CLASSES, TEMPERATURES))
    return random.Random(1).sample(everything, NUMBER)


def grid_line(kind: str) -> list[str]:
    """Solve the imbalanced problems for one kind of rows; return their line of the second table."""
    gaps, seconds, solvers = [], [], Counter[str]()
    for family, ratio, k, temperature in cells():
        started = time.process_time()
        stated = program(kind, FAMILIES[family](k, ratio), temperature)
        answer = solve_program(stated, time_limit=TIME_LIMIT)
        seconds.append(time.process_time() - started)
        gaps.append(answer.relative_gap())
        solvers[answer.solver] += 1
    good = sum(gap <= 1e-9 for gap in gaps)
    words = ", ".join(f"{name} {count}" for name, count in solvers.most_common())
    times = (f"{np.median(seconds):.3f}", f"{max(seconds):.2f}")
    return [kind, str(len(gaps)), str(good), f"{max(gaps):.1e}", *times, words]
