"""Certified geometries as ground truth for tests of other code: docs/ground-truth.md is the guide."""

from certify.ground_truth.comparison import Comparison, assert_matches_geometry, compare
from certify.ground_truth.truth import GroundTruth, ground_truth

__all__ = ["Comparison", "GroundTruth", "assert_matches_geometry", "compare", "ground_truth"]
