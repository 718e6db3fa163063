"""What a certificate claims: proven numbers, rounded outward, and the sentence that they make."""

from __future__ import annotations

from dataclasses import replace
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from flint import arb, ctx

from certify import statement
from certify.balls import ProvenBounds, decimal_above, decimal_below, room_for, widened
from relax.program import GramProgram
from relax.rows import RandomLogSumExp
from relax.solution import Solution

EXACT = Context(1_000, Emin=MIN_EMIN, Emax=MAX_EMAX)  # digits enough for any product of two claimed numbers


def claim_of(
    solution: Solution | None, program: GramProgram, bounds: ProvenBounds, tolerance: Decimal
) -> dict[str, Any]:
    """Return the claim of bounds, as JSON values (docs/certificate-format.md).

    Parameters
    ----------
    solution : Solution or None
        What was solved; None for a program that stands for itself.
    program : GramProgram
        The program, with one role.
    bounds : ProvenBounds
        What was proven of it.
    tolerance : Decimal
        Of the verdict.
    """
    bounds = _with_room(program, bounds)
    has_floor = bounds.floor is not None
    below, excess = bounds.lower, bounds.excess_lower
    claim: dict[str, Any] = {
        "problem": None if solution is None else solution.problem.statement(),
        "level": None if solution is None else solution.level,
        "tolerance": str(tolerance),
        "lower": None if below is None else decimal_below(below),
        "upper": decimal_above(bounds.upper),
        "excess_lower": None if not has_floor or excess is None else decimal_below(excess),
        "excess_upper": decimal_above(bounds.excess_upper) if has_floor else None,
        "gap": None if bounds.gap is None else decimal_above(_with_slack(bounds)),
        "scale": None if bounds.scale is None else decimal_below(bounds.scale),
        "gram_radius": None if bounds.gram_radius is None else decimal_above(bounds.gram_radius, 6),
        "rank": bounds.rank,
    }
    claim["verdict"] = "CERTIFIED" if is_certified(claim) else "UNDECIDED"
    if solution is None:
        words = statement.of_program(claim, program.groups, int(program.multiplicity.sum()))
    else:
        words = statement.of_problem(claim, solution.reduction)
    return {"words": words, **claim}


def _with_room(program: GramProgram, bounds: ProvenBounds) -> ProvenBounds:
    """Return bounds that are `widened` where they come from a quadrature."""
    if not any(isinstance(rows, RandomLogSumExp) for rows in program.rows):
        return bounds
    with ctx.workprec(bounds.precision):
        lower, upper, gap, scale = (
            None if x is None else widened(x)
            for x in (bounds.excess_lower, bounds.excess_upper, bounds.gap, bounds.scale)
        )
    assert upper is not None
    return replace(bounds, excess_lower=lower, excess_upper=upper, gap=gap, scale=scale)


def _with_slack(bounds: ProvenBounds) -> arb:
    """Return the gap and 10⁻³⁰ of its scale, so that a verifier with fewer digits can reproduce it."""
    assert bounds.gap is not None
    with ctx.workprec(bounds.precision):
        return room_for(bounds.gap, bounds.scale)


def is_certified(claim: dict[str, Any]) -> bool:
    """Return whether the numbers of a claim, exactly as they stand, prove the gap small enough."""
    gap, scale = claim["gap"], claim["scale"]
    if gap is None or scale is None:
        return False
    return Decimal(gap) <= EXACT.multiply(Decimal(claim["tolerance"]), Decimal(scale))
