"""What is to be proven, from what a user gives: a program by samples, and features in its order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64, Int, Shaped

from certify.balls.enclosures import ball, balls
from certify.features.exact_loss import classes_of_samples, loss_of_features
from certify.features.reading import exact_features
from certify.landscape.equations import excess
from certify.landscape.system import NORMS, System, system
from relax.errors import InputError, expect
from relax.problem import Problem
from relax.program import GramProgram
from relax.rules import Bounded, Fixed

PRECISION = 128  # bits
AT_BOUND = 1e-6  # of the bound: a feature so near to it is taken to be there
AGREE = 1e-6  # of loss and program
MOST_UNKNOWNS = 1_500  # their inverse and three products of matrices of balls take some minutes


class Setting(NamedTuple):
    """A problem, its sample-level program, its classes, and a point that obeys the norm."""

    problem: Problem
    program: GramProgram
    classes: Int[np.ndarray, " n"]
    features: Float64[np.ndarray, "n d"]


def program_of(problem: Problem) -> GramProgram:
    """Return the sample-level program of a problem, in which local minima are those of its loss.

    Raises
    ------
    InputError
        If there is none: the loss has no lift, one that is only below it, or vectors that are not features.
    """
    expect(problem, Problem, "problem", "give a Problem: Problem([12, 6, 3])")
    if problem.nonnegative:
        raise InputError(
            "nothing is proven of local minima among non-negative features; leave out nonnegative"
        )
    if problem.norm.kind == "mean-square":
        raise InputError(NORMS)
    reduction = problem.reduction("samples")
    nodes = reduction.nodes
    if not (reduction.attained and nodes.roles == ("feature",) and nodes.square is None):
        raise InputError(
            f"the loss {problem.loss.name} is no convex function of the Gram matrix of its features, so "
            "nothing is proven of its local minima; give another loss"
        )
    return problem.assembled(reduction)


def setting(features: Any, problem: Problem, labels: Any = None) -> Setting:
    """Return what is to be proven, after checking everything a user can get wrong.

    Raises
    ------
    InputError
        As `program_of` and `certify.features.loss_of_features`, if the loss knows its samples by place and
        they are not in order, if there are too many numbers, or the program is not the loss.
    """
    program, given = program_of(problem), exact_features(features)
    check_size(given)
    loss = loss_of_features(given, problem, labels)  # it refuses what is unusable
    order = sample_order(classes_of_samples(given, problem, labels), problem)
    ordered = _brought(given[order], program)
    classes = problem.reduction("samples").nodes.class_of_unit()
    found = Setting(problem, program, classes, ordered)
    said = loss_in(system(program, ordered, held_by(found)), balls(ordered))
    if not abs(said - loss) < AGREE * (1 + abs(loss)):
        raise InputError(f"the program of loss {problem.loss.name} by samples is not the loss; mend its lift")
    return found


def check_size(features: Float64[np.ndarray, "n d"]) -> None:
    """Raise where there are too many numbers for a proof."""
    n, d = features.shape
    unknowns = n * d + n + d * (d - 1) // 2
    if unknowns > MOST_UNKNOWNS:
        raise InputError(
            f"{unknowns} unknowns are too many for a proof, which takes {MOST_UNKNOWNS}; give fewer"
        )


def sample_order(classes: Int[np.ndarray, " n"], problem: Problem) -> Int[np.ndarray, " n"]:
    """Return the samples class by class, in the problem's order of classes.

    A class of the labels stands for one of the problem's of the same size; which of several does not matter.

    Raises
    ------
    InputError
        If the loss knows its samples by place, and they do not stand class by class.
    """
    sizes = np.array(problem.effective_counts.sizes)[problem.counts.group_of_class()]
    left = {int(size): np.flatnonzero(np.bincount(classes) == size).tolist() for size in set(sizes.tolist())}
    chosen = [left[size].pop(0) for size in sizes.tolist()]
    order = np.concatenate([np.flatnonzero(classes == c) for c in chosen])
    if getattr(problem.loss, "labels", None) is not None and np.any(np.diff(order) < 0):
        raise InputError(f"{problem.loss.name} knows its samples by place; let them stand class by class")
    return order


def held_by(found: Setting) -> Int[np.ndarray, " q"]:
    """Return the features whose norm is an equation: all on a sphere, those at the bound of a ball."""
    held = np.zeros(len(found.features), dtype=bool)
    for rule in found.program.rules:
        if isinstance(rule, Fixed):
            held[rule.slots] = True
        elif isinstance(rule, Bounded):
            squared = (found.features[rule.slots] ** 2).sum(axis=1)
            held[rule.slots] = squared > (1 - AT_BOUND) * rule.square
    return np.flatnonzero(held)


def loss_in(given: System, features: Shaped[np.ndarray, "n d"]) -> arb:
    """Return the loss of features in balls, floor and ridges included."""
    above = excess(given, features)
    return above if given.goal.floor is None else above + given.goal.floor


def _brought(features: Float64[np.ndarray, "n d"], program: GramProgram) -> Float64[np.ndarray, "n d"]:
    """Return features scaled to the norm, as well as floats can."""
    made = features.copy()
    for rule in program.rules:
        if isinstance(rule, (Fixed, Bounded)):
            with ctx.workprec(PRECISION):  # squares of tiny and huge floats leave float64
                squared = (balls(made[rule.slots]) * balls(made[rule.slots])).sum(axis=1)
                factor = [(ball(rule.value) / one).sqrt() if one > 0 else arb(1) for one in squared]
                if isinstance(rule, Bounded):
                    factor = [arb.min(one, arb(1)) for one in factor]
                scaled = balls(made[rule.slots]) * np.array(factor, dtype=object)[:, None]
            made[rule.slots] = np.array([float(x.mid()) for x in scaled.ravel()]).reshape(scaled.shape)
    return made
