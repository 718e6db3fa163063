"""Where the error of a ground truth comes from: proven digits, or the Gram radius of its certificate."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64

from certify.balls.points import conversion, scaled
from certify.enclosure import Enclosure, enclose_optimum
from certify.encoding import decode_point, decode_witness
from relax.problem import Problem
from relax.rules import Bounded, Fixed

PRECISION = 128  # bits; Gram entries are then converted to float64, at an error that is counted
DIGITS, MOST_GROUPS = 20, 100  # interval Newton takes a fraction of a second up to here


def enclosed_gram(problem: Problem, document: dict[str, Any]) -> tuple[Float64[np.ndarray, "k k"], float]:
    """Return the Gram matrix of a verified certificate, and a proven bound on its distance to any optimum.

    For up to 100 distinct class sizes the optimum is enclosed by Krawczyk's operator, starting from the
    certificate's witness, and the error is that of float64; else, or where that fails, it is the radius.
    """
    program = problem.program()
    if program.groups <= MOST_GROUPS:
        found = enclose_optimum(program, decode_witness(document["witness"], program), DIGITS)
        if isinstance(found, Enclosure):
            return _converted(problem, found)
    return _within_radius(problem, document)


def _converted(problem: Problem, found: Enclosure) -> tuple[Float64[np.ndarray, "k k"], float]:
    """Return midpoints in float64 and how far an entry can be from them."""
    with ctx.workprec(PRECISION):
        entries = np.tril(found.midpoints)
        entries += np.tril(entries, -1).T
        error = max(x.upper() for x in abs(found.gram - entries).ravel())
    group = problem.counts.group_of_class()
    gram = entries[np.ix_(group, group)]
    (rule,) = problem.program().rules
    assert isinstance(rule, (Fixed, Bounded))  # what interval Newton knows, with own entries at their bound
    np.fill_diagonal(gram, rule.square)
    if Fraction(rule.square) != rule.value:
        error = max(error, arb(float(np.spacing(rule.square))))
    gram.setflags(write=False)  # one ground truth serves many tests
    return gram, math.nextafter(float(error), math.inf)


def _within_radius(problem: Problem, document: dict[str, Any]) -> tuple[Float64[np.ndarray, "k k"], float]:
    """Return the point of a certificate and its radius.

    The bound is the certificate's radius around its point, plus the conversion of that point to float64. It
    holds on the diagonal too: own entries are fixed, or bounded, and then the radius has their play in it.
    """
    program = problem.program()
    with ctx.workprec(PRECISION):
        matrix = scaled(program, decode_point(document["point"], program))
        own, peer = matrix.own.astype(float), np.tril(matrix.peer.astype(float))
        peer += np.tril(peer, -1).T  # either ball holds the entry, but their centres may round apart
        away = max([conversion(program, matrix, peer), *(x.upper() for x in abs(matrix.own - own))])
        bound = arb(document["claim"]["gram_radius"]) + away
    group = problem.counts.group_of_class()
    gram = peer[np.ix_(group, group)]
    np.fill_diagonal(gram, own[group])
    gram.setflags(write=False)  # one ground truth serves many tests
    return gram, math.nextafter(float(bound.upper()), math.inf)
