"""Is this point optimal? A rigorous verdict on given features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from flint import arb, ctx
from scipy.sparse.csgraph import connected_components

from certify.balls import ProvenBounds, decimal_above, decimal_below, factored, prove
from certify.certificate import TOLERANCE, Verdict
from certify.features.exact_loss import loss_of_features
from certify.rounding import difference_downward, outward, upward
from relax.errors import InputError, between, expect
from relax.facts import Shown, brief
from relax.problem import Problem
from relax.solution import Solution
from relax.solvers import solve

FIRST_PRECISION, LAST_PRECISION = 128, 2048
SHARP = 1e-15  # of the scale: the loss is known well enough


@brief
@dataclass(frozen=True, eq=False)
class PointVerdict(Shown):
    """What is proven about the loss of given features and the least loss of all features.

    Attributes
    ----------
    verdict : Verdict
        CERTIFIED: the features are within the tolerance of the optimum. REFUTED: `better` is proven to have
        a smaller loss. UNDECIDED: neither, see `reason`.
    reason : str
        The numbers that decided.
    loss : tuple of str
        Decimals below and above the loss of the features.
    optimum : tuple of str
        Decimals below and above the least loss.
    relative_gap : float
        (loss − optimum)/scale, rounded up (`certify.Certificate.scale`).
    better : Solution
        An explicit point whose loss is at most `optimum[1]`.
    """

    verdict: Verdict
    reason: str
    loss: tuple[str, str]
    optimum: tuple[str, str]
    relative_gap: float
    better: Solution

    def in_brief(self) -> str:
        """Return the verdict and the numbers that decided."""
        return f"{self.verdict.name}: {self.reason}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [
            ("verdict", self.verdict.name),
            ("why", self.reason),
            ("loss", f"between {self.loss[0]} and {self.loss[1]}"),
            ("optimum", f"between {self.optimum[0]} and {self.optimum[1]}"),
        ]


def certify_point(
    features: Any,
    problem: Problem,
    labels: Any = None,
    tolerance: float = TOLERANCE,
) -> PointVerdict:
    """Decide rigorously whether given features are a global optimum, up to a relative gap.

    Parameters
    ----------
    features : array, tensor or lists of real numbers, shape (n, d), n at most 2,000
        Taken as exactly the numbers they are (`reading.exact_features` says how each type is read, and which
        are refused), then brought to the norm that the problem asks for with enclosed square roots.
    problem : Problem
        Its counts must be those of the labels.
    labels : array, tensor or list of integers or texts, shape (n,), optional
        One a sample (`reading.label_array`); without them samples stand class by class in the order of the
        counts.
    tolerance : float
        CERTIFIED means loss − optimum ≤ tolerance · scale, what geometry can change in the loss.

    Raises
    ------
    InputError
        If features or labels do not fit the problem, or no lower bound could be proven.
    """
    expect(problem, Problem, "problem", "give a Problem: certify_point(features, Problem([12, 6, 3]))")
    tolerance = between(tolerance, 0, 1, "tolerance", "1e-9")
    loss = loss_of_features(features, problem, labels, FIRST_PRECISION)  # first: it refuses what is unusable
    better = solve(problem)
    if better.nodes.roles != ("feature",):
        raise InputError(f"{problem.loss.name} has vectors beside the features, and a point is features only")
    bounds = prove(better.program, better.witness, factored(better.program, better.point), radius=False)
    if bounds.lower is None or bounds.scale is None:
        raise InputError("no lower bound was proven for this problem, so no point can be judged")
    loss = _sharp_loss(loss, features, problem, labels, bounds)
    with ctx.workprec(LAST_PRECISION):
        gap = (loss - bounds.lower).upper()
        scale = bounds.scale.lower()
        relative = outward(decimal_above(gap / scale, 17), up=True) if scale > 0 else np.inf
        certified = gap <= arb(repr(tolerance)).lower() * scale
        upper = _attained(better, bounds)
        refuted = better.reduction.attained and loss > upper
    said = (decimal_below(loss), decimal_above(loss))
    optimum = (decimal_below(bounds.lower), decimal_above(upper))
    verdict = Verdict.CERTIFIED if certified else Verdict.REFUTED if refuted else Verdict.UNDECIDED
    return PointVerdict(verdict, _reason(verdict, said, optimum, relative), said, optimum, relative, better)


def _attained(better: Solution, bounds: ProvenBounds) -> arb:
    """Return a loss that features have, proven from above: that of a solution.

    M ⪰ 0 with M ≥ 0 is the Gram matrix of non-negative vectors for sure up to four nodes (Maxfield & Minc
    1962). Beyond, the loss is that of explicit vectors: one axis for all classes that are not orthogonal.
    """
    if not better.program.nonnegative or better.program.multiplicity.sum() <= 4:
        return bounds.upper
    gram, counts = better.class_gram, better.problem.counts
    _, axis = connected_components(sp.csr_array(gram > 0))
    classes = np.eye(len(gram))[axis] * np.sqrt(gram.diagonal())[:, None]
    sizes = np.array(counts.sizes)[counts.group_of_class()] * better.problem.views
    return loss_of_features(np.repeat(classes, sizes, axis=0), better.problem, None, LAST_PRECISION)


def _sharp_loss(loss: arb, features: Any, problem: Problem, labels: Any, bounds: ProvenBounds) -> arb:
    """Return the loss, its ball small against the scale (tiny and huge temperatures need more bits)."""
    assert bounds.scale is not None
    precision = FIRST_PRECISION
    with ctx.workprec(LAST_PRECISION):
        wanted = bounds.scale.upper() * SHARP
    while loss.rad() > wanted and 2 * precision <= LAST_PRECISION:
        precision *= 2
        loss = loss_of_features(features, problem, labels, precision)
    return loss


def _reason(verdict: Verdict, loss: tuple[str, str], optimum: tuple[str, str], relative: float) -> str:
    beside = f"{upward(relative, 2)} of its scale" if np.isfinite(relative) else "without a scale"
    if verdict is Verdict.CERTIFIED:
        return f"the loss is within {beside} above the optimum"
    if verdict is Verdict.REFUTED:
        less = difference_downward(loss[0], optimum[1], 4)
        return f"a better point has a loss smaller by {less} or more (the gap is at most {beside})"
    return f"the gap is at most {beside}, more than allowed, and no features are known to be better"
