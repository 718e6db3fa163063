"""What a search of the landscape found, in words first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from certify.landscape.optimum import GLOBAL, Optimum
from certify.landscape.points import StationaryPoint
from relax.errors import InputError
from relax.facts import Shown, brief
from relax.problem import Problem

CAUTION = (
    "searching proves nothing about minima that were not found: these are the ends of the starts above, and "
    "other starts may end elsewhere"
)
UNSEEN = "levels closer than {resolution:.0e} are not told apart in float64, and the scale is {scale:.1e}"
LEAST_PERCENT = 1e-3  # below, one decimal shows nothing


@brief
@dataclass(frozen=True, eq=False)
class Slice(Shown):
    """The landscape in one dimension, as far as it was searched.

    Attributes
    ----------
    dim : int
        The dimension of the features.
    points : tuple of StationaryPoint
        What was found, one of each up to rotation and relabelling (`points.invariants`), lowest first.
    starts, seeded : int
        How many starts were random, and how many were seeds and escapes from saddles.
    evaluations : int
        Of loss and gradient, each of all starts under way.
    complete : bool
        Whether the search went on until no new point was found.
    optimum : Optimum
        What points are measured against.
    """

    dim: int
    points: tuple[StationaryPoint, ...]
    starts: int
    seeded: int
    evaluations: int
    complete: bool
    optimum: Optimum

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The minima: those of positive curvature, and those whose loss is that of the certified optimum."""
        return tuple(
            point for point in self.points if point.kind == "minimum" or self.optimum.is_global(point.gap)
        )

    @property
    def bad(self) -> tuple[StationaryPoint, ...]:
        """The minima above the lowest point that was found in this dimension."""
        if not self.points:
            return ()
        floor = self.points[0].gap
        return tuple(point for point in self.minima if not self.optimum.same_level(point.gap, floor))

    @property
    def saddles(self) -> tuple[StationaryPoint, ...]:
        """The points with a negative curvature."""
        return tuple(point for point in self.points if point.kind == "saddle")

    @property
    def undecided(self) -> tuple[StationaryPoint, ...]:
        """The lowest of each level of points that may be minima and are not global; they come in families."""
        found: list[StationaryPoint] = []
        for point in self.points:
            known = any(self.optimum.same_level(point.gap, other.gap) for other in found)
            if (
                point.kind in ("degenerate", "unsettled")
                and not known
                and not self.optimum.is_global(point.gap)
            ):
                found.append(point)
        return tuple(found)

    @property
    def attained(self) -> bool:
        """Whether the lowest point has the loss of the certified optimum of all dimensions."""
        return bool(self.points) and self.optimum.is_global(self.points[0].gap)

    @property
    def all_global(self) -> bool:
        """Whether every minimum that was found is global, by the certificate, and nothing is undecided."""
        return self.attained and not self.bad and not self.undecided and self.complete

    def in_words(self) -> str:
        """Return one sentence: how many minima, how many of them bad, the worst, from how many starts."""
        many = len(self.minima)
        minima = "1 minimum" if many == 1 else f"{many} minima"
        said = f"d = {self.dim}: {minima}{self._quality()}, in {self.starts} + {self.seeded} starts"
        if self.undecided:
            many = len(self.undecided)
            said += f"; at {many} more level{'' if many == 1 else 's'} the second order does not decide"
        return said if self.complete else f"{said}; ended before nothing was new"

    def _quality(self) -> str:
        bad = self.bad
        if not self.minima:
            return ""
        if self.attained and not bad:
            return ", global" if len(self.minima) == 1 else ", all global"
        if self.attained:
            worst = max(point.height for point in bad)
            return f", {len(bad)} of them bad, the worst {percent(worst)} of the range above"
        lowest = self.points[0].height
        said = f", the lowest {percent(lowest)} of the range above the optimum of all dimensions"
        return said if not bad else f"{said}, {len(bad)} above the lowest"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [("dimension", str(self.dim)), ("found", self.in_words())]


@brief
@dataclass(frozen=True, eq=False)
class Landscape(Shown):
    """The minima and saddles of a loss over free features that a search found, by dimension.

    Attributes
    ----------
    problem : Problem
        Whose loss it is.
    optimum : Optimum
        The certified optimum over all dimensions, with its certificate.
    slices : tuple of Slice
        One a dimension, in the order asked for.
    asked : tuple of int
        The dimensions that were asked for; time may have been up before the last.
    seed : int
        Of the random starts.
    seconds : float
        By the clock.
    """

    problem: Problem
    optimum: Optimum
    slices: tuple[Slice, ...]
    asked: tuple[int, ...]
    seed: int
    seconds: float

    @property
    def safe(self) -> tuple[int, ...]:
        """The dimensions in which every minimum that was found is global."""
        return tuple(one.dim for one in self.slices if one.all_global)

    @property
    def all_global(self) -> bool:
        """Whether that is so in every dimension that was asked for."""
        return self.safe == self.asked

    def at(self, dim: int) -> Slice:
        """Return the landscape in one dimension.

        Raises
        ------
        InputError
            If it was not searched.
        """
        for one in self.slices:
            if one.dim == dim:
                return one
        raise InputError(
            f"dim = {dim} was not searched; there are {', '.join(str(d.dim) for d in self.slices)}"
        )

    def in_words(self) -> list[str]:
        """Return a sentence a dimension, in which every minimum found is global, and what that is worth."""
        said = [one.in_words() for one in self.slices]
        said += [f"d = {dim}: not reached" for dim in self.asked[len(self.slices) :]]
        safe = ", ".join(map(str, self.safe))
        said.append(
            f"every minimum found is global in d = {safe}"
            if safe
            else "of no dimension is every minimum known to be global"
        )
        said.append(CAUTION)
        if self.optimum.resolution > GLOBAL * self.optimum.scale:
            said.append(UNSEEN.format(resolution=self.optimum.resolution, scale=self.optimum.scale))
        return said

    def table(self, number: Callable[[float], str] = "{:.6g}".format) -> list[list[str]]:
        """Return the minima as rows of texts, titles first."""
        rows: list[list[str]] = [list(TITLES)]
        for one in self.slices:
            for point in one.minima:
                bad = any(point is other for other in one.bad)
                level = "bad" if bad else "global" if one.attained else "lowest"
                rows.append(
                    [
                        str(one.dim),
                        level,
                        number(point.loss),
                        percent(0.0 if level == "global" else point.height),
                        "" if math.isnan(point.curvature) else number(point.curvature),
                        number(point.lowest_multiplier + 0.0),  # −0 is 0
                        f"{point.random} + {point.seeded}",
                        point.origin,
                    ]
                )
        return rows

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        words = self.in_words()
        return [("landscape", self.problem.in_brief()), *(("", said) for said in words)]


def percent(height: float) -> str:
    """Return a part of the range in per cent, with a digit however small it is."""
    return f"{100 * height:.1g}%" if 0 < abs(height) < LEAST_PERCENT else f"{height:z.1%}"


TITLES = ("d", "minimum", "loss", "above", "curvature", "least ν", "starts", "first from")
