"""Points that descent with small steps leads to bad minima from; plain NumPy, for SupCon on the sphere."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def labels_of(counts: list[int]) -> Array:
    return np.repeat(np.arange(len(counts)), counts)


def loss_and_gradient(H: Array, y: Array, tau: float) -> tuple[float, Array]:
    """The mean over anchors of L_out and its gradient in H, written out."""
    n = len(H)
    same = (y[:, None] == y) & ~np.eye(n, dtype=bool)
    size = same.sum(axis=1)
    anchors = size > 0
    x = H @ H.T / tau
    x[np.arange(n), np.arange(n)] = -np.inf
    top = x.max(axis=1)
    p = np.exp(x - top[:, None])
    z = p.sum(axis=1)
    q = same / np.maximum(size, 1)[:, None]
    rows = np.log(z) + top - (q * np.where(same, x, 0.0)).sum(axis=1)
    d = np.where(anchors[:, None], p / z[:, None] - q, 0.0) / (anchors.sum() * tau)
    return float(rows[anchors].mean()), (d + d.T) @ H


def descended(H: Array, counts: list[int], tau: float, steps: int = 20_000, small: float = 0.05) -> Array:
    """Small steps down the Riemannian gradient: none is longer than `small` for any sample."""
    y = labels_of(counts)
    H = H / np.linalg.norm(H, axis=1, keepdims=True)
    value, g = loss_and_gradient(H, y, tau)
    rate = 1.0
    for _ in range(steps):
        tangent = g - (g * H).sum(axis=1, keepdims=True) * H
        size = np.linalg.norm(tangent, axis=1).max()
        if size < 1e-11:
            break
        rate = min(rate * 1.5, small / size)
        while True:
            trial = H - rate * tangent
            trial /= np.linalg.norm(trial, axis=1, keepdims=True)
            below, slope = loss_and_gradient(trial, y, tau)
            if below <= value - 1e-4 * rate * (tangent**2).sum() or rate * size < 1e-13:
                break
            rate /= 2
        if rate * size < 1e-13:
            break
        H, value, g = trial, below, slope
    return H


def circle(degrees: list[float]) -> Array:
    angle = np.radians(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def stray(n: int, tau: float) -> Array:
    """Three classes of n in the plane, one sample of the first opposite to its siblings."""
    start = circle([0.0] * (n - 1) + [180.0] + [60.0] * n + [-60.0] * n)
    return descended(start, [n] * 3, tau)


def shattered(counts: list[int], dim: int, tau: float, seed: int, alone: int = 0) -> Array:
    """One class as a spherical code across the axis at whose ends the other classes are, then small steps."""
    rng = np.random.default_rng(seed)
    blocks, sign = [], 1.0
    for c, n in enumerate(counts):
        if c == alone:
            code = spread(rng.normal(size=(n, dim - 1)))
            blocks.append(np.column_stack([code, 0.05 * rng.normal(size=n)]))
        else:
            pole = np.zeros(dim)
            pole[-1] = sign
            sign = -sign
            blocks.append(np.tile(pole, (n, 1)) + 0.01 * rng.normal(size=(n, dim)))
    return descended(np.concatenate(blocks), counts, tau)


def spread(points: Array, steps: int = 3000) -> Array:
    """Points of a sphere that repel each other."""
    x = points / np.linalg.norm(points, axis=1, keepdims=True)
    if x.shape[1] == 1:
        return np.where(np.arange(len(x)) % 2, -1.0, 1.0)[:, None]
    for t in range(steps):
        w = np.exp(10 * (x @ x.T - 1))
        np.fill_diagonal(w, 0)
        x = x - 0.05 * (w @ x) / (1 + t / 1000)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x
