"""`gramcert solve`: from class counts to a certified optimum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console

from certify.certificate import TOLERANCE, Verdict
from certify.cli import options
from certify.cli.inputs import check_outputs, files_of, make_problem, parse_loss, parse_norm
from certify.cli.printing import print_facts
from certify.cli.report import facts, report
from certify.cli.stages import Found, Interrupts, Task, carry_out
from certify.cli.streams import complain, say
from certify.cli.unproven import Unproven, as_unproven
from relax.errors import InputError, SolverError
from relax.files import write_atomically
from relax.problem import as_level

EXAMPLES = """gramcert solve --counts 100,100,10,10 --temperature 0.1
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
    _check_options_of_descents(verify_descent, descent_dim, seed)
    picture = None if plot is None else plot.suffix.removeprefix(".")
    descents = (verify_descent, descent_dim, seed or 0)
    task = Task(problem, solver, as_level(level), tolerance, time_limit, *descents, picture)
    with Interrupts() as interrupts:
        try:
            found = _carried_out(task, interrupts, Outputs(certificate, save, plot), quiet)
            _print(found, as_json)
        except KeyboardInterrupt:
            raise SolverError("ended at the second Ctrl-C") from None
    proven = found.proof is not None and found.proof.verdict is Verdict.CERTIFIED
    raise typer.Exit(0 if proven and not found.unfinished and not interrupts.rung else 1)


def _check_options_of_descents(starts: int | None, dim: int | None, seed: int | None) -> None:
    """Refuse options about descents where there are none."""
    for option, given in (("--descent-dim", dim), ("--seed", seed)):
        if starts is None and given is not None:
            raise InputError(
                f"{option} is about the descents of --verify-descent; give e.g. --verify-descent 16"
            )


class Outputs(NamedTuple):
    """Where to write what; None where it was not asked for."""

    certificate: Path | None
    save: Path | None
    plot: Path | None

    def write(self, found: Found) -> None:
        """Write what is there."""
        if self.save is not None and found.solution is not None:
            found.solution.save(self.save)
        if self.certificate is not None and found.proof is not None:
            found.proof.save(self.certificate)
        if self.plot is not None and found.picture is not None:
            write_atomically(self.plot, found.picture)


def _carried_out(task: Task, interrupts: Interrupts, outputs: Outputs, quiet: bool) -> Found:
    """Go through the stages, showing on a terminal which one it is.

    Raises
    ------
    SolverError
        If nothing was found.
    """
    status = Console(stderr=True, quiet=quiet).status("")

    def show(stage: str) -> None:
        status.update(stage)
        status.start()

    try:
        found = carry_out(task, interrupts, show, outputs.write)
    finally:
        status.stop()
    if found.solution is None:
        raise SolverError(f"{found.unfinished}; nothing is known yet")
    return found


def _print(found: Found, as_json: bool) -> None:
    assert found.solution is not None
    proof = found.proof or Unproven.of(found.solution)
    if as_json:
        said = report(found.solution, proof, found.descent) | {"unfinished": found.unfinished or None}
        say(json.dumps(said if found.proof else as_unproven(said)))
    else:
        print_facts(facts(found.solution, proof, found.descent))
    if found.unfinished:
        known = "" if found.proof else "; what is known is in floats, and not proven"
        complain(f"{found.unfinished}{known}")
