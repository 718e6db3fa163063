"""The cross-polytope: bad local minima in closed form, at any number of classes and at d = nk/2.

k classes of n samples, n even, sit at ±e_1, …, ±e_d, antipodal pairs within a class. Flips of signs show that
this is stationary for the supervised-contrastive loss at every τ. With N = nk, ε = e^{−1/τ}, Z = 2d − 2 + ε,
p = 1/Z and q = 1/(n − 1), the loss is log Z + q/τ, every multiplier is (εp − q)/(Nτ) < 0, and the Riemannian
Hessian falls apart (docs/landscape-proofs.md, "A family in closed form"):

- for each axis, 4p/(Nτ²) times  a I + (τ − p) 11ᵀ − qτZ ⊕_classes 11ᵀ  on the d − 1 others, a = 1 − τ(1 − ε);
- 8p/(Nτ²), d(d−1)/2 times; and 0, d(d−1)/2 times, the rotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64

from certify.balls import decimal_above, decimal_below
from certify.balls.enclosures import ball
from certify.certificate import certify
from certify.landscape.bracket import Bracket
from certify.landscape.measures import above
from certify.landscape.setting import PRECISION
from certify.rounding import downward, upward
from relax.counts import exact_rational, positive_number
from relax.errors import InputError, expect, worded
from relax.facts import Shown, brief
from relax.problem import Problem
from relax.solvers import solve

WIDTH = Fraction(1, 10**7)  # of a bracket on either side of the root in floats, relative
PIECES = 100_000  # intervals of temperatures that are looked at


class Scaled(NamedTuple):
    """The Hessian's pieces over 4p/(Nτ²), each with how often it occurs; the last is a 2 × 2 matrix."""

    apart: arb  # on vectors that sum to zero over each class
    classes: arb  # on vectors that are constant on the other classes and sum to zero
    own: arb  # the matrix on what is constant on the own class and on all others: its entries, and its
    other: arb  # off-diagonal entry squared
    mixed: arb

    @property
    def determinant(self) -> arb:
        """Of the 2 × 2 matrix."""
        return self.own * self.other - self.mixed


@brief
@dataclass(frozen=True, eq=False)
class CrossPolytope(Shown):
    """What is proven of the cross-polytope at one temperature.

    Attributes
    ----------
    n, k : int
        Samples of a class, even, and classes.
    temperature : float
        τ.
    verdict : str
        "minimum": positive definite modulo rotation. "saddle": some eigenvalue is negative. "undecided".
    eigenvalues : tuple of (arb, int)
        All eigenvalues of the Riemannian Hessian but those of rotations, and how often each occurs.
    loss : tuple of str
        Decimals below and above.
    optimum : str
        A decimal above the least loss, that of the simplex, which fits into the same dimension.
    worse_by, relative : str or None
        The proven difference, and which part of the optimum's excess it is at least.
    """

    n: int
    k: int
    temperature: float
    verdict: str
    eigenvalues: tuple[tuple[arb, int], ...]
    loss: tuple[str, str]
    optimum: str
    worse_by: str | None
    relative: str | None

    @property
    def dimension(self) -> int:
        """Return nk/2."""
        return self.n * self.k // 2

    def features(self) -> Float64[np.ndarray, "n d"]:
        """Return the point, samples class by class, +e before −e."""
        axes, half = np.eye(self.dimension), self.n // 2
        blocks = [axes[c * half : (c + 1) * half] for c in range(self.k)]
        return np.concatenate([np.concatenate([block, 0.0 - block]) for block in blocks])

    def in_brief(self) -> str:
        """Return the verdict and the case."""
        return f"{self.verdict}, {self.k} classes of {self.n}, τ={self.temperature:g}, d={self.dimension}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        lowest = min((value for value, _ in self.eigenvalues), key=lambda value: float(value.mid()))
        said = [
            ("verdict", self.in_brief()),
            ("lowest eigenvalue", f"≥ {downward(decimal_below(lowest), 8)}"),
            ("loss", f"between {downward(self.loss[0], 10)} and {upward(self.loss[1], 10)}"),
            ("optimum", f"at most {upward(self.optimum, 10)}"),
        ]
        return [*said, ("worse by", f"at least {downward(self.worse_by, 5)}")] if self.worse_by else said


def cross_polytope(n: int, k: int, temperature: float) -> CrossPolytope:
    """Return what is proven of the cross-polytope of k classes of n samples, in ball arithmetic.

    Parameters
    ----------
    n, k : int
        n ≥ 2 even, k ≥ 2.
    temperature : float
        τ > 0, the decimal that is written.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    _check(n, k)
    tau = exact_rational(positive_number(temperature, "temperature", "0.1"))
    problem = Problem({n: k}, temperature=temperature)
    proof = certify(solve(problem))
    with ctx.workprec(PRECISION):
        pieces = scaled(n, k, ball(tau))
        eigenvalues = tuple(spectrum(n, k, ball(tau)))
        epsilon = (-1 / ball(tau)).exp()
        loss = (n * k - 2 + epsilon).log() + 1 / (ball(tau) * (n - 1))
        said = (decimal_below(loss), decimal_above(loss))
    verdict = "minimum" if is_minimum(n, k, pieces) else "saddle" if is_saddle(n, k, pieces) else "undecided"
    by, part = above(said[0], proof.upper, proof.excess_upper)
    return CrossPolytope(n, k, float(tau), verdict, eigenvalues, said, proof.upper, by, part)


def scaled(n: int, k: int, tau: arb) -> Scaled:
    """Return the Hessian's pieces, for a τ or for all τ ≥ 0 of a ball (at 0 the limit)."""
    half, d = n // 2, n * k // 2
    epsilon = arb(0) if tau == 0 else (-1 / tau).exp() if tau > 0 else _vanishing(tau)
    z = 2 * d - 2 + epsilon
    plain, pull, push = 1 - tau * (1 - epsilon), tau - 1 / z, tau * z / (n - 1)
    own, others = half - 1, (k - 1) * half
    return Scaled(
        plain,
        plain - half * push,
        plain + own * (pull - push),
        plain + others * pull - half * push,
        own * others * pull * pull,
    )


