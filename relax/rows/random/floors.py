"""What the own population contributes by itself: the floor E[1{B>0} log B], and P(B > 0)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def own_draws(
    draws: int,
    base: float,
    multiplicity: float,
    own: Float[np.ndarray, " T"],
    total: Float[np.ndarray, " T"],
    replacement: bool,
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Return E[1{B>0} log B] and P(B > 0), B = base + multiplicity · (draws from the own population)."""
    found = np.array([_pmf(draws, o, t, replacement) for o, t in zip(own, total, strict=True)])
    value = base + multiplicity * np.arange(draws + 1)
    log = np.log(np.where(value > 0, value, 1.0))
    if base > 0:
        return found @ log, np.ones(len(own))
    if replacement:
        return found @ log, -np.expm1(draws * np.log1p(-own / total))
    left = total[:, None] - np.arange(draws)
    with np.errstate(divide="ignore"):
        missed = np.log(np.maximum(left - own[:, None], 0.0) / left)
        near = np.log1p(-np.minimum(own[:, None] / left, 0.5))
    return found @ log, -np.expm1(np.where(own[:, None] < 0.5 * left, near, missed).sum(axis=1))


def _pmf(draws: int, own: float, total: float, replacement: bool) -> Float[np.ndarray, " K1"]:
    """Return the binomial or hypergeometric distribution of the own draws, from its mode outward."""
    if own == 0 or own == total:
        return np.where(np.arange(draws + 1) == (draws if own else 0), 1.0, 0.0)
    least = 0 if replacement else max(0, draws - int(total - own))
    most = draws if replacement else min(draws, int(own))
    j = np.arange(least, most, dtype=float)
    gone = 0.0 * j if replacement else j  # of the own population, and of the rest
    taken = 0.0 * j if replacement else draws - 1.0 - j
    ratio = (draws - j) * (own - gone) / ((j + 1.0) * (total - own - taken))  # pmf(j + 1)/pmf(j)
    mode = int(np.searchsorted(-ratio, -1.0))
    after, before = np.cumprod(ratio[mode:]), np.cumprod(1.0 / ratio[:mode][::-1])[::-1]
    pmf = np.zeros(draws + 1)
    pmf[least : most + 1] = np.concatenate([before, [1.0], after])
    return pmf / pmf.sum()
