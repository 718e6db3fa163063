"""`gramcert landscape`: which minima a search finds, dimension by dimension, beside the certified optimum."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from certify.certificate import Verdict
from certify.cli import options
from certify.cli.inputs import check_plot, files_of, make_problem, parse_loss, parse_norm
from certify.cli.printing import columns
from certify.cli.streams import complain, say
from certify.cli.words import about
from certify.landscape import Landscape, Slice, StationaryPoint, explore
from certify.landscape.exploring import MOST_DIMENSIONS
from certify.rounding import outward
from relax.errors import InputError, SolverError, worded
from relax.files import check_apart, write_atomically
from relax.numerals import typed_whole

EXAMPLES = """gramcert landscape --counts 10,10,10 --temperature 0.1 --dims 1:4
gramcert landscape --counts 10,10,10 --temperature 0.1 --dims 2 --norm ball
gramcert landscape --counts 6,6,2,2 --temperature 0.2 --dims 2,3 --plot landscape.png
"""
MOST_EIGENVALUES = 8  # of a point that are printed

Dims = Annotated[
    str, typer.Option(metavar="FIRST:LAST | LIST", help="Dimensions of the features: 1:6 or 2,3,5.")
]
Starts = Annotated[
    int, typer.Option(parser=options.whole(1), metavar="INTEGER", help="Random starts in each dimension.")
]
Seed = Annotated[
    int,
    typer.Option(parser=options.whole(0, 2**64 - 1), metavar="INTEGER", help="Of the random starts."),
]
TimeLimit = Annotated[float | None, options.time_limit("Seconds; then the dimensions that are done count.")]
PlotFile = Annotated[
    Path | None, options.of(options.OUTPUTS, help="Draw levels and minima here (png, pdf or svg).")
]


def landscape_command(
    counts: options.Counts = None,
    labels: options.Labels = None,
    dataset: options.Dataset = None,
    step: options.Step = None,
    dims: Dims = "1:4",
    temperature: options.Temperature = None,
    loss: options.LossText = "supcon",
    batch_size: options.BatchSize = None,
    norm: options.NormText = "sphere",
    nonnegative: options.Nonnegative = False,
    views: options.Views = 1,
    starts: Starts = 256,
    seed: Seed = 0,
    time_limit: TimeLimit = None,
    plot: PlotFile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Search for bad local minima of a loss over free features, in each of some dimensions.

    Exit 0 where the optimum is certified and every minimum found, in every dimension asked for, has its loss;
    1 where one does not, or the search did not come to its end. It proves nothing about minima not found.
    """
    check_plot(plot)
    check_apart({"--plot": plot}, files_of(labels, loss))
    problem = make_problem(
        counts, labels, dataset, step, parse_loss(loss, batch_size), temperature,
        norm=parse_norm(norm), nonnegative=nonnegative, views=views,
    )  # fmt: skip
    with about("--dims"):
        asked = parse_dims(dims)
    known: list[Landscape] = []
    interrupted = False
    with Console(stderr=True, quiet=quiet).status("loading") as status:
        try:
            known.append(explore(problem, asked, starts, seed, time_limit, status.update, known.append))
        except InputError as error:  # before the words of the other command's options are put in
            said = re.sub(r"^(dims|starts|seed|dim)(?: =)? ", _as_option, str(error))
            raise InputError(said.replace("range(1, 7)", "1:6")) from error
        except KeyboardInterrupt:
            interrupted = True
    if not known:
        raise SolverError("interrupted before one dimension was searched")
    found = known[-1]
    if plot is not None:
        from certify.landscape.picture import landscape_picture

        write_atomically(plot, landscape_picture(found, plot.suffix.removeprefix(".")))
    say(json.dumps(report(found)) if as_json else "\n".join(lines(found)))
    if interrupted:
        complain("interrupted; what is said is known of the dimensions before")
    certified = found.optimum.certificate.verdict is Verdict.CERTIFIED
    raise typer.Exit(0 if certified and found.all_global and not interrupted else 1)


def _as_option(argument: re.Match[str]) -> str:
    return "--dims " if argument[1] == "dim" else f"--{argument[1]} "


def parse_dims(text: str) -> tuple[int, ...]:
    """Read "1:6", both ends included, or "2,3,5".

    Raises
    ------
    InputError
        If it is neither, or these are not 1 to 64 different positive numbers.
    """
    first, colon, last = text.partition(":")
    try:
        if colon:
            low, high = typed_whole(first), typed_whole(last)
            high = min(high, low + MOST_DIMENSIONS)  # enough to be refused
            found = tuple(range(low, high + 1))
        else:
            found = tuple(map(typed_whole, text.split(",")))
    except ValueError:
        raise InputError(f"{worded(text)} are no dimensions; write 1:6 or 2,3,5") from None
    if not 1 <= len(set(found)) == len(found) <= MOST_DIMENSIONS or min(found) < 1:
        raise InputError(
            f"{worded(text)} must be 1 to {MOST_DIMENSIONS} different dimensions, each at least 1; "
            "write 1:6 or 2,3,5"
        )
    return found


def lines(found: Landscape) -> list[str]:
    """Return the answer in words, then the table of minima."""
    proof = found.optimum.certificate
    optimum = f"optimum over all dimensions: {proof.verdict.name}, loss ≥ {proof.lower}"
    table = columns(found.table("{:.6g}".format), right=range(2, 7))
    return [found.problem.in_brief(), *found.in_words(), "", optimum, *table]


def report(found: Landscape) -> dict[str, Any]:
    """Return what `--json` prints; the optimum's bounds are proven, all else is float64."""
    proof = found.optimum.certificate
    return {
        "schema": "gramcert/landscape/1",
        "problem": found.problem.statement(),
        "verdict": proof.verdict.name,
        "lower_bound": None if proof.lower is None else outward(proof.lower, up=False),
        "upper_bound": outward(proof.upper, up=True),
        "scale": found.optimum.scale,
        "range": found.optimum.range,
        "words": found.in_words(),
        "all_global": found.all_global,
        "asked": list(found.asked),
        "safe": list(found.safe),
        "seed": found.seed,
        "seconds": found.seconds,
        "dimensions": [_slice_report(one) for one in found.slices],
    }


def _slice_report(one: Slice) -> dict[str, Any]:
    return {
        "dim": one.dim,
        "words": one.in_words(),
        "minima": len(one.minima),
        "bad": len(one.bad),
        "attained": one.attained,
        "all_global": one.all_global,
        "complete": one.complete,
        "starts": one.starts,
        "seeded": one.seeded,
        "evaluations": one.evaluations,
        "points": [_point_report(one, point) for point in one.points],
    }


def _point_report(one: Slice, point: StationaryPoint) -> dict[str, Any]:
    minimum = any(point is other for other in one.minima)
    said: dict[str, Any] = {
        "kind": point.kind,
        "minimum": minimum,
        "bad": any(point is other for other in one.bad),
        "loss": point.loss,
        "gap": point.gap,
        "relative_gap": point.relative_gap,
        "height": point.height,
        "gradient_norm": point.gradient_norm,
        "eigenvalues": point.eigenvalues[:MOST_EIGENVALUES].tolist(),
        "lowest_multiplier": point.lowest_multiplier,
        "random": point.random,
        "seeded": point.seeded,
        "origin": point.origin,
    }
    if minimum:
        said |= {"features": point.features.tolist(), "multipliers": point.multipliers.tolist()}
        if point.classifier is not None:
            said["classifier"] = point.classifier.tolist()
    return said
