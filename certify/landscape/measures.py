"""What is proven at a stationary point, over a box that holds it: loss, multipliers, curvature, siblings."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Float64, Int, Shaped

from certify.balls.enclosures import Balls, decimal_above, decimal_below
from certify.landscape.multipliers import Siblings, sibling_inequality
from certify.landscape.roots import Box, Proof, box, contraction, largest_alone
from certify.landscape.second import Second, is_at_least, spectrum
from certify.landscape.setting import loss_in
from certify.landscape.system import System
from certify.rounding import difference_downward, downward
from relax.rules import Bounded

CERTAIN = (0.999, 0.9, 0.5, 0.1)  # parts of the eigenvalue in floats that are tried as bounds
DIGITS = 12  # of multipliers
INSIDE = 0.7  # of the radius that was found, so that whoever rounds otherwise can reproduce it
FLOOR = Context(6, ROUND_FLOOR, MIN_EMIN, MAX_EMAX)


class Measures(NamedTuple):
    """Balls over the box."""

    loss: arb
    multipliers: Shaped[Balls, " n"]
    siblings: Siblings


def measures(given: System, within: Box, classes: Int[np.ndarray, " n"]) -> Measures:
    """Return what is true of the stationary point in a box."""
    loss = loss_in(given, within.features)
    return Measures(loss, given.multipliers(within.held), sibling_inequality(given, within, classes))


def wrongly_active(given: System, within: Box) -> str | None:
    """Return None where every feature that is held is pressed outward, and every other one is inside.

    Only in a ball is that a question: on a sphere multipliers have any sign, and a ridge holds nothing.
    """
    if not any(isinstance(rule, Bounded) for rule in given.goal.program.rules):
        return None
    pressed = dict(zip(given.held.tolist(), within.held, strict=True))
    for i, (h, bound) in enumerate(zip(within.features, given.bound, strict=True)):
        if i in pressed and not pressed[i] > 0:
            about = f"{float(pressed[i].mid()):.3g}"
            return (
                f"sample {i + 1} is at the bound of the ball, and its multiplier, about {about}, is not "
                "proven positive: with a negative one the loss falls inward"
            )
        if i not in pressed and not (h * h).sum() < bound:
            return f"sample {i + 1} is too near to the bound of the ball to be proven inside"
    return None


def said_alone(given: System, proof: Proof) -> str | None:
    """Return a radius for `is_alone`, None where none is found."""
    found = largest_alone(given, proof)
    while found is not None and found > arb(proof.radius):
        said = decimal_below(found * INSIDE, 2)
        if is_alone(given, proof, said):
            return said
        found = found / 10
    return None


def is_alone(given: System, proof: Proof, radius: str) -> bool:
    """Prove that no other features within a radius in the Frobenius norm are stationary, up to rotation.

    Each of them has a rotation that obeys the gauge of the equations and is no farther: it lies in the cube.
    """
    wide = arb(radius)
    if not wide.lower() > arb(proof.radius).upper() or not contraction(given, proof.inverse, wide) < 1:
        return False
    return wrongly_active(given, box(given, wide)) is None


def least_curvature(second: Second) -> tuple[str | None, float]:
    """Return a positive bound below the smallest eigenvalue that counts, or None, and it in floats."""
    values, _, kappa = spectrum(second)
    for part in CERTAIN if values[0] > 0 else ():
        said = decimal_below(arb(part * float(values[0])), 5)
        if is_at_least(second, arb(said), kappa):
            return said, float(values[0])
    return None, float(values[0])


def lowest_direction(second: Second, shape: tuple[int, ...]) -> Float64[np.ndarray, "n d"]:
    """Return the eigenvector of the smallest eigenvalue that counts, in floats."""
    return spectrum(second)[1][:, 0].reshape(shape)


def said_of(found: Measures) -> dict[str, Any]:
    """Return measures as decimals, rounded outward, with room for who rounds otherwise."""
    loss, multipliers = (
        found.loss + arb(0, found.loss.rad()),
        [nu + arb(0, nu.rad()) for nu in found.multipliers],
    )
    return {
        "loss": [decimal_below(loss), decimal_above(loss)],
        "multipliers": [[decimal_below(nu, DIGITS), decimal_above(nu, DIGITS)] for nu in multipliers],
        "siblings": {"distinct": found.siblings.distinct, "proven": found.siblings.proven},
    }


def above(loss: str, better: str | None, excess: str | None) -> tuple[str | None, str | None]:
    """Return by how much a loss is above a better one, and which part of the optimum's excess that is."""
    if better is None or Decimal(loss) <= Decimal(better):
        return None, None
    by = difference_downward(loss, better, 6)
    if excess is None or Decimal(excess) <= 0:
        return by, None
    return by, downward(FLOOR.divide(Decimal(by), Decimal(excess)), 6)
