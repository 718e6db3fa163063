"""`gramcert solve`: from class counts to a certified optimum."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from certify.certificate import ARITHMETIC, TOLERANCE, Certificate, Verdict, certify
from certify.cli.inputs import make_problem, parse_loss, parse_norm
from relax import losses
from relax.endpoints import Descent, Match
from relax.errors import InputError
from relax.files import check_writable
from relax.problem import Problem, as_level
from relax.solution import LARGEST_GRAM, Solution
from relax.solvers import names, solve

MOST_PRINTED_CLASSES = 200
PICTURES = (".png", ".pdf", ".svg")


def solve_command(
    counts: Annotated[
        str | None, typer.Option(help="Class sizes: 100,100,10,10 or 1000x5,10x1000000 (size x classes).")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="File of one label a sample: .npy or text.")] = None,
    dataset: Annotated[str | None, typer.Option(help="A name that `gramcert datasets` lists.")] = None,
    step: Annotated[str | None, typer.Option(help="k_major,k_minor,n_major,n_minor.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="τ > 0; without it the loss's own default.")
    ] = None,
    loss: Annotated[
        str, typer.Option(help="NAME or NAME:parameter=value,…; `gramcert losses` lists them.")
    ] = "supcon",
    batch_size: Annotated[int | None, typer.Option(help="Short for the loss's parameter batch_size.")] = None,
    norm: Annotated[str, typer.Option(help="sphere, ball, ridge:WEIGHT or mean-square:BOUND.")] = "sphere",
    nonnegative: Annotated[
        bool, typer.Option("--nonnegative", help="Entrywise non-negative features.")
    ] = False,
    views: Annotated[int, typer.Option(help="Views of each sample; they multiply the counts.")] = 1,
    level: Annotated[
        str, typer.Option(help="groups of equal classes, classes, or samples (the n × n lift).")
    ] = "groups",
    solver: Annotated[str, typer.Option(help=f"One of: {', '.join(names())}.")] = "auto",
    tolerance: Annotated[float, typer.Option(help="Proven gap allowed, relative to the excess.")] = TOLERANCE,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which the best so far counts.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Write the certificate here (JSON).")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the solution here (npz).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the geometry here (png, pdf or svg).")] = None,
    verify_descent: Annotated[
        int | None, typer.Option(help="Match with this many gradient descents on free features.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the descents' starting points.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Find and certify the global optimum of a loss for given class counts."""
    problem = make_problem(
        counts, labels, dataset, step, parse_loss(loss, batch_size), temperature,
        norm=parse_norm(norm), nonnegative=nonnegative, views=views,
    )  # fmt: skip
    for path in (certificate, save, plot):
        if path is not None:
            check_writable(path)
    if plot is not None and plot.suffix not in PICTURES:
        raise InputError(f"picture {plot} must end in one of {', '.join(PICTURES)}")
    if verify_descent is not None and verify_descent < 1:
        raise InputError(f"--verify-descent {verify_descent} must be at least 1; give e.g. 16")
    console = Console(stderr=True, quiet=quiet)
    with console.status("solving"):
        solution = solve(problem, solver, as_level(level), tolerance, time_limit)
    with console.status("proving"):
        proof = certify(solution, tolerance)
    match = None
    if verify_descent is not None:
        with console.status(f"descending from {verify_descent} random starts"):
            match = _descend(problem, solution, verify_descent, seed)
    _write(solution, proof, certificate, save, plot)
    if as_json:
        print(json.dumps(report(solution, proof, match)))
    else:
        _print(solution, proof, match)
    raise typer.Exit(0 if proof.verdict is Verdict.CERTIFIED else 1)


def _descend(problem: Problem, solution: Solution, starts: int, seed: int) -> tuple[Descent, Match]:
    from relax.descent import descend, match  # torch is loaded where tensors are

    dim = max(2, problem.counts.classes - 1)  # in one dimension features could not move
    found = descend(problem, dim=dim, starts=starts, seed=seed)
    return found, match(found, solution.class_gram, solution.value)


