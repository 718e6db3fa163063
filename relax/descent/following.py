"""Descent from given vectors in small steps: each start by an L-BFGS of its own, which leaves no basin."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float64

from relax.descent.charts import INWARD, Chart
from relax.descent.lbfgs import Free, mapped
from relax.descent.objective import Objective
from relax.facts import brief

MEMORY = 8  # curvature pairs of a start; more are slower, and in valleys worse
DECREASE = 1e-4  # of what the slope promises, which a step must keep (Armijo)
ROUNDING = 1e-13  # a loss this much larger is no increase, where the slope fell
LEAST_STEP = 1e-9  # of a direction; below, the curvature is forgotten, and then the start is done
CROWD = 0.75  # the part of the starts still under way at which the others leave the batch

Flat = Float64[torch.Tensor, "starts numbers"]
Each = Float64[torch.Tensor, " starts"]


@brief
@dataclass(frozen=True, eq=False)
class Followed:
    """Where starts ended: parameters of each role, ‖∇‖ of what is minimised, and batched evaluations."""

    free: Free
    gradient_norms: Each
    evaluations: int


@brief
@dataclass(eq=False)
class _Walk:
    """The state of all starts that are under way: where, how high, which way, and what they remember."""

    at: Flat
    value: Each
    slope: Flat
    way: Flat
    step: Each
    moved: Float64[torch.Tensor, "memory starts numbers"]
    turned: Float64[torch.Tensor, "memory starts numbers"]
    done: Bool[torch.Tensor, " starts"]

    def of(self, which: torch.Tensor) -> _Walk:
        """Return some of the starts."""
        return _Walk(
            self.at[which], self.value[which], self.slope[which], self.way[which], self.step[which],
            self.moved[:, which], self.turned[:, which], self.done[which],
        )  # fmt: skip


def freed(objective: Objective) -> Objective:
    """Return the objective whose charts hold norms as the problem does, and no more."""
    while (released := objective.released) is not None:
        objective = released
    return objective


def parameters(chart: Chart, vectors: Float64[torch.Tensor, "starts n dim"]) -> torch.Tensor:
    """Return parameters of given vectors, first brought to what the norm allows; see `Chart.vectors`.

    Vectors at a bound begin a little within it: at the fold of the chart the radial slope is zero, and a
    descent would not see that a shorter vector is better.
    """
    plain = vectors
    if chart.held != "free":
        size = chart.size(plain)
        factor = size.clamp(min=1.0) if chart.held == "within" else size
        plain = plain / factor.sqrt()
        if chart.held == "within":  # the inverse of 2v/(1+q) inside the fold
            plain = plain / (1 + (1 - size / factor).sqrt())
            length = chart.size(plain).sqrt()
            plain = plain * (INWARD / length.clamp(min=INWARD))
    return plain.abs().sqrt() if chart.nonnegative else plain


def follow(
    free: Free,
    objective: Objective,
    reach: float = 0.05,
    max_evaluations: int = 3000,
    deadline: float = float("inf"),
) -> Followed:
    """Go down from given parameters, no vector farther than `reach` in a step, each start on its own.

    Parameters
    ----------
    free : list of tensors, shape (starts, n, dim)
        Parameters of each role (`parameters`).
    objective : Objective
        What to minimise, its charts as `freed` returns them.
    reach : float
        The longest step of one vector, beside the root mean square norm of the start's parameters: basins
        that are wider are not left.
    max_evaluations : int
        Batched evaluations of loss and gradient.
    deadline : float
        Of `time.monotonic`, at which what was reached is returned.
    """
    shapes = [role.shape[1:] for role in free]
    sizes = [shape.numel() for shape in shapes]

    def parted(flat: Flat) -> Free:
        split = flat.split(sizes, dim=1)
        return [part.reshape(-1, *shape) for part, shape in zip(split, shapes, strict=True)]

    def evaluate(flat: Flat) -> tuple[Each, Flat]:
        flat = flat.detach().requires_grad_()
        excess = objective.share(mapped(parted(flat), objective)).excess
        total = objective.minimised(excess)
        (slope,) = torch.autograd.grad(total, flat)
        with torch.no_grad():
            return objective.each(excess), slope

    def capped(way: Flat, at: Flat) -> Flat:
        pairs = zip(objective.charts, parted(at), parted(way), strict=True)
        way = torch.cat([chart.tangential(*pair).flatten(1) for chart, *pair in pairs], dim=1)
        longest = torch.cat([part.square().sum(-1) for part in parted(way)], dim=1).amax(1).sqrt()
        rows = sum(shape[0] for shape in shapes)
        allowed = reach * (at.square().sum(1) / rows).sqrt()
        return way * (allowed / longest.clamp(min=1e-300)).clamp(max=1.0)[:, None]

    at = torch.cat([role.detach().flatten(1) for role in free], dim=1)
    ends, slopes, evaluations = _walked(at, evaluate, capped, objective.flat, max_evaluations, deadline)
    roles = [chart.reduced(role) for chart, role in zip(objective.charts, parted(ends), strict=True)]
    return Followed(roles, slopes, evaluations)


def _walked(
    at: Flat,
    evaluate: Callable[[Flat], tuple[Each, Flat]],
    capped: Callable[[Flat, Flat], Flat],
    flat: float,
    most: int,
    deadline: float,
) -> tuple[Flat, Each, int]:
    value, slope = evaluate(at)
    memory = at.new_zeros((MEMORY, *at.shape))
    # the first step is as long as allowed: curvature is not known yet
    way = capped(-slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-300), at)
    step = torch.ones_like(value)
    walk = _Walk(at, value, slope, way, step, memory, memory.clone(), slope.norm(dim=1) <= flat)
    where, ends, slopes = torch.arange(len(at)), at.clone(), slope.norm(dim=1)
    evaluations = 1
    while evaluations < most and not walk.done.all() and time.monotonic() < deadline:
        if (~walk.done).float().mean() < CROWD:
            ends[where], slopes[where] = walk.at, walk.slope.norm(dim=1)
            walk, where = walk.of(~walk.done), where[~walk.done]
        walk = _stepped(walk, evaluate, capped, flat)
        evaluations += 1
    ends[where], slopes[where] = walk.at, walk.slope.norm(dim=1)
    return ends, slopes, evaluations


def _stepped(
    walk: _Walk,
    evaluate: Callable[[Flat], tuple[Each, Flat]],
    capped: Callable[[Flat, Flat], Flat],
    flat: float,
) -> _Walk:
    """Try each start's step: those that go down enough take it and look for a new way, others halve it."""
    move = walk.step[:, None] * walk.way
    value, slope = evaluate(walk.at + move)
    promised, left = (walk.slope * move).sum(1), (slope * move).sum(1)
    level = value <= walk.value + ROUNDING * walk.value.abs().clamp(min=1.0)
    taken = (value <= walk.value + DECREASE * promised) | (level & (left.abs() <= 0.9 * promised.abs()))
    taken &= ~walk.done
    pair = taken[:, None]
    moved = _pushed(walk.moved, move, taken)
    turned = _pushed(walk.turned, slope - walk.slope, taken)
    at, slope = torch.where(pair, walk.at + move, walk.at), torch.where(pair, slope, walk.slope)
    way = torch.where(pair, _way(slope, moved, turned), walk.way)
    step = torch.where(taken, torch.ones_like(walk.step), walk.step / 2)
    stuck = (step < LEAST_STEP) & ~walk.done
    hopeless = stuck & (moved.abs().amax((0, 2)) == 0)
    uphill = (stuck & ~hopeless) | ((slope * way).sum(1) >= 0)
    moved, turned = (torch.where(uphill[:, None], 0.0, part) for part in (moved, turned))
    way = capped(torch.where(uphill[:, None], -slope, way), at)
    step = torch.where(stuck, torch.ones_like(step), step)
    done = walk.done | hopeless | (slope.norm(dim=1) <= flat)
    value = torch.where(taken, value, walk.value)
    return replace(
        walk, at=at, value=value, slope=slope, way=way, step=step, moved=moved, turned=turned, done=done
    )


