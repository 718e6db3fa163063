"""`gramcert solve`: from class counts to a certified optimum."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Console

from certify.certificate import TOLERANCE, Certificate, Verdict, certify
from certify.cli import options
from certify.cli.inputs import check_outputs, files_of, make_problem, parse_loss, parse_norm
from certify.cli.printing import print_facts
from certify.cli.report import facts, report
from certify.cli.streams import say
from relax.endpoints import Descent, Match, certified
from relax.errors import InputError
from relax.problem import Problem, as_level
from relax.solution import Solution
from relax.solvers import solve

EXAMPLES = """Examples:
gramcert solve --counts 100,100,10,10 --temperature 0.1
gramcert solve --dataset places-lt --certificate places.json --plot places.png
gramcert solve --counts 12,6,3 --temperature 0.5 --verify-descent 16
gramcert solve --counts 6,4,3 --level samples --solver scs
gramcert solve --step 2,2,100,10 --loss cross-entropy --norm mean-square:1
"""


def solve_command(
    counts: options.Counts = None,
    labels: options.Labels = None,
    dataset: options.Dataset = None,
    step: options.Step = None,
    temperature: options.Temperature = None,
    loss: options.LossText = "supcon",
    batch_size: options.BatchSize = None,
    norm: options.NormText = "sphere",
    nonnegative: options.Nonnegative = False,
    views: options.Views = 1,
    level: options.LevelText = "groups",
    solver: options.SolverName = "auto",
    tolerance: options.Tolerance = TOLERANCE,
    time_limit: options.TimeLimit = None,
    certificate: options.CertificateFile = None,
    save: options.SaveFile = None,
    plot: options.PlotFile = None,
    verify_descent: options.Starts = None,
    descent_dim: options.Dimension = None,
    seed: options.Seed = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Find and certify the global optimum of a loss for given class counts."""
    check_outputs(certificate, save, plot, files_of(labels, loss))
    problem = make_problem(
        counts, labels, dataset, step, parse_loss(loss, batch_size), temperature,
        norm=parse_norm(norm), nonnegative=nonnegative, views=views,
    )  # fmt: skip
    _check_descent(problem, verify_descent, descent_dim, seed)
    console = Console(stderr=True, quiet=quiet)
    with console.status("solving"):
        solution = solve(problem, solver, as_level(level), tolerance, time_limit)
    with console.status("proving"):
        proof = certify(solution, tolerance)
    match = None
    if verify_descent is not None:
        with console.status(f"descending from {verify_descent} random starts"):
            match = _descend(solution, verify_descent, descent_dim, seed or 0)
    _write(solution, proof, certificate, save, plot)
    if as_json:
        say(json.dumps(report(solution, proof, match)))
    else:
        print_facts(facts(solution, proof, match))
    raise typer.Exit(0 if proof.verdict is Verdict.CERTIFIED else 1)


def _check_descent(problem: Problem, starts: int | None, dim: int | None, seed: int | None) -> None:
    """Refuse descents that cannot be, and options about descents where there are none."""
    if starts is None:
        for option, given in (("--descent-dim", dim), ("--seed", seed)):
            if given is not None:
                raise InputError(
                    f"{option} is about the descents of --verify-descent; give e.g. --verify-descent 16"
                )
        return
    from relax.descent import check_descent  # torch is loaded where tensors are

    check_descent(problem, dim or _enough_dimensions(problem), starts, seed or 0)


def _descend(solution: Solution, starts: int, dim: int | None, seed: int) -> tuple[Descent, Match]:
    from relax.descent import descend, match

    problem = solution.problem
    found = descend(problem, dim=dim or _enough_dimensions(problem), starts=starts, seed=seed)
    return found, match(found, *certified(solution))


def _enough_dimensions(problem: Problem) -> int:
    """Return a dimension that holds the optimum; in one dimension features could not move."""
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
