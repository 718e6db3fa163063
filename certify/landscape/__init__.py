"""The landscape of a loss: stationary points that are proven, and families of them in closed form."""

from certify.landscape.bracket import Bracket
from certify.landscape.critical import critical_temperature
from certify.landscape.cross_polytope import CrossPolytope, cross_polytope, cross_polytope_bracket
from certify.landscape.proof import prove_minimum, prove_saddle
from certify.landscape.proven import ProvenMinimum, ProvenSaddle
from certify.landscape.verification import PointCheck, check

__all__ = [
    "Bracket",
    "CrossPolytope",
    "PointCheck",
    "ProvenMinimum",
    "ProvenSaddle",
    "check",
    "critical_temperature",
    "cross_polytope",
    "cross_polytope_bracket",
    "prove_minimum",
    "prove_saddle",
]
