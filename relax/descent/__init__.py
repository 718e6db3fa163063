"""The nonconvex path: gradient descent on free features, many starts at once, for every loss."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from relax.descent.arrays import TorchArrays
from relax.descent.following import follow, freed, parameters
from relax.descent.lbfgs import MEMORY, described, search
from relax.descent.objective import MOST_ENTRIES, Objective, objective_of
from relax.descent.stochastic import Training, train
from relax.endpoints import Approach, Descent, Match, Trajectory, approach, certified, match
from relax.errors import InputError, between, expect, reason, worded
from relax.problem import Problem

__all__ = [
    "Approach",
    "Descent",
    "Match",
    "TorchArrays",
    "Training",
    "Trajectory",
    "approach",
    "certified",
    "check_descent",
    "descend",
    "descend_from",
    "match",
    "train",
]

GROUP_ENTRIES = 2**21  # similarities of the starts that share a search; larger arrays miss the cache
COPIES = 2 * MEMORY + 8  # of all parameters, which L-BFGS keeps
MOST_NUMBERS = 2**28  # that a search keeps: two gigabytes
MOST_DRAWN = 10**8  # numbers of all starting points: a gigabyte
SHAPE = "give an array of shape (starts, n, dim)"
START = 0.5  # root mean square norm of the random starts; only a ridge sees it


def descend(
    problem: Problem,
    dim: int,
    starts: int = 16,
    seed: int = 0,
    level: str = "auto",
    device: str = "cpu",
    max_iterations: int = 6000,
    trajectory: bool = False,
    time_limit: float | None = None,
) -> Descent:
    """Minimise a loss over free features (and classifiers) by L-BFGS, from random starts at once.

    What is minimised is the sum over the starts of log(excess), excess = loss − infimum: the optima and the
    stationary points are those of the loss, and the scale of the excess, e^{−2/τ} and less, drops out. A loss
    without an infimum over free similarities is minimised itself. Norms and signs are obeyed by smooth maps
    from free parameters (`Chart`); where norms are bounded, a first search holds them at the bound.

    Nothing here is a proof: a start may end in a local minimum. At level "samples" rounding hides excesses
    below about 1e-15 (τ < 0.06 for two classes); level "classes" takes collapse for granted and has no limit.
    A loss that does not see classes is not at its optimum where they collapse: its level is "samples".

    Parameters
    ----------
    problem : Problem
        Classes stand in the user's order, each `views` times its size. With `nonnegative`, no vector of any
        role has a negative entry.
    dim : int
        The dimension of the features. The optimum of the relaxation is within reach for dim ≥ k − 1 with k
        classes (k where nothing may be negative), n − 1 for n samples that do not collapse.
    starts, seed : int
        How many random starts, and the seed they all come from.
    level : {"auto", "samples", "classes"}
        Whether each sample has its own feature, or each class; "auto" takes samples up to 600 of them, and
        always where the nodes of the loss are no classes.
    device : str
        A torch device that has float64.
    max_iterations : int
        L-BFGS iterations, over all restarts; where norms are bounded, at the bound and again within.
    trajectory : bool
        Whether to keep the features and the loss after every iteration.
    time_limit : float, optional
        Seconds after which the starts are returned that a search was begun from, as far as it went.

    Returns
    -------
    Descent
        Features, losses and stationarity of every start.

    Raises
    ------
    InputError
        As `check_descent`, and if the trajectory is too large.

    References
    ----------
    Khosla et al., arXiv 2004.11362 (the loss L_out); Behnia and Thrampoulidis, arXiv 2402.18884 (landscape).
    """
    deadline = np.inf if time_limit is None else time.monotonic() + time_limit
    goal = check_descent(problem, dim, starts, seed, level, device, max_iterations)
    together = _together(goal, dim)
    draw = torch.Generator().manual_seed(int(seed))  # on the CPU, so that every device starts alike
    shapes = [(starts, len(copies), dim) for copies in goal.copies]
    drawn = [torch.randn(shape, generator=draw, dtype=torch.float64) for shape in reversed(shapes)][::-1]
    groups = [(START / dim**0.5 * role).split(together) for role in drawn]
    found = []
    for group in zip(*groups, strict=True):
        if found and time.monotonic() > deadline:
            break
        free = [chart.start(role.to(device)) for chart, role in zip(goal.charts, group, strict=True)]
        found.append(search(free, goal, max_iterations, trajectory, deadline))
    return _joined(found)


def descend_from(
    problem: Problem,
    features: Any,
    classifier: Any = None,
    reach: float = 0.05,
    level: str = "samples",
    device: str = "cpu",
    max_evaluations: int = 3000,
    time_limit: float | None = None,
) -> Descent:
    """Minimise a loss from given features, in steps that do not leave a basin that is wider than they are.

    Each start has an L-BFGS of its own and steps of its own, no vector moving farther than `reach` times
    their root mean square norm, and none going up. So it ends where a slow gradient flow would, or near it;
    `descend`, whose line search may cross a ridge, is for finding the lowest point.

    Parameters
    ----------
    problem : Problem
        As for `descend`.
    features : array, shape (starts, n, dim)
        A vector for each sample (view), or class, in the order of `Descent.labels`; brought to the norm of
        the problem, and to non-negative entries where it asks for them.
    classifier : array, shape (starts, k, dim), optional
        Its vectors where the loss has some; the means of the classes' features by default.
    reach : float
        The longest step of a vector.
    level, device
        As for `descend`.
    max_evaluations : int
        Evaluations of loss and gradient, each of all starts that are under way.
    time_limit : float, optional
        Seconds after which all starts are returned as far as they came.

    Returns
    -------
    Descent
        As `descend` returns it.

    Raises
    ------
    InputError
        As `check_descent`, and if the features are not finite numbers of this shape.

    Examples
    --------
    >>> import numpy as np
    >>> from relax import Problem
    >>> problem = Problem([3, 3], temperature=0.5)
    >>> flipped = np.array([[[1.0, 0.1], [1, 0], [-1, 0], [-1, 0], [-1, 0], [-1, 0]]])
    >>> bool(descend_from(problem, flipped).converged[0])
    True
    """
    deadline = np.inf if time_limit is None else time.monotonic() + time_limit
    start = given(features, "features")
    goal = freed(check_descent(problem, start.shape[2], len(start), level=level, device=device))
    reach = between(reach, 0, math.inf, "reach", "0.05")
    _check_whole("max_evaluations", max_evaluations, 1, 2**53)
    free = parameters_of(goal, start, None if classifier is None else given(classifier, "classifier"))
    found = follow(free, goal, reach, max_evaluations, deadline)
    return described(found.free, goal, found.gradient_norms, found.evaluations)


def parameters_of(
    goal: Objective, features: torch.Tensor, classifier: torch.Tensor | None = None
) -> list[torch.Tensor]:
    """Return the parameters of given vectors; a classifier that is not given has the means of the classes.

    Raises
    ------
    InputError
        If there is not a vector for each feature, or class.
    """
    roles = [features.to(goal.xp.device)]
    if len(goal.charts) == 2:
        classes = torch.eye(len(goal.copies[0]), dtype=torch.float64)[torch.from_numpy(goal.labelled.classes)]
        means = (classes / classes.sum(0)).mT.to(roles[0]) @ roles[0]
        roles.insert(0, means if classifier is None else classifier.to(roles[0]))
    for vectors, copies in zip(roles, goal.copies, strict=True):
        if vectors.shape != (len(features), len(copies), features.shape[2]):
            raise InputError(
                f"given vectors have shape {tuple(vectors.shape)}; give {len(copies)} to each start, "
                f"in dim = {features.shape[2]}"
            )
    return [parameters(chart, role) for chart, role in zip(goal.charts, roles, strict=True)]


def given(vectors: Any, what: str) -> torch.Tensor:
    """Return vectors as a new tensor of float64."""
    try:
        array = np.array(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} are no array of numbers ({reason(error)}); {SHAPE}") from error
    if array.ndim != 3 or 0 in array.shape or not np.isfinite(array).all():
        raise InputError(f"{what} {worded(vectors)} are no finite numbers of that shape; {SHAPE}")
    return torch.from_numpy(array)


def _together(goal: Objective, dim: int) -> int:
    """Return how many starts search together, or refuse where one start is too large."""
    numbers = COPIES * dim * sum(len(copies) for copies in goal.copies)
    if numbers > MOST_NUMBERS:
        raise InputError(
            f"a descent in dim = {dim} keeps {numbers:.1e} numbers, more than {MOST_NUMBERS:.0e}; "
            "give a smaller dimension or fewer classes"
        )
    return max(1, min(GROUP_ENTRIES // goal.entries, MOST_NUMBERS // numbers))


def check_descent(
    problem: Problem,
    dim: int,
    starts: int = 16,
    seed: int = 0,
    level: str = "auto",
    device: str = "cpu",
    max_iterations: int = 6000,
) -> Objective:
    """Return what `descend` would minimise, or refuse what it cannot do.

    Raises
    ------
    InputError
        If an integer is not one or not positive (a seed: from 0 to 2**64 − 1), `level` is unknown, the device
        has no float64, the loss has vectors that are neither features nor classifiers, or there are so many
        features that one Gram matrix, what a search keeps, or the starting points, are too large.
    """
    expect(problem, Problem, "problem", "give a Problem: descend(Problem([12, 6, 3]), dim=2)")
    for name, number in {"dim": dim, "starts": starts, "max_iterations": max_iterations}.items():
        _check_whole(name, number, 1, 2**53)
    _check_whole("seed", seed, 0, 2**64 - 1)
    _check_device(device)
    goal = objective_of(problem, level, device)
    if starts * dim > MOST_ENTRIES:
        raise InputError(f"dim = {worded(dim)} for {worded(starts)} starts is too much; give smaller numbers")
    _together(goal, dim)
    drawn = starts * dim * sum(len(copies) for copies in goal.copies)
    if drawn > MOST_DRAWN:
        raise InputError(
            f"starts {starts} in dimension {dim} draw {drawn:.1e} numbers, more than {MOST_DRAWN:.0e}; "
            "give fewer starts or a smaller dimension"
        )
    return goal


def _check_whole(name: str, number: Any, least: int, most: int) -> None:
    if not least <= expect(number, int, name, "give a whole number") <= most:
        many = f"at least {least}" if number < least else f"at most {most}"
        raise InputError(f"{name} = {worded(number)} must be {many}")


def _check_device(device: str) -> None:
    expect(device, (str, torch.device), "device", "give 'cpu'")
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:  # torch raises all three
        raise InputError(
            f"device {worded(device)} holds no float64 tensors here; give device='cpu'"
        ) from error


def _joined(parts: list[Descent]) -> Descent:
    names = ["features", "losses", "excesses", "gradient_norms", "converged"]
    if parts[0].classifier is not None:
        names.append("classifier")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    trajectories = [part.trajectory for part in parts if part.trajectory is not None]
    return replace(
        parts[0],
        **columns,
        evaluations=sum(part.evaluations for part in parts),
        trajectory=Trajectory.beside(trajectories) if trajectories else None,
    )
