"""Rows over random draws by enumeration of all draws, in mpmath; shares no code with what it tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb, factorial, prod
from typing import Any, NamedTuple

import mpmath


class Exact(NamedTuple):
    """E[1{B>0} log(X/B)], and its derivatives by the exponents of single peers."""

    excess: Any
    slope: list[Any]
    hessian: list[list[Any]]
    floor: Any


def compositions(total: int, caps: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(caps) == 1:
        if total <= caps[0]:
            yield (total,)
        return
    for first in range(min(total, caps[0]) + 1):
        for rest in compositions(total - first, caps[1:]):
            yield (first, *rest)


def enumerated(
    draws: int,
    populations: Sequence[int],
    replacement: bool,
    multiplicities: Sequence[Any],
    rise: Sequence[Any],
) -> Exact:
    """Enumerate all draws.

    Populations: own first, then one for each single peer; multiplicities: base, own, peer; rise:
    (x_e − x_own)/τ of each peer.
    """
    m, n = len(rise), sum(populations)
    base, own_multiplicity, peer_multiplicity = multiplicities
    a = [peer_multiplicity * mpmath.exp(d) for d in rise]
    excess, floor = mpmath.mpf(0), mpmath.mpf(0)
    slope = [mpmath.mpf(0)] * m
    hessian = [[mpmath.mpf(0)] * m for _ in range(m)]
    caps = [draws if p else 0 for p in populations] if replacement else list(populations)
    for taken in compositions(draws, caps):
        if replacement:
            ways = factorial(draws) // prod(map(factorial, taken))
            chance = mpmath.mpf(ways * prod(p**j for p, j in zip(populations, taken, strict=True)))
            chance /= mpmath.mpf(n) ** draws
        else:
            ways = prod(comb(p, j) for p, j in zip(populations, taken, strict=True))
            chance = mpmath.mpf(ways) / comb(n, draws)
        own = base + own_multiplicity * taken[0]
        if own == 0 or chance == 0:
            continue
        terms = [j * x for j, x in zip(taken[1:], a, strict=True)]
        total = own + sum(terms)
        floor += chance * mpmath.log(own)
        excess += chance * mpmath.log1p(sum(terms) / own)
        part = [t / total for t in terms]
        for e in range(m):
            slope[e] += chance * part[e]
            for f in range(m):
                hessian[e][f] += chance * (part[e] * (e == f) - part[e] * part[f])
    return Exact(excess, slope, hessian, floor)
