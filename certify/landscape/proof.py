"""`prove_minimum` and `prove_saddle`: interval Newton, and the second order in ball arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64

from certify.balls import decimal_above
from certify.certificate import Certificate, certify, versions
from certify.encoding.numbers import dyadics
from certify.features.exact_loss import classes_of_samples, loss_of_features
from certify.features.reading import exact_features
from certify.grammar import claim_hash
from certify.landscape.grammar import STATIONARY
from certify.landscape.measures import (
    above,
    least_curvature,
    lowest_direction,
    measures,
    said_alone,
    said_of,
    wrongly_active,
)
from certify.landscape.proven import ProvenMinimum, ProvenSaddle
from certify.landscape.roots import Proof, exists, polish
from certify.landscape.second import Second, curvature_along, second_order
from certify.landscape.setting import PRECISION, Setting, held_by, sample_order, setting
from certify.landscape.system import RIGID, System, system
from certify.landscape.words import words
from relax.errors import InputError
from relax.problem import Problem
from relax.solvers import solve

STARTS = 16  # of the search for better features, where the optimum needs more dimensions
UNCONTRACTED = "Krawczyk's operator did not contract: the point is degenerate, or nearly so"


class Found(NamedTuple):
    """An isolated stationary point."""

    given: System
    proof: Proof
    second: Second


def prove_minimum(
    features: Any, problem: Problem, labels: Any = None, better: Any = None, alone: bool = True
) -> ProvenMinimum:
    """Prove that a strict local minimum modulo rotation lies near features, and that it is a bad one.

    Newton's method polishes the features in floats. Then, in ball arithmetic: Krawczyk's operator proves that
    near them lies a stationary point; the Hessian modulo rotation is proven positive definite; the loss is
    enclosed; and the certified optimum, or better features of the same dimension, are proven to be below it.

    Parameters
    ----------
    features : array, tensor or lists of real numbers, shape (n, d)
        As `certify.features.certify_point` takes them; 1e-6 from the minimum is near enough.
    problem : Problem
        On sphere, ball or with a ridge, of a loss with a program by samples. In a ball, features at the bound
        must have positive multipliers, and the others be inside.
    labels : array, tensor or list of integers or texts, shape (n,), optional
        Without them samples stand class by class in the order of the counts.
    better : array, shape (n, d), optional
        Other features, samples class by class, to be compared with where the certified optimum needs more
        than d dimensions; found by gradient descent where none are given.
    alone : bool
        Whether to look for a large radius in which nothing else is stationary, up to rotation.

    Returns
    -------
    ProvenMinimum
        Undecided, with the reason, where a step fails: the features are not near a stationary point, or the
        point is degenerate or no minimum.

    Raises
    ------
    InputError
        If features, labels and problem do not fit, there are too many of them, or nothing can be proven of
        the loss (`setting.setting`).
    """
    start = setting(features, problem, labels)
    found = _stationary(start)
    if isinstance(found, str):
        return ProvenMinimum(problem, False, found, start.features)
    with ctx.workprec(PRECISION):
        curvature, rough = least_curvature(found.second)
        if curvature is None:
            reason = f"the Hessian is not proven positive: its smallest eigenvalue is about {rough:.3g}"
            return ProvenMinimum(problem, False, reason, found.given.centre)
        claim = _claim("minimum", start, found, curvature, alone)
    proof = certify(solve(problem))
    other = _better(better, problem, claim["dimension"], proof)
    claim["optimum"] = [proof.lower, proof.upper]
    claim["better"] = proof.upper if other is None else decimal_above(loss_of_features(other, problem))
    claim["worse_by"], claim["relative"] = above(claim["loss"][0], claim["better"], proof.excess_upper)
    reason = "a strict local minimum" + (", worse than others" if claim["worse_by"] else "")
    document = _document(claim, found.given.centre, None, other, proof)
    return ProvenMinimum(problem, True, reason, found.given.centre, document, proof)


def prove_saddle(
    features: Any, problem: Problem, direction: Any = None, labels: Any = None, alone: bool = True
) -> ProvenSaddle:
    """Prove that a stationary point lies near features, and that the loss falls along a direction from it.

    Parameters
    ----------
    features, problem, labels, alone
        As in `prove_minimum`.
    direction : array, shape (n, d), optional
        Samples as in the features; projected to where the norms stay. The eigenvector of the smallest
        eigenvalue where none is given.

    Raises
    ------
    InputError
        As `prove_minimum`.
    """
    start = setting(features, problem, labels)
    found = _stationary(start, turned=direction is None)
    if isinstance(found, str):
        return ProvenSaddle(problem, False, found, start.features)
    centre = found.given.centre
    chosen = lowest_direction(found.second, centre.shape) if direction is None else exact_features(direction)
    if chosen.shape != centre.shape or not np.any(chosen):
        raise InputError(
            f"direction has shape {chosen.shape}, the features {centre.shape}; give one not zero"
        )
    if direction is not None:
        chosen = chosen[sample_order(classes_of_samples(exact_features(features), problem, labels), problem)]
    with ctx.workprec(PRECISION):
        bent = curvature_along(found.second, chosen)
        if not bent < 0:
            reason = (
                f"the curvature along the direction, about {float(bent.mid()):.3g}, is not proven negative"
            )
            return ProvenSaddle(problem, False, reason, centre)
        claim = _claim("saddle", start, found, decimal_above(bent + arb(0, bent.rad()), 5), alone)
    document = _document(claim, centre, chosen, None, None)
    return ProvenSaddle(problem, True, "a stationary point with negative curvature", centre, document)


def _stationary(start: Setting, turned: bool = True) -> Found | str:
    """Return the stationary point near features with the Hessian over its box, or why none is proven."""
    with ctx.workprec(PRECISION):
        held = held_by(start)
        near = polish(start.program, start.features, held, turned)
        if isinstance(near, str):
            return near
        given = system(start.program, near, held)
        if given.rigid:
            return RIGID
        proof = exists(given)
        if proof is None:
            return UNCONTRACTED
        wrong = wrongly_active(given, proof.box)
        if wrong is not None:
            return wrong
        try:
            return Found(given, proof, second_order(given, proof.box))
        except np.linalg.LinAlgError:
            return "the features are too near to fewer dimensions for rotations to be told apart"


def _claim(kind: str, start: Setting, found: Found, curvature: str, alone: bool) -> dict[str, Any]:
    """Return the claim without words, of the stationary point alone."""
    given, proof = found.given, found.proof
    return {
        "kind": kind,
        "problem": start.problem.statement(),
        "dimension": given.centre.shape[1],
        "radius": proof.radius,
        "alone": said_alone(given, proof) if alone else None,
        "optimum": None,
        "better": None,
        "worse_by": None,
        "relative": None,
        "curvature": curvature,
        **said_of(measures(given, proof.box, start.classes)),
    }


def _better(given: Any, problem: Problem, dimension: int, proof: Certificate) -> Any:
    """Return features to compare with, None where the certified optimum fits into the dimension."""
    if given is not None:
        features = exact_features(given)
        if features.shape[1] != dimension:
            raise InputError(f"better features have {features.shape[1]} dimensions, not {dimension}")
        return features
    if proof.attained and proof.rank <= dimension:
        return None
    from relax.descent import descend  # it loads torch

    found = descend(problem, dimension, STARTS, level="samples")
    return found.features[found.losses.argmin()]


def _document(
    claim: dict[str, Any],
    centre: Float64[np.ndarray, "n d"],
    direction: Float64[np.ndarray, "n d"] | None,
    better: Float64[np.ndarray, "n d"] | None,
    proof: Certificate | None,
) -> dict[str, Any]:
    claim = {"words": words(claim), **claim}

    def lines(vectors: Float64[np.ndarray, "n d"] | None) -> Any:
        return None if vectors is None else [dyadics(line) for line in vectors]

    return {
        "schema": STATIONARY,
        "claim": claim,
        "features": lines(centre),
        "direction": lines(direction),
        "better": lines(better),
        "optimum": None if proof is None else proof.document,
        "sha256": claim_hash(claim),
        "made_by": dict(versions()),
    }
