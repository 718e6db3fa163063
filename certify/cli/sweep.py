"""`gramcert sweep`: a grid of problems, each solved and certified, as one table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from certify.certificate import TOLERANCE
from certify.cli import options
from certify.cli.inputs import files_of, parse_loss, parse_norm, parse_wholes
from certify.cli.options import COUNTS, OUTPUTS, PROBLEM, SOLVING
from certify.cli.ranges import numbers, whole_numbers
from certify.cli.streams import complain, say
from certify.cli.words import about
from certify.sweeps.grid import Point, check_number, counts_grid, long_tail_grid, step_grid
from certify.sweeps.journal import remove
from certify.sweeps.run import Done, carry_out, request_of
from certify.sweeps.summary import Summary, summary
from certify.sweeps.table import check_format, frame, write_table
from relax import datasets
from relax.errors import InputError, SolverError
from relax.files import check_apart
from relax.losses import Loss
from relax.numerals import typed_counts

EXAMPLES = """gramcert sweep --step 2,2,10 --R 1:1e4:200log --temperature 0.05,0.1,0.5,1 --out sweep.parquet
gramcert sweep --step 2,2,10 --R 1,10,100 --batch-size none,8,32 --out batches.csv
gramcert sweep --long-tail 10,5000 --R 1:1e2:20log --loss supcon,ntxent-labels --out tails.csv
gramcert sweep --dataset places-lt --temperature 0.1:1:10 --out places.parquet
"""

Counts = Annotated[list[str], options.of(COUNTS, help="Class sizes, as in `solve`; may be repeated.")]
Dataset = Annotated[
    list[str],
    options.of(COUNTS, autocompletion=options.among(datasets.names), help="A data set; may be repeated."),
]
Step = Annotated[str | None, options.of(COUNTS, help="k_major,k_minor,n_minor; n_major is R times n_minor.")]
LongTail = Annotated[str | None, options.of(COUNTS, help="k,n_max: exponential long tails of ratio R.")]
Ratios = Annotated[
    str | None, options.of(COUNTS, "--R", help="Ratios: 1,10,100, or 200 from 1 to 1e4, 1:1e4:200log.")
]
Temperatures = Annotated[
    str | None,
    options.of(PROBLEM, "--temperature", help="τ, a list or range; by default each loss's own."),
]
Losses = Annotated[
    list[str],
    options.of(PROBLEM, "--loss", help="NAME or NAME:parameter=value,…; a list, or repeated."),
]
BatchSizes = Annotated[
    str | None,
    options.of(PROBLEM, "--batch-size", help="The losses' batch_size, a list; none is the full batch."),
]
Views = Annotated[str, options.of(PROBLEM, "--views", help="Views of each sample, a list or range.")]
Jobs = Annotated[
    int | None,
    options.of(
        SOLVING, parser=options.whole(1), metavar="INTEGER", help="Processes; by default one for each core."
    ),
]
Out = Annotated[Path, options.of(OUTPUTS, help="Write the table here (parquet, csv or jsonl).")]
JournalFile = Annotated[
    Path | None,
    options.of(OUTPUTS, help="Keep rows here until the table is whole; by default beside it, OUT.journal."),
]
TimeLimit = Annotated[float | None, options.time_limit("Seconds; then the table has what is done.")]


def sweep_command(
    out: Out,
    step: Step = None,
    long_tail: LongTail = None,
    counts: Counts = [],  # noqa: B006 - typer copies it
    dataset: Dataset = [],  # noqa: B006
    ratios: Ratios = None,
    temperature: Temperatures = None,
    loss: Losses = ["supcon"],  # noqa: B006
    batch_size: BatchSizes = None,
    norm: options.NormText = "sphere",
    nonnegative: options.Nonnegative = False,
    views: Views = "1",
    solver: options.SolverName = "auto",
    tolerance: options.Tolerance = TOLERANCE,
    jobs: Jobs = None,
    time_limit: TimeLimit = None,
    journal: JournalFile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Solve and certify a grid of problems; write one table with a row for each.

    Exit 0 where every row is CERTIFIED. Started again after an interruption, it goes on where it was.
    """
    kept = Path(f"{out}.journal") if journal is None else journal
    with about("--out"):
        check_format(out)
    check_apart({"--out": out, "--journal": kept}, _read(loss))
    grid = _grid(
        step, long_tail, counts, dataset, ratios,
        losses=_losses(loss, batch_size),
        temperatures=_numbers("--temperature", temperature),
        views=_whole_numbers("--views", views),
        norm=parse_norm(norm),
        nonnegative=nonnegative,
    )  # fmt: skip
    done = carry_out(grid, request_of(solver, tolerance, time_limit), jobs or -1, kept, quiet)
    if not done.rows:
        raise SolverError(f"{done.unfinished} before any point was done")
    table = frame(done.rows)
    write_table(table, out)
    if not done.unfinished:
        remove(kept)
    found = summary(table)
    _print(found, done, out, as_json)
    if done.unfinished:
        complain(
            f"{done.unfinished} after {len(done.rows):,} of {done.points:,} points; "
            f"the same command goes on from {str(kept)!r}"
        )
    raise typer.Exit(0 if found.all_certified and not done.unfinished else 1)


