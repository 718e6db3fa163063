"""Log-sum-exp rows: the cross-entropy of a target against a softmax over entries of M."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from relax.facts import brief
from relax.rows.layout import members_behind, side_by_side


@brief
@dataclass(frozen=True, eq=False)
class LogSumExp:
    """T rows, each the cross-entropy of a target distribution p against a softmax over entries of M.

    Row t belongs to the members of one group (its anchors), whose total weight is w_t, and reads

        w_t · [ log Σ_e m_te exp(x_e/τ) − Σ_e p_te x_e/τ ]

    where e runs over the anchor's own entry and its entries with every other node. x_e is the entry
    between role r of the anchor and role r' of the other, (r, r') = `roles`.

    Numbers are exact: an array of integers or floats means these very numbers, an array of `Fraction`
    objects is welcome; solvers read the float arrays of `floats`.

    Attributes
    ----------
    anchor : array of int, shape (T,)
        The group whose members are the anchors.
    weight : array, shape (T,)
        Weight of the row, all anchors of the group together.
    own_multiplicity, own_target : array, shape (T,)
        m and p of the entry between the anchor and itself.
    peer_multiplicity : array, shape (T, m)
        m of the entry with each *other* member of each group.
    peer_target : array, shape (T, m), or None
        p of those entries; None means zero.
    roles : pair of int
        Role of the anchor and of what it reads.
    """

    anchor: Int[np.ndarray, " T"]
    weight: np.ndarray
    own_multiplicity: np.ndarray
    own_target: np.ndarray
    peer_multiplicity: np.ndarray
    peer_target: np.ndarray | None = None
    roles: tuple[int, int] = (0, 0)

    @property
    def weights(self) -> Float[np.ndarray, " T"]:
        """The weight in float64."""
        return self.floats.weight

    @cached_property
    def floats(self) -> LogSumExp:
        """The same rows in float64, rounded where a number is not representable."""

        def rounded(array: np.ndarray) -> np.ndarray:
            return array if array.dtype == np.float64 else array.astype(np.float64)

        return LogSumExp(
            self.anchor,
            rounded(self.weight),
            rounded(self.own_multiplicity),
            rounded(self.own_target),
            rounded(self.peer_multiplicity),
            None if self.peer_target is None else rounded(self.peer_target),
            self.roles,
        )

    def table(self, multiplicity: Float[np.ndarray, " m"]) -> LogSumExpTable:
        """Return the rows laid out for a program whose groups have these multiplicities."""
        numbers, groups = self.floats, len(multiplicity)
        members = members_behind(self.anchor, multiplicity)
        weights = side_by_side(numbers.own_multiplicity, numbers.peer_multiplicity, groups)
        target = side_by_side(numbers.own_target, numbers.peer_target, groups)
        used = (target > 0) & (members > 0)
        with np.errstate(divide="ignore"):
            log_weight = np.where(members > 0, np.log(weights), -np.inf)
        log_ratio = log_weight - np.log(np.where(used, target, 1.0))
        total = (members * target).sum(axis=1)
        floor = (members * np.where(used, target * np.where(used, log_ratio, 0.0), 0.0)).sum(axis=1)
        floor = np.where(np.abs(total - 1.0) <= 1e-9, floor, -np.inf)
        on_target = used & np.isfinite(floor)[:, None]
        return LogSumExpTable(members, target, np.where(on_target, log_ratio, log_weight), on_target, floor)


@brief
@dataclass(frozen=True, eq=False)
class LogSumExpTable:
    """Log-sum-exp rows laid out; column 0 is the anchor's own entry, then peers.

    `members` counts the entries behind a column, `target` is p of one of them, `log_ratio` is log(m/p) on
    the target of a row that has a floor and log m elsewhere, `on_target` says which, `floor` is
    inf_x (log Σ m e^x − Σ p x) = Σ p log(m/p), and −∞ where p is not a distribution on entries with m > 0.
    """

    members: Float[np.ndarray, "T m1"]
    target: Float[np.ndarray, "T m1"]
    log_ratio: Float[np.ndarray, "T m1"]
    on_target: Bool[np.ndarray, "T m1"]
    floor: Float[np.ndarray, " T"]

    def state(self, entry: Float[np.ndarray, "T m1"]) -> LogSumExpState:
        """Evaluate rows at entries x/τ without cancellation.

        With y = x/τ + log_ratio, shifted to Σ p y = 0, the excess of a row with a floor is
        log1p( Σ_{p=0} e^y + Σ_{p>0} p (e^y − 1 − y) ) and softmax − target is p (e^y − 1 − rest)/(1 + rest)
        on the target. A row without a floor is shifted by Σ p x/τ and has no "1 +"; its largest term is taken
        out, as all of them may be below the smallest float.
        """
        has_floor = np.isfinite(self.floor)
        shift = (self.members * self.target * entry).sum(axis=1) + np.where(has_floor, self.floor, 0.0)
        y = entry + self.log_ratio - shift[:, None]
        top = y.max(axis=1)
        top = np.where(has_floor | (top == -np.inf), np.maximum(0.0, top), top)[:, None]
        unit = np.where(has_floor[:, None], np.exp(-np.maximum(0.0, top)), 0.0)
        term = np.exp(y - top)
        on, p = self.on_target, self.target
        centred = np.where(top == 0.0, np.expm1(np.minimum(y, 0.0)), term - unit)
        beyond = np.where(on, p * centred, term)
        curved = beyond - np.where(on, p * unit * np.where(on, y, 0.0), 0.0)
        rest = (self.members * curved).sum(axis=1)[:, None]
        with np.errstate(divide="ignore"):
            excess = np.where(
                has_floor & (top[:, 0] == 0), np.log1p(rest[:, 0]), top[:, 0] + np.log(unit + rest)[:, 0]
            )
        slope = np.where(on, beyond - p * rest, beyond) / (unit + rest) - np.where(on, 0.0, p)
        return LogSumExpState(self, excess, slope)

    def expression(self, entry: Any, weight: Float[np.ndarray, " T"]) -> Any:
        """Return the rows as a CVXPY expression; rows with equally many entries make one log_sum_exp."""
        import cvxpy as cp

        used = (self.members > 0) & np.isfinite(self.log_ratio)
        with np.errstate(divide="ignore"):
            log_weight = self.log_ratio + np.log(np.where(self.on_target, self.target, 1.0))
            log_weight = log_weight + np.log(self.members)
        width = used.sum(axis=1)
        total = -(weight @ np.where(np.isfinite(self.floor), self.floor, 0.0))
        total = total - cp.sum(cp.multiply(weight[:, None] * self.members * self.target, entry))
        for count in np.unique(width):
            picked = np.flatnonzero(width == count)
            column = used[picked].nonzero()[1]
            shape = (len(picked), int(count))
            exponent = cp.reshape(entry[np.repeat(picked, count), column], shape, order="C")
            shift = log_weight[picked][used[picked]].reshape(shape)
            total = total + weight[picked] @ cp.log_sum_exp(exponent + shift, axis=1)
        return total


@brief
@dataclass(frozen=True, eq=False)
class LogSumExpState:
    """Log-sum-exp rows at a matrix: `slope` is softmax − target on each single entry."""

    table: LogSumExpTable
    excess: Float[np.ndarray, " T"]
    slope: Float[np.ndarray, "T m1"]

    @cached_property
    def softmax(self) -> Float[np.ndarray, "T m1"]:
        """The softmax on a single entry behind each column."""
        return self.slope + self.table.target

    def along(self, direction: Float[np.ndarray, "T m1"]) -> Float[np.ndarray, "T m1"]:
        """Return π_e (x_e − x̄), x̄ = Σ π x, for a direction x.

        Entries are taken from the mean of the target first: where the softmax is nearly the target, as at
        low temperature, x_e − x̄ on it would otherwise be lost in rounding.
        """
        members, softmax = self.table.members, self.softmax
        entry = direction - np.einsum("te,te->t", members * self.table.target, direction)[:, None]
        entry -= np.einsum("te,te->t", members * softmax, entry)[:, None]
        return softmax * entry

    def single(self) -> Float[np.ndarray, "T m1"]:
        """Return π (1 − π), all entries of a column moving together, over their number."""
        members = self.table.members
        return self.softmax * ((1.0 - members * self.table.target) - members * self.slope)

    def hessian(self) -> Float[np.ndarray, "T m1 m1"]:
        """Return the graph Laplacian of weights Π_e Π_f, Π the softmax on whole columns.

        Every number of it is right to the last digits.
        """
        members = self.table.members
        softmax = members * self.softmax
        rest = (1.0 - members * self.table.target) - members * self.slope
        laplacian = -softmax[:, :, None] * softmax[:, None, :]
        column = np.arange(softmax.shape[1])
        laplacian[:, column, column] = softmax * rest
        return laplacian
