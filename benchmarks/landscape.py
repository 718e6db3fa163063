"""What searches of the landscape find: their speed, where bad minima were found, and what a trainer gains."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from rich.progress import Progress

from benchmarks.measuring import timed
from benchmarks.pages import listed, tabulated
from certify.landscape import Slice, explore, prove_minimum
from certify.landscape.optimum import Optimum
from certify.landscape.seeds import Seeds
from certify.rounding import downward
from relax import Ball, Problem, Sphere
from relax.descent import check_descent
from relax.descent.objective import Objective

SPEED = ((10, 10, 10), 0.1, (1, 2, 3, 4), 256)
COUNTS = ((2, 2), (4, 4), (4, 4, 4))
TEMPERATURES = (0.1, 0.2, 0.5)
BEYOND, STARTS = (0, 1, 2), 8  # dimensions above k, and random starts of each search
SHATTERED = (2, 3, 4, 5, 6)
TRAINING = ((2, 2), (4, 4), (10, 10, 10))
RATE, STEPS, NEAR = 0.5, 1_000, 0.01  # of gradient descent; the height that counts as the optimum
TRIED = 16  # random starts of it, beside the seeds


def section(progress: Progress) -> str:
    """Run all searches and return the section of `docs/landscape.md`."""
    parts = [_shattered(progress), _phases(progress), _training(progress)]
    return "\n\n".join(parts)


def speed(progress: Progress) -> str:
    """Time a search of four dimensions, and a proof."""
    counts, tau, dims, starts = SPEED
    began = time.process_time()
    found = explore(Problem(counts, temperature=tau), dims, starts)
    seconds = time.process_time() - began
    rows = [
        [str(one.dim), f"{one.starts} + {one.seeded}", str(one.evaluations), str(len(one.points)), _said(one)]
        for one in found.slices
    ]
    heads = ["d", "starts", "batched evaluations", "points", "minima"]
    (bad,) = found.at(2).bad
    proof = timed(lambda: prove_minimum(bad.features, found.problem), runs=3)
    return (
        f"### Speed\n\nCounts {listed(counts)}, τ = {tau:g}: {seconds:.0f} CPU seconds on one thread, "
        f"optimum and proof included.\n\n{tabulated(heads, rows)}\n\n"
        f"`prove_minimum` at the bad minimum of the plane, n = {sum(counts)}: {proof.result.verdict} in "
        f"{proof.median:.1f} CPU seconds (median of three), worse than the optimum by at least "
        f"{downward(proof.result.worse_by or '0', 6)}, its certificate included."
    )


def _shattered(progress: Progress) -> str:
    """Return the bad minima of [10, 10, 10] by dimension at small temperatures."""
    cases = list(product((0.05, 0.1), SHATTERED))
    rows = []
    for tau, dim in progress.track(cases, description="shattered classes"):
        one = explore(Problem((10, 10, 10), temperature=tau), dim, STARTS).at(dim)
        origins = sorted({point.origin for point in one.bad})
        multiplier = f"{min(point.lowest_multiplier for point in one.bad):.3f}" if one.bad else ""
        rows.append([f"{tau:g}", str(dim), _said(one), ", ".join(origins), multiplier])
    heads = ["τ", "d", "minima", "first found from", "least multiplier of a bad one"]
    return f"### Three classes of ten, by dimension\n\n{tabulated(heads, rows)}"


def _phases(progress: Progress) -> str:
    """Return the largest temperature at which a bad minimum was found for d ≥ k, on sphere and ball."""
    rows = []
    for counts in progress.track(COUNTS, description="temperatures"):
        k = len(counts)
        dims = [k + more for more in BEYOND]
        cells = [_largest(counts, dims, norm) for norm in (Sphere(), Ball())]
        rows.append([listed(counts), f"{dims[0]} … {dims[-1]}", *cells])
    heads = ["counts", "d", "sphere", "ball"]
    taus = ", ".join(f"{tau:g}" for tau in TEMPERATURES)
    return (
        "### The largest temperature with a bad minimum, d ≥ k\n\n"
        f"Temperatures tried: {taus}, the largest first, until one has a bad minimum; {STARTS} random "
        "starts in each dimension, and seeds. A conjecture, not a theorem, is all that such a table can "
        "suggest.\n\n"
        f"{tabulated(heads, rows)}"
    )


def _largest(counts: tuple[int, ...], dims: list[int], norm: Sphere | Ball) -> str:
    """Return the largest temperature at which a search of these dimensions found a bad minimum."""
    for tau in sorted(TEMPERATURES, reverse=True):
        found = explore(Problem(counts, temperature=tau, norm=norm), dims, STARTS)
        bad = [one.dim for one in found.slices if one.bad]
        if bad:
            return f"τ = {tau:g} (d = {', '.join(map(str, bad))})"
    return "none found"


def _training(progress: Progress) -> str:
    """Return how plain gradient descent fares on the sphere and on the ball."""
    rows = []
    for counts in progress.track(TRAINING, description="training"):
        dim = sum(counts) // 2 if len(counts) == 2 else len(counts)
        for tau in (0.1, 0.5):
            problem = Problem(counts, temperature=tau)
            cells = [_trained(problem, dim, norm) for norm in (Sphere(), Ball())]
            rows.append([listed(counts), str(dim), f"{tau:g}", *cells[0], *cells[1]])
    heads = ["counts", "d", "τ", "sphere, random", "sphere, seeds", "ball, random", "ball, seeds"]
    return (
        "### What a trainer gains\n\nGradient descent with steps of "
        f"{RATE:g} n τ², at most {STEPS:,}, features divided by their norm (sphere), or by max(1, norm) "
        f"(ball): how many of {TRIED} random starts and of the seeds come within {NEAR:.0%} of the range "
        "above the optimum, and the median number of steps of those. Seeds that are exactly symmetric stay "
        f"so, at saddles, on sphere and ball alike.\n\n{tabulated(heads, rows)}"
    )


def _trained(problem: Problem, dim: int, norm: Sphere | Ball) -> list[str]:
    goal = check_descent(problem, dim, level="samples")
    optimum = Optimum.of(problem)
    random = np.random.default_rng(0)
    n = len(goal.labelled.classes)
    drawn = random.normal(size=(TRIED, n, dim))
    base = np.eye(dim)[goal.labelled.classes % dim]
    seeds = np.stack([f for _, f in Seeds(goal.labelled.classes, base, problem.temperature, random).named()])
    scale = _sphere if isinstance(norm, Sphere) else _ball
    return [_reached(goal, optimum, torch.from_numpy(starts), scale) for starts in (drawn, seeds)]


def _reached(
    goal: Objective, optimum: Optimum, free: torch.Tensor, scale: Callable[[torch.Tensor], torch.Tensor]
) -> str:
    """Return how many starts came near the optimum, and in how many steps."""
    free = _sphere(free)  # both begin at norm one
    steps = np.full(len(free), np.inf)
    for step in range(STEPS):
        free = free.detach().requires_grad_()
        excess = goal.share([scale(free)]).excess
        gaps = excess.detach().numpy() - (optimum.excess or 0.0)
        steps = np.where((gaps <= NEAR * optimum.range) & np.isinf(steps), step, steps)
        if np.isfinite(steps).all():
            break
        (slope,) = torch.autograd.grad(excess.sum(), free)
        rate = RATE * len(goal.labelled.classes) * goal.problem.temperature**2  # of the curvature of a mean
        free = scale((free - rate * slope).detach())
    there = steps[np.isfinite(steps)]
    return f"{len(there)} of {len(steps)}" + (f", {np.median(there):.0f} steps" if len(there) else "")


def _sphere(free: torch.Tensor) -> torch.Tensor:
    return free / free.norm(dim=-1, keepdim=True)


def _ball(free: torch.Tensor) -> torch.Tensor:
    return free / free.norm(dim=-1, keepdim=True).clamp(min=1.0)


def _said(one: Slice) -> str:
    if not one.bad:
        return f"{len(one.minima)}, " + ("global" if one.attained else f"{one.points[0].height:.1%} above")
    heights = ", ".join(f"{point.height:.1%}" for point in one.bad)
    return f"{len(one.minima)}, {len(one.bad)} bad: {heights}" + ("" if one.attained else " above the bound")