def _write(
    solution: Solution, proof: Certificate, certificate: Path | None, save: Path | None, plot: Path | None
) -> None:
    if certificate is not None:
        proof.save(certificate)
    if save is not None:
        solution.save(save)
    if plot is not None:
        from relax.plots import plot_geometry

        plot_geometry(solution, plot)


def _print(solution: Solution, proof: Certificate, match: tuple[Descent, Match] | None) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    counts = solution.problem.counts
    table.add_row("loss", f"{solution.problem.loss.name}, temperature {solution.problem.temperature:g}")
    table.add_row("classes", f"{counts.classes} of {len(counts.sizes)} sizes: {counts}")
    for label, value in proof.facts():
        table.add_row(label, value)
    table.add_row(
        "solver",
        f"{solution.answer.solver}, {solution.answer.iterations} iterations, {solution.answer.seconds:.3f} s",
    )
    table.add_row("stopped", solution.status.value)
    for label, value in match[1].facts() if match else []:
        table.add_row(f"descent: {label}", value)
    Console(soft_wrap=True, highlight=False).print(table)


def report(
    solution: Solution, proof: Certificate, match: tuple[Descent, Match] | None = None
) -> dict[str, Any]:
    """Return what `--json` prints; bounds are float64 rounded outward, `proven` has the decimals."""
    problem, groups = solution.problem, solution.groups
    parameters = {key: said for key, said in losses.statement_of(problem.loss).items() if key != "name"}
    few = problem.counts.classes <= MOST_PRINTED_CLASSES
    listed = problem.counts.classes <= LARGEST_GRAM
    order = problem.counts.group_of_class() if listed else []
    said: dict[str, Any] = {
        "schema": "gramcert/solve/1",
        "verdict": proof.verdict.name,
        "status": solution.status.name,
        "loss": problem.loss.name,
        "parameters": parameters,
        "level": solution.level,
        "temperature": problem.temperature,
        "norm": problem.norm.kind,
        "counts": [problem.counts.sizes[a] for a in order] if listed else None,
        "upper_bound": outward(proof.upper, up=True),
        "lower_bound": None if proof.lower is None else outward(proof.lower, up=False),
        "gap": None if proof.gap is None else outward(proof.gap, up=True),
        "excess": proof.excess if proof.excess_upper is not None else None,
        "gram_radius": None if proof.gram_radius is None else outward(proof.gram_radius, up=True),
        "arithmetic": ARITHMETIC,
        "proven": {
            key: getattr(proof, key) for key in ("lower", "upper", "excess_lower", "excess_upper", "gap")
        },
        "solver": solution.answer.solver,
        "iterations": solution.answer.iterations,
        "seconds": solution.answer.seconds,
        "groups": {
            "sizes": list(groups.sizes),
            "multiplicities": list(groups.multiplicities),
            "gram": groups.gram.tolist(),
        },
    }
    if few:
        said["gram"] = solution.gram.tolist()
    if match is not None:
        said["descent"] = _descent_report(*match)
    return said


def _descent_report(found: Descent, match: Match) -> dict[str, Any]:
    return {
        "starts": len(match.loss_gaps),
        "agree": int(match.agrees.sum()),
        "worst_loss_gap": float(abs(match.loss_gaps).max()),
        "worst_gram_distance": float(match.gram_distances.max()),
        "worst_procrustes_residual": float(match.residuals.max()),
        "evaluations": found.evaluations,
    }


def outward(decimal: str, up: bool) -> float:
    """Return the float64 nearest to a decimal on its safe side."""
    number = float(decimal)
    if up and Decimal(number) < Decimal(decimal):
        return math.nextafter(number, math.inf)
    if not up and Decimal(number) > Decimal(decimal):
        return math.nextafter(number, -math.inf)
    return number
