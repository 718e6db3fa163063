"""Proven bad minima of the sphere, from shattered classes and flipped samples, by dimension."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import numpy as np
from jaxtyping import Float64
from rich.progress import Progress

from benchmarks.pages import listed, tabulated
from certify.landscape import ProvenMinimum, prove_minimum
from certify.landscape.seeds import Seeds
from certify.rounding import downward
from relax import Problem, solve
from relax.descent import descend_from

SAME = 1e-7  # losses that are nearer are those of one point
COUNTS = ((10, 10, 10), (6, 6, 6))
TEMPERATURES = (0.05, 0.1, 0.2)
DIMS = tuple(range(2, 10))
TRIES = 2  # sets of seeds: codes are random


def proven(counts: tuple[int, ...], temperature: float, dim: int, tries: int) -> list[ProvenMinimum]:
    """Return the proven bad minima that seeds lead to, lowest first."""
    if dim == 1:
        return []  # on the sphere of one dimension nothing moves
    problem = Problem(counts, temperature=temperature)
    labels = np.repeat(np.arange(len(counts)), counts)
    base = _base(problem, labels, dim)
    starts = []
    for seed in range(tries):
        seeds = Seeds(labels, base, temperature, np.random.default_rng(seed))
        starts += [*seeds.flipped(), *seeds.shattered()]
    starts = np.stack(starts)
    ends = descend_from(problem, starts + 1e-3 * np.random.default_rng(0).normal(size=starts.shape))
    found: list[ProvenMinimum] = []
    last = float(ends.losses.min())
    for i in np.argsort(ends.losses):
        if ends.losses[i] <= last + SAME * max(1.0, abs(last)):
            continue
        last = float(ends.losses[i])
        point = prove_minimum(ends.features[i], problem, alone=False)
        if point.proven and point.worse_by is not None and not any(_alike(point, one) for one in found):
            found.append(point)
    return found


def _alike(first: ProvenMinimum, second: ProvenMinimum) -> bool:
    """Whether two proven losses may be one; ends that had not arrived had different ones."""
    assert first.loss is not None and second.loss is not None
    (a, b), (c, d) = (map(Decimal, loss) for loss in (first.loss, second.loss))
    return a <= d and c <= b


def _base(problem: Problem, labels: np.ndarray, dim: int) -> Float64[np.ndarray, "n d"]:
    """Return the optimum in so many dimensions; where it has more, its projection, at norm one."""
    solution = solve(problem)
    whole = solution.embedding()
    flat = whole[:, :dim] if whole.shape[1] >= dim else np.pad(whole, ((0, 0), (0, dim - whole.shape[1])))
    return (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))[labels]


def section(progress: Progress) -> str:
    """Return the section of `docs/landscape-proofs.md`."""
    rows = []
    cases = list(product(COUNTS, TEMPERATURES))
    for counts, tau in progress.track(cases, description="shattered classes, proven"):
        rows.append([listed(counts), f"{tau:g}", *(_cell(counts, tau, dim) for dim in DIMS)])
    return (
        "### Shattered classes by dimension\n\nThe bad minima of the sphere that are proven, each with a "
        f"proven lower bound on its loss above the optimum, in nats: from {TRIES} sets of flipped samples, "
        "shattered classes and cross-polytopes, descent in small steps, `prove_minimum` at every end. An "
        "empty cell says that none was proven, not that there is none.\n\n"
        f"{tabulated(['counts', 'τ', *(f'd = {dim}' for dim in DIMS)], rows)}"
    )


def _cell(counts: tuple[int, ...], tau: float, dim: int) -> str:
    found = proven(counts, tau, dim, TRIES)
    return ", ".join(downward(point.worse_by or "0", 3) for point in found)
