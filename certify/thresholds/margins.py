"""How far each class is from merging with another, or from parting: in its count, and in τ."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from certify.thresholds.deciding import coinciding
from relax.counts import LARGEST_COUNT, ClassCounts
from relax.errors import InputError, SolverError
from relax.facts import brief
from relax.problem import Problem
from relax.solvers import solve

ONE_POINT = 1e-12  # 1 − cosine of classes that a search takes for one point; ends are proven
LARGEST_FACTOR = 100.0  # by which τ is moved
LARGEST_GROWTH = 1_000  # times all samples: the largest count that is tried
FIRST_FACTOR = 1.01
WIDTH = 1e-6  # of a bracket of τ, relative


@brief
@dataclass(frozen=True)
class Change:
    """A bracket: at `before` the class is as it is now (alone, or not alone at its point), at `after` not.

    Attributes
    ----------
    before, after : float
        Two neighbouring counts, or two temperatures that differ by 10⁻⁶ of themselves.
    proven : bool
        Whether both ends are proven (`coinciding`).
    """

    before: float
    after: float
    proven: bool


@brief
@dataclass(frozen=True)
class Margin:
    """How far the classes of one size are from a change.

    Attributes
    ----------
    size : int
        Their size.
    merged : bool
        Whether they are proven to coincide with another class now.
    count : Change or None
        The nearest change of the count of one of them that was found; None where none was, down to one sample
        and up to 1,000 times all samples.
    temperature : Change or None
        The same for τ, within a factor of 100.
    """

    size: int
    merged: bool
    count: Change | None
    temperature: Change | None

    def in_words(self) -> str:
        """Return at which count and at which τ the classes merge or part."""
        from certify.thresholds.words import margin_words

        return margin_words(self)


def margins(problem: Problem) -> tuple[Margin, ...]:
    """Return for the classes of each size how far they are from merging with another class, or from parting.

    Upwards and downwards, steps double until the class has another state, and halve until the change is
    enclosed; the nearer of the two is returned. States are those of solutions in float64; both ends of what
    is returned are then proven, where they can be. That the state does not change twice between two steps is
    not proven.

    Raises
    ------
    InputError
        As `coinciding`.
    """
    now = coinciding(problem)

    @cache
    def at_temperature(tau: float) -> tuple[bool, ...]:
        return tuple(_states(_warmed(problem, tau)).tolist())

    found = []
    for a, size in enumerate(problem.counts.sizes):
        merged = bool(now.merged()[a])
        by_count = _nearest(
            partial(_state_at_count, problem, a), size, _counts(problem, size), _between_counts, merged
        )
        by_tau = _nearest(
            lambda tau, a=a: at_temperature(tau)[a],
            problem.temperature,
            _temperatures(problem),
            _between_temperatures,
            merged,
        )
        found.append(
            Margin(
                size,
                merged,
                _proven(by_count, partial(_proven_at_count, problem, a), merged),
                _proven(by_tau, partial(_proven_at, problem, a), merged),
            )
        )
    return tuple(found)


def _warmed(problem: Problem, tau: float) -> Problem:
    return Problem(problem.counts, problem.loss, tau, problem.norm, problem.nonnegative, problem.views)


def with_count(problem: Problem, a: int, count: int) -> Problem:
    """Return the problem in which one class of group a has so many samples."""
    runs = dict(zip(problem.counts.sizes, problem.counts.multiplicities, strict=True))
    runs[problem.counts.sizes[a]] -= 1
    runs[count] = runs.get(count, 0) + 1
    counts = ClassCounts.of({size: g for size, g in runs.items() if g})
    return Problem(
        counts, problem.loss, problem.temperature, problem.norm, problem.nonnegative, problem.views
    )


def _states(problem: Problem) -> np.ndarray:
    """Return for each group whether a class of it stands where another does, by a solution in float64."""
    solution = solve(problem)
    own, peer = solution.entries("feature", "feature")
    near = peer / np.sqrt(np.outer(own, own)) > 1 - ONE_POINT
    g = solution.nodes.multiplicity
    return np.asarray((near & ((np.outer(g, g) - np.diag(g)) > 0)).any(axis=1))


def _state_at_count(problem: Problem, a: int, count: float) -> bool:
    moved = with_count(problem, a, int(count))
    return bool(_states(moved)[moved.counts.sizes.index(int(count))])


def _proven_at_count(problem: Problem, a: int, count: float) -> bool | None:
    moved = with_count(problem, a, int(count))
    return _state_of(moved, moved.counts.sizes.index(int(count)))


def _proven_at(problem: Problem, a: int, tau: float) -> bool | None:
    return _state_of(_warmed(problem, tau), a)


def _state_of(problem: Problem, a: int) -> bool | None:
    """Return whether a class of group a is proven to coincide with another, or with none; None if neither."""
    found = coinciding(problem)
    return True if found.merged()[a] else None if found.undecided[a].any() else False


def _counts(problem: Problem, size: int) -> tuple[list[float], list[float]]:
    """Return counts below and above, at growing distances."""
    most = min(LARGEST_GROWTH * problem.counts.samples, LARGEST_COUNT // 2 // problem.views)
    doubled = [2**i for i in range(int(most).bit_length())]
    below = [float(max(1, size - step)) for step in doubled if size > 1 and step < 2 * size]
    above = [float(size + step) for step in doubled if size + step <= most]
    return list(dict.fromkeys(below)), above


def _temperatures(problem: Problem) -> tuple[list[float], list[float]]:
    tau, factors = problem.temperature, []
    growth = math.log(FIRST_FACTOR)
    while growth < math.log(LARGEST_FACTOR):
        factors.append(math.exp(growth))
        growth *= 2
    factors.append(LARGEST_FACTOR)
    return [_short(tau / factor) for factor in factors], [_short(tau * factor) for factor in factors]


def _short(tau: float) -> float:
    """Return a temperature of nine digits."""
    return float(f"{tau:.8e}")


def _between_counts(before: float, after: float) -> float | None:
    """Return a whole number between two, None where there is none."""
    middle = (int(before) + int(after)) // 2
    return float(middle) if min(before, after) < middle < max(before, after) else None


def _between_temperatures(before: float, after: float) -> float | None:
    """Return the geometric mean, None where the two are near enough."""
    if abs(math.log(after / before)) <= WIDTH:
        return None
    return _short(math.sqrt(before * after))


def _nearest(
    state: Callable[[float], bool],
    start: float,
    ways: tuple[list[float], list[float]],
    between: Callable[[float, float], float | None],
    now: bool,
) -> tuple[float, float] | None:
    """Return the ends of the first change on each way, of the two the nearer."""
    brackets = [_change(state, start, way, between, now) for way in ways]
    return min((ends for ends in brackets if ends), key=lambda ends: abs(ends[1] - start), default=None)


def _change(
    state: Callable[[float], bool],
    start: float,
    way: list[float],
    between: Callable[[float, float], float | None],
    now: bool,
) -> tuple[float, float] | None:
    before = start
    try:
        for after in way:
            if state(after) != now:
                while (middle := between(before, after)) is not None:
                    before, after = (middle, after) if state(middle) == now else (before, middle)
                return before, after
            before = after
    except (
        InputError,
        SolverError,
    ):  # a loss that is left without an anchor, a batch larger than all samples
        return None
    return None


def _proven(
    ends: tuple[float, float] | None, state: Callable[[float], bool | None], merged: bool
) -> Change | None:
    if ends is None:
        return None
    before, after = ends
    return Change(before, after, state(before) is merged and state(after) is (not merged))
