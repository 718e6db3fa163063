"""The search of the landscape of a loss, dimension by dimension."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from certify.landscape.found import Landscape, Slice
from certify.landscape.optimum import Optimum
from relax.errors import InputError, expect, worded
from relax.problem import Problem

MOST_DIMENSIONS = 64
MOST_IDLE = 2**27  # numbers of the matrix of rotations, one column each: a gigabyte


def explore(
    problem: Problem,
    dims: int | Iterable[int],
    starts: int = 256,
    seed: int = 0,
    time_limit: float | None = None,
    show: Callable[[str], None] = lambda _: None,
    keep: Callable[[Landscape], None] = lambda _: None,
) -> Landscape:
    """Search for the minima and saddles of a loss over free features, in each of some dimensions.

    Random starts first; then seeds that random starts miss, made from the lowest point found: one flipped
    sample of each class, shattered classes (all samples alone, as antipodal pairs on orthogonal axes or as a
    spherical code, other classes at opposite poles), pairs of classes merged, fewer dimensions, classes
    permuted. Each goes down in steps that leave no basin wider than a twentieth
    (`relax.descent.descend_from`); each end is polished by Newton's method modulo rotations, and judged by
    its curvatures. From every saddle both ways along the most negative curvature are followed, until nothing
    new is found.

    All of it is a search in float64: a point called a minimum is one to rounding, and nothing is said about
    minima that were not found. Only the optimum that gaps are measured against is proven.

    In one dimension features on the sphere are signs, and no curve leads from one to another. There a
    minimum is a sign vector that no flip of one sample lowers.

    Parameters
    ----------
    problem : Problem
        Any loss that `relax.descent.descend` knows, at any norm.
    dims : int or iterable of int
        Dimensions of the features.
    starts, seed : int
        Random starts in each dimension, and what they are drawn by.
    time_limit : float, optional
        Seconds, after which what was found is returned; the first dimension begins in any case.
    show, keep : function
        Called with what is being done, and with all that is known after each dimension.

    Raises
    ------
    InputError
        If the dimensions are not distinct positive numbers, or one is so large that its rotations are too
        many; if the temperature is so small that the scale of gaps is below float64; or as
        `relax.descent.check_descent`.
    SolverError
        If no lower bound of the loss could be proven.

    References
    ----------
    Behnia and Thrampoulidis, arXiv 2402.18884 (the claim that is searched for exceptions).
    """
    from relax.descent import check_descent  # torch is loaded where tensors are

    began = time.monotonic()
    asked = _dimensions(dims)
    for dim in asked:
        goal = check_descent(problem, dim, starts, seed, level="samples")
        _check_rotations(dim, sum(map(len, goal.copies)))
    show("solving and proving the optimum")
    optimum = Optimum.of(problem)
    deadline = np.inf if time_limit is None else began + time_limit
    found: list[Slice] = []

    def landscape() -> Landscape:
        return Landscape(problem, optimum, tuple(found), asked, seed, time.monotonic() - began)

    for dim in asked:
        if found and time.monotonic() > deadline:
            break
        show(f"searching d = {dim}")
        found.append(_slice(problem, dim, starts, seed, optimum, deadline))
        keep(landscape())
    return landscape()


def _slice(problem: Problem, dim: int, starts: int, seed: int, optimum: Optimum, deadline: float) -> Slice:
    """Search one dimension; its random numbers do not depend on which others are searched."""
    from certify.landscape.flips import flipped_down
    from certify.landscape.search import Search
    from relax.descent import check_descent, freed

    goal = freed(check_descent(problem, dim, starts, seed, level="samples"))
    random = np.random.default_rng([seed, dim])
    if dim == 1 and all(chart.held == "each" for chart in goal.charts):
        if len(goal.charts) > 1:
            raise InputError(
                f"{problem.loss.name} has features and classifiers that are signs in one dimension, whose "
                "flips are not searched; give dims from 2 on"
            )
        points, seeded, evaluations, complete = flipped_down(goal, optimum, starts, random, deadline)
    else:
        search = Search(goal, optimum, deadline)
        search.run(dim, starts, random)
        points, seeded, evaluations, complete = (
            search.points, search.seeded, search.evaluations, search.complete
        )  # fmt: skip
    ordered = tuple(sorted(points, key=lambda point: point.gap))
    return Slice(dim, ordered, starts, seeded, evaluations, complete, optimum)


def _check_rotations(dim: int, vectors: int) -> None:
    if vectors * dim * (dim * (dim - 1) // 2) > MOST_IDLE:
        raise InputError(
            f"dims {dim} has too many rotations to project out of the Hessian of {vectors} vectors; "
            "give smaller ones"
        )


def _dimensions(dims: int | Iterable[int]) -> tuple[int, ...]:
    mend = "give e.g. 2, (2, 3) or range(1, 7)"
    if isinstance(dims, str) or not isinstance(dims, (int, np.integer, Iterable)):
        raise InputError(f"dims {worded(dims)} are no dimensions; {mend}")
    listed = list(_taken(dims)) if isinstance(dims, Iterable) else [dims]
    for dim in listed:
        expect(dim, int, "a dimension", mend)
    found = tuple(int(dim) for dim in listed)
    if not found or len(found) > MOST_DIMENSIONS or len(set(found)) < len(found) or min(found) < 1:
        raise InputError(
            f"dims {worded(list(found))} must be 1 to {MOST_DIMENSIONS} different positive numbers; {mend}"
        )
    return found


def _taken(dims: Iterable[int]) -> Iterator[int]:
    """Return no more of an iterable than can be refused."""
    for count, dim in enumerate(dims):
        yield dim
        if count >= MOST_DIMENSIONS:
            return
