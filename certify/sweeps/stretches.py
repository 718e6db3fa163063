"""Stretches of a grid: neighbouring points of a curve, solved one from the other in one process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certify.certificate import certify
from certify.sweeps.grid import Point
from certify.sweeps.rows import FAILED, found, proven, without
from relax.answer import Status
from relax.errors import InputError, in_one_line
from relax.solution import Solution
from relax.solvers import solve

LONGEST = 10  # points; the first begins anew
MOST_SIZES = 100  # of all points together: where there are many a start saves little, and proofs take long
Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """How points are solved: `deadline` is on the clock of `time.time`, which workers share."""

    solver: str
    tolerance: float
    deadline: float


Stretch = tuple[tuple[str, Point], ...]


def stretches(points: Mapping[str, Point]) -> list[Stretch]:
    """Cut a grid into stretches of one curve: they depend on the grid alone, and so do their numbers."""
    found: list[list[tuple[str, Point]]] = []
    for key, point in points.items():
        if not found or not _continues(found[-1], point):
            found.append([])
        found[-1].append((key, point))
    return [tuple(stretch) for stretch in found]


def _continues(stretch: list[tuple[str, Point]], point: Point) -> bool:
    last = stretch[-1][1]
    sizes = sum(len(one.counts.sizes) for _, one in stretch) + len(point.counts.sizes)
    if len(stretch) == LONGEST or sizes > MOST_SIZES:
        return False
    alike = (last.loss, last.norm, last.nonnegative, last.views) == (
        point.loss, point.norm, point.nonnegative, point.views,
    )  # fmt: skip
    return alike and (last.temperature == point.temperature or last.counts == point.counts)


def solved(stretch: Stretch, request: Request) -> dict[str, Row]:
    """Return the rows of a stretch, or of those of its points that were done at the deadline.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts, which a solver by itself would take for its end.
    """
    rows: dict[str, Row] = {}
    start = None
    for key, point in stretch:
        row, start = _row(point, request, start)
        if row is None:
            break
        rows[key] = row
    return rows


def _row(point: Point, request: Request, start: Solution | None) -> tuple[Row | None, Solution | None]:
    """Return the row of a point, None where time is up, and what the next one begins from."""
    began, left, solution = time.perf_counter(), request.deadline - time.time(), None
    if left <= 0:
        return None, None
    assert point.problem is not None
    try:
        limit = None if left == float("inf") else left
        solution = solve(point.problem, request.solver, "groups", request.tolerance, limit, start)
        if solution.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        if solution.status is Status.TIME_LIMIT or time.time() > request.deadline:
            return None, None
        proof = certify(solution, request.tolerance)
        return proven(point, solution, proof, time.perf_counter() - began), solution
    except InputError as refusal:  # a program too large for a proof; its geometry stands
        why = str(refusal)
    except Exception as error:  # whatever one point meets, the others are worth their time
        why = in_one_line(f"{type(error).__name__}: {error}", 300)
    seconds = time.perf_counter() - began
    row = without(FAILED, "", seconds) if solution is None else found(point, solution, seconds)
    return row | {"reason": why}, None
