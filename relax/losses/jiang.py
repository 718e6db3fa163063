"""Risks with random negatives, from other classes (SCL) or from all (UCL); Jiang et al., arXiv 2311.05139."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from relax.counts import ClassCounts, exact_rational, positive_number
from relax.errors import InputError, among, worded
from relax.losses.definition import Seen, Share
from relax.losses.psi import Drawn, LogMeanExp, MeanExp, Populations, Psi
from relax.losses.reduction import Reduction, class_nodes
from relax.norms import Norm
from relax.rows import Rows

PsiName = Literal["log-mean-exp", "mean-exp", "mean-softplus"]
LARGEST_DRAW = 1_000_000  # negatives; the binomial distribution of collisions is written out


@dataclass(frozen=True)
class Risk:
    """E ψ(t_1, …, t_q) with t_i = (⟨h, h_i⁻⟩ − ⟨h, h⁺⟩)/τ, over the features that there are.

    The anchor h is any of n features (views count), h⁺ any of its class, and h_1⁻ … h_q⁻ are drawn with
    replacement: all independent given their classes, as the paper has it of UCL, so that the positive may be
    the anchor itself and a class of one sample has an anchor like any other. Given features stand for a
    population whose classes have probabilities n_c/n.

    Other ψ: a subclass with its own name, whose `function` returns a `relax.losses.psi.Psi`.

    Attributes
    ----------
    q : int
        Negatives of an anchor. Only log-mean-exp depends on it.
    a : float
        The decimal that is written, a > 0: log(1 + m · mean e^t) is log m + ψ with a = 1/m.
    psi : str
        "log-mean-exp" log(a + (1/q) Σ e^{t_i}), "mean-exp" (1/q) Σ e^{t_i}, or "mean-softplus"
        (1/q) Σ log(a + e^{t_i}).
    """

    q: int = 256
    a: float = 1.0
    psi: PsiName = "log-mean-exp"

    name: ClassVar[str]
    default_temperature: ClassVar[float] = 1.0
    formula: ClassVar[str]
    source: ClassVar[str] = "Jiang et al. 2023, arXiv 2311.05139"
    collisions: ClassVar[bool]

    def __post_init__(self) -> None:
        """Refuse draws and levels that are none, and unknown ψ."""
        if type(self.q) is not int or not 1 <= self.q <= LARGEST_DRAW:
            raise InputError(
                f"q {worded(self.q)} must be a whole number of negatives from 1 to {LARGEST_DRAW}"
            )
        object.__setattr__(self, "a", positive_number(self.a, "a", "1"))
        among(self.psi, get_args(PsiName), "psi")

    @property
    def function(self) -> Psi:
        """The function ψ."""
        if self.psi == "mean-exp":
            return MeanExp()
        return LogMeanExp(self.q if self.psi == "log-mean-exp" else 1, exact_rational(self.a))

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where there is one class."""
        if counts.classes >= 2:
            return None
        return f"one class only: {self.name} has nothing to repel; give at least two classes"

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return E ψ of collapsed classes, by groups of equal classes, convex in M.

            min_M (1/n) Σ_c n_c E ψ(t_1, …, t_q),     t_i = (M_cc' − M_cc)/τ for a negative of class c'

        It is below the loss of every H. Given the classes c, c_1 … c_q of anchor and negatives, all features
        are independent, and Jensen's inequality puts ψ at the mean of each t_i, (⟨μ_c, μ_c_i⟩ − |μ_c|²)/τ,
        below its mean; a negative of the anchor's class has the mean of its positive and t = 0, however the
        class is spread. |μ_c|² is at most r_c, the mean of ‖h‖² over the class, and ψ is non-decreasing. So M
        with r_c on its diagonal and the class means' products elsewhere has a value at most the loss of H,
        with equality at collapse. Were the anchor left out of its positives but not of its negatives, the
        mean of t would be (r_c − |μ_c|²)/((n_c − 1)τ) ≥ 0 for a negative of its class, and all of this would
        hold; left out of its negatives alone, t would be below zero in the mean, and classes might spread.
        """
        normaliser = Fraction(counts.samples * views)
        return Reduction(class_nodes(counts, views), (self._rows(counts, views),), normaliser)

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        """Return None: a row of one feature is an expectation over its positives as well."""
        return None

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return E ψ of each anchor over its positive and negatives."""
        negatives = self._negatives(seen)
        chances = seen.xp.integers(negatives) / seen.xp.integers(negatives.sum(axis=1))[:, None]
        return self.function.share(x, self._drawn(seen, chances))

    def _rows(self, counts: ClassCounts, views: int) -> Rows:
        size, groups = np.array(counts.sizes, dtype=object), np.array(counts.multiplicities, dtype=object)
        whole = np.full(len(size), counts.samples, dtype=object)
        own, total = (size, whole) if self.collisions else (0 * size, whole - size)
        return self.function.rows(Populations(views * size * groups, own, size, total))

    def _negatives(self, seen: Seen) -> np.ndarray:
        """Return how many negatives stand behind each column."""
        return seen.copies * (np.ones_like(seen.is_class) if self.collisions else ~seen.is_class)

    def _drawn(self, seen: Seen, chances: Any, surplus: Any = 0) -> Drawn:
        xp, positives, negatives = seen.xp, seen.copies * seen.is_class, self._negatives(seen)
        positive = xp.integers(positives) / xp.integers(positives.sum(axis=1))[:, None]
        own, total = (negatives * seen.is_class).sum(axis=1), negatives.sum(axis=1)
        return Drawn(xp, seen.is_class, positive, chances, own, total, surplus)


@dataclass(frozen=True)
class Scl(Risk):
    """The supervised risk: negatives are of other classes, which count by their sizes.

    Equal classes: ψ(−C/((C−1)τ), …) at the simplex ETF of C class means.
    """

    name: ClassVar[str] = "scl"
    formula: ClassVar[str] = "E log(a + (1/q) Σ e^{s_n − s_p}), q negatives drawn from other classes"
    collisions: ClassVar[bool] = False


@dataclass(frozen=True)
class Ucl(Risk):
    """The unsupervised risk: negatives are of any class, the anchor's own too.

    Equal classes: Σ_j Bin(q, 1/C)(j) ψ(0 for j of them, −C/((C−1)τ) for the rest), at the simplex ETF.
    """

    name: ClassVar[str] = "ucl"
    formula: ClassVar[str] = "E log(a + (1/q) Σ e^{s_n − s_p}), q negatives drawn from all features"
    collisions: ClassVar[bool] = True
