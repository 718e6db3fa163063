"""What the diagonal of a Gram matrix obeys, and what a dual multiplier on it costs.

A *slot* is a group and a role; every slot obeys exactly one rule. A lower bound needs multipliers ν ≥ the
diagonal that completes the dual slack to a positive semidefinite matrix: each rule says which multipliers
it admits and what they cost the bound (`charge`). A new rule is a new small class with these six methods.
Arrays run over the slots of the rule; g holds their multiplicities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped

from relax.facts import brief

Slots = Float[np.ndarray, " q"]
Linear = tuple[Float[np.ndarray, "p q"], Float[np.ndarray, " p"]]
Exact = float | Fraction
TINY = np.finfo(float).tiny


@brief
@dataclass(frozen=True, eq=False)
class Fixed:
    """Every diagonal entry equals `value` (the sphere). The multiplier is free.

    `value` is exact; `square` is it in float64.
    """

    slots: Int[np.ndarray, " q"]
    value: Exact = 1.0

    @cached_property
    def square(self) -> float:
        """The value in float64."""
        return float(self.value)

    def charge(self, needed: Slots, g: Slots, level: float) -> tuple[Slots, float]:
        """Return admissible multipliers ν ≥ needed and what they cost the bound: needed, value · Σ g ν."""
        return needed, self.square * float(g @ needed)

    def suggested(self, pull: Slots, diagonal: Slots, g: Slots) -> Slots:
        """Return ν with ν · diagonal = pull, which stationarity says it is."""
        return pull / np.maximum(diagonal, TINY)

    def cost(self, diagonal: Slots, g: Slots) -> float:
        """Return what the diagonal adds to the objective: nothing."""
        return 0.0

    def scale(self, diagonal: Slots, g: Slots) -> Slots:
        """Return t > 0 such that diag(t) M diag(t) obeys the rule, for a positive diagonal."""
        return np.sqrt(self.square / np.maximum(diagonal, TINY))

    def inequalities(self, g: Slots) -> Linear:
        """Return (A, b), the rule reading A · diagonal ≤ b: no rows, an equality is not one of these."""
        return np.zeros((0, len(g))), np.zeros(0)

    def interior(self, g: Slots) -> Slots:
        """Return diagonal entries strictly inside the inequalities (and on the equality)."""
        return np.full(len(g), self.square)


@brief
@dataclass(frozen=True, eq=False)
class Bounded:
    """Every diagonal entry is at most `value` (the ball). The multiplier is non-negative.

    `value` is exact; `square` is it in float64.
    """

    slots: Int[np.ndarray, " q"]
    value: Exact = 1.0

    @cached_property
    def square(self) -> float:
        """The value in float64."""
        return float(self.value)

    def charge(self, needed: Slots, g: Slots, level: float) -> tuple[Slots, float]:
        """Return ν = max(needed, 0), and value · Σ g ν."""
        multiplier = np.maximum(needed, 0.0)
        return multiplier, self.square * float(g @ multiplier)

    def suggested(self, pull: Slots, diagonal: Slots, g: Slots) -> Slots:
        """Return ν with ν · diagonal = pull, not negative, and zero far inside the bound."""
        near = diagonal > self.square / 2
        return np.where(near, np.maximum(pull, 0.0) / np.where(near, diagonal, 1.0), 0.0)

    def cost(self, diagonal: Slots, g: Slots) -> float:
        """Return 0."""
        return 0.0

    def scale(self, diagonal: Slots, g: Slots) -> Slots:
        """Return factors that shrink entries above `value`."""
        return np.sqrt(np.minimum(1.0, self.square / np.maximum(diagonal, TINY)))

    def inequalities(self, g: Slots) -> Linear:
        """Return one row a slot."""
        return np.eye(len(g)), np.full(len(g), self.square)

    def interior(self, g: Slots) -> Slots:
        """Return half the bound."""
        return np.full(len(g), self.square / 2)


@brief
@dataclass(frozen=True, eq=False)
class Budget:
    """Σ g · weight · diagonal ≤ total. One multiplier s ≥ 0, ν = s · weight.

    `weight` may hold exact `Fraction` objects and `total` is exact; `weights` and `allowance` are these in
    float64.
    """

    slots: Int[np.ndarray, " q"]
    weight: np.ndarray
    total: Exact

    @cached_property
    def allowance(self) -> float:
        """The total in float64."""
        return float(self.total)

    @cached_property
    def weights(self) -> Slots:
        """The weights in float64."""
        return self.weight.astype(np.float64)

    def charge(self, needed: Slots, g: Slots, level: float) -> tuple[Slots, float]:
        """Return ν = s · weight with the least sufficient s, and s · total."""
        price = max(0.0, float(np.max(needed / self.weights)))
        return price * self.weights, price * self.allowance

    def suggested(self, pull: Slots, diagonal: Slots, g: Slots) -> Slots:
        """Return one price for all, Σ g ν · diagonal = Σ g pull, not negative; empty slots have no say."""
        spent = max(float((g * self.weights) @ diagonal), TINY)
        return max(0.0, float(g @ pull)) / spent * self.weights

    def cost(self, diagonal: Slots, g: Slots) -> float:
        """Return 0."""
        return 0.0

    def scale(self, diagonal: Slots, g: Slots) -> Slots:
        """Return one factor for all, less than one when the budget is exceeded."""
        spent = float((g * self.weights) @ diagonal)
        return np.full(len(diagonal), np.sqrt(min(1.0, self.allowance / max(spent, TINY))))

    def inequalities(self, g: Slots) -> Linear:
        """Return one row."""
        return (g * self.weights)[None, :], np.array([self.allowance])

    def interior(self, g: Slots) -> Slots:
        """Return equal entries that spend half the budget."""
        return np.full(len(g), self.allowance / (2 * float(g @ self.weights)))


@brief
@dataclass(frozen=True, eq=False)
class RidgeCost:
    """The objective pays Σ g · weight · diagonal, weight > 0; the multiplier is the weight itself.

    `weight` may hold exact `Fraction` objects; `weights` is it in float64.
    """

    slots: Int[np.ndarray, " q"]
    weight: np.ndarray

    @cached_property
    def weights(self) -> Slots:
        """The weights in float64."""
        return self.weight.astype(np.float64)

    def charge(self, needed: Slots, g: Slots, level: float) -> tuple[Slots, float]:
        """Return ν = max(weight, needed), and θ · level with θ the largest (ν − weight)/weight.

        A matrix as good as ours, of excess `level`, pays at most `level` for its diagonal, as the rest of
        its excess is not negative; a shortfall of at most θ · weight costs at most θ times that.
        """
        shortfall = max(0.0, float(np.max((needed - self.weights) / self.weights)))
        return np.maximum(self.weights, needed), shortfall * max(level, 0.0) if shortfall else 0.0

    def suggested(self, pull: Slots, diagonal: Slots, g: Slots) -> Slots:
        """Return the weight, whatever stationarity suggests."""
        return self.weights

    def cost(self, diagonal: Slots, g: Slots) -> float:
        """Return Σ g · weight · diagonal."""
        return float((g * self.weights) @ diagonal)

    def scale(self, diagonal: Slots, g: Slots) -> Slots:
        """Return ones: everything is allowed."""
        return np.ones(len(diagonal))

    def inequalities(self, g: Slots) -> Linear:
        """Return no rows."""
        return np.zeros((0, len(g))), np.zeros(0)

    def interior(self, g: Slots) -> Slots:
        """Return ones."""
        return np.ones(len(g))


Rule = Fixed | Bounded | Budget | RidgeCost


def stretched(rule: Rule, square: Shaped[np.ndarray, " q"]) -> tuple[Rule, ...]:
    """Return what vectors obey that are √square times those that obey the rule; `square` is exact."""
    if isinstance(rule, (Budget, RidgeCost)):
        return (replace(rule, weight=rule.weight / square),)
    return tuple(
        replace(rule, slots=rule.slots[square == value], value=Fraction(rule.value) * value)
        for value in sorted(set(square.tolist()))
    )
