"""Stationary points: gradients and Hessians of a loss modulo what moves nothing, and Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from scipy.sparse.linalg import LinearOperator, eigsh, minres

from relax.descent.lbfgs import Free, mapped
from relax.descent.objective import Objective
from relax.facts import brief

DENSE = 600  # parameters up to which the Hessian is a matrix; beyond, Lanczos and MINRES multiply with it
TOGETHER = 2**20  # similarities of the copies whose Hessian products are taken at once
STEPS = 12  # of Newton's method
SLOW_STEPS, SLOW_REACH = 25, 0.1  # of its damped form, and their length beside that of a vector
SETTLED = 1e-9  # a gradient below this part of the largest curvature is zero
FARTHEST = 0.3  # a point that Newton's method moves farther, beside its own length, is another one
INDEPENDENT = 1e-7  # singular values below this part of the largest count as zero
FLAT = 1e-9  # curvatures below this part of the largest count as zero in Newton's steps
LOWEST = 6  # eigenvalues that Lanczos finds


@brief
@dataclass(frozen=True, eq=False)
class Local:
    """A loss at one point to second order, in its parameters modulo what moves nothing or everything.

    Attributes
    ----------
    free : list of tensors, shape (1, n, dim)
        The point.
    gradient : (N,) array
        Of the loss.
    lowest : (q,) array
        The smallest eigenvalues of the Hessian on the complement of rotations and radii, ascending.
    directions : (q, N) array
        Their unit eigenvectors.
    largest : float
        The largest eigenvalue in absolute value.
    multipliers : (n,) array
        −⟨h_i, ∇_i L⟩ / (2 ‖h_i‖²) of every feature, L without what norms cost; zero where h_i is.
    """

    free: Free
    gradient: Float64[np.ndarray, " N"]
    lowest: Float64[np.ndarray, " q"]
    directions: Float64[np.ndarray, "q N"]
    largest: float
    multipliers: Float64[np.ndarray, " n"]


def displaced(places: Sequence[Local], length: float) -> Free:
    """Return points moved along their lowest directions, both ways: two starts of each.

    `length` is that of the move beside the root mean square norm of the parameters of a vector.
    """
    ends = []
    for place in places:
        rows = sum(role.shape[1] for role in place.free)
        unit = length * float(np.linalg.norm(_joined(place.free))) / rows**0.5
        ends += [_shifted(place.free, sign * unit * place.directions[0]) for sign in (1, -1)]
    return [torch.cat(starts) for starts in zip(*ends, strict=True)]


def polished(free: Free, objective: Objective) -> Free:
    """Return the stationary point next to parameters of one start, by Newton's method on the quotient.

    Where it finds none, descent had not come near one: then down by Newton's method with the absolute values
    of the curvatures, in short steps, and once more.
    """
    found, size, top = _root(free, objective)
    if size > SETTLED * top and sum(role.numel() for role in free) <= DENSE:
        found, *_ = _root(_lowered(free, objective), objective)
    return found


def _root(free: Free, objective: Objective) -> tuple[Free, float, float]:
    """Return the zero of the gradient nearby, the gradient's norm there, and the largest curvature.

    Steps that leave the neighbourhood, or do not lower the gradient, are not taken: the result is as near as
    rounding, or the point itself, allows.
    """
    top = 0.0
    best, smallest, started = free, np.inf, _joined(free)
    for _ in range(STEPS):
        gradient, step, top = _newton(free, objective)
        size = float(np.linalg.norm(gradient))
        moved = float(np.linalg.norm(_joined(free) - started)) / max(float(np.linalg.norm(started)), 1e-300)
        if size >= smallest or moved > FARTHEST:
            break
        best, smallest = free, size
        free = _shifted(free, step)
        free = [chart.reduced(role) for chart, role in zip(objective.charts, free, strict=True)]
    return best, smallest, top


def _lowered(free: Free, objective: Objective) -> Free:
    """Go down by steps −|H|⁻¹∇ of what is minimised, which leave saddles; none is long, none goes up.

    References
    ----------
    Dauphin et al., Identifying and attacking the saddle point problem, arXiv 1406.2572.
    """
    size = float(np.linalg.norm(_joined(free))) / sum(role.shape[1] for role in free) ** 0.5
    height, length = _height(free, objective), SLOW_REACH * size
    for _ in range(SLOW_STEPS):
        gradient, rest, values, vectors = _spectrum(free, objective)
        shares = vectors.T @ (rest.T @ gradient)
        step = -rest @ (vectors @ (shares / np.maximum(np.abs(values), FLAT * np.abs(values).max())))
        step *= min(1.0, length / max(float(np.abs(step).max()), 1e-300))
        trial = [chart.reduced(r) for chart, r in zip(objective.charts, _shifted(free, step), strict=True)]
        reached = _height(trial, objective)
        if reached < height:
            gained, free, height = height - reached, trial, reached
            length = min(2 * length, SLOW_REACH * size)
            if gained < 1e-15 * abs(height):
                break
        else:
            length /= 4
            if length < 1e-9 * size:
                break
    return free


def _height(free: Free, objective: Objective) -> float:
    with torch.no_grad():
        return float(objective.share(mapped(free, objective)).excess)


def local(free: Free, objective: Objective) -> Local:
    """Return the loss to second order at parameters of one start."""
    if sum(role.numel() for role in free) <= DENSE:
        gradient, rest, values, vectors = _spectrum(free, objective)
        largest = float(np.abs(values).max(initial=0.0))
        return Local(free, gradient, values, (rest @ vectors).T, largest, multipliers(free, objective))
    gradient, idle = _gradient(free, objective), _idle(free, objective)
    operator, largest = _operator(free, objective, idle)
    start = np.random.default_rng(0).normal(size=len(gradient))
    values, vectors = eigsh(operator, k=LOWEST, which="SA", v0=start - idle @ (idle.T @ start))
    order = np.argsort(values)
    lowest, directions = values[order], vectors[:, order].T
    return Local(free, gradient, lowest, directions, largest, multipliers(free, objective))


def hessian(free: Free, objective: Objective) -> Float64[np.ndarray, "N N"]:
    """Return the Hessian of the loss in the parameters of one start, a product for each column."""
    count = sum(role.numel() for role in free)
    batch = max(1, TOGETHER // objective.entries)
    columns = np.eye(count)
    found = [_products(free, objective, columns[at : at + batch]) for at in range(0, count, batch)]
    matrix = np.concatenate(found)
    return (matrix + matrix.T) / 2


def _newton(free: Free, objective: Objective) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the gradient, the step that Newton's method takes on the quotient, the largest curvature."""
    if sum(role.numel() for role in free) > DENSE:
        gradient, idle = _gradient(free, objective), _idle(free, objective)
        operator, top = _operator(free, objective, idle)
        step, _ = minres(operator, -(gradient - idle @ (idle.T @ gradient)), rtol=1e-8, maxiter=400)
        return gradient, step - idle @ (idle.T @ step), top
    gradient, rest, values, vectors = _spectrum(free, objective)
    curved = np.abs(values) > FLAT * np.abs(values).max(initial=0.0)
    shares = -(vectors.T @ (rest.T @ gradient))[curved] / values[curved]
    return gradient, rest @ (vectors[:, curved] @ shares), float(np.abs(values).max(initial=0.0))


