"""Print what the package reaches on this machine, in one run: `python -m benchmarks [--part NAME]`."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import grid, peers, scaling
from benchmarks.measuring import timed
from certify import certify
from relax import Problem, solve

DATA_SETS = ("places-lt", "lvis-v1", "lvis-v1-instances")
TEMPERATURES = (1.0, 0.5, 0.1, 0.07)


def data_sets(progress: Progress) -> Table:
    """Solve real class counts; prove the gap in ball arithmetic."""
    table = Table("data set", "sizes", "τ", "Newton steps", "seconds", "proven gap / excess", "proof, s")
    cases = [(name, tau) for name in DATA_SETS for tau in TEMPERATURES]
    for name, tau in progress.track(cases, description="real data sets"):
        problem = Problem.from_dataset(name, temperature=tau)
        run = timed(lambda problem=problem: solve(problem), runs=3)
        proof = timed(lambda run=run: certify(run.result), runs=1)
        numbers = (f"{run.median:.3f}", f"{proof.result.relative_gap:.1e}", f"{proof.median:.2f}")
        table.add_row(name, str(len(problem.counts.sizes)), f"{tau:g}", str(run.result.iterations), *numbers)
    return table


def million(progress: Progress) -> Table:
    """Solve STEP imbalance with 10⁶ classes in two sizes."""
    table = Table("problem", "τ", "seconds", "proven gap / excess")
    for tau in progress.track((1.0, 0.1), description="a million classes"):
        problem = Problem.step(500_000, 500_000, 1000, 10, temperature=tau)
        run = timed(lambda problem=problem: solve(problem), runs=25)
        gap = certify(run.result).relative_gap
        table.add_row("10⁶ classes in two sizes", f"{tau:g}", f"{run.median:.5f}", f"{gap:.1e}")
    return table


def against_peers(progress: Progress) -> Table:
    """Compare with SCS and Clarabel; a ratio is the peer's seconds over ours."""
    table = Table("task", "solver", "seconds", "ratio", "claims", "error / excess", "proven gap / excess")
    for task in progress.track(list(peers.tasks()), description="peers"):
        for line in peers.run(task):
            table.add_row(*line.cells())
    return table


def growth(progress: Progress) -> Table:
    """Show how cost grows with the number of distinct counts."""
    table = Table("sizes", "Newton steps", "seconds", "in gradient evaluations", "gap / excess (float)")
    for m in progress.track(scaling.SIZES, description="growth"):
        table.add_row(*scaling.line(m))
    return table


def robustness(progress: Progress) -> str:
    """Run the grid."""
    return grid.table(progress)


PARTS: dict[str, Callable[[Progress], Table | str]] = {
    "data-sets": data_sets,
    "million": million,
    "peers": against_peers,
    "growth": growth,
    "grid": robustness,
}


def main() -> None:
    """Run everything, or the parts named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this one (may repeat)")
    parser.add_argument("--markdown", type=Path, help="write the tables of the parts to this file as well")
    chosen = parser.parse_args()
    console = Console(soft_wrap=True)
    console.print(f"{platform.machine()}, Python {platform.python_version()}; medians of several runs")
    written = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for name in chosen.part or list(PARTS):
            found = PARTS[name](progress)
            console.print(found)
            written.append(found if isinstance(found, str) else _markdown(found))
    if chosen.markdown is not None:
        chosen.markdown.write_text("\n\n".join(written) + "\n", encoding="utf-8")


def _markdown(table: Table) -> str:
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(list(column.cells) for column in table.columns), strict=True)
    lines = [heads, ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
