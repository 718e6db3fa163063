"""The options that commands share, in groups, with their completion; numbers in one grammar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from relax import datasets, losses
from relax.norms import NORMS
from relax.numerals import typed_decimal, typed_whole
from relax.problem import Level
from relax.solvers import names as solvers

COUNTS, PROBLEM, SOLVING = "Class counts: exactly one of", "The problem", "Solving"
OUTPUTS, DESCENT = "Outputs", "Comparison with gradient descent"


def _reader(read: Callable[[str], Any], fits: Callable[[Any], bool], needed: Callable[[Any], str]) -> Any:
    """Return a reader of what is typed, which refuses what does not fit; defaults pass as they are."""

    def reader(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        try:
            number = read(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if not fits(number):
            raise typer.BadParameter(f"{text.strip()} must be {needed(number)}")
        return number

    return reader


def whole(least: int, most: int = 2**53) -> Callable[[Any], int]:
    """Return a reader of whole numbers in a range, in plain digits."""

    def needed(number: int) -> str:
        high = "on" if most == 2**53 and number < least else f"to {most}"
        return f"a whole number from {least} {high}"

    return _reader(typed_whole, lambda number: least <= number <= most, needed)


def positive(example: str) -> Callable[[Any], float]:
    """Return a reader of positive decimal numbers that float64 keeps to the last digit."""
    return _reader(
        typed_decimal, lambda number: number > 0, lambda _: f"a positive number; give e.g. {example}"
    )


def among(names: Callable[[], Any]) -> Callable[[str], list[str]]:
    """Return a completion that offers those of these names that begin as typed."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def of(group: str, *flags: str, **settings: Any) -> Any:
    """Return an option that help shows in a group."""
    return typer.Option(*flags, rich_help_panel=group, **settings)


def _whole(group: str, least: int, help: str, most: int = 2**53) -> Any:
    return of(group, parser=whole(least, most), metavar="INTEGER", help=help)


def _positive(group: str, example: str, help: str) -> Any:
    return of(group, parser=positive(example), metavar="NUMBER", help=help)


def time_limit(help: str) -> Any:
    """Return an option for seconds."""
    return _positive(SOLVING, "60", help)


Counts = Annotated[
    str | None, of(COUNTS, help="Class sizes: 100,100,10,10 or 1000x5,10x1000000 (size x classes).")
]
Labels = Annotated[
    str | None,
    of(
        COUNTS,
        metavar="FILE[:COLUMN]",
        help="One label a sample: .npy, .npz, text, or a column of a CSV file.",
    ),
]
Dataset = Annotated[
    str | None,
    of(COUNTS, autocompletion=among(datasets.names), help="A name that `gramcert datasets` lists."),
]
ThresholdStep = Annotated[str | None, of(COUNTS, help="k_major,k_minor,n_minor: the threshold in n_major.")]
Step = Annotated[str | None, of(COUNTS, help="k_major,k_minor,n_major,n_minor.")]

Temperature = Annotated[float | None, _positive(PROBLEM, "0.1", "τ > 0; without it the loss's own default.")]
LossText = Annotated[
    str,
    of(
        PROBLEM,
        autocompletion=among(losses.names),
        help="NAME or NAME:parameter=value,…; `gramcert losses` lists them.",
    ),
]
BatchSize = Annotated[int | None, _whole(PROBLEM, 1, "Short for the loss's parameter batch_size.")]
NormText = Annotated[
    str,
    of(PROBLEM, autocompletion=among(lambda: NORMS), help="sphere, ball, ridge:WEIGHT or mean-square:BOUND."),
]
Nonnegative = Annotated[bool, of(PROBLEM, "--nonnegative", help="Entrywise non-negative features.")]
Views = Annotated[int, _whole(PROBLEM, 1, "Views of each sample; they multiply the counts.")]

LevelText = Annotated[
    str,
    of(
        SOLVING,
        autocompletion=among(lambda: get_args(Level)),
        help="groups of equal classes, classes, or samples (the n × n lift).",
    ),
]
SolverName = Annotated[
    str, of(SOLVING, autocompletion=among(solvers), help=f"One of: {', '.join(solvers())}.")
]
Tolerance = Annotated[float, _positive(SOLVING, "1e-9", "Proven gap allowed, relative to its scale.")]
TimeLimit = Annotated[
    float | None,
    time_limit("Seconds for all stages, within one or a tenth; then the best so far counts."),
]

CertificateFile = Annotated[Path | None, of(OUTPUTS, help="Write the certificate here (JSON).")]
SaveFile = Annotated[Path | None, of(OUTPUTS, help="Write the solution here (npz).")]
PlotFile = Annotated[Path | None, of(OUTPUTS, help="Draw the geometry here (png, pdf or svg).")]
AsJson = Annotated[bool, of(OUTPUTS, "--json", help="Print one JSON object.")]
Quiet = Annotated[bool, of(OUTPUTS, "--quiet", help="No progress on stderr.")]

Starts = Annotated[int | None, _whole(DESCENT, 1, "Match with this many gradient descents on free features.")]
Dimension = Annotated[
    int | None, _whole(DESCENT, 1, "Dimension of these features; by default one large enough.")
]
Seed = Annotated[int | None, _whole(DESCENT, 0, "Of the descents' starting points; 0 by default.", 2**64 - 1)]
