"""Sum-of-exponentials rows: kernels of distances, exp of differences of entries of M."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from relax.facts import brief
from relax.rows.layout import members_behind, side_by_side


@brief
@dataclass(frozen=True, eq=False)
class SumExp:
    """T rows, each a sum of exponentials of entries of M above a target's mean.

    Row t belongs to the members of one group (its anchors), whose total weight is w_t, and reads

        w_t · [ floor_t + Σ_e m_te exp((x_e − Σ_f p_tf x_f)/τ) ]

    where e runs over the anchor's own entry and its entries with every other node, as in `LogSumExp`, whose
    attributes these are but for

    Attributes
    ----------
    floor : array, shape (T,)
        What excesses are measured from, exact. With m = 0 wherever p ≠ 0 it is the row's infimum.
    """

    anchor: Int[np.ndarray, " T"]
    weight: np.ndarray
    own_multiplicity: np.ndarray
    own_target: np.ndarray
    peer_multiplicity: np.ndarray
    floor: np.ndarray
    peer_target: np.ndarray | None = None
    roles: tuple[int, int] = (0, 0)

    @property
    def weights(self) -> Float[np.ndarray, " T"]:
        """The weight in float64."""
        return self.weight.astype(np.float64)

    def table(self, multiplicity: Float[np.ndarray, " m"]) -> SumExpTable:
        """Return the rows laid out for a program whose groups have these multiplicities."""
        groups = len(multiplicity)
        return SumExpTable(
            members_behind(self.anchor, multiplicity),
            side_by_side(self.own_multiplicity, self.peer_multiplicity, groups),
            side_by_side(self.own_target, self.peer_target, groups),
            self.floor.astype(np.float64),
        )


@brief
@dataclass(frozen=True, eq=False)
class SumExpTable:
    """Sum-of-exponentials rows laid out; column 0 is the anchor's own entry, then peers.

    `members` counts the entries behind a column, `weight` is m and `target` is p of one of them.
    """

    members: Float[np.ndarray, "T m1"]
    weight: Float[np.ndarray, "T m1"]
    target: Float[np.ndarray, "T m1"]
    floor: Float[np.ndarray, " T"]

    def state(self, entry: Float[np.ndarray, "T m1"]) -> SumExpState:
        """Evaluate rows at entries x/τ: all terms are positive, so that nothing cancels."""
        mean = (self.members * self.target * entry).sum(axis=1)
        used = (self.members > 0) & (self.weight > 0)
        with np.errstate(over="ignore"):  # a sum beyond float64 is infinite
            term = np.where(used, self.weight * np.exp(np.where(used, entry - mean[:, None], 0.0)), 0.0)
            excess = (self.members * term).sum(axis=1)
        pull = np.where(self.target != 0, excess[:, None], 0.0)  # no 0 · ∞
        return SumExpState(self, term, excess, term - self.target * pull)

    def expression(self, entry: Any, weight: Float[np.ndarray, " T"]) -> Any:
        """Return Σ weight · (row − floor) as a CVXPY expression."""
        import cvxpy as cp

        row, column = np.nonzero((self.members > 0) & (self.weight > 0))
        mean: Any = cp.sum(cp.multiply(self.members * self.target, entry), axis=1)
        factor = (weight[:, None] * self.members * self.weight)[row, column]
        return factor @ cp.exp(entry[row, column] - mean[row])


@brief
@dataclass(frozen=True, eq=False)
class SumExpState:
    """Sum-of-exponentials rows at a matrix.

    `term` is m e^y of each single entry, y = x − Σ p x, and `slope` is m e^y − p Σ m e^y.
    """

    table: SumExpTable
    term: Float[np.ndarray, "T m1"]
    excess: Float[np.ndarray, " T"]
    slope: Float[np.ndarray, "T m1"]

    def along(self, direction: Float[np.ndarray, "T m1"]) -> Float[np.ndarray, "T m1"]:
        """Return t_e − p_e Σ t with t = m e^y (x − Σ p x), for a direction x."""
        members, target = self.table.members, self.table.target
        mean = np.einsum("te,te->t", members * target, direction)
        turned = self.term * (direction - mean[:, None])
        return turned - target * np.einsum("te,te->t", members, turned)[:, None]

    def single(self) -> Float[np.ndarray, "T m1"]:
        """Return the second derivative by a column, all its entries moving together, over their number.

        With P = members · p of the column: m e^y (1 − P)² + (the other columns' sum) p P.
        """
        members, target = self.table.members, self.table.target
        whole = members * target
        others = self.excess[:, None] - members * self.term
        return self.term * (1.0 - whole) ** 2 + others * target * whole

    def hessian(self) -> Float[np.ndarray, "T m1 m1"]:
        """Return Σ_f T_f (e_f − P)(e_f − P)ᵀ, T and P the terms and targets of whole columns."""
        whole, target = self.table.members * self.term, self.table.members * self.table.target
        away = np.eye(whole.shape[1]) - target[:, None, :]
        return np.einsum("tf,tfa,tfb->tab", whole, away, away)
