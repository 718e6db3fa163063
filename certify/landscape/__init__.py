"""The landscape of a loss over free features: what a search finds, and stationary points that are proven."""

from certify.landscape.bracket import Bracket
from certify.landscape.critical import critical_temperature
from certify.landscape.cross_polytope import CrossPolytope, cross_polytope, cross_polytope_bracket
from certify.landscape.exploring import explore
from certify.landscape.found import Landscape, Slice
from certify.landscape.optimum import Optimum
from certify.landscape.points import StationaryPoint
from certify.landscape.proof import prove_minimum, prove_saddle
from certify.landscape.proven import ProvenMinimum, ProvenSaddle
from certify.landscape.verification import PointCheck, check

__all__ = [
    "Bracket",
    "CrossPolytope",
    "Landscape",
    "Optimum",
    "PointCheck",
    "ProvenMinimum",
    "ProvenSaddle",
    "Slice",
    "StationaryPoint",
    "check",
    "critical_temperature",
    "cross_polytope",
    "cross_polytope_bracket",
    "explore",
    "prove_minimum",
    "prove_saddle",
]
