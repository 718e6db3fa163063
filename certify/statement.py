"""What a certificate proves, in words, from verified values alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relax import losses
from relax.counts import exact_rational
from relax.losses import Reduction
from relax.problem import Problem

UNCHECKED = "program proven; correspondence to the named loss unchecked"


def of_problem(problem: Problem, reduction: Reduction, claim: Mapping[str, Any]) -> str:
    """Return what is proven of a loss whose program is known.

    Parameters
    ----------
    problem : Problem
        The problem.
    reduction : Reduction
        The loss's program; says whether its value at the point is a loss, and what a radius is about.
    claim : mapping
        The numbers of the claim (docs/certificate-format.md), which must have been verified.
    """
    roles = zip(reduction.nodes.roles, reduction.nodes.norms, strict=True)
    kind = ", ".join(f"{role}s {(norm or problem.norm).words}" for role, norm in roles)
    kind += ", entrywise non-negative" if problem.nonnegative else ""
    parts = [
        f"For the loss {_spelled(problem)}, class counts {problem.counts.in_full()}, views {problem.views}, "
        f"temperature {exact_rational(problem.temperature)}, over every dimension and all {kind}: "
        + _bounds(claim, _attains(problem, reduction, claim))
    ]
    if claim["gram_radius"] is not None:
        parts.append(
            f"all features whose loss is at most {_that(reduction)} have their Gram matrix of means over "
            f"each {reduction.nodes.unit} within {claim['gram_radius']} of it, entrywise off the diagonal"
        )
    return "; ".join(parts) + "."


def of_program(groups: int, members: int, claim: Mapping[str, Any]) -> str:
    """Return what is proven of a program that stands for itself."""
    said = (
        f"For the convex program in the file, {groups} groups of {members} nodes in all, over every feasible "
        "matrix: " + _bounds(claim, f"the matrix given here has a value ≤ {claim['upper']}", "value")
    )
    if claim["gram_radius"] is not None:
        said += (
            "; every feasible matrix whose value is at most that of this one is within "
            f"{claim['gram_radius']} of it, entrywise off the diagonal"
        )
    return said + "."


def _bounds(claim: Mapping[str, Any], attained: str, what: str = "loss") -> str:
    lower = claim["lower"]
    return f"{'nothing is proven from below' if lower is None else f'{what} ≥ {lower}'}; {attained}"


def _attains(problem: Problem, reduction: Reduction, claim: Mapping[str, Any]) -> str:
    if not reduction.attained:
        return f"the bound itself is at most {claim['upper']}, and no loss as small is claimed"
    what = "the geometry given here attains a loss"
    if problem.nonnegative:
        what = "a positive semidefinite and entrywise non-negative Gram matrix given here has a loss"
    return f"{what} ≤ {claim['upper']} in dimension {claim['rank']}"


def _that(reduction: Reduction) -> str:
    return "that of this geometry" if reduction.attained else "this value of the bound"


def _spelled(problem: Problem) -> str:
    """Return the loss with its parameters."""
    said = losses.statement_of(problem.loss)
    rest = ", ".join(f"{key} = {_value(value)}" for key, value in said.items() if key != "name")
    return f"{problem.loss.name} ({rest})" if rest else problem.loss.name


def _value(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, number),) = value.items()
        return kind if number is None else f"{kind} {number}"
    return str(value)
