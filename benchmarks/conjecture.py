"""An attack on the conjecture that on ball and ridge every local minimum with d ≥ k − 1 is global."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import torch
from jaxtyping import Float64
from rich.progress import Progress

from benchmarks.pages import listed, tabulated
from benchmarks.roots import critical_points
from benchmarks.shattering import bad_minima
from certify.landscape import prove_minimum
from certify.landscape.optimum import Optimum
from certify.landscape.points import StationaryPoint, clustered, invariants
from certify.landscape.search import Search
from relax import Ball, Problem, Ridge
from relax.descent import check_descent, freed
from relax.descent.objective import Objective

COUNTS = ((3, 3), (4, 3), (3, 3, 3), (4, 4, 2), (10, 10, 10))
TEMPERATURES = (0.05, 0.1, 0.5)
BEYOND = (-1, 0, 1, 2, 3)  # dimensions above k
NORMS = (Ball(), Ridge(0.01))
STARTS, NOISE = 6, 0.02  # random and shortened ones of each search; by which copies are perturbed
LARGEST = 100  # numbers of the features whose critical points are looked for
COLLAPSED = 1e-5  # distance of siblings that are on one point
SECONDS = 8.0  # of one search
STARTED = ("sphere minimum", "shortened", "random", "root finding")
FOUND = ("collapsed saddle", "uncollapsed saddle", "undecided", "bad minimum")
HEADS = ["counts", "norm", "sphere minima let go", "shortened", "random", "root finding", "roots",
         "collapsed saddles", "uncollapsed saddles", "undecided", "bad minima"]  # fmt: skip

Features = Float64[np.ndarray, "n d"]


@dataclass
class Tally:
    """What one or more searches tried and found."""

    started: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[Problem, StationaryPoint]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count the other's, too."""
        self.started += other.started
        self.found += other.found
        self.bad += other.bad


def section(progress: Progress) -> str:
    """Run all searches and return the section of `docs/landscape.md`."""
    tallies = {(counts, norm): Tally() for counts, norm in product(COUNTS, NORMS)}
    cases = list(product(COUNTS, TEMPERATURES, BEYOND))
    for counts, tau, more in progress.track(cases, description="the conjecture"):
        dim = len(counts) + more
        minima = bad_minima(counts, tau, dim)
        for norm in NORMS:
            problem = Problem(counts, temperature=tau, norm=norm)
            tallies[counts, norm].add(attacked(problem, dim, minima))
    return _words(tallies)


def attacked(problem: Problem, dim: int, minima: list[Features], starts: int = STARTS) -> Tally:
    """Let bad minima of the sphere go, go down from shortened and random points, look for critical points."""
    goal, tally = freed(check_descent(problem, dim, level="samples")), Tally()
    optimum, random = Optimum.of(problem), np.random.default_rng(dim)
    labels = goal.labelled.classes
    search = Search(goal, optimum, time.monotonic() + SECONDS)
    let_go = [h + noise * random.normal(size=h.shape) for h in minima for noise in (0.0, NOISE, NOISE)]
    seeds = [("sphere minimum", h) for h in let_go]
    seeds += [("shortened", h) for h in shortened(labels, dim, starts, random)]
    seeds += [("random", _inside(random.normal(size=(len(labels), dim)), random)) for _ in range(starts)]
    tally.started += Counter(name for name, _ in seeds)
    search.descend(seeds)
    if len(labels) * dim <= LARGEST:
        guesses = [_inside(random.normal(size=(len(labels), dim)), random) for _ in range(2 * starts)]
        guesses += shortened(labels, dim, 2 * starts, random)
        tally.started["root finding"] += len(guesses)
        tally.found["critical"] += _met(search, np.stack(guesses))
    search.escape()
    for point in search.points:
        kind = _kind(point, optimum)
        tally.found[kind] += 1
        if kind == "bad minimum":
            tally.bad.append((problem, point))
    tally.found["cut short"] += not search.complete
    return tally


def shortened(labels: np.ndarray, dim: int, count: int, random: np.random.Generator) -> list[Features]:
    """Return points with classes of single samples of norm one and duplicates that are shorter.

    Every class with three samples or more falls apart or not, by a coin, at least the first; between two and
    all but one of its samples coincide at a norm below one. Half of the points are perturbed.
    """
    return [_shortened(labels, dim, random, NOISE * (i % 2)) for i in range(count)]


