"""Critical points of a loss on the ball or with a ridge, of any index: roots of the projected gradient."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from relax.descent.objective import Objective
from relax.norms import Ball

STEPS = 60  # of Levenberg and Marquardt
FARTHEST = 0.3  # that one number of the features moves in a step
ROOT = 1e-10  # a residual below is a root


def critical_points(
    features: Float64[np.ndarray, "starts n d"], objective: Objective
) -> Float64[np.ndarray, "roots n d"]:
    """Return the critical points that are found from features: descent finds minima only, this all kinds.

    What is minimised, each start on its own, is |R|², R = h − P(h − s ∇) with the projection P onto the ball,
    s ∇ with a ridge, by damped Gauss-Newton steps. R = 0 are the conditions of Karush, Kuhn and Tucker. Steps
    respect symmetries: samples that coincide at the start coincide at the end.

    References
    ----------
    Facchinei and Pang, Finite-Dimensional Variational Inequalities and Complementarity Problems, 2003, 1.5.8
    (the natural residual).
    """
    at = torch.from_numpy(features).flatten(1)
    shape, damping = features.shape[1:], torch.full((len(at),), 1e-2, dtype=torch.float64)
    residual, slope = _residual(at, shape, objective)
    for _ in range(STEPS):
        normal = slope.mT @ slope + damping[:, None, None] * torch.eye(at.shape[1], dtype=at.dtype)
        step = -torch.linalg.solve(normal, (slope.mT @ residual[..., None]))[..., 0]
        step = step * (FARTHEST / step.abs().amax(1, keepdim=True).clamp(min=FARTHEST))
        ahead, steeper = _residual(at + step, shape, objective)
        better = ahead.norm(dim=1) < residual.norm(dim=1)
        at, residual = (
            torch.where(better[:, None], new, old) for new, old in ((at + step, at), (ahead, residual))
        )
        slope = torch.where(better[:, None, None], steeper, slope)
        damping = torch.where(better, damping / 5, damping * 4).clamp(1e-14, 1e8)
        if (residual.norm(dim=1) <= ROOT).all():
            break
    there = residual.norm(dim=1) <= ROOT
    return at[there].reshape(-1, *shape).numpy()


def _residual(
    at: Float64[torch.Tensor, "starts N"], shape: tuple[int, ...], objective: Objective
) -> tuple[Float64[torch.Tensor, "starts N"], Float64[torch.Tensor, "starts N N"]]:
    """Return R and its Jacobian at each start."""
    n, dim = shape
    free = at.detach().requires_grad_()
    excess = objective.share([free.reshape(-1, n, dim)]).excess.sum()
    (gradient,) = torch.autograd.grad(excess, free, create_graph=True)
    count = at.shape[1]
    every = torch.eye(count, dtype=at.dtype)[:, None].expand(count, len(at), count)
    (rows,) = torch.autograd.grad(gradient, free, every, is_grads_batched=True)
    scale = n * objective.problem.temperature  # the gradient of one sample is 1/(nτ) or less
    gradient, hessian = scale * gradient.detach(), scale * rows.transpose(0, 1)
    if not isinstance(objective.problem.norm, Ball):
        return gradient, hessian
    aim = (at - gradient).reshape(-1, n, dim)
    size = aim.norm(dim=2, keepdim=True).clamp(min=1.0)
    unit = aim / size
    outside = (size > 1.0).to(at.dtype)
    projected = (torch.eye(dim) - outside[..., None] * unit[..., :, None] * unit[..., None, :]) / size[
        ..., None
    ]
    whole = torch.eye(count, dtype=at.dtype)
    moved = (projected @ (whole - hessian).reshape(-1, n, dim, count)).reshape(-1, count, count)
    return at - unit.flatten(1), whole - moved
