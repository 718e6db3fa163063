"""What the batch size makes of the geometry: STEP counts, data sets, training, and batches that are fixed."""

from __future__ import annotations

from decimal import Context, Decimal
from itertools import product

import numpy as np
from rich.progress import Progress
from rich.table import Table

from certify.batches import BatchGeometry, batch_geometry
from certify.rounding import upward
from certify.thresholds import coinciding
from relax import Problem, datasets, solve
from relax.counts import ClassCounts
from relax.losses import FixedBatches, SupCon
from relax.losses.batches import Sampler
from relax.losses.binding import bound

SAMPLERS: tuple[Sampler, ...] = ("shuffle", "replacement", "class-balanced")
STEP, STEP_BATCHES = (500, 500, 5, 5), (4, 8, 16, 32, 64, 128, 256, 505, None)
DATA_SETS = ("cifar10-lt-100", "cifar100-lt-100", "places-lt")
BATCHES = (64, 256, 1024)
VIEWS, TEMPERATURE = 2, 0.1
PROOF_LIMIT = 400.0  # seconds
MOST_WORK = 10**7  # square of counts times batch size, up to which proofs of shuffled batches are tried
MERGING = (1.0, 0.5, 0.2, 0.1)  # temperatures
MERGING_BATCHES, MAJORITIES, RATIOS = (4, 8, 32, 128), (1, 2, 3), (10, 30, 100, 300, 1000)
TRAINED, TRAINED_BATCH, TRAINED_TEMPERATURE, STEPS, RUNS = (60, 60, 6, 6), 8, 0.5, 20_000, 8


def step(progress: Progress) -> Table:
    """Return the minority cosine against the batch size."""
    table = Table(
        "batch",
        *SAMPLERS,
        title=f"Counts {', '.join(map(str, STEP))}, τ = {TEMPERATURE:g}",
        caption="Cosine between the two classes of 5, one view, and how far the optimum's can be: proven.",
    )
    found = {}
    for sampler in progress.track(SAMPLERS, description="batch sizes"):
        found[sampler] = batch_geometry(STEP, STEP_BATCHES, sampler, TEMPERATURE, proof_limit=PROOF_LIMIT)
    for i, b in enumerate(STEP_BATCHES):
        cells = [_cosine(found[sampler], i) for sampler in SAMPLERS]
        table.add_row("full" if b is None else str(b), *cells)
    return table


def _cosine(found: BatchGeometry, i: int) -> str:
    """Return a cosine as it is printed, and how far the optimum's can be from that."""
    cosine, radius = float(found.minority[i]), float(found.gram_radius[i])
    if not np.isfinite(radius):
        return f"{cosine:.6f} (not proven)"
    printed = f"{cosine:.6f}"
    exact = Context(prec=200)
    away = exact.add(Decimal(radius), abs(exact.subtract(Decimal(cosine), Decimal(printed))))
    return f"{printed} ± {upward(away, 2)}"


def merging(progress: Progress) -> Table:
    """Return how often batches merge minorities that the full batch keeps apart, and the other way round."""
    total = len(MAJORITIES) * len(RATIOS)
    table = Table(
        "τ",
        *(f"batches of {b}" for b in MERGING_BATCHES),
        title="Minorities that become one point",
        caption=(
            f"Two minorities of 10 samples and 1, 2 or 3 majorities of 100 to 10,000: {total} counts in each "
            "cell, drawn with replacement, one view. First number: minorities coincide in batches of this "
            "size and are apart in the full batch, both proven (`certify.thresholds.coinciding`). Second: "
            "the other way round. Third: undecided in either."
        ),
    )
    for tau in progress.track(MERGING, description="merging"):
        table.add_row(f"{tau:g}", *(_merged(tau, b) for b in MERGING_BATCHES))
    return table


def _merged(tau: float, b: int) -> str:
    earlier = later = undecided = 0
    for k, ratio in product(MAJORITIES, RATIOS):
        counts, loss = {10 * ratio: k, 10: 2}, SupCon(batch_size=b, sampler="replacement")
        batch, full = (coinciding(Problem(counts, of, temperature=tau)) for of in (loss, SupCon()))
        earlier += bool(batch.together[1, 1] and full.apart[1, 1])
        later += bool(full.together[1, 1] and batch.apart[1, 1])
        undecided += bool(batch.undecided[1, 1] or full.undecided[1, 1])
    return f"{earlier}, {later}, {undecided}"


