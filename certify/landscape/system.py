"""What the equations of stationary points are about: a program by samples, a point, and what is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb
from jaxtyping import Float64, Int, Shaped

from certify.balls.bounds import Objective, objective
from certify.balls.enclosures import Balls, ball, balls, zeros
from relax.errors import InputError
from relax.facts import brief
from relax.program import GramProgram
from relax.rules import Bounded, Fixed, RidgeCost

NORMS = "local minima are proven on sphere, ball and with a ridge; give one of these norms"
RIGID = "features that keep their norms cannot move here, unless they all rotate"
RANK = 1e-6  # singular values below this part of the largest are zeros


@brief
@dataclass(frozen=True, eq=False)
class System:
    """The equations around one point.

    Attributes
    ----------
    goal : Objective
        The program, one node a feature, laid out at the present precision.
    centre : array, shape (n, d)
        H₀.
    held : array of int, shape (q,)
        The features whose norm is an equation; all on the sphere, those at the bound in a ball.
    bound : array of balls, shape (n,)
        The squared norm that a feature has or may have at most; infinite with a ridge.
    price : array of balls, shape (n,)
        The multipliers of features that are not held: 0, or the weight of a ridge.
    planes : tuple of pairs of int
        The coordinate planes (a, b) whose rotations move H₀: all, unless columns of H₀ are zero.
    """

    goal: Objective
    centre: Float64[np.ndarray, "n d"]
    held: Int[np.ndarray, " q"]
    bound: Shaped[Balls, " n"]
    price: Shaped[Balls, " n"]
    planes: tuple[tuple[int, int], ...]

    @property
    def unknowns(self) -> int:
        """The number of unknowns, and of equations."""
        return self.centre.size + len(self.held) + len(self.planes)

    @property
    def rigid(self) -> bool:
        """Whether features that keep their norms can do nothing but rotate: all are minima, of nothing."""
        return self.centre.size == len(self.held) + len(self.planes)

    def multipliers(self, held: Any) -> Any:
        """Return ν of all features from that of those that are held."""
        every = self.price.copy() if held.dtype == object else self.price.astype(float)
        every[self.held] = held
        return every


def system(program: GramProgram, centre: Float64[np.ndarray, "n d"], held: Int[np.ndarray, " q"]) -> System:
    """Return the equations around a point, at the present precision.

    Raises
    ------
    InputError
        If a rule of the diagonal or a kind of rows has no such equations.
    """
    n, d = centre.shape
    bound, price = np.full(n, arb("inf"), dtype=object), zeros(n)
    for rule in program.rules:
        if isinstance(rule, (Fixed, Bounded)):
            bound[rule.slots] = ball(rule.value)
        elif isinstance(rule, RidgeCost):
            price[rule.slots] = balls(rule.weight)
        else:
            raise InputError(NORMS)
    live = int(np.any(centre != 0, axis=0).sum())
    planes = tuple((a, b) for a in range(min(live, d)) for b in range(a + 1, d))
    return System(objective(program), centre, held, bound, price, planes)


def along_axes(features: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Return features rotated so that the dimensions they do not use are columns of zeros, and come last."""
    _, sizes, axes = np.linalg.svd(features)
    rank = int((sizes > RANK * sizes[0]).sum())
    if rank == features.shape[1]:
        return features
    turned = features @ axes.T
    turned[:, rank:] = 0.0
    return turned


def split(given: System, x: Any) -> tuple[Any, Any, Any]:
    """Return H, ν of what is held, and the entries of A."""
    n, d = given.centre.shape
    features, held, turning = np.split(x, [n * d, n * d + len(given.held)])
    return features.reshape(n, d), held, turning
