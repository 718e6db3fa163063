"""What rows over random draws are laid out as, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.facts import brief
from relax.rows.random.quadrature import LaplaceRule

AT_ONCE = 500_000  # numbers in a temporary array


class Point(NamedTuple):
    """Where T rows stand, for any rule: what the nodes σ = s · (the largest X) are multiplied by.

    `reach` is m_e e^{(x_e − x_own)/τ} over the largest X, at most one, zero where nothing stands or is drawn;
    `unit` is one over the largest X.
    """

    rule: LaplaceRule
    reach: Float[np.ndarray, "T m"]
    unit: Float[np.ndarray, " T"]


@brief
@dataclass(frozen=True, eq=False)
class Draws:
    """K draws for each of T rows.

    Attributes
    ----------
    draws : int
        K.
    base, own_multiplicity : float
        B = base + own_multiplicity · (draws from the own population).
    own : array, shape (T,)
        The own population, or the probability of it.
    peer : array, shape (T, m)
        Population, or probability, of a single member of each group.
    members : array, shape (T, m)
        Members of each group that are peers of the anchor.
    """

    draws: int
    base: float
    own_multiplicity: float
    own: Float[np.ndarray, " T"]
    peer: Float[np.ndarray, "T m"]
    members: Float[np.ndarray, "T m"]

    @property
    def indicated(self) -> bool:
        """Whether a row counts only where its own population is drawn: B may be 0."""
        return self.base == 0


def blocks(rows: int, numbers: int) -> Iterator[slice]:
    """Yield slices of rows, each of which needs so many numbers."""
    size = max(1, AT_ONCE // max(1, numbers))
    yield from (slice(start, min(start + size, rows)) for start in range(0, rows, size))
