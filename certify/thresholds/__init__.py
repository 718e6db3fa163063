"""When minority classes become one point: thresholds of imbalance, and which classes coincide at given counts."""

from certify.thresholds.coincidence import Coincidence, coinciding
from certify.thresholds.diagram import PhaseDiagram, phase_diagram
from certify.thresholds.margins import Change, Margin, margins
from certify.thresholds.threshold import Piece, Threshold, collapse_threshold

__all__ = [
    "Change",
    "Coincidence",
    "Margin",
    "PhaseDiagram",
    "Piece",
    "Threshold",
    "coinciding",
    "collapse_threshold",
    "margins",
    "phase_diagram",
]
