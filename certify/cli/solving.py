"""`gramcert solve`: from class counts to a certified optimum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from certify.certificate import TOLERANCE, Certificate, Verdict, certify
from certify.cli.inputs import make_problem, parse_loss, parse_norm
from certify.cli.printing import print_facts
from certify.cli.report import facts, report
from relax.endpoints import Descent, Match, certified
from relax.errors import InputError
from relax.files import check_writable
from relax.problem import as_level
from relax.solution import Solution
from relax.solvers import names, solve

EXAMPLES = """Examples:
gramcert solve --counts 100,100,10,10 --temperature 0.1
gramcert solve --dataset places-lt --certificate places.json --plot places.png
gramcert solve --counts 12,6,3 --temperature 0.5 --verify-descent 16
gramcert solve --counts 6,4,3 --level samples --solver scs
gramcert solve --step 2,2,100,10 --loss cross-entropy --norm mean-square:1
"""
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
    tolerance: Annotated[
        float, typer.Option(help="Proven gap allowed, relative to its scale (what geometry can change).")
    ] = TOLERANCE,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which the best so far counts.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Write the certificate here (JSON).")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the solution here (npz).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the geometry here (png, pdf or svg).")] = None,
    verify_descent: Annotated[
        int | None, typer.Option(min=1, help="Match with this many gradient descents on free features.")
    ] = None,
    descent_dim: Annotated[
        int | None, typer.Option(min=1, help="Dimension of these features; by default one large enough.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the descents' starting points.")] = 0,
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
    if descent_dim is not None and verify_descent is None:
        raise InputError(
            "--descent-dim is about the descents of --verify-descent; give e.g. --verify-descent 16"
        )
    console = Console(stderr=True, quiet=quiet)
    with console.status("solving"):
        solution = solve(problem, solver, as_level(level), tolerance, time_limit)
    with console.status("proving"):
        proof = certify(solution, tolerance)
    match = None
    if verify_descent is not None:
        with console.status(f"descending from {verify_descent} random starts"):
            match = _descend(solution, verify_descent, descent_dim, seed)
    _write(solution, proof, certificate, save, plot)
    if as_json:
        print(json.dumps(report(solution, proof, match)))
    else:
        print_facts(facts(solution, proof, match))
    raise typer.Exit(0 if proof.verdict is Verdict.CERTIFIED else 1)


def _descend(solution: Solution, starts: int, dim: int | None, seed: int) -> tuple[Descent, Match]:
    from relax.descent import descend, match  # torch is loaded where tensors are

    found = descend(solution.problem, dim=dim or _enough_dimensions(solution), starts=starts, seed=seed)
    return found, match(found, *certified(solution))


def _enough_dimensions(solution: Solution) -> int:
    """Return a dimension that holds the optimum; in one dimension features could not move."""
    problem = solution.problem
    nodes = problem.reduction("groups").nodes
    units = problem.counts.classes if nodes.unit == "class" else nodes.units
    centred = len(nodes.roles) == 1 and not problem.nonnegative
    return max(2, units - 1 if centred else units)


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
