"""Print what the package reaches on this machine: `python -m benchmarks [--part NAME] [--write]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import (
    batches,
    explorer,
    grid,
    landscape,
    pages,
    peers,
    picture,
    rows,
    scaling,
    shattering,
    sweeping,
)
from benchmarks.measuring import LONG, timed
from benchmarks.tasks import DATA_SETS, tasks
from certify import certify
from relax import Problem, solve

WIDTH = 140  # of the tables, at least
TEMPERATURES = (1.0, 0.5, 0.1, 0.07)
MEDIANS = f"Seconds are CPU seconds, medians of several runs; of one, where it takes over {LONG:g}."


@dataclass(frozen=True)
class Options:
    """What the command line asks of the parts."""

    plot: Path | None
    largest: bool


def data_sets(progress: Progress, options: Options) -> Table:
    """Solve real class counts at the level of groups; prove the gap in ball arithmetic."""
    heads = ("data set", "sizes", "τ", "Newton steps", "seconds", "proven gap / scale", "proof, s")
    table = Table(*heads, title="Real data sets", caption=MEDIANS)
    cases = [(name, tau) for name in DATA_SETS for tau in TEMPERATURES]
    for name, tau in progress.track(cases, description="real data sets"):
        problem = Problem.from_dataset(name, temperature=tau)
        run = timed(lambda problem=problem: solve(problem), runs=3)
        proof = timed(lambda run=run: certify(run.result), runs=1)
        numbers = (f"{run.median:.3f}", f"{proof.result.relative_gap:.1e}", f"{proof.median:.2f}")
        table.add_row(
            name, str(len(problem.counts.sizes)), f"{tau:g}", str(run.result.answer.iterations), *numbers
        )
    return table


def million(progress: Progress, options: Options) -> Table:
    """Solve STEP imbalance with 10⁶ classes in two sizes."""
    heads = ("problem", "τ", "seconds", "proven gap / scale")
    table = Table(*heads, title="A million classes", caption=MEDIANS)
    for tau in progress.track((1.0, 0.1), description="a million classes"):
        problem = Problem.step(500_000, 500_000, 1000, 10, temperature=tau)
        run = timed(lambda problem=problem: solve(problem), runs=25)
        gap = certify(run.result).relative_gap
        table.add_row("10⁶ classes in two sizes", f"{tau:g}", f"{run.median:.5f}", f"{gap:.1e}")
    return table


def against_peers(progress: Progress, options: Options) -> Table:
    """Compare with SCS and Clarabel: a ratio is the peer's seconds over ours, gaps are over the excess."""
    table, lines = Table(*peers.HEADS, title="Ours, SCS and Clarabel", caption=peers.WORDS), []
    for line in peers.compare(progress.track(list(tasks()), description="peers")):
        progress.console.print("  ".join(line.cells()))  # to stderr: a peer may take minutes
        table.add_row(*line.cells())
        lines.append(line)
    if options.plot is not None:
        picture.draw(lines, options.plot)
    return table


def growth(progress: Progress, options: Options) -> Table:
    """Show how cost grows with the number of distinct counts."""
    table = Table(*scaling.HEADS, title="Growth", caption=scaling.WORDS)
    sizes = (*scaling.SIZES, *((scaling.LARGEST,) if options.largest else ()))
    for m in progress.track(sizes, description="growth"):
        table.add_row(*scaling.line(m))
    return table


def other_rows(progress: Progress, options: Options) -> Table:
    """Solve programs with other rows on real class counts."""
    table = Table(*rows.HEADS, title="Other rows", caption=rows.WORDS)
    for case in progress.track(list(rows.lines()), description="other rows"):
        table.add_row(*rows.line(*case))
    return table


def imbalanced_rows(progress: Progress, options: Options) -> Table:
    """Solve programs with other rows on strongly imbalanced counts."""
    table = Table(*rows.GRID_HEADS, title="Other rows, strongly imbalanced", caption=rows.WORDS)
    for kind in progress.track(list(rows.KINDS), description="imbalanced rows"):
        table.add_row(*rows.grid_line(kind))
    return table


def redraws(progress: Progress, options: Options) -> Table:
    """Move the sliders of the explorer in chromium."""
    table = Table(*explorer.HEADS, title="The explorer", caption=explorer.WORDS)
    with explorer.page() as opened:
        for line in progress.track(explorer.lines(opened), total=6, description="the explorer"):
            table.add_row(*line)
    return table


def plainly(make: Callable[[Progress], Table | str]) -> Callable[[Progress, Options], Table | str]:
    """Return a part that has no options."""
    return lambda progress, _: make(progress)


PARTS: dict[str, Callable[[Progress, Options], Table | str]] = {
    "data-sets": data_sets,
    "million": million,
    "peers": against_peers,
    "growth": growth,
    "rows": other_rows,
    "rows-grid": imbalanced_rows,
    "explorer": redraws,
    "grid": plainly(grid.section),
    "landscape": plainly(landscape.section),
    "landscape-speed": plainly(landscape.speed),
    "landscape-shattered": plainly(shattering.section),
    "sweeps": plainly(sweeping.section),
    "batch-sizes": plainly(batches.step),
    "batch-merging": plainly(batches.merging),
    "batch-data-sets": plainly(batches.data_sets),
    "batch-training": plainly(batches.training),
    "batch-binding": plainly(batches.binding),
}


def main() -> None:
    """Run everything, or the parts named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this one (may repeat)")
    parser.add_argument("--write", action="store_true", help="put the tables into the pages of docs/, too")
    parser.add_argument("--plot", type=Path, help="picture (.png, .pdf, .svg) of the part peers")
    parser.add_argument("--largest", action="store_true", help="10,000 counts in growth: minutes and 14 GB")
    chosen = parser.parse_args()
    console = Console(soft_wrap=True, width=max(WIDTH, Console().width))
    console.print(f"{pages.machine()}; {pages.commit()}")
    plot = pages.ROOT / "docs" / "benchmark.png" if chosen.write and chosen.plot is None else chosen.plot
    with Progress(console=Console(stderr=True, soft_wrap=True), transient=True) as progress:
        for name in chosen.part or list(PARTS):
            found = PARTS[name](progress, Options(plot, chosen.largest))
            console.print(found)
            if chosen.write:
                pages.write(name, found if isinstance(found, str) else pages.markdown(found))


if __name__ == "__main__":
    main()
