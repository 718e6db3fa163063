"""The circle on which coefficients of generating functions are read, and what is needed of it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float
from scipy.special import gammaln

ALIAS = -41.0  # the logarithm of what is added by other coefficients, relative
DROPPED = -55.0  # the logarithm of what is dropped at a node, relative
TERMS = 14  # of a power series in α
REACH = 0.06  # α beside the radius of convergence; 0.06^15 = 5e-19
LARGEST = 0.15
FASTEST = 0.06  # ρ e^{−α} up to which its series is worth it
ACCURACY = 1e-18
LEAST = 1e-300  # what is nothing still has a logarithm


class Circle(NamedTuple):
    """[zᴷ] f(z), divided by that of (1 − w + w z)ᴺ, w = K/N, is Re Σ_c weight_c f(z_c)/(1 − w + w z_c)ᴺ.

    The nodes are those with Im z ≥ 0 that matter; the weights hold z^{−K}(1 − w + w z)ᴺ, divided by their own
    sum, so that E[1] = 1 as it stands.
    """

    odds: Complex[np.ndarray, " c"]  # w z/(1 − w + w z)
    log_factor: Complex[np.ndarray, " c"]  # log(1 − w + w z)
    drawn: Complex[np.ndarray, " c"]  # w z
    weight: Complex[np.ndarray, " c"]
    share: float  # w
    series: Complex[np.ndarray, "p c"]  # c_p of Σ c_p αᵖ = α · odds e^{−α}/(1 + odds (e^{−α} − 1))
    small: float  # α up to which the series holds
    log_nothing: Complex[np.ndarray, " c"]  # log((1 − w)/(1 − w + w z)), of what is never drawn
    tail: Complex[np.ndarray, "q c"]  # (−1)^{p−1} (w z/(1 − w))^p for α that are not small; empty if too slow


@cache
def circle(draws: int, population: int, log_growth: float, indicated: bool) -> Circle:
    """Return the circle for K of N.

    Parameters
    ----------
    draws, population : int
        K and N.
    log_growth : float
        The logarithm of the largest X over the least B.
    indicated : bool
        Whether a row counts only where B > 0, which may be rare.
    """
    w = draws / population
    nodes = _how_many(draws, population, log_growth, indicated)
    angle = 2.0 * np.pi * np.arange(nodes // 2 + 1) / nodes
    z = np.exp(1j * angle)
    shift = -2.0 * np.sin(angle / 2.0) ** 2 + 1j * np.sin(angle)  # z − 1
    left = (population - draws) / population
    log_factor = log1p(w * shift, np.abs(left + w * z))
    size = np.where(
        np.cos(angle) >= 0, np.real(log_factor), np.maximum(np.real(log_factor), np.log1p(-w * (w < 1)))
    )
    kept = max(population - 2, 1) * size > DROPPED
    angle, z, log_factor = angle[kept], z[kept], log_factor[kept]
    weight = np.where(angle == 0, 1.0, 2.0) * np.exp(population * log_factor - 1j * draws * angle)
    odds = w * z / (left + w * z)
    series, small = _series(odds, left / w, angle)
    nothing = (np.log1p(-w) if w < 1.0 else -np.inf) - log_factor
    tail = _tail(w, left, z, small)
    return Circle(odds, log_factor, w * z, weight / np.real(weight).sum(), w, series, small, nothing, tail)


def _how_many(draws: int, population: int, log_growth: float, indicated: bool) -> int:
    """Return an odd number of nodes that no other coefficient can disturb.

    A sum over M nodes adds the coefficients j ≡ K (mod M), which are pmf(j) Q_j. Drawing K as a part of j,
    or j as a part of K, bounds Q_j/Q_K by the growth for j < K, and for j > K by j/K, or by
    j(j − 1)/(K(K − 1)) where two of them must be there.
    """
    most = int(60.0 * np.sqrt(draws)) + 60
    j = np.arange(max(0, draws - most), min(population, draws + most) + 1)
    w = draws / population
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(j == population, 0.0, (population - j) * np.log1p(-w)) if w < 1 else 0.0
        log_ways = gammaln(population + 1) - gammaln(j + 1) - gammaln(population - j + 1)
        log_pmf = log_ways + j * np.log(w) + rest
    if w == 1:
        log_pmf = np.where(j == population, 0.0, -np.inf)
    log_pmf = log_pmf - log_pmf[j == draws]
    above = (2.0 if indicated else 1.0) * np.log(np.maximum(j, 1) / draws) + indicated
    heavy = np.abs(j - draws)[log_pmf + np.where(j < draws, log_growth, above) > ALIAS]
    return (int(heavy.max()) + 1) | 1


def _series(
    odds: Complex[np.ndarray, " c"], ratio: float, angle: Float[np.ndarray, " c"]
) -> tuple[Complex[np.ndarray, "p c"], float]:
    """Return c_p = (−1)^{p−1} κ_p/(p − 1)!, κ the cumulants of a draw with these odds, and where they hold.

    κ₁ = r and κ_{p+1} = r (1 − r) dκ_p/dr. The nearest singularity of log(1 + r (e^{−α} − 1)) is where
    e^{−α} = 1 − 1/r = −(1 − w)/(w z).
    """
    polynomial, factorial, rows = np.polynomial.Polynomial([0.0, 1.0]), 1.0, []
    spread = np.polynomial.Polynomial([0.0, 1.0, -1.0])
    for p in range(1, TERMS + 1):
        rows.append(polynomial(odds) / factorial)
        polynomial, factorial = spread * polynomial.deriv(), -factorial * p
    radius = float(np.hypot(np.log(ratio), np.pi - angle).min()) if ratio > 0 else np.inf
    return np.array(rows), min(LARGEST, REACH * radius)


def _tail(w: float, left: float, z: Complex[np.ndarray, " c"], small: float) -> Complex[np.ndarray, "q c"]:
    """Return the coefficients of ρ y/(1 + ρ y), ρ = w z/(1 − w), as far as y ≤ e^{−small} needs them."""
    largest = w / left * np.exp(-small) if left > 0 else 1.0
    if largest > FASTEST:
        return np.zeros((0, len(z)), dtype=complex)
    order = np.arange(1, 2 + int(np.ceil(np.log(ACCURACY) / np.log(largest))))[:, None]
    return -((-w * z / left) ** order)


def log1p(x: Complex[np.ndarray, "*n"], size: Float[np.ndarray, "*n"]) -> Complex[np.ndarray, "*n"]:
    """Return log(1 + x), relatively accurate for small x; `size` is |1 + x|, known accurately where small."""
    near = np.real(x) * (2.0 + np.real(x)) + np.imag(x) ** 2  # |1 + x|² − 1
    real = np.where(size < 0.5, np.log(np.maximum(size, LEAST)), 0.5 * np.log1p(np.maximum(near, -0.9)))
    result = np.empty(real.shape, dtype=complex)
    result.real, result.imag = real, np.arctan2(np.imag(x), 1.0 + np.real(x))
    return result


def expm1(x: Complex[np.ndarray, "*n"]) -> Complex[np.ndarray, "*n"]:
    """Return eˣ − 1, relatively accurate for small x; for Re x so large that it overflows, infinity."""
    result = np.empty(x.shape, dtype=complex)
    grown = np.exp(np.real(x))
    result.real = np.expm1(np.real(x)) * np.cos(np.imag(x)) - 2.0 * np.sin(np.imag(x) / 2.0) ** 2
    result.imag = grown * np.sin(np.imag(x))
    return result
