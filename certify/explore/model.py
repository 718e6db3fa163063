"""What the explorer shows: from the values of its controls to a certified geometry, without marimo."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import get_args

from certify.certificate import Certificate, certify
from relax import losses
from relax.counts import ClassCounts
from relax.errors import InputError, SolverError
from relax.facts import brief
from relax.losses import Loss
from relax.losses.batches import Sampler
from relax.losses.parameters import parameters, spelled_value
from relax.numerals import typed_counts
from relax.problem import Problem
from relax.solution import Solution
from relax.solvers import solve

FULL_BATCH = "full batch"
SAMPLERS = (FULL_BATCH, *get_args(Sampler))
PATIENCE = 20.0  # seconds for a solver, and again for a proof, in a process beside the page
QUICK_SIZES = 40  # distinct class sizes up to which full batches are solved and proven in some 0.1 s
QUICK_DRAWN_SIZES = 4  # and expected batches are
QUICK_SHUFFLED = 32  # samples of a shuffled batch, whose proof takes longer than others
_PROBE = ClassCounts.of([20, 20, 5, 5])


@dataclass(frozen=True)
class Controls:
    """The values of all controls.

    Attributes
    ----------
    k_major, k_minor : int
        Numbers of classes of STEP imbalance.
    n_minor : int
        Samples of each small class.
    ratio : float
        R; the large classes have the whole number of samples next to R · n_minor.
    counts : str or None
        Class sizes as `gramcert solve --counts` reads them, instead of the four above.
    temperature : float
        τ.
    loss : str
        The name of a loss, one of `suitable()`.
    positives_weight : float or None
        w, where the loss has it; None for its own.
    sampler : str
        How batches are drawn, where the loss has it; FULL_BATCH for none.
    batch_size : int
        Samples of a batch, where there are batches.
    """

    k_major: int = 2
    k_minor: int = 2
    n_minor: int = 50
    ratio: float = 10.0
    counts: str | None = None
    temperature: float = 0.5
    loss: str = "supcon"
    positives_weight: float | None = None
    sampler: str = FULL_BATCH
    batch_size: int = 32

    @property
    def n_major(self) -> int:
        """The samples of each large class."""
        return max(1, round(self.ratio * self.n_minor))

    def class_counts(self) -> ClassCounts:
        """Return the class counts, large classes first.

        Raises
        ------
        InputError
            If the text is none.
        """
        if self.counts is not None:
            return typed_counts(self.counts)
        return ClassCounts.of_runs([(self.n_major, self.k_major), (self.n_minor, self.k_minor)])

    def loss_object(self) -> Loss:
        """Return the loss with the parameters that it has.

        Raises
        ------
        InputError
            If its parameters do not go together.
        """
        has, given = parameters_of(self.loss), {}
        if "positives_weight" in has and self.positives_weight is not None:
            given["positives_weight"] = self.positives_weight
        if "batch_size" in has and self.sampler != FULL_BATCH:
            given |= {"batch_size": self.batch_size, "sampler": self.sampler}
        return losses.kind(self.loss)(**given)

    def problem(self) -> Problem:
        """Return the problem.

        Raises
        ------
        InputError
            If the counts are unusable, or the loss refuses them.
        """
        return Problem(self.class_counts(), self.loss_object(), self.temperature, views=views_of(self.loss))

    def command(self) -> str:
        """Return the command that says the same."""
        counts = f"--counts {self.class_counts().in_full()}"
        if self.counts is None:
            counts = f"--step {self.k_major},{self.k_minor},{self.n_major},{self.n_minor}"
        loss = self.loss_object()
        values = [(one.name, getattr(loss, one.name), one.default) for one in parameters(type(loss))]
        said = ",".join(f"{name}={spelled_value(value)}" for name, value, usual in values if value != usual)
        named = f"{self.loss}:{said}" if said else self.loss
        views = f" --views {views_of(self.loss)}" if views_of(self.loss) > 1 else ""
        return f"gramcert solve {counts} --temperature {self.temperature:g} --loss {named}{views}"


@brief
@dataclass(frozen=True, eq=False)
class View:
    """What there is to show for some controls.

    Attributes
    ----------
    controls : Controls
        The controls.
    solution : Solution or None
        The geometry, None where there is none yet, or none at all.
    proof : Certificate or None
        What is proven of it, None where nothing is yet, or will be.
    refusal : str
        Why there is no geometry or no proof, and what to do; empty where there is none of this.
    working : str
        What a process beside the page is doing ("solving", "proving"); empty where there is none.
    """

    controls: Controls
    solution: Solution | None = None
    proof: Certificate | None = None
    refusal: str = ""
    working: str = ""


def look(controls: Controls) -> View:
    """Solve and prove what takes no longer than a fifth of a second; say what is left to do (`later`)."""
    try:
        problem = controls.problem()
        if not _quick_to_solve(problem):
            return View(controls, working="solving")
        solution = solve(problem)
    except (InputError, SolverError) as error:
        return View(controls, refusal=str(error))
    view = View(controls, solution, working="proving")
    return next(later(view)) if _quick_to_prove(problem) else view


def later(view: View) -> Iterator[View]:
    """Yield the view with a solution, then with a proof: what `look` has left to do."""
    try:
        if view.solution is None:
            solution = solve(view.controls.problem(), time_limit=PATIENCE)
            view = replace(view, solution=solution, working="proving")
            yield view
        assert view.solution is not None
        yield replace(view, proof=certify(view.solution), working="")
    except (InputError, SolverError) as error:
        yield replace(view, refusal=str(error), working="")


def given_up(view: View, why: str) -> View:
    """Return the view of work that did not come to its end."""
    what = "nothing is known yet" if view.solution is None else "what is shown are floats, and not proven"
    try:
        mend = f"; try: {view.controls.command()}"
    except InputError:
        mend = ""
    return replace(view, working="", refusal=f"{why} while {view.working}; {what}{mend}")


def certificate_file(proof: Certificate) -> bytes:
    """Return the certificate's file.

    Raises
    ------
    InputError
        If it is beyond what a certificate file holds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        proof.save(path)
        return path.read_bytes()


