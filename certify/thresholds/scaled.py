"""Balls times powers of the ratio R, so that what is proven may reach R → ∞: y = 1/R is a ball with zero."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certify.balls.enclosures import ball


class Scaled:
    """A number part · R^power ≥ 0 for every R with 1/R in the ball y; all operands share y.

    It is no dataclass, as proofs make some hundred thousand of them. Never changed.
    """

    __slots__ = ("part", "power", "y")

    def __init__(self, part: arb, power: int, y: arb) -> None:
        self.part, self.power, self.y = part, power, y

    def __add__(self, other: Scaled) -> Scaled:
        """Return the sum, over the larger power."""
        if self.power == other.power:
            return Scaled(self.part + other.part, self.power, self.y)
        high, low = (self, other) if self.power > other.power else (other, self)
        return Scaled(high.part + low.part * self.y ** (high.power - low.power), high.power, self.y)

    def __mul__(self, other: Scaled) -> Scaled:
        """Return the product."""
        return Scaled(self.part * other.part, self.power + other.power, self.y)

    def __truediv__(self, other: Scaled) -> Scaled:
        """Return the quotient."""
        return Scaled(self.part / other.part, self.power - other.power, self.y)

    def times(self, factor: arb) -> Scaled:
        """Return it times a number that does not scale with R."""
        return Scaled(self.part * factor, self.power, self.y)

    def compared(self, other: Scaled) -> int:
        """Return 1 where it is proven larger for every finite R, −1 where smaller, and 0 where neither."""
        away = self.power - other.power
        first = self.part * self.y ** max(0, -away)
        second = other.part * self.y ** max(0, away)
        return 1 if first > second else -1 if first < second else 0

    def log_ratio(self, other: Scaled) -> arb:
        """Return log(self/other), where y is no ball with zero."""
        return (self.part / other.part).log() - (self.power - other.power) * self.y.log()


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in R of degree ≤ 2 with exact coefficients, constant first, and leading zeros left out."""

    coefficients: tuple[Fraction, ...]

    @classmethod
    def through(cls, values: tuple[Fraction, Fraction, Fraction]) -> Polynomial:
        """Return the one with these values at R = 1, 2, 3."""
        a, b, c = values
        square = (c - 2 * b + a) / 2
        slope = b - a - 3 * square
        found = [a - slope - square, slope, square]
        while len(found) > 1 and found[-1] == 0:
            found.pop()
        return cls(tuple(found))

    def __call__(self, ratio: Fraction) -> Fraction:
        """Return its value."""
        return sum((x * ratio**i for i, x in enumerate(self.coefficients)), Fraction(0))

    def scaled(self, y: arb) -> Scaled:
        """Return its values for every R with 1/R in y: R^degree · (leading + … y + … y²)."""
        part = arb(0)
        for coefficient in self.coefficients:
            part = part * y + ball(coefficient)
        return Scaled(part, len(self.coefficients) - 1, y)
