"""The landscape of a loss: stationary points that are proven, and families of them in closed form."""

from certify.landscape.proof import prove_minimum, prove_saddle
from certify.landscape.proven import ProvenMinimum, ProvenSaddle

__all__ = ["ProvenMinimum", "ProvenSaddle", "prove_minimum", "prove_saddle"]