def _pushed(memory: torch.Tensor, new: Flat, taken: torch.Tensor) -> torch.Tensor:
    """Return a memory with a newest entry, for the starts that took their step."""
    rolled = torch.cat([memory[1:], new[None]])
    return torch.where(taken[:, None], rolled, memory)


def _way(slope: Flat, moved: torch.Tensor, turned: torch.Tensor) -> Flat:
    """Return −(approximate inverse Hessian) · slope by the two loops of L-BFGS, each start on its own.

    References
    ----------
    Nocedal, Updating quasi-Newton matrices with limited storage, Math. Comp. 1980,
    doi 10.1090/S0025-5718-1980-0572855-7.
    """
    product = (moved * turned).sum(2)
    good = product > 1e-14 * moved.norm(dim=2) * turned.norm(dim=2)
    inverse = torch.where(good, 1 / torch.where(good, product, 1.0), 0.0)
    q, shares = slope, []
    for s, y, r in zip(reversed(moved), reversed(turned), reversed(inverse), strict=True):
        share = r * (s * q).sum(1)
        q = q - share[:, None] * y
        shares.append(share)
    newest = product[-1] / turned[-1].square().sum(1).clamp(min=1e-300)
    q = q * torch.where(good[-1], newest, 1.0)[:, None]
    for s, y, r, share in zip(moved, turned, inverse, reversed(shares), strict=True):
        q = q + (share - r * (y * q).sum(1))[:, None] * s
    return -q
