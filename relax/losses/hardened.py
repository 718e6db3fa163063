"""Jiang et al.'s risks with hard negatives (arXiv 2311.05139): of given features, and bounded from below."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

from relax.arrays import Arrays
from relax.counts import ClassCounts, ExactFloat
from relax.errors import InputError, among, worded
from relax.losses.definition import Seen, Share
from relax.losses.jiang import Risk
from relax.losses.reduction import Reduction

Eta = Literal["exponential", "threshold", "top-q", "power"]


@dataclass(frozen=True)
class HardenedRisk(Risk):
    """A `Risk` whose negatives are drawn with chances times η(s), normalised for each anchor, s = ⟨h, h⁻⟩/τ.

    η ≥ 0 is non-decreasing, so that similar negatives are drawn more often. Where it is zero for all
    negatives of an anchor, all are drawn alike.

    Attributes
    ----------
    eta : str
        "exponential" e^{βs}, β ≥ 0; "threshold" 1 where s ≥ β, else 0; "power" max(s, 0)^β, β > 0; "top-q" 1
        for the most similar part β of all negatives, 0 < β ≤ 1, and a fraction at the edge, so that ties
        share alike. It is a threshold at a quantile. To draw many negatives and keep the hardest of these is
        no choice of chances, and another loss.
    beta : float
        β, about similarities over the temperature.
    """

    eta: Eta = "exponential"
    beta: float = 1.0

    plain: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse unknown η, and β with which it is none or decreases."""
        super().__post_init__()
        among(self.eta, get_args(Eta), "eta")
        is_number = isinstance(self.beta, (int, float)) and not isinstance(self.beta, bool)
        if not (is_number and abs(self.beta) <= sys.float_info.max):
            raise InputError(f"beta {worded(self.beta)} must be a finite number; give e.g. 1")
        object.__setattr__(self, "beta", self.beta if isinstance(self.beta, ExactFloat) else float(self.beta))
        fits = {"exponential": self.beta >= 0, "top-q": 0 < self.beta <= 1, "power": self.beta > 0}
        if not fits.get(self.eta, True):
            allowed = {"exponential": "at least 0", "top-q": "above 0 and at most 1", "power": "above 0"}
            raise InputError(f"beta {self.beta:g} of eta={self.eta} must be {allowed[self.eta]}")

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of the risk without η, which no hardened risk is below.

        Given an anchor and its positive, the similarities s_1 … s_q are independent and alike, ψ does not
        decrease in any of them, and neither does Π η(s_i)/E η, whose mean is one. By Harris' inequality the
        mean of their product is at least the mean of ψ. It is attained where all negatives of an anchor are
        equally similar; that there is such an optimum is not claimed, and with collisions there is none.
        """
        return replace(super().reduce(counts, views), attained=False)

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return E ψ of each anchor over its positive and hardened negatives, above the floor without η.

        Raises
        ------
        InputError
            If numbers are balls.
        """
        xp = seen.xp
        if xp.exact:
            raise InputError(
                f"{self.name} of given features is known in floats only, not in balls; its bound "
                f"{self.plain} is known in both with psi=mean-exp"
            )
        negatives = xp.integers(self._negatives(seen))
        hard = negatives * self._hardness(x, negatives, xp)
        some = hard.sum(-1)[..., None] > 0
        hard = xp.where(some, hard, negatives + 0 * hard)
        chances = hard / hard.sum(-1)[..., None]
        surplus = 0
        if self.collisions:
            own = seen.xp.integers(seen.is_class.astype(int))
            surplus = (chances * own).sum(-1) - (negatives * own).sum(-1) / negatives.sum(-1)
        return self.function.share(x, self._drawn(seen, chances, surplus))

    def _hardness(self, x: Any, negatives: Any, xp: Arrays) -> Any:
        """Return η of each entry, up to a factor an anchor."""
        if self.eta == "top-q":
            return _top(x, negatives, self.beta, xp)
        if self.eta == "threshold":
            return xp.where(x >= self.beta, 1 + 0 * x, 0 * x)
        highest = xp.top(x, negatives > 0)[..., None]
        if self.eta == "exponential":
            return xp.exp(self.beta * xp.at_most(x - highest, 0.0))
        positive = (x > 0) & (highest > 0)
        ratio = xp.where(positive, x, 1 + 0 * x) / xp.where(highest > 0, highest, 1 + 0 * highest)
        return xp.where(positive, xp.exp(self.beta * xp.at_most(xp.log(ratio), 0.0)), 0 * x)


def _top(x: Any, negatives: Any, part: float, xp: Arrays) -> Any:
    """Return 1 for the most similar `part` of the negatives, a fraction at its edge, and 0 beyond."""
    above, alike = 0 * x, 0 * x
    for column in range(x.shape[-1]):
        other, number = x[..., column : column + 1], negatives[..., column : column + 1]
        above = above + xp.where(other > x, number + 0 * x, 0 * x)
        alike = alike + xp.where(other == x, number + 0 * x, 0 * x)
    left = xp.at_least(part * negatives.sum(-1)[..., None] - above, 0.0)
    return xp.at_most(left / xp.where(alike > 0, alike, 1 + 0 * alike), 1.0)


@dataclass(frozen=True)
class HScl(HardenedRisk):
    """The hardened supervised risk. Equal classes: its minimum is that of `scl`, at the simplex ETF."""

    name: ClassVar[str] = "hscl"
    plain: ClassVar[str] = "scl"
    formula: ClassVar[str] = (
        "scl with negatives drawn in proportion to η(s_n); its program bounds it from below"
    )
    collisions: ClassVar[bool] = False


@dataclass(frozen=True)
class HUcl(HardenedRisk):
    """The hardened unsupervised risk. Its minimum is no simplex ETF from some β on, even of equal classes."""

    name: ClassVar[str] = "hucl"
    plain: ClassVar[str] = "ucl"
    formula: ClassVar[str] = (
        "ucl with negatives drawn in proportion to η(s_n); its program bounds it from below"
    )
    collisions: ClassVar[bool] = True
