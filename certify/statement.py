"""What a certificate proves, in words, from verified values alone (docs/certificate-format.md, "Words")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relax.losses import Reduction
from relax.losses.parameters import norm_statement

UNCHECKED = "program proven; correspondence to the named loss unchecked"
Claim = Mapping[str, Any]


def of_problem(claim: Claim, reduction: Reduction) -> str:
    """Return what is proven of a loss whose program is known.

    Parameters
    ----------
    claim : mapping
        The claim, whose numbers and problem must have been verified.
    reduction : Reduction
        The loss's program; says whether its value at the point is a loss, and what a radius is about.
    """
    problem = claim["problem"]
    roles = zip(reduction.nodes.roles, reduction.nodes.norms, strict=True)
    kind = ", ".join(
        f"{role}s {norm_words(problem['norm'] if own is None else norm_statement(own))}"
        for role, own in roles
    )
    kind += ", entrywise non-negative" * problem["nonnegative"]
    parts = [
        f"For {problem_words(problem)}, over every dimension and all {kind}: {_lower(claim, 'loss')}",
        _attains(claim, reduction.attained),
        *_gap(claim),
    ]
    if claim["gram_radius"] is not None:
        that = "that of this geometry" if reduction.attained else "this value of the bound"
        parts.append(
            f"all features whose loss is at most {that} have their Gram matrix of means over each "
            f"{reduction.nodes.unit} within {claim['gram_radius']} of it, entrywise off the diagonal"
        )
    return "; ".join(parts) + "."


def problem_words(problem: Mapping[str, Any]) -> str:
    """Return loss, counts, views and temperature of a problem's statement."""
    counts = ",".join(f"{size}x{classes}" for size, classes in problem["counts"])
    parameters = f"{problem['views']} views, temperature {problem['temperature']}"
    return f"the loss {_loss(problem['loss'])}, class counts {counts}, {parameters}"


def of_program(claim: Claim, groups: int, members: int) -> str:
    """Return what is proven of a program that stands for itself."""
    parts = [
        f"For the convex program in the file, {groups} groups of {members} nodes in all, over every feasible "
        f"matrix: {_lower(claim, 'value')}",
        f"the matrix given here has a value ≤ {claim['upper']}",
        *_gap(claim),
    ]
    if claim["gram_radius"] is not None:
        parts.append(
            "every feasible matrix whose value is at most that of this one is within "
            f"{claim['gram_radius']} of it, entrywise off the diagonal"
        )
    return "; ".join(parts) + "."


def _lower(claim: Claim, what: str) -> str:
    lower = claim["lower"]
    return "nothing is proven from below" if lower is None else f"{what} ≥ {lower}"


def _attains(claim: Claim, attained: bool) -> str:
    if not attained:
        return f"the bound itself is at most {claim['upper']}, and no loss as small is claimed"
    what = "the geometry given here attains a loss"
    if claim["problem"]["nonnegative"]:
        what = "a positive semidefinite and entrywise non-negative Gram matrix given here has a loss"
    return f"{what} ≤ {claim['upper']} in dimension {claim['rank']}"


def _gap(claim: Claim) -> list[str]:
    """Return what the verdict says, and of which numbers."""
    if claim["gap"] is None:
        return []
    if claim["scale"] is None:
        return [f"the gap ≤ {claim['gap']} has no scale"]
    proven = "CERTIFIED" if claim["verdict"] == "CERTIFIED" else "not proven"
    within = f"within {claim['tolerance']} of its scale ≥ {claim['scale']}"
    return [f"the gap ≤ {claim['gap']} is {proven} to be {within}"]


def _loss(said: Mapping[str, Any]) -> str:
    """Return the loss with its parameters."""
    rest = ", ".join(f"{key} = {_value(said[key])}" for key in sorted(said) if key != "name")
    return f"{said['name']} ({rest})" if rest else said["name"]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, number),) = value.items()
        return kind if number is None else f"{kind} {number}"
    return str(value)


def norm_words(said: Mapping[str, str | None]) -> str:
    """Return what vectors obey, after their name."""
    ((kind, number),) = said.items()
    words = {
        "sphere": "of norm ",
        "ball": "of norm at most ",
        "ridge": "of any norm, which pay a ridge of weight ",
        "mean-square": "of mean square over classes at most ",
    }
    return words[kind] + ("1" if number is None else number)
