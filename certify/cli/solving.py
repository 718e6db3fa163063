"""`gramcert solve`: from class counts to a certified optimum."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from certify.certificate import TOLERANCE, Verdict
from certify.cli.inputs import make_problem, parse_loss, parse_norm
from certify.cli.printing import print_facts
from certify.cli.report import facts, report
from certify.cli.stages import Found, Interrupts, Task, carry_out
from certify.cli.unproven import Unproven, as_unproven
from relax.errors import InputError, SolverError
from relax.files import check_writable, write_atomically
from relax.problem import as_level
from relax.solvers import names

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
        float | None,
        typer.Option(help="Seconds for all stages, within one or a tenth; then the best so far counts."),
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
    picture = None if plot is None else plot.suffix.removeprefix(".")
    task = Task(
        problem, solver, as_level(level), tolerance, time_limit, verify_descent, descent_dim, seed, picture
    )  # fmt: skip
    with Interrupts() as interrupts:
        try:
            found = _carried_out(task, interrupts, Outputs(certificate, save, plot), quiet)
            _print(found, as_json)
        except KeyboardInterrupt:
            raise SolverError("ended at the second Ctrl-C") from None
    proven = found.proof is not None and found.proof.verdict is Verdict.CERTIFIED
    raise typer.Exit(0 if proven and not found.unfinished and not interrupts.rung else 1)


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
        print(json.dumps(said if found.proof else as_unproven(said)))
    else:
        print_facts(facts(found.solution, proof, found.descent))
    if found.unfinished:
        known = "" if found.proof else "; what is known is in floats, and not proven"
        print(f"gramcert: {found.unfinished}{known}", file=sys.stderr)
