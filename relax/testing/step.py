"""The supervised-contrastive optimum for two class sizes, by two nested scalar equations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.optimize import brentq

from relax.errors import InputError

ROOT_TOLERANCE: Any = 4 * np.finfo(np.float64).eps  # the least that brentq takes
MOST_STEPS = 1000


def step_geometry(
    k_major: int, k_minor: int, n_major: int, n_minor: int, temperature: float
) -> Float64[np.ndarray, "k k"]:
    """Return the Gram matrix of the supervised-contrastive optimum for two class sizes, majorities first.

    With cosines α between majority classes, β between minority classes and γ across, A = 1 + (k_M−1)α and
    B = 1 + (k_m−1)β, the loss grows with γ and so γ = −√(AB/(k_M k_m)), the least that a positive
    semidefinite matrix allows. What is left is convex in (α, β):

        minimise ω_M log D_M + ω_m log D_m,   ω = k n (0 where n = 1, a class without anchors),
        D_M = n_M−1 + (k_M−1) n_M e^{(α−1)/τ} + k_m n_m e^{(γ−1)/τ},   D_m likewise.

    α at given β, and β, are found where the logarithms of the two sides of their stationarity condition meet,
    to rounding level. β = 1 exactly where the loss still falls there: minority collapse.

    Valid for full batches and features on the sphere in dimension ≥ k − 1; in the ball as well, where both
    sizes are at least two.

    Parameters
    ----------
    k_major, k_minor : int
        How many classes there are of each size, at least one.
    n_major, n_minor : int
        Their sizes; one of them at least two. Either may be the larger.
    temperature : float
        τ > 0.

    Returns
    -------
    (k_major + k_minor, k_major + k_minor) array
        Ones on the diagonal.

    Raises
    ------
    InputError
        If a number is out of its range.

    References
    ----------
    The loss: Khosla et al., arXiv 2004.11362; that it is convex in the Gram matrix: Behnia and Thrampoulidis,
    arXiv 2402.18884.
    """
    step = _Step((k_major, k_minor), (n_major, n_minor), temperature)
    large = max(n_major, n_minor) >= 2 and math.isfinite(temperature)
    if not (large and min(k_major, k_minor, n_major, n_minor) >= 1 and temperature > 0):
        raise InputError(
            f"{k_major} classes of {n_major} and {k_minor} of {n_minor} at temperature {temperature} are no "
            "STEP problem; give positive integers, one size of at least two, and a positive temperature"
        )
    minor = _root(lambda b: step.slope(1, (_major(step, b), b)), step.lowest, math.log(k_minor))
    alpha, beta, gamma = step.cosines((_major(step, minor), minor))
    group = np.repeat([0, 1], (k_major, k_minor))
    gram = np.array([[alpha, gamma], [gamma, beta]])[np.ix_(group, group)]
    np.fill_diagonal(gram, 1.0)
    return gram


@dataclass(frozen=True)
class _Step:
    """Two groups of classes; a point is (log A, log B), which tells cosines next to −1/(k−1) apart."""

    k: tuple[int, int]
    n: tuple[int, int]
    temperature: float

    @property
    def lowest(self) -> float:
        """A log A that is surely too low beside log B = 0: other terms of `slope` are below 4/τ + 400."""
        return -8 / self.temperature - 800

    def cosines(self, logs: tuple[float, float]) -> tuple[float, float, float]:
        """Return α, β, γ; where a group has one class, its own cosine is said to be 1."""
        ends = [
            1.0 if x == math.log(k) else math.expm1(x) / (k - 1) for x, k in zip(logs, self.k, strict=True)
        ]
        return ends[0], ends[1], -math.exp(self._log_gamma(logs))

    def _log_gamma(self, logs: tuple[float, float]) -> float:
        return (sum(logs) - math.log(self.k[0] * self.k[1])) / 2

    def slope(self, a: int, logs: tuple[float, float]) -> float:
        """Return a number with the sign of the derivative of the loss in the cosine of group a.

        As ∂γ/∂α = (k_M−1)γ/(2A), the derivative vanishes where ω_M n_M e^{(α−1)/τ}/D_M equals
        |γ|/(2A) e^{(γ−1)/τ} (ω_M k_m n_m/D_M + ω_m k_M n_M/D_m). This is log left − log right.
        """
        b, k, n = 1 - a, self.k, self.n
        if k[a] == 1 or n[a] == 1:  # there is no such cosine, or nothing pushes these classes apart
            return -math.inf
        same, gamma = self.cosines(logs)[a], self.cosines(logs)[2]
        alike = self._argument(a, logs) / self._argument(b, logs) if n[b] > 1 else 0.0
        ratio = 2 * n[a] / (k[b] * n[b] * (1 + alike))
        return (same - gamma) / self.temperature + logs[a] - self._log_gamma(logs) + math.log(ratio)

    def _argument(self, a: int, logs: tuple[float, float]) -> float:
        """Return D_a, the argument of the logarithm in the rows of group a."""
        cosines = self.cosines(logs)
        same, across = (math.exp((x - 1) / self.temperature) for x in (cosines[a], cosines[2]))
        return self.n[a] - 1 + (self.k[a] - 1) * self.n[a] * same + self.k[1 - a] * self.n[1 - a] * across


def _major(step: _Step, minor: float) -> float:
    """Return log A at the best α for given log B."""
    return _root(lambda a: step.slope(0, (a, minor)), minor + step.lowest, math.log(step.k[0]))


def _root(slope: Callable[[float], float], low: float, end: float) -> float:
    """Return where a slope changes from − to +, or the right end where it never does: collapse."""
    if slope(end) <= 0:
        return end
    root: Any = brentq(slope, low, end, xtol=ROOT_TOLERANCE, rtol=ROOT_TOLERANCE, maxiter=MOST_STEPS)
    return float(root)
