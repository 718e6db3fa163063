"""Do the minority classes of a STEP problem coincide at the optimum? The criterion, in balls.

Let β = 1, so that the k_m minority classes are one point, and let f be the loss as a function of the
cosines α between majorities and γ across. f is convex and rises in both, so its minimum over
positive semidefinite matrices lies where γ = −t, α = (k_M t² − 1)/(k_M − 1), 0 < t ≤ 1, and f along this
curve is convex in α. With D the derivative by one entry, its derivative along the curve has the sign of

    k_M t D_MM − k_m D_Mm,                                                   (1)

and the minimum is where this changes sign, or at t = 1 where it never is positive. Every dual slack S = D +
diag(ν) of the whole problem obeys S M = 0; its row of a minority class says S_ii − D_ij = k_M t D_Mm − k_m
D_mm for two minorities i, j. It is the eigenvalue of S on vectors that sum to zero over the minorities. So

    k_M t D_Mm > k_m D_mm  proves that they coincide in every optimum,       (2)
    k_M t D_Mm < k_m D_mm  that they coincide in none:                       (3)

on differences of majorities S is −t times (1), which is not positive at the minimum; on what is constant on
both groups it has rank one, as it is positive across and annihilates a vector with one sign on the majorities
and the other on the minorities; and multipliers exist, the identity being a Slater point. ν is unique, each
M_ii being 1, and averages over permutations of equal classes are as good, so that (3) leaves no other optimum
out. Where (1) changes sign, (2) and (3) say D_Mm² ≷ D_MM D_mm, without t.

At any other β, with s = √((1 + (k_m − 1) β)/k_m) and γ = −s t, f along t and s is convex in (α, β), and so is
its minimum over α in β. (1) then has s k_m for k_m, and the sides of (2) and (3), k_M t D_Mm and s k_m D_mm,
say whether that minimum falls or rises with β: whether the optimal β is above or below.
"""

from __future__ import annotations

import itertools

from flint import arb

from certify.thresholds.falling import falling
from certify.thresholds.scaled import Scaled
from certify.thresholds.step import Slopes, Step

TIGHT = 2.0**-80  # how far from a polished root the search for proven signs begins
NUDGE = 2.0**-30
WIDEN, WIDENINGS = 16.0, 20


def balance(step: Step, t: arb, slopes: Slopes) -> tuple[Scaled, Scaled]:
    """Return the two sides of (1): the minimum is below t where the first is larger."""
    k_major, k_minor = step.k
    return slopes.major.times(k_major * t), slopes.across.times(k_minor * step.s)


def hold(step: Step, t: arb, slopes: Slopes) -> tuple[Scaled, Scaled]:
    """Return the two sides of (2): the minorities coincide, or come nearer, where the first is larger."""
    k_major, k_minor = step.k
    return slopes.across.times(k_major * t), slopes.minor.times(k_minor * step.s)


def enclosed(step: Step, near: tuple[arb, arb], start: float = TIGHT) -> tuple[arb, arb]:
    """Return proven ends of t at the minimum of the merged problem, for every R of the step.

    Parameters
    ----------
    step : Step
        With a ball of ratios, or one of them.
    near : two balls
        Guesses of t, the smaller first, exact. Bad ones make the ends far: 0 and 1 are always proven.
    start : float
        How far from the guesses, in parts of them, to begin.
    """
    if step.k[0] == 1:
        return arb(1), arb(1)

    def sign(t: arb) -> int:
        first, second = balance(step, t, step.slopes(t))
        return first.compared(second)

    low, high = near
    away = [start * WIDEN**i for i in range(WIDENINGS)]
    downward = ((low * (1 - part)).mid() for part in away if part < 1)
    upward = itertools.takewhile(lambda t: t < 1, ((high * (1 + part)).mid() for part in away))
    below = next((t for t in downward if sign(t) < 0), arb(0))
    return below, next((t for t in upward if sign(t) > 0), arb(1))


def decided(step: Step, near: tuple[arb, arb], start: float = TIGHT) -> int:
    """Return 1 where the minorities are proven to coincide for every R of the step, −1 apart, 0 neither.

    With s < 1: where the optimal s is proven larger, and smaller.
    """
    below, above = enclosed(step, near, start)
    t = below.union(above)
    slopes = step.slopes(t)
    found = 0
    if below > 0:
        first, second = hold(step, t, slopes)
        found = first.compared(second)
    if found == 0 and above < 1:
        found = (slopes.across * slopes.across).compared(slopes.major * slopes.minor)
    return found


def root(step: Step, guess: float = 0.0) -> float:
    """Return nearly log t at the minimum, for one R; 0 where t = 1. Nothing is proven."""
    if step.k[0] == 1:
        return 0.0

    def difference(log_t: float) -> float:
        return float(_imbalance(step, arb(log_t).exp().mid()).mid())

    return falling(difference, guess)


def polished(step: Step, log_t: float) -> arb:
    """Return t at the minimum for one R, to the working precision: a step of Newton's method from a root."""
    t = arb(log_t).exp().mid()
    if not t < 1:
        return t
    slope = (_imbalance(step, t * (1 + NUDGE)) - _imbalance(step, t * (1 - NUDGE))) / (2 * NUDGE)
    moved = (t * (1 - _imbalance(step, t) / slope)).mid()
    return moved if moved.is_finite() and 0 < moved < 1 else t


def margin(step: Step, t: arb) -> float:
    """Return log of the sides of (2), at one R: positive where the minorities coincide. Nothing is proven."""
    first, second = hold(step, t, step.slopes(t))
    return float(first.log_ratio(second).mid())


def _imbalance(step: Step, t: arb) -> arb:
    first, second = balance(step, t, step.slopes(t))
    return first.log_ratio(second)