def _spectrum(free: Free, objective: Objective) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradient, a basis of what moves something, the Hessian's eigenvalues and vectors there."""
    rest = _complement(_idle(free, objective))
    values, vectors = np.linalg.eigh(rest.T @ hessian(free, objective) @ rest)
    return _gradient(free, objective), rest, values, vectors


def _operator(free: Free, objective: Objective, idle: np.ndarray) -> tuple[LinearOperator, float]:
    """Return the Hessian with its largest curvature on what moves nothing, and that curvature."""
    count = len(idle)

    def projected(v: np.ndarray) -> np.ndarray:
        v = v.ravel() - idle @ (idle.T @ v.ravel())
        product = _products(free, objective, v[None])[0]
        return product - idle @ (idle.T @ product)

    plain = LinearOperator((count, count), matvec=projected, dtype=np.float64)  # type: ignore[call-arg]
    start = np.random.default_rng(0).normal(size=count)
    values = eigsh(plain, k=1, which="LM", v0=start, return_eigenvectors=False)
    top = float(np.abs(values[0]))

    def lifted(v: np.ndarray) -> np.ndarray:
        return projected(v) + top * (idle @ (idle.T @ v.ravel()))

    return LinearOperator((count, count), matvec=lifted, dtype=np.float64), top  # type: ignore[call-arg]


