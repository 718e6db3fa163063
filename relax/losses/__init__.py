"""Loss names and the convex programs they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from relax.errors import InputError
from relax.losses.supcon import supcon, supcon_lift
from relax.problem import ClassCounts, Problem
from relax.program import GramProgram

Level = Literal["groups", "classes", "samples"]
LARGEST_LIFT = 2_000  # samples; the n×n matrix of one row per sample is a reference, not a method


@dataclass(frozen=True)
class Loss:
    """A named loss: a function from a problem to a program, and what people call it with."""

    name: str
    program: Callable[[Problem, ClassCounts], GramProgram]
    lift: Callable[[Problem, ClassCounts], GramProgram]
    temperature: float
    formula: str


_LOSSES = {
    loss.name: loss
    for loss in [
        Loss(
            "supcon",
            supcon,
            supcon_lift,
            temperature=0.1,
            formula="mean over anchors of −(1/|P|) Σ_P log( e^{s_p/τ} / Σ_{l≠i} e^{s_l/τ} )",
        ),
    ]
}


def names() -> list[str]:
    """Return the names of all losses."""
    return sorted(_LOSSES)


def get(name: str) -> Loss:
    """Return the loss of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in _LOSSES:
        raise InputError(f"unknown loss {name!r}; choose one of: {', '.join(names())}")
    return _LOSSES[name]


def build(problem: Problem, level: Level = "groups") -> GramProgram:
    """Return the convex program of a problem.

    Parameters
    ----------
    problem : Problem
        What is to be minimised.
    level : "groups", "classes" or "samples"
        One node for each distinct class size with its multiplicity; one for each class, or for each
        sample, in the user's order.

    Raises
    ------
    InputError
        If the loss is unknown, or the sample level has more than 2,000 samples.
    """
    loss, counts = get(problem.loss), problem.effective_counts
    if level == "groups":
        return loss.program(problem, counts)
    if level == "classes":
        sizes = tuple(counts.sizes[a] for a in counts.group_of_class())
        return loss.program(problem, ClassCounts(sizes, (1,) * len(sizes)))
    if counts.samples > LARGEST_LIFT:
        raise InputError(f"{counts.samples} samples are too many for the n×n lift; it takes {LARGEST_LIFT}")
    return loss.lift(problem, counts)
