"""The supervised-contrastive loss with a temperature for every class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from relax.counts import ClassCounts, ExactFloat, exact_rational
from relax.errors import InputError, worded
from relax.losses.definition import Seen, Share
from relax.losses.reduction import Reduction
from relax.losses.supcon import SupCon
from relax.norms import Norm

DIGITS = 12  # significant digits of a class's temperature over the problem's
LARGEST = 4.0


@dataclass(frozen=True)
class SupConTemperatures:
    """L_out with similarities G_ij/√(τ_c τ_c') between features of classes c and c'.

        L(H) = (1/N₊) Σ_i (1/|P_i|) Σ_{p∈P_i} log Σ_{l≠i} exp( G_il/√(τ_i τ_l) − G_ip/τ_i ),
        τ_c = τ (n_c/n_0)^γ,

    the ratio τ_c/τ rounded to twelve significant digits; this decimal is meant exactly. With γ > 0 small
    classes are colder than the largest, whose size is n_0, with γ < 0 large ones colder than the smallest:
    the problem's temperature is that of the hottest class.

    Attributes
    ----------
    exponent : float
        γ, between −4 and 4, the decimal that is written; 0 is `SupCon`.
    """

    exponent: float = 0.25

    name: ClassVar[str] = "supcon-temperatures"
    default_temperature: ClassVar[float] = 0.1
    formula: ClassVar[str] = "L_out with s_ij/√(τ_c τ_c') in place of s_ij/τ, τ_c = τ (n_c/n_0)^γ ≤ τ"
    source: ClassVar[str] = "L_out of Khosla et al. 2020, arXiv 2004.11362, with temperatures by class"

    def __post_init__(self) -> None:
        given = self.exponent
        if isinstance(given, bool) or not (isinstance(given, (int, float)) and abs(given) <= LARGEST):
            raise InputError(
                f"exponent {worded(given)} must be a number between −4 and 4; 0 is the loss supcon"
            )
        object.__setattr__(self, "exponent", given if isinstance(given, ExactFloat) else float(given))

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        """Return a sentence where `SupCon` has one."""
        return SupCon().refuses(counts, views, norm, nonnegative)

    def reduce(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the program of `SupCon` over the vectors √(τ/τ_c) h.

        Their inner products over τ are the similarities, and so all that `SupCon.reduce` proves holds: what
        is asked of their norms is what is asked of the norms of h, times the exact τ/τ_c.
        """
        return self._stretched(SupCon().reduce(counts, views), counts, np.array(counts.sizes, dtype=object))

    def lift(self, counts: ClassCounts, views: int) -> Reduction:
        """Return the sample-level relaxation over the same vectors."""
        lifted = SupCon().by_features(counts, views)
        size = np.array(counts.sizes, dtype=object)[counts.group_of_class()]
        return self._stretched(lifted, counts, size[lifted.nodes.class_of_unit()])

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return log Σ_{l≠i} e^{z_l} − (1/|P|) Σ_P z_p, z_l = x_l τ/√(τ_i τ_l), for each anchor."""
        ratios = self.ratios(np.unique(seen.sizes).tolist())
        anchors, columns = (
            sum(seen.xp.integers((sizes == n).astype(int)) * seen.xp.number(1 / r) for n, r in ratios.items())
            for sizes in (seen.size_of_anchor[:, None], seen.sizes)
        )
        return SupCon().shares(x * seen.xp.sqrt(anchors * columns), seen)

    def ratios(self, sizes: Iterable[int]) -> dict[int, Fraction]:
        """Return τ_c/τ = (n_c/n_0)^γ, as the decimals that are meant, for the sizes of all classes."""
        found, fine = sorted(set(sizes)), Context(prec=60)
        hottest = found[-1] if self.exponent >= 0 else found[0]
        exponent = fine.divide(*map(Decimal, exact_rational(self.exponent).as_integer_ratio()))
        powers = (fine.power(fine.divide(Decimal(n), Decimal(hottest)), exponent) for n in found)
        return dict(zip(found, (Fraction(Context(prec=DIGITS).plus(power)) for power in powers), strict=True))

    def _stretched(self, reduction: Reduction, counts: ClassCounts, size: np.ndarray) -> Reduction:
        ratios = self.ratios(counts.sizes)
        square = np.array([1 / ratios[n] for n in size], dtype=object)
        return replace(reduction, nodes=replace(reduction.nodes, square=square))
