"""One dimension on the sphere: features are signs and cannot move, so that what is searched are flips."""

from __future__ import annotations

import time
from itertools import islice, product

import numpy as np
from jaxtyping import Float64

from certify.landscape.optimum import Optimum
from certify.landscape.points import StationaryPoint, clustered, invariants
from relax.descent import described, given, parameters_of
from relax.descent.objective import Objective

MOST_PATTERNS = 512  # of signs of classes that starts are made of
TOGETHER = 2**21  # similarities that are evaluated at once
SAME = 1e-9  # of the loss: less is no way down

Signs = Float64[np.ndarray, "s n"]


def flipped_down(
    goal: Objective, optimum: Optimum, starts: int, random: np.random.Generator, deadline: float = np.inf
) -> tuple[list[StationaryPoint], int, int, bool]:
    """Return the sign vectors that no flip of one sample lowers, from patterns of classes and random signs.

    Every point of S⁰ is stationary, since there is no way to move. What stands for descent is to flip the
    one sample that lowers the loss most, until none does.

    Returns
    -------
    points : list of StationaryPoint
        Up to one sign, and relabelling.
    seeded, evaluations : int
        Starts that were patterns of classes, and batched evaluations.
    complete : bool
        Whether all starts came to their ends in time.
    """
    labels, samples = goal.labelled.classes, goal.labelled.samples
    k = int(labels.max()) + 1
    patterns = [(1.0, *rest) for rest in islice(product((1.0, -1.0), repeat=k - 1), MOST_PATTERNS)]
    seeds = np.array(patterns)[:, labels]
    signs = np.concatenate([random.choice((-1.0, 1.0), size=(starts, len(labels))), seeds])
    losses = _losses(goal, signs)[0]
    moving, evaluations = np.ones(len(signs), dtype=bool), 1
    while moving.any() and time.monotonic() < deadline:
        better = _best_flips(goal, signs[moving])
        evaluations += 1
        lower = better[1] < losses[moving] - SAME * np.maximum(1.0, np.abs(losses[moving]))
        where = np.flatnonzero(moving)
        signs[where[lower]], losses[where[lower]] = better[0][lower], better[1][lower]
        moving[where[~lower]] = False
    settled = np.arange(len(signs)) if moving.all() else np.flatnonzero(~moving)  # time may be up at once
    marks = np.stack([invariants(row[:, None], labels, samples) for row in signs[settled]])
    points = []
    for members in clustered(losses[settled], marks, 1e-9, SAME):
        members = settled[members]
        names = ["random" if i < starts else "signs of classes" for i in members]
        point = _point(goal, optimum, signs[members[0]], names[0])
        points.append(point.with_starts(names.count("random"), names.count("signs of classes")))
    return points, len(seeds), evaluations, not moving.any()


def _losses(goal: Objective, signs: Signs) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and excesses."""
    free = parameters_of(goal, given(signs[:, :, None], "signs"))
    end = described(free, goal, free[0].new_zeros(len(signs)), 1)
    return end.losses, end.excesses


def _best_flips(goal: Objective, signs: Signs) -> tuple[Signs, np.ndarray]:
    """Return each sign vector with the one flip that has the least loss, and that loss."""
    n = signs.shape[1]
    turned = 1.0 - 2.0 * np.eye(n)
    batch = max(1, TOGETHER // (n * goal.entries))
    best, losses = np.empty_like(signs), np.empty(len(signs))
    for at in range(0, len(signs), batch):
        part = signs[at : at + batch]
        neighbours = part[:, None, :] * turned
        found = _losses(goal, neighbours.reshape(-1, n))[0].reshape(len(part), n)
        pick = found.argmin(1)
        best[at : at + batch] = neighbours[np.arange(len(part)), pick]
        losses[at : at + batch] = found.min(1)
    return best, losses


def _point(goal: Objective, optimum: Optimum, signs: np.ndarray, origin: str) -> StationaryPoint:
    loss, excess = (float(part[0]) for part in _losses(goal, signs[None]))
    gap = optimum.gap(loss, excess, goal.relative)
    return StationaryPoint(
        features=signs[:, None].copy(),
        labels=goal.labelled.classes,
        classifier=None,
        loss=loss,
        excess=excess,
        gap=gap,
        relative_gap=gap / optimum.scale,
        height=gap / optimum.range,
        gradient_norm=0.0,
        eigenvalues=np.empty(0),
        multipliers=_multipliers(goal, signs),
        kind="minimum",
        origin=origin,
    )


def _multipliers(goal: Objective, signs: np.ndarray) -> Float64[np.ndarray, " n"]:
    from relax.descent.second_order import multipliers

    return multipliers(parameters_of(goal, given(signs[None, :, None], "signs")), goal)
