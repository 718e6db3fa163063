"""When minority classes become one point: thresholds of imbalance, and which classes coincide at given counts."""

from certify.thresholds.threshold import Piece, Threshold, collapse_threshold

__all__ = ["Piece", "Threshold", "collapse_threshold"]
