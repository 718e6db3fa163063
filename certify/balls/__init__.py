"""The bounds of docs/certificate-format.md in ball arithmetic (Arb, through python-flint).

Every number is a ball that contains the exact value of a formula in exact numbers: floats of a witness or a
point are dyadic numbers, temperatures and multiplicities rational ones. Nothing is compared with a tolerance.
"""

from certify.balls.enclosures import decimal_above, decimal_below
from certify.balls.points import FactoredPoint, factored
from certify.balls.proof import ProvenBounds, prove, room_for, widened
from certify.balls.random.rows import random_row_table
from certify.balls.rows import enclosure
from certify.balls.sum_exp import sum_exp_balls

enclosure.register(random_row_table)
enclosure.register(sum_exp_balls)

__all__ = [
    "FactoredPoint",
    "ProvenBounds",
    "decimal_above",
    "decimal_below",
    "factored",
    "prove",
    "room_for",
    "widened",
]
