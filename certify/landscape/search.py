"""The search in one dimension: descents, stationary points, escapes from saddles, until nothing is new."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from certify.landscape.optimum import Optimum
from certify.landscape.points import (
    SAME_GRAM,
    SAME_LOSS,
    Kind,
    StationaryPoint,
    clustered,
    invariants,
)
from certify.landscape.seeds import Seeds
from relax.descent import START, described, follow, given, parameters_of
from relax.descent.objective import Objective
from relax.descent.second_order import SETTLED, Local, displaced, local, polished
from relax.endpoints import Descent
from relax.facts import brief
from relax.norms import Ball, Sphere

REACH, FIRST = 0.05, 600  # the longest step of a vector of norm one, for so many evaluations
FAR, REST = 0.5, 900  # the same for starts that are still under way, deep in a basin by then
ENDS_GRAM, ENDS_LOSS = 1e-4, 1e-6  # where descents end that go to one point
PUSH = 0.02  # how far from a saddle an escape begins, beside the norm of a vector
FLAT = 1e-8  # a curvature below this part of the largest is zero
MOST_ROUNDS = 12  # of escapes
MOST_ENDS = 60  # that one round of descents may add


@brief
@dataclass(eq=False)
class Search:
    """What was found so far in one dimension.

    Attributes
    ----------
    goal : Objective
        The loss at explicit vectors.
    optimum : Optimum
        What points are measured against.
    deadline : float
        Of `time.monotonic`.
    points, places : list
        The stationary points, and the loss to second order at each.
    evaluations, seeded : int
        Batched evaluations of loss and gradient, and starts that were not random.
    complete : bool
        Whether the search ended since nothing was new, and not for time or for the number of rounds.
    """

    goal: Objective
    optimum: Optimum
    deadline: float = np.inf
    points: list[StationaryPoint] = field(default_factory=list)
    places: list[Local] = field(default_factory=list)
    evaluations: int = 0
    seeded: int = 0
    complete: bool = True

    def run(self, dim: int, starts: int, random: np.random.Generator) -> None:
        """Go down from random starts, then from seeds, then from saddles until no new point is found."""
        n = len(self.goal.copies[-1])
        drawn = random.normal(size=(starts, n, dim))
        bounded = all(chart.held != "free" for chart in self.goal.charts)
        drawn = np.stack([_unit(features) for features in drawn]) if bounded else drawn * START / dim**0.5
        self._descend([("random", features) for features in drawn])
        lowest = min(self.points, key=lambda point: point.gap)
        seeds = Seeds(self.goal.labelled.classes, _unit(lowest.features), self._temperature(), random)
        self._descend(list(seeds.named()))
        escaped = 0
        for _ in range(MOST_ROUNDS):
            fresh = range(escaped, len(self.points))
            escaped = len(self.points)
            ways = [self.places[i] for i in fresh if self._leads_on(i)]
            if not ways or self._late():
                break
            self.seeded += 2 * len(ways)
            self._gather(displaced(ways, PUSH), ["saddle"] * (2 * len(ways)))
        else:
            self.complete = False
        self.complete &= not self._late()

    def _temperature(self) -> float:
        """Return the temperature of cosines: similarities of a larger sphere are colder."""
        problem = self.goal.problem
        radius = problem.norm.radius if isinstance(problem.norm, (Sphere, Ball)) else 1.0
        return problem.temperature / radius**2

    def _leads_on(self, index: int) -> bool:
        """Whether to go down from a point: from saddles, and from the first of each level that is degenerate.

        Degenerate points come in families, on which every push finds another one.
        """
        point, before = self.points[index], self.points[:index]
        known = any(
            other.kind == "degenerate" and self.optimum.same_level(point.gap, other.gap) for other in before
        )
        return point.kind == "saddle" or (point.kind == "degenerate" and not known)

    def _descend(self, seeds: list[tuple[str, Float64[np.ndarray, "n d"]]]) -> None:
        """Add what given features lead to, each with the name of its kind."""
        if self._late() and self.points:
            return
        features = given(np.stack([features for _, features in seeds]), "features")
        self.seeded += sum(name != "random" for name, _ in seeds)
        self._gather(parameters_of(self.goal, features), [name for name, _ in seeds])

    def _gather(self, free: list[Any], names: list[str]) -> None:
        """Follow parameters down, and add the stationary points next to their ends."""
        free, norms = self._followed(free)
        ends = described(free, self.goal, norms, 0)
        marks = np.stack([self._mark(features) for features in ends.features])
        found = clustered(ends.losses, marks, ENDS_GRAM, ENDS_LOSS, self._top_of_global(ends))
        self.complete &= len(found) <= MOST_ENDS
        for members in found[:MOST_ENDS]:
            if self._late() and self.points:
                return
            first = int(members[0])
            random = sum(names[i] == "random" for i in members)
            self._add([role[first : first + 1] for role in free], names[first], random, len(members))

    def _top_of_global(self, ends: Descent) -> float:
        """Return a loss up to which all ends are global, and one point; −∞ where none is."""
        pairs = zip(ends.losses.tolist(), ends.excesses.tolist(), strict=True)
        gaps = ((loss, self.optimum.gap(loss, excess, self.goal.relative)) for loss, excess in pairs)
        return max((loss for loss, gap in gaps if self.optimum.is_global(gap)), default=-np.inf)

    def _followed(self, free: list[Any]) -> tuple[list[Any], Any]:
        """Return where parameters lead in small steps, and the gradient norms there."""
        found = follow(free, self.goal, REACH, FIRST, self.deadline)
        self.evaluations += found.evaluations
        under_way = found.gradient_norms > self.goal.flat
        if under_way.any():
            rest = follow([role[under_way] for role in found.free], self.goal, FAR, REST, self.deadline)
            self.evaluations += rest.evaluations
            for role, ends in zip(found.free, rest.free, strict=True):
                role[under_way] = ends
            found.gradient_norms[under_way] = rest.gradient_norms
        return found.free, found.gradient_norms

    def _add(self, free: list[Any], origin: str, random: int, starts: int) -> None:
        """Add one stationary point, or count its starts where it is known."""
        place = local(polished(free, self.goal), self.goal)
        point = self._judged(place, origin)
        marks = [self._mark(other.features) for other in self.points]
        for i, mark in enumerate(marks):
            near = abs(point.loss - self.points[i].loss) <= SAME_LOSS * max(1.0, abs(point.loss))
            near &= bool(np.abs(mark - self._mark(point.features)).max() <= SAME_GRAM)
            if near or all(self.optimum.is_global(one.gap) for one in (point, self.points[i])):
                self.points[i] = self.points[i].with_starts(random, starts - random)
                return
        self.points.append(point.with_starts(random, starts - random))
        self.places.append(place)

    def _judged(self, place: Local, origin: str) -> StationaryPoint:
        norm = float(np.linalg.norm(place.gradient))
        end: Descent = described(place.free, self.goal, _norm_of(place), 0)
        loss, excess = float(end.losses[0]), float(end.excesses[0])
        gap = self.optimum.gap(loss, excess, self.goal.relative)
        return StationaryPoint(
            features=end.features[0],
            labels=end.labels,
            classifier=None if end.classifier is None else end.classifier[0],
            loss=loss,
            excess=excess,
            gap=gap,
            relative_gap=gap / self.optimum.scale,
            height=gap / self.optimum.range,
            gradient_norm=norm,
            eigenvalues=place.lowest,
            multipliers=place.multipliers,
            kind=_kind(place, norm),
            origin=origin,
        )

    def _mark(self, features: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " m"]:
        return invariants(features, self.goal.labelled.classes, self.goal.labelled.samples)

    def _late(self) -> bool:
        return time.monotonic() > self.deadline


def _kind(place: Local, gradient: float) -> Kind:
    """Return what the smallest curvature says, beside the largest."""
    if gradient > SETTLED * place.largest:
        return "unsettled"
    if len(place.lowest) == 0 or place.lowest[0] > FLAT * place.largest:
        return "minimum"
    return "saddle" if place.lowest[0] < -FLAT * place.largest else "degenerate"


def _norm_of(place: Local) -> Any:
    return place.free[0].new_tensor([float(np.linalg.norm(place.gradient))])


def _unit(features: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Return features of norm one, which seeds are made of; zero ones point along the first axis."""
    norm = np.linalg.norm(features, axis=1, keepdims=True)
    first = np.eye(features.shape[1])[:1]
    return np.where(norm > 1e-9, features / np.where(norm > 1e-9, norm, 1.0), first)
