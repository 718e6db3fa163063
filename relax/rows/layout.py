"""Columns of rows: the anchor's own entry, then its entries with other members, group by group."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def members_behind(
    anchor: Int[np.ndarray, " T"], multiplicity: Float[np.ndarray, " m"]
) -> Float[np.ndarray, "T m1"]:
    """Return how many entries stand behind each column: one, then g_b, one less for the anchor's group."""
    members = np.empty((len(anchor), len(multiplicity) + 1))
    members[:, 0], members[:, 1:] = 1.0, multiplicity
    members[np.arange(len(anchor)), anchor + 1] -= 1.0
    return members


def side_by_side(own: np.ndarray, peer: np.ndarray | None, groups: int) -> Float[np.ndarray, "T m1"]:
    """Return a number for each column in float64; peers' are zero where there are none."""
    columns = np.zeros((len(own), groups + 1))
    columns[:, 0] = own
    if peer is not None:
        columns[:, 1:] = peer
    return columns
