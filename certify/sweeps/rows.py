"""A row of the table: what was asked for, and what is proven about it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from certify.certificate import Certificate, Verdict
from certify.rounding import outward
from certify.sweeps.grid import Point
from certify.thresholds import held_together
from relax.arrangement import geometry, sees_labels
from relax.losses.parameters import spelled
from relax.solution import Solution

QUANTILES = {
    "cosine_min": 0.0,
    "cosine_q25": 0.25,
    "cosine_median": 0.5,
    "cosine_q75": 0.75,
    "cosine_max": 1.0,
}
NUMBERS = (
    "gap",
    "relative_gap",
    "value",
    "lower",
    "excess",
    "gram_radius",
    "alpha",
    "beta",
    "gamma",
    *QUANTILES,
)
# the columns of the table in their order, and their kinds as pandas calls them
COLUMNS = {
    **{"counts": "str", "classes": "int64", "k_major": "Int64", "k_minor": "Int64"},
    **{"n_major": "Int64", "n_minor": "Int64", "ratio": "float64"},
    **{"loss": "str", "batch_size": "Int64", "temperature": "float64", "views": "int64"},
    **{"norm": "str", "nonnegative": "bool", "verdict": "str"},
    **dict.fromkeys(NUMBERS, "float64"),
    **{"minorities_coincide": "bool", "status": "str", "solver": "str", "iterations": "int64"},
    **{"seconds": "float64", "reason": "str"},
}
REFUSED, FAILED = "REFUSED", "FAILED"


def asked(point: Point) -> dict[str, Any]:
    """Return the columns that say what was asked for."""
    k_major, k_minor, n_major, n_minor = point.step or (None, None, None, None)
    number = point.norm.parameter
    return {
        "counts": point.counts.in_full(),
        "classes": point.counts.classes,
        "k_major": k_major,
        "k_minor": k_minor,
        "n_major": n_major,
        "n_minor": n_minor,
        "ratio": point.ratio,
        "loss": spelled(point.loss),
        "batch_size": getattr(point.loss, "batch_size", None),
        "temperature": point.temperature,
        "views": point.views,
        "norm": point.norm.kind if number is None else f"{point.norm.kind}:{number:g}",
        "nonnegative": point.nonnegative,
    }


def without(status: str, reason: str, seconds: float = 0.0) -> dict[str, Any]:
    """Return the columns of results where there are none, and why."""
    return {
        "verdict": Verdict.UNDECIDED.name,
        **dict.fromkeys(NUMBERS, math.nan),
        "minorities_coincide": False,
        "status": status,
        "solver": "",
        "iterations": 0,
        "seconds": seconds,
        "reason": reason,
    }


def proven(point: Point, solution: Solution, proof: Certificate, seconds: float) -> dict[str, Any]:
    """Return the columns of results: bounds in float64, rounded outward."""
    certified = proof.verdict is Verdict.CERTIFIED
    return found(point, solution, seconds) | {
        "verdict": proof.verdict.name,
        "gap": _above(proof.gap),
        "relative_gap": proof.relative_gap,
        "value": _above(proof.upper),
        "lower": math.nan if proof.lower is None else outward(proof.lower, up=False),
        "excess": proof.excess,
        "gram_radius": _above(proof.gram_radius),
        "minorities_coincide": certified and minorities_coincide(solution) and held_together(solution),
        "reason": "" if certified else proof.verdict.value,
    }


def found(point: Point, solution: Solution, seconds: float) -> dict[str, Any]:
    """Return the columns of results of a solution without proof: its geometry, and how it was found."""
    return without(solution.status.name, "", seconds) | {
        **_cosines(point, solution),
        "solver": solution.answer.solver,
        "iterations": solution.answer.iterations,
    }


def _above(decimal: str | None) -> float:
    return math.nan if decimal is None else outward(decimal, up=True)


def minorities_coincide(solution: Solution) -> bool:
    """Return whether the witness holds all classes of the smallest size, being several, on one point.

    That it is so at the optimum, `held_together` proves.
    """
    counts = solution.problem.counts
    if counts.multiplicities[-1] == 1 or not solution.witness.clusters or solution.nodes.unit != "class":
        return False
    found = geometry(solution)
    return any(point[-1] == found.units[-1] for point in found.coincide)


def _cosines(point: Point, solution: Solution) -> dict[str, float]:
    """Return α, β, γ of a STEP profile, and quantiles over all pairs of different classes.

    A quantile is the least cosine that so large a part of the pairs does not exceed. Where the loss sees no
    labels, pairs are those of different samples.
    """
    size, multiplicity, cosine = _by_class(solution)
    pairs = np.triu(np.outer(multiplicity, multiplicity), 1) + np.diag(multiplicity * (multiplicity - 1) / 2)
    there = pairs > 0
    values, weights = cosine[there], pairs[there]
    order = np.argsort(values)
    part = np.cumsum(weights[order])
    least = np.minimum(np.searchsorted(part, [q * part[-1] for q in QUANTILES.values()]), len(part) - 1)
    said = dict(zip(QUANTILES, values[order][least].tolist(), strict=True))
    if point.step is None or not sees_labels(solution.problem):
        return said
    k_major, k_minor, n_major, n_minor = point.step
    major, minor = size == n_major, size == n_minor
    return said | {
        "alpha": _mean(cosine, pairs, major, major) if k_major > 1 else math.nan,
        "beta": _mean(cosine, pairs, minor, minor) if k_minor > 1 else math.nan,
        "gamma": _mean(cosine, pairs, major, minor),
    }


def _mean(
    cosine: Float[np.ndarray, "m m"],
    pairs: Float[np.ndarray, "m m"],
    first: Bool[np.ndarray, " m"],
    second: Bool[np.ndarray, " m"],
) -> float:
    """Return the mean over the pairs of classes of two kinds; of one group of pairs it is their cosine."""
    block = np.ix_(first, second)
    both = (pairs + pairs.T)[block]
    values, weights = cosine[block][both > 0], both[both > 0]
    return float(values[0] if np.ptp(values) == 0 else np.average(values, weights=weights))


def _by_class(
    solution: Solution,
) -> tuple[Shaped[np.ndarray, " m"], Float[np.ndarray, " m"], Float[np.ndarray, "m m"]]:
    """Return the size and number of the classes of each group, and cosines of different members."""
    nodes = solution.nodes
    if nodes.unit == "class" or not sees_labels(solution.problem):
        size, multiplicity = nodes.size, nodes.multiplicity
        own, peer = solution.entries("feature", "feature")
    else:
        counts = solution.problem.counts
        size, multiplicity = np.array(counts.apart().sizes), np.ones(counts.classes)
        peer = solution.class_gram
        own = np.diag(peer)
    length = np.sqrt(np.maximum(own, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):  # of vectors that are zero there are no cosines
        return size, multiplicity, np.clip(peer / np.outer(length, length), -1.0, 1.0)
