"""When minority classes become one point: thresholds of imbalance, and who coincides at given counts."""

from certify.thresholds.coincidence import Coincidence
from certify.thresholds.deciding import coinciding, coinciding_at, held_together
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
    "coinciding_at",
    "collapse_threshold",
    "held_together",
    "margins",
    "phase_diagram",
]