def _print(found: Summary, done: Done, out: Path, as_json: bool) -> None:
    if as_json:
        said = {"schema": "gramcert/sweep/1", **asdict(found), "unfinished": done.unfinished or None}
        gap = None if not found.certified else found.largest_relative_gap
        say(json.dumps(said | {"largest_relative_gap": gap, "out": str(out)}))
        return
    reasons = dict.fromkeys(row["reason"] for row in done.rows if row["reason"])
    say("\n".join([str(found), *(f"  {reason}" for reason in list(reasons)[:3]), f"table in {out}"]))


def _grid(
    step: str | None,
    long_tail: str | None,
    counts: list[str],
    dataset: list[str],
    ratios: str | None,
    **settings: Any,
) -> tuple[Point, ...]:
    """Build the grid of exactly one kind of profile.

    Raises
    ------
    InputError
        If there is not exactly one, or it is unusable.
    """
    sources = {"--step": step, "--long-tail": long_tail, "--counts": counts, "--dataset": dataset}
    given = [name for name, value in sources.items() if value]
    if len(given) != 1:
        said = "none of these was given" if not given else f"{' and '.join(given)} were given"
        raise InputError(f"give exactly one of {', '.join(sources)} ({said})")
    found = _numbers("--R", ratios)
    if (found is None) == (given[0] in ("--step", "--long-tail")):
        mend = "give --R, e.g. --R 1:1e4:200log" if found is None else "leave --R out"
        raise InputError(f"{given[0]} {'needs ratios' if found is None else 'has no ratio'}; {mend}")
    with about(given[0]):
        if found is None:
            profiles = [typed_counts(one) for one in counts] or [datasets.counts(one) for one in dataset]
            return counts_grid(profiles, **settings)
        taus, each = settings["temperatures"], (settings["losses"], settings["views"])
        check_number(len(found) * len(taus or [0]) * len(each[0]) * len(each[1]))
        if step is not None:
            k_major, k_minor, n_minor = parse_wholes("--step", step, "k_major,k_minor,n_minor")
            return step_grid(k_major, k_minor, n_minor, found, **settings)
        k, n_max = parse_wholes("--long-tail", str(long_tail), "k,n_max")
        return long_tail_grid(k, n_max, found, **settings)


def _numbers(option: str, text: str | None) -> list[float] | None:
    if text is None:
        return None
    with about(option):
        return numbers(text)


def _whole_numbers(option: str, text: str) -> list[int]:
    with about(option):
        return whole_numbers(text)


def _losses(texts: list[str], batch_size: str | None) -> list[Loss]:
    """Return each loss with each batch size."""
    sizes: list[int | None] = [None]
    if batch_size is not None:
        listed = [one.strip() for one in batch_size.split(",")]
        some = [one for one in listed if one != "none"]
        sizes = [None] if len(some) < len(listed) else []
        sizes += _whole_numbers("--batch-size", ",".join(some)) if some else []
    names = [name for text in texts for name in split_losses(text)]
    return [parse_loss(name, size) for name in names for size in sizes]


def split_losses(text: str) -> list[str]:
    """Split "A,B:p=1,q=2,C" at the commas that begin a loss: "A", "B:p=1,q=2" and "C"."""
    found: list[str] = []
    for part in text.split(","):
        if found and "=" in part.partition(":")[0]:
            found[-1] += f",{part}"
        else:
            found.append(part.strip())
    return found


def _read(texts: list[str]) -> dict[str, Path | None]:
    """Return the files that losses are read from, by what names them."""
    return {name: path for text in texts for name, path in files_of(None, text).items()}
