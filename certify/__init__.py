"""Prove: certificates that carry their proof, and what is built on them."""

from certify.certificate import Certificate, Verdict, certify
from certify.ground_truth import GroundTruth, assert_matches_geometry, ground_truth
from certify.picture import picture
from certify.verification import Check, check
from relax.facts import PICTURES

PICTURES[Certificate] = picture

__all__ = [
    "Certificate",
    "Check",
    "GroundTruth",
    "Verdict",
    "assert_matches_geometry",
    "certify",
    "check",
    "ground_truth",
]