def data_sets(progress: Progress) -> Table:
    """Return what practitioners' batches make of data sets that ship."""
    heads = ("data set", "sampler", "batch", "tail cosine", "closest pair", "sizes", "moved", "Gram radius")
    table = Table(
        *heads,
        "all apart",
        "gap / scale",
        "solve, s",
        "proof, s",
        title=f"Data sets, τ = {TEMPERATURE:g}, two views",
        caption=(
            "Tail cosine: the mean over pairs within the smaller third of the classes. Closest pair: the "
            "largest cosine between two classes, and their sizes. Moved: root mean square change of cosines "
            "from the full batch. Where a Gram radius stands the gap is proven, and every cosine is, before "
            "it is rounded, within the radius of the optimum's; else no proof was tried (shuffled batches of "
            f"many counts) or it was given up after {PROOF_LIMIT:.0f} s, and the gap is a bound in float64."
        ),
    )
    drawn: list[tuple[Sampler, int | None]] = [*product(SAMPLERS[:1], (*BATCHES, None))]
    drawn += product(SAMPLERS[1:2], BATCHES)
    cases = [(name, *how) for name in DATA_SETS for how in drawn]
    for name, sampler, b in progress.track(cases, description="data sets"):
        counts = ClassCounts.of(datasets.counts(name))
        slow = sampler == "shuffle" and b is not None and (b * len(counts.sizes)) ** 2 > MOST_WORK
        limit = 0.0 if slow else PROOF_LIMIT
        found = batch_geometry(counts, [b], sampler, TEMPERATURE, VIEWS, proof_limit=limit)
        table.add_row(name, sampler if b else "", *_line(found, 0))
    return table


def _line(found: BatchGeometry, i: int) -> list[str]:
    b, proof = found.batch_sizes[i], found.proof_seconds[i]
    return [
        "full" if b is None else str(b),
        f"{found.tail_cosine[i]:.4f}",
        f"{found.closest[i]:.4f}",
        ", ".join(map(str, found.closest_sizes(i))),
        f"{found.distance[i]:.4f}",
        upward(found.gram_radius[i], 2) if np.isfinite(found.gram_radius[i]) else "",
        "proven" if found.apart[i] else "not proven",
        upward(found.relative_gap[i], 2),
        f"{found.seconds[i]:.1f}",
        f"{proof:.1f}" if np.isfinite(proof) else "",
    ]


def training(progress: Progress) -> Table:
    """Return where stochastic gradient descent ends."""
    from relax.descent import train  # torch is loaded where tensors are

    table = Table(
        "sampler",
        "minority cosine, expected loss",
        "to its optimum",
        "to the full batch's",
        title=f"Training on batches of {TRAINED_BATCH}",
        caption=(
            f"Free features of counts {', '.join(map(str, TRAINED))}, τ = {TRAINED_TEMPERATURE:g}, {STEPS:,} "
            f"steps of SGD whose size falls like 1/t, averaged over their second half; root mean square "
            f"distance of cosines, mean and standard error of {RUNS} runs. No proof: what training reaches."
        ),
    )
    full = solve(Problem(TRAINED, temperature=TRAINED_TEMPERATURE)).gram
    for sampler in progress.track(SAMPLERS, description="training"):
        loss = SupCon(batch_size=TRAINED_BATCH, sampler=sampler)
        problem = Problem(TRAINED, loss, temperature=TRAINED_TEMPERATURE)
        optimum = solve(problem).gram
        found = train(problem, dim=8, steps=STEPS, runs=RUNS, rate=3.0)
        distances = (found.final(optimum), found.final(full))
        cells = [f"{x.mean():.3f} ± {x.std(ddof=1) / RUNS**0.5:.3f}" for x in distances]
        table.add_row(sampler, f"{optimum[2, 3]:.4f}", *cells)
    return table


def binding(progress: Progress) -> Table:
    """Return what fixed batches make of the geometry, and what binding restores."""
    table = Table(
        "batches",
        "least squared norm of a class mean",
        "minority cosine",
        "moved",
        title="Batches that are never shuffled",
        caption=(
            f"One partition of {', '.join(map(str, TRAINED))} into batches of {TRAINED_BATCH}, τ = "
            f"{TRAINED_TEMPERATURE:g}, as it is, and with one fixed sample of each class in each batch. A "
            "class mean of norm one is a class that has collapsed. Bounds in float64; gaps are at most "
            "1e-6 of the excess."
        ),
    )
    labels = np.repeat(range(len(TRAINED)), TRAINED)
    order = np.random.default_rng(0).permutation(len(labels))
    parts = [order[i : i + TRAINED_BATCH] for i in range(0, len(labels), TRAINED_BATCH)]
    given = FixedBatches.of(labels, parts)
    full = solve(Problem(TRAINED, temperature=TRAINED_TEMPERATURE)).gram
    off = ~np.eye(len(TRAINED), dtype=bool)
    losses = [("fixed", given), ("bound", bound(given))]
    for name, loss in progress.track(losses, description="fixed batches"):
        solution = solve(Problem(TRAINED, loss, temperature=TRAINED_TEMPERATURE), tolerance=1e-6)
        gram = solution.class_gram
        cosines = gram / np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
        moved = np.sqrt(np.mean((cosines - full)[off] ** 2))
        table.add_row(name, f"{gram.diagonal().min():.3f}", f"{cosines[2, 3]:.4f}", f"{moved:.4f}")
    table.add_row("all samples in one", "1.000", f"{full[2, 3]:.4f}", "0.0000")
    return table
