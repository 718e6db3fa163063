"""The landscape of a loss over free features: minima that a search finds, beside the certified optimum."""

from certify.landscape.exploring import explore
from certify.landscape.found import Landscape, Slice
from certify.landscape.optimum import Optimum
from certify.landscape.points import StationaryPoint

__all__ = ["Landscape", "Optimum", "Slice", "StationaryPoint", "explore"]