def _quick_to_solve(problem: Problem) -> bool:
    sizes = len(problem.counts.sizes)
    return sizes <= (QUICK_SIZES if _batch_size(problem) is None else QUICK_DRAWN_SIZES)


def _quick_to_prove(problem: Problem) -> bool:
    batch_size = _batch_size(problem)
    if batch_size is None or getattr(problem.loss, "sampler", None) != "shuffle":
        return True
    return batch_size <= QUICK_SHUFFLED


def _batch_size(problem: Problem) -> int | None:
    return getattr(problem.loss, "batch_size", None)


@cache
def suitable() -> dict[str, int]:
    """Return the losses whose optimum is one vector a class, with the least views that they take.

    Tried on four classes: losses that see no labels, that have a classifier beside the features, that need
    lists of batches, or whose program only bounds them from below are left out.
    """
    found = {}
    for name in losses.names():
        for views in (1, 2):
            try:
                reduction = Problem(_PROBE, name, views=views).reduction()
            except InputError:
                continue
            nodes = reduction.nodes
            if nodes.unit == "class" and nodes.roles == ("feature",) and reduction.attained:
                found[name] = views
            break
    return found


def views_of(loss: str) -> int:
    """Return the views of each sample: the least number that the loss takes."""
    return suitable()[loss]


def parameters_of(loss: str) -> set[str]:
    """Return the names of a loss's parameters."""
    return {one.name for one in parameters(losses.kind(loss))}


def default_weight(loss: str) -> float:
    """Return a loss's own weight of positives."""
    return next(one.default for one in parameters(losses.kind(loss)) if one.name == "positives_weight")
