"""The bounds of docs/certificate-format.md in ball arithmetic (Arb, through python-flint).

Every number is a ball that contains the exact value of a formula in exact numbers: floats of a witness or a
point are dyadic numbers, temperatures and multiplicities rational ones. Nothing is compared with a tolerance.
"""

import certify.balls.sum_exp  # noqa: F401 (registers its enclosure)
from certify.balls.enclosures import decimal_above, decimal_below
from certify.balls.points import FactoredPoint, factored
from certify.balls.proof import ProvenBounds, prove

__all__ = ["FactoredPoint", "ProvenBounds", "decimal_above", "decimal_below", "factored", "prove"]