def _gradient(free: Free, objective: Objective) -> Float64[np.ndarray, " N"]:
    roles = [role.detach().requires_grad_() for role in free]
    excess = objective.share(mapped(roles, objective)).excess.sum()
    return _joined(list(torch.autograd.grad(excess, roles)))


def multipliers(free: Free, objective: Objective) -> Float64[np.ndarray, " n"]:
    """Return −⟨h_i, ∇_i L⟩ / (2 ‖h_i‖²) of every feature of one start; see `Local`."""
    with torch.no_grad():
        vectors = mapped(free, objective)
    features = vectors[-1].requires_grad_()
    (slope,) = torch.autograd.grad(objective.share(vectors).excess.sum(), features)
    squared = features.square().sum(-1)
    pull, nothing = (features * slope).sum(-1), 1e-20
    if objective.charts[-1].held == "free":  # a ridge pays a multiple of ‖h‖²
        pull = pull - 2 * objective.charts[-1].norm.cost(squared[..., None], objective.xp)
        nothing = 1e-12 * objective.problem.temperature  # descent to zero leaves this much
    there = squared > nothing
    found = torch.where(there, -pull / (2 * torch.where(there, squared, 1.0)), 0.0)
    return found[0].numpy(force=True)


def _products(free: Free, objective: Objective, tangents: np.ndarray) -> Float64[np.ndarray, "b N"]:
    """Return the products of the Hessian with b vectors, from as many copies of the point."""
    count = len(tangents)
    roles = [role.detach().expand(count, -1, -1).clone().requires_grad_() for role in free]
    excess = objective.share(mapped(roles, objective)).excess.sum()
    slopes = torch.autograd.grad(excess, roles, create_graph=True)
    parts = np.split(tangents, np.cumsum([role.shape[1] * role.shape[2] for role in roles])[:-1], axis=1)
    along = [torch.from_numpy(part).reshape(role.shape) for part, role in zip(parts, roles, strict=True)]
    found = torch.autograd.grad(slopes, roles, along, materialize_grads=True)
    return np.concatenate([part.flatten(1).numpy(force=True) for part in found], axis=1)


def _idle(free: Free, objective: Objective) -> Float64[np.ndarray, "N q"]:
    """Return orthonormal directions that move nothing, or all vectors alike: radii and rotations."""
    roles = [role[0].numpy(force=True) for role in free]
    directions = []
    for which, (chart, role) in enumerate(zip(objective.charts, roles, strict=True)):
        if chart.held == "each":
            own = np.eye(len(role))[:, :, None] * role[:, None, :]  # (n, n, dim): one vector each
            directions += [_beside(roles, which, one) for one in own]
        elif chart.held == "all":
            directions.append(_beside(roles, which, role))
    if not any(chart.nonnegative for chart in objective.charts):
        dim = roles[0].shape[1]
        for a in range(dim):
            for b in range(a):
                turn = np.zeros((dim, dim))
                turn[a, b], turn[b, a] = 1.0, -1.0
                directions.append(np.concatenate([(role @ turn).ravel() for role in roles]))
    count = sum(role.size for role in roles)
    if not directions:
        return np.zeros((count, 0))
    left, sizes, _ = np.linalg.svd(np.stack(directions, axis=1), full_matrices=False)
    return left[:, sizes > INDEPENDENT * sizes[0]]


def _beside(roles: list[np.ndarray], which: int, own: np.ndarray) -> np.ndarray:
    """Return a direction that moves one role, and no other."""
    parts = [own if at == which else np.zeros_like(role) for at, role in enumerate(roles)]
    return np.concatenate([part.ravel() for part in parts])


def _complement(idle: Float64[np.ndarray, "N q"]) -> Float64[np.ndarray, "N r"]:
    return np.linalg.qr(idle, mode="complete")[0][:, idle.shape[1] :]


def _joined(roles: Free) -> Float64[np.ndarray, " N"]:
    return np.concatenate([role.detach().numpy(force=True).ravel() for role in roles])


def _shifted(free: Free, step: np.ndarray) -> Free:
    parts = np.split(step, np.cumsum([role.numel() for role in free])[:-1])
    return [
        role.detach() + torch.from_numpy(part).reshape(role.shape)
        for role, part in zip(free, parts, strict=True)
    ]
