"""What every kind of rows offers."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int


@runtime_checkable
class RowState(Protocol):
    """Where T rows stand at a matrix. Column 0 is the anchor's own entry, then come peers, group by group.

    Derivatives are by x/τ.
    """

    @property
    def excess(self) -> Float[np.ndarray, " T"]:
        """The rows above their floors; the rows themselves where there is none."""
        ...

    @property
    def slope(self) -> Float[np.ndarray, "T m1"]:
        """The derivative by each single entry behind a column."""
        ...

    def along(self, direction: Float[np.ndarray, "T m1"]) -> Float[np.ndarray, "T m1"]:
        """Return the derivative of the slope when entries move in a direction."""
        ...

    def single(self) -> Float[np.ndarray, "T m1"]:
        """Return the second derivative by the entries of one column together, over their number."""
        ...

    def hessian(self) -> Float[np.ndarray, "T m1 m1"]:
        """Return the second derivatives by columns, all entries of a column moving together."""
        ...


@runtime_checkable
class RowTable(Protocol):
    """T rows laid out for groups of given multiplicities: what evaluating needs and no matrix changes."""

    @property
    def members(self) -> Float[np.ndarray, "T m1"]:
        """How many entries stand behind a column."""
        ...

    @property
    def target(self) -> Float[np.ndarray, "T m1"]:
        """What is pulled towards the anchor: minus the linear part's coefficient of one entry."""
        ...

    @property
    def floor(self) -> Float[np.ndarray, " T"]:
        """The infimum over unconstrained entries, −∞ where there is none."""
        ...

    def state(self, entry: Float[np.ndarray, "T m1"]) -> RowState:
        """Evaluate at entries that are divided by τ."""
        ...

    def expression(self, entry: Any, weight: Float[np.ndarray, " T"]) -> Any:
        """Return Σ weight · (row − floor) as a CVXPY expression of the CVXPY expression `entry`.

        Where a row has no floor, it is the row itself; None where CVXPY cannot express it.
        """
        ...


@runtime_checkable
class Rows(Protocol):
    """T rows of one kind, row t belonging to the members of group `anchor[t]`, whose weight is `weight[t]`.

    It reads entries between role r of the anchor and role q of itself and of all other members,
    (r, q) = `roles`. `weight` is exact (`Fraction` objects are welcome); `weights` is it in float64.
    """

    @property
    def anchor(self) -> Int[np.ndarray, " T"]:
        """The groups."""
        ...

    @property
    def weight(self) -> np.ndarray:
        """The weight of all anchors of the group together."""
        ...

    @property
    def weights(self) -> Float[np.ndarray, " T"]:
        """The weight in float64."""
        ...

    @property
    def roles(self) -> tuple[int, int]:
        """Role of the anchor and of what it reads."""
        ...

    def table(self, multiplicity: Float[np.ndarray, " m"]) -> RowTable:
        """Return the rows laid out."""
        ...
