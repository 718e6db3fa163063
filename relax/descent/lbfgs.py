"""L-BFGS on the free parameters of many starts at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float64

from relax.descent.charts import INWARD
from relax.descent.objective import LEAST_EXCESS, Objective
from relax.endpoints import Descent, Trajectory
from relax.errors import InputError
from relax.facts import brief

MEMORY = 50  # curvature pairs of L-BFGS
ROUND = 300  # iterations between restarts of L-BFGS
SCALE = 1e8  # torch's L-BFGS drops curvature pairs with yᵀs ≤ 1e-10, whatever the objective's scale
LEAST_GAIN = 1e-12  # a round that lowers log(excess) by less than this per start is the last
MOST_RECORDED = 2**27  # numbers of a trajectory: a gigabyte

Free = list[Float64[torch.Tensor, "starts _ dim"]]


@brief
@dataclass(eq=False)
class Record:
    """The vectors of each role, and the loss, after every step so far."""

    losses: list[np.ndarray] = field(default_factory=list)
    vectors: list[list[np.ndarray]] = field(default_factory=list)

    def add(self, free: Free, objective: Objective) -> None:
        """Append a step.

        Raises
        ------
        InputError
            If all steps together are too large to keep.
        """
        with torch.no_grad():
            vectors = mapped(free, objective)
            share = objective.share(vectors)
        self.losses.append((share.floor + share.excess).numpy(force=True))
        self.vectors.append([role.numpy(force=True) for role in vectors])
        if len(self.vectors) * sum(role.numel() for role in vectors) > MOST_RECORDED:
            raise InputError(
                f"the trajectory is too large to keep after {len(self.losses)} steps; give fewer starts, "
                "fewer max_iterations or level='classes'"
            )

    def trajectory(self) -> Trajectory:
        """Return the steps as arrays."""
        *classifier, features = (np.stack(role) for role in zip(*self.vectors, strict=True))
        return Trajectory(np.stack(self.losses), features, classifier[0] if classifier else None)


def mapped(free: Free, objective: Objective) -> Free:
    """Return the vectors of each role."""
    return [chart.vectors(role) for chart, role in zip(objective.charts, free, strict=True)]


class _OutOfTime(Exception):  # noqa: N818 - it is no error
    """The deadline has passed in the middle of a search."""


def search(
    free: Free, objective: Objective, max_iterations: int, trajectory: bool, deadline: float = np.inf
) -> Descent:
    """Descend from free parameters, which are overwritten, and again each time norms are released."""
    record = Record() if trajectory else None
    evaluations, gradient = minimise(free, objective, max_iterations, record, deadline)
    while (released := objective.released) is not None:
        with torch.no_grad():
            for before, after, role in zip(objective.charts, released.charts, free, strict=True):
                role.mul_(INWARD if before.held != after.held == "within" else 1.0)
        objective = released
        more, gradient = minimise(free, objective, max_iterations, record, deadline)
        evaluations += more
    found = described(free, objective, gradient, evaluations)
    return found if record is None else replace(found, trajectory=record.trajectory())


def described(
    free: Free, objective: Objective, gradient: Float64[torch.Tensor, " starts"], evaluations: int
) -> Descent:
    """Return where parameters are, given the gradient norm of each start."""
    with torch.no_grad():
        vectors = mapped(free, objective)
        floor, excess = (part.numpy(force=True) for part in objective.share(vectors))
    flat = gradient.numpy(force=True) <= objective.flat
    *classifier, features = (role.numpy(force=True) for role in vectors)
    return Descent(
        features=features,
        labels=objective.labelled.classes,
        losses=floor + excess,
        excesses=excess,
        gradient_norms=gradient.numpy(force=True),
        converged=flat & (excess > LEAST_EXCESS) if objective.relative else flat,
        evaluations=evaluations,
        samples=objective.labelled.samples,
        classifier=classifier[0] if classifier else None,
    )


def minimise(
    free: Free, objective: Objective, max_iterations: int, record: Record | None, deadline: float = np.inf
) -> tuple[int, Float64[torch.Tensor, " starts"]]:
    """Move the parameters down `Objective.minimised` in place, until a round of L-BFGS gains nothing.

    At the deadline they may stand at a trial of the line search, which is a point like any other.

    Return the number of evaluations and the gradient norm of each start at the last point.
    """
    for role in free:
        role.requires_grad_()
    evaluations = iterations = 0

    def evaluate() -> torch.Tensor:
        nonlocal evaluations
        if evaluations and time.monotonic() > deadline:  # gradients are those of the last point
            raise _OutOfTime
        evaluations += 1
        for role in free:
            role.grad = None
        total = SCALE * objective.minimised(objective.share(mapped(free, objective)).excess)
        total.backward()
        return total

    before, after = np.inf, evaluate().item()
    if record is not None:
        record.add(free, objective)
    with contextlib.suppress(_OutOfTime):
        while iterations < max_iterations and after < before - SCALE * LEAST_GAIN * len(free[0]):
            iterations += _round(free, objective, evaluate, min(ROUND, max_iterations - iterations), record)
            with torch.no_grad():
                for chart, role in zip(objective.charts, free, strict=True):
                    role.copy_(chart.reduced(role))
            before, after = after, evaluate().item()
    squares = torch.stack([role.grad.square().sum((1, 2)) for role in free if role.grad is not None])
    return evaluations, squares.sum(0).sqrt() / SCALE


def _round(
    free: Free,
    objective: Objective,
    evaluate: Callable[[], torch.Tensor],
    most: int,
    record: Record | None,
) -> int:
    """Return the number of iterations of one run of L-BFGS, after which it forgets the curvature.

    To record its steps it is asked for one at a time, for which it evaluates each step's end once more.
    """
    calls, iterations = (1, most) if record is None else (most, 1)
    optimizer = torch.optim.LBFGS(
        free,
        max_iter=iterations,
        max_eval=4 * ROUND,
        tolerance_grad=1e-3 * SCALE * objective.flat,
        tolerance_change=0.0,
        history_size=MEMORY,
        line_search_fn="strong_wolfe",
    )
    for _ in range(calls):
        before = [role.detach().clone() for role in free]
        optimizer.step(evaluate)
        if all(torch.equal(role, there) for role, there in zip(free, before, strict=True)):
            break
        if record is not None:
            record.add(free, objective)
    return optimizer.state[free[0]]["n_iter"]