def _shortened(labels: np.ndarray, dim: int, random: np.random.Generator, noise: float) -> Features:
    features = random.normal(size=(labels.max() + 1, dim))[labels]
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    for c in range(labels.max() + 1):
        members = np.flatnonzero(labels == c)
        if len(members) < 3 or (c > 0 and random.random() < 0.5):
            continue
        own = random.normal(size=(len(members), dim))
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        twins = random.integers(2, len(members))
        own[:twins] = random.uniform(0.05, 0.95) * own[0]
        features[members] = own
    return features + noise * random.normal(size=features.shape)


def _inside(features: Features, random: np.random.Generator) -> Features:
    """Return features in the same directions, of norms between 0 and 1."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / norms * random.random((len(features), 1)) ** 0.5


def _met(search: Search, guesses: Float64[np.ndarray, "s n d"]) -> int:
    """Add the critical points that root finding leads to; return from how many guesses it came to one."""
    goal = search.goal
    roots = critical_points(guesses, goal)
    if len(roots) == 0:
        return 0
    with torch.no_grad():
        losses = sum(goal.share([torch.from_numpy(roots)])).numpy()
    marks = np.stack([invariants(h, goal.labelled.classes, goal.labelled.samples) for h in roots])
    for members in clustered(losses, marks, 1e-5, 1e-8):
        search.add(_parameters(roots[members[:1]], goal), "root finding", 0, len(members))
    return len(roots)


def _parameters(features: Float64[np.ndarray, "s n d"], goal: Objective) -> list[torch.Tensor]:
    """Return the parameters that the charts map to features, v = h/(1 + √(1 − |h|²)) on the ball."""
    if goal.charts[-1].held == "free":
        return [torch.from_numpy(features)]
    squared = np.minimum(np.square(features).sum(axis=-1, keepdims=True), 1.0)
    return [torch.from_numpy(features / (1 + np.sqrt(1 - squared)))]


def _kind(point: StationaryPoint, optimum: Optimum) -> str:
    """Return what a point says of the conjecture."""
    if optimum.is_global(point.gap):
        return "global"
    if point.lowest_multiplier < -1e-7 * max(1.0, float(np.abs(point.multipliers).max())):
        return "not critical"  # stationary in the chart only: held at the bound, and it wants to be shorter
    if point.kind == "minimum":
        return "bad minimum"
    if point.kind != "saddle":
        return "undecided"
    return "collapsed saddle" if _is_collapsed(point) else "uncollapsed saddle"


def _is_collapsed(point: StationaryPoint) -> bool:
    spans = (np.ptp(point.features[point.labels == c], axis=0).max() for c in np.unique(point.labels))
    return max(spans) <= COLLAPSED


def _words(tallies: dict[tuple[tuple[int, ...], Ball | Ridge], Tally]) -> str:
    rows = [
        [listed(counts), norm.words(), *(f"{tally.started[name]:,}" for name in STARTED)]
        + [f"{tally.found['critical']:,}", *(f"{tally.found[name]:,}" for name in FOUND)]
        for (counts, norm), tally in tallies.items()
    ]
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    descents = sum(whole.started[name] for name in ("sphere minimum", "shortened", "random"))
    cut = whole.found["cut short"]
    return (
        "### The conjecture, attacked\n\n"
        f"On the ball and with a ridge, τ = {', '.join(f'{tau:g}' for tau in TEMPERATURES)}, each in "
        f"d = k − 1 … k + {BEYOND[-1]}. *Descents* begin at the proven bad minima of the sphere (each let go "
        "exactly and twice perturbed), at points with a class or more whose duplicated samples are shorter "
        "than their single siblings of norm one, and at random. *Root finding* begins at random and at "
        "shortened points, minimises the squared projected gradient, and so meets critical points of all "
        "kinds; it is left out beyond "
        f"{LARGEST} numbers. Every saddle is left both ways. Counted are distinct points: of one dimension "
        "and temperature, up to rotation and relabelling, whose loss is not the certified optimum's to what "
        f"float64 resolves (10⁻⁹ at least).\n\n{tabulated(HEADS, rows)}\n\n"
        f"In all {descents:,} descents, {whole.started['root finding']:,} starts of root finding, of which "
        f"{whole.found['critical']:,} came to a critical point; {cut:,} of the "
        f"{len(COUNTS) * len(TEMPERATURES) * len(BEYOND) * len(NORMS):,} searches ended before nothing was "
        f"new. {_verdict(whole)}"
    )


def _verdict(whole: Tally) -> str:
    if not whole.bad:
        return "**No bad minimum was found.** That is no proof."
    proven = [
        f"{problem.in_brief()}, d = {point.features.shape[1]}, height {point.height:.2%}"
        for problem, point in whole.bad
        if prove_minimum(point.features, problem).worse_by is not None
    ]
    return f"**{len(whole.bad)} bad minima were found, {len(proven)} of them proven**: {'; '.join(proven)}."
