"""`gramcert threshold`: from which imbalance on minorities coincide, and which classes do at given counts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import typer
from rich.console import Console

from certify.cli import options
from certify.cli.inputs import make_problem, parse_loss, parse_wholes
from certify.cli.printing import print_facts
from certify.cli.streams import say
from certify.cli.words import about
from certify.thresholds import Coincidence, Margin, Threshold, coinciding, collapse_threshold, margins
from certify.thresholds.words import decimal, headline
from relax.counts import exact_rational
from relax.errors import InputError
from relax.losses import Loss, statement_of
from relax.rows import LogSumExp

SCHEMA = "gramcert/threshold/1"
MOST_MARGINS = 12  # class sizes of which is said how far they are from merging
EXAMPLES = """gramcert threshold --step 2,2,50 --temperature 1
gramcert threshold --step 2,2,50 --loss negatives-only --views 2 --json
gramcert threshold --counts 1000,600,5,3 --temperature 1
"""


def threshold_command(
    step: options.ThresholdStep = None,
    counts: options.Counts = None,
    labels: options.Labels = None,
    dataset: options.Dataset = None,
    temperature: options.Temperature = None,
    loss: options.LossText = "supcon",
    batch_size: options.BatchSize = None,
    views: options.Views = 1,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Say from which ratio on minority classes are one point (--step), or which classes are at given counts.

    Exit 0 where what is said is proven: the bracket of the smallest such ratio, or that there is none; or of
    every pair of classes whether they coincide. 1 where something is open.
    """
    chosen = parse_loss(loss, batch_size)
    if step is not None:
        if any(given is not None for given in (counts, labels, dataset)):
            raise InputError("give exactly one of --step, --counts, --labels, --dataset")
        with Console(stderr=True, quiet=quiet).status("proving"):
            found = _found(step, temperature, chosen, views)
        _print_threshold(found, as_json)
        raise typer.Exit(0 if found.upper is not None or found.smallest else 1)
    problem = make_problem(counts, labels, dataset, None, chosen, temperature, views=views)
    plain = all(isinstance(rows, LogSumExp) for rows in problem.program().rows)
    few = plain and len(problem.counts.sizes) <= MOST_MARGINS
    with Console(stderr=True, quiet=quiet).status("proving"):
        found = coinciding(problem)
        distances = margins(problem) if few else ()
    _print_coincidence(found, distances, few, as_json)
    raise typer.Exit(0 if found.decided else 1)


def _print_coincidence(found: Coincidence, distances: tuple[Margin, ...], few: bool, as_json: bool) -> None:
    if as_json:
        said = [_margin_json(one) for one in distances] if few else None
        say(json.dumps({**_coincidence_json(found), "margins": said}))
    else:
        left = f"not searched for more than {MOST_MARGINS} distinct sizes, or random batches (margins does)"
        changes = [(f"size {one.size}", one.in_words()) for one in distances]
        print_facts([*found.facts(), *(changes or [("changes", left)])])


def _found(step: str, temperature: float | None, loss: Loss, views: int) -> Threshold:
    k_major, k_minor, n_minor = parse_wholes("--step", step, "k_major,k_minor,n_minor")
    with about("--step"):
        return collapse_threshold(k_major, k_minor, n_minor, temperature, loss, views)


def _print_threshold(found: Threshold, as_json: bool) -> None:
    if as_json:
        say(json.dumps(_threshold_json(found)))
    else:
        print_facts(found.facts())


def _threshold_json(found: Threshold) -> dict[str, Any]:
    """Return JSON values; ends of the bracket are exact rationals, of intervals decimals rounded inward."""
    bracket = {
        "lower": None if found.lower is None else str(found.lower),
        "upper": None if found.upper is None else str(found.upper),
    }
    pieces = [
        {
            "from": decimal(piece.start, up=True),
            "to": None if piece.end is None else decimal(piece.end, up=False),
            "together": piece.together,
        }
        for piece in found.pieces
    ]
    return {
        "schema": SCHEMA,
        "answer": headline(found),
        "k_major": found.k_major,
        "k_minor": found.k_minor,
        "n_minor": found.n_minor,
        "loss": statement_of(found.loss),
        "temperature": str(exact_rational(found.temperature)),
        "views": found.views,
        **bracket,
        "ratio": found.ratio,
        "limit": found.limit,
        "whole": found.whole,
        "proven": pieces,
        "smallest": found.smallest,
        "final": found.final,
    }


def _coincidence_json(found: Coincidence) -> dict[str, Any]:
    sizes = found.problem.counts.sizes
    listed = [
        {
            "sizes": [sizes[a], sizes[b]],
            "state": "together" if found.together[a, b] else "apart" if found.apart[a, b] else "undecided",
            "angle_from": float(found.nearest[a, b]),
            "angle_to": float(found.farthest[a, b]),
        }
        for a, b in np.argwhere(np.triu(found.pairs)).tolist()
    ]
    return {
        "schema": SCHEMA,
        "problem": found.problem.statement(),
        "points": [list(point) for point in found.points()],
        "decided": found.decided,
        "method": found.method,
        "reason": found.reason or None,
        "pairs": listed,
    }


def _margin_json(one: Margin) -> dict[str, Any]:
    def change(found: Any) -> Any:
        return found and {"before": found.before, "after": found.after, "proven": found.proven}

    return {
        "size": one.size,
        "merged": one.merged,
        "count": change(one.count),
        "temperature": change(one.temperature),
    }
