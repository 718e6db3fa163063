"""Intervals of the ratio R over which one answer is proven, box by box."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from flint import arb

from certify.balls.enclosures import ball
from certify.thresholds.merged import decided, margin, polished, root
from certify.thresholds.step import ForRatios, Tables

LOOSE = 2.0**-46  # how far from roots in float64 the search for proven signs begins
MOST_BOXES = 3_000
NARROWEST = 2.0**-44  # of a box in y = 1/R, relative
SHALLOW = 2.0**-1000  # a y below which boxes that reach to zero are given up


@dataclass
class Curve:
    """The merged optimum of a STEP problem along R; roots that were found are kept."""

    tables: Tables
    roots: dict[float, float] = field(default_factory=dict)

    def root(self, log_ratio: float) -> float:
        """Return nearly log t at R = e^log_ratio."""
        if log_ratio not in self.roots:
            near = min(self.roots, key=lambda x: abs(x - log_ratio), default=None)
            guess = 0.0 if near is None else self.roots[near]
            self.roots[log_ratio] = root(self._at(log_ratio), guess)
        return self.roots[log_ratio]

    def margin(self, log_ratio: float) -> float:
        """Return a float that is positive where the minorities coincide at R = e^log_ratio."""
        step = self._at(log_ratio)
        return margin(step, polished(step, self.root(log_ratio)))

    def decided_at(self, ratio: Fraction) -> int:
        """Return what is proven at one ratio (`merged.decided`)."""
        step = self.tables.at(ball(1 / ratio))
        t = polished(step, self.root(log_of(ratio)))
        return decided(step, (t, t))

    def decided_on(self, low: arb, high: arb) -> int:
        """Return what is proven for all 1/R from low to high."""
        last = -float(high.log())
        first = -float(low.log()) if low > 0 else last + 100.0
        near = [arb(log_t).exp().mid() for log_t in sorted((self.root(first), self.root(last)))]
        wide = max(LOOSE, float((1 - low / high).mid()) / 64)
        return decided(self.tables.at(low.union(high)), (near[0], near[1]), wide)

    def _at(self, log_ratio: float) -> ForRatios:
        return self.tables.at(arb(-log_ratio).exp().mid())

    def reached(self, start: Fraction, end: Fraction | None, sign: int) -> tuple[Fraction | None, bool]:
        """Return up to which R (None for all) `sign` is proven from `start` on, and whether that is `end`.

        It stops where the opposite is proven, where boxes become too narrow, or after so many of them (at
        temperatures far above 1 all slopes are nearly alike, and boxes must be small).
        """
        goal = arb(0) if end is None else ball(1 / end)
        boxes, done, tried = [(goal, ball(1 / start))], start, 0
        while boxes:
            low, high = boxes.pop()
            tried += 1
            found = self.decided_on(low, high)
            if found == sign:
                done = None if not low > 0 else end if low is goal else _ratio_above(low)
                continue
            if found == -sign or tried > MOST_BOXES or _narrow(low, high):
                return done, False
            middle = (high / 16).mid() if not low > 0 else (low * high).sqrt().mid()
            boxes += [(low, middle), (middle, high)]
        return end, True


def _narrow(low: arb, high: arb) -> bool:
    return bool(high < SHALLOW) or (low > 0 and bool(high - low < high * NARROWEST))


def _ratio_above(y: arb) -> Fraction:
    """Return 1/y of an exact ball."""
    mantissa, exponent = y.man_exp()
    number = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return 1 / number


def log_of(ratio: Fraction) -> float:
    """Return log R."""
    return math.log(ratio.numerator) - math.log(ratio.denominator)