def _vanishing(tau: arb) -> arb:
    """Return all e^{−1/τ} of 0 ≤ τ in a ball around them: from 0 to that of the largest."""
    return arb(0).union((-1 / tau.upper()).exp())


def spectrum(n: int, k: int, tau: arb) -> list[tuple[arb, int]]:
    """Return the eigenvalues of the Riemannian Hessian with multiplicities, the rotations left out."""
    half, d = n // 2, n * k // 2
    found, unit = scaled(n, k, tau), 4 / (n * k * tau * tau * (2 * d - 2 + (-1 / tau).exp()))
    lists = [
        (found.apart, d * (max(half - 2, 0) + (k - 1) * (half - 1))),
        (found.classes, d * (k - 2)),
        *((value, d) for value in _of_matrix(found, half)),
        (arb(2), d * (d - 1) // 2),
    ]
    return [(unit * value, count) for value, count in lists if count]


def _of_matrix(found: Scaled, half: int) -> list[arb]:
    """Return the eigenvalues of the 2 × 2 matrix; one where the own class has no other axis."""
    if half == 1:
        return [found.other]
    mean, apart = (found.own + found.other) / 2, (found.own - found.other) / 2
    root = (apart * apart + found.mixed).sqrt()
    return [mean - root, mean + root]


def is_minimum(n: int, k: int, found: Scaled) -> bool:
    """Prove that the Hessian is positive definite modulo rotation."""
    positive = [found.apart] if n > 2 else []
    positive += [found.classes] if k > 2 else []
    positive += [found.own, found.determinant] if n > 2 else [found.other]
    return all(bool(value > 0) for value in positive)


def is_saddle(n: int, k: int, found: Scaled) -> bool:
    """Prove that the Hessian has a negative eigenvalue."""
    some = [found.other, *([found.classes] if k > 2 else [])]
    some += [found.apart, found.own, found.determinant] if n > 2 else []
    return any(bool(value < 0) for value in some)


def cross_polytope_bracket(n: int, k: int) -> Bracket:
    """Return temperatures around the least τ* at which the cross-polytope ceases to be a minimum.

    It is proven to be a strict minimum modulo rotation at *every* τ ≤ lower, by subdivision down to τ = 0,
    and to have a negative eigenvalue at every τ from upper to 10.

    Parameters
    ----------
    n, k : int
        n ≥ 2 even, k ≥ 2.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    _check(n, k)
    with ctx.workprec(PRECISION):
        low, high = Fraction(1, 10**6), Fraction(1)
        while high - low > WIDTH * low / 4:
            middle = ((low + high) / 2).limit_denominator(10**12)
            low, high = (middle, high) if is_minimum(n, k, scaled(n, k, ball(middle))) else (low, middle)
        lower, upper = (_short(low * (1 - WIDTH)), _short(high * (1 + WIDTH)))
        below = _everywhere(n, k, Fraction(0), lower, is_minimum)
        beyond = _everywhere(n, k, upper, Fraction(10), is_saddle)
    reason = "a strict minimum at every τ up to the lower end, and a saddle from the upper end to τ = 10"
    if not (below and beyond):
        reason = "not proven at every temperature: the subdivision did not end"
    return Bracket(lower if below else None, upper if beyond else None, reason)


def _short(number: Fraction) -> Fraction:
    """Return a number of 12 decimals near another."""
    return Fraction(round(number * 10**12), 10**12)


def _everywhere(n: int, k: int, low: Fraction, high: Fraction, holds: Any) -> bool:
    """Prove something of the Hessian at every τ of an interval, by halving where the balls are too wide."""
    left = [(low, high)]
    for _ in range(PIECES):
        if not left:
            return True
        a, b = left.pop()
        if holds(n, k, scaled(n, k, ball(a).union(ball(b)))):
            continue
        if b - a < Fraction(1, 10**15):
            return False
        middle = (a + b) / 2
        left += [(a, middle), (middle, b)]
    return False


def _check(n: int, k: int) -> None:
    """Raise unless there is such a cross-polytope."""
    for name, number, least in (("n", n, 2), ("k", k, 2)):
        if expect(number, int, name, "give a whole number") < least:
            raise InputError(f"{name} = {worded(number)} must be at least {least}")
    if n % 2:
        raise InputError(f"n = {n} must be even: samples of a class come in antipodal pairs; give {n + 1}")
