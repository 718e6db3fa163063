"""Slopes of a loss for two class sizes, where the minority classes stand on one point.

With t = −γ ≥ 0, γ the cosine of a majority and the minority point, the other cosine that is left is
α = (k_M t² − 1)/(k_M − 1) between majority classes: the merged matrix is singular (see `merged`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
from flint import arb

from certify.balls.bounds import Objective, gradient_at, objective
from certify.balls.enclosures import BallMatrix, ball, zeros
from certify.thresholds.scaled import Polynomial, Scaled
from relax.counts import ClassCounts
from relax.losses import Loss
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.program import GramProgram
from relax.rows import LogSumExp

SEEN = 6  # ratios 1, 2, … at which the numbers of a program are read; three fix a polynomial, three test it


class Slopes(NamedTuple):
    """Derivatives of the loss by one entry: of two majorities, across, and of two minorities at cosine 1."""

    major: Scaled
    across: Scaled
    minor: Scaled


class Step(Protocol):
    """A loss for k_M large and k_m small classes, for one ratio R or for a ball of them."""

    @property
    def k(self) -> tuple[int, int]:
        """k_M and k_m."""
        ...

    def slopes(self, t: arb) -> Slopes:
        """Return the slopes at t, all of them over one common positive factor."""
        ...


@dataclass(frozen=True)
class Tables:
    """The log-sum-exp rows of a loss as exact polynomials in R; the common normaliser is left out.

    Of a majority (0) and a minority class (1): the weight of its row, what it reads of itself, and what it
    reads of one member of each group, e.g. n, n − 1 and n for the supervised-contrastive loss.
    """

    k: tuple[int, int]
    temperature: Fraction
    weight: tuple[Polynomial, Polynomial]
    own: tuple[Polynomial, Polynomial]
    peer: tuple[tuple[Polynomial, Polynomial], tuple[Polynomial, Polynomial]]

    def at(self, y: arb) -> ForRatios:
        """Return the rows for every R with 1/R in the ball y, which may hold 0, at the present precision."""
        weight = (self.weight[0].scaled(y), self.weight[1].scaled(y))
        own = (self.own[0].scaled(y), self.own[1].scaled(y))
        peer = [[number.scaled(y) for number in row] for row in self.peer]
        return ForRatios(self.k, y, ball(1 / self.temperature), weight, own, peer)


@dataclass(frozen=True)
class ForRatios:
    """The rows of `Tables` for a ball of ratios."""

    k: tuple[int, int]
    y: arb
    inverse_temperature: arb
    weight: tuple[Scaled, Scaled]
    own: tuple[Scaled, Scaled]
    peer: list[list[Scaled]]

    def slopes(self, t: arb, beta: arb | None = None, gamma: arb | None = None) -> Slopes:
        """Return the slopes ω U e^{(M − 1)/τ}/X, X the argument of a row's logarithm.

        With β and γ given, minorities have the cosine β and t² is (1 + (k_M − 1) α)/k_M alone.
        """
        (k, k_minor), pull = self.k, self.inverse_temperature
        alpha = (k * t * t - 1) / (k - 1) if k > 1 else arb(1)
        same = ((alpha - 1) * pull).exp()
        across = ((-t if gamma is None else gamma) * pull - pull).exp()
        near = arb(1) if beta is None else ((beta - 1) * pull).exp()
        major = self.own[0] + self.peer[0][1].times(k_minor * across)
        major = major + self.peer[0][0].times((k - 1) * same) if k > 1 else major
        minor = self.own[1] + self.peer[1][1].times((k_minor - 1) * near) + self.peer[1][0].times(k * across)
        first, second = self.weight[0] / major, self.weight[1] / minor
        return Slopes(
            (first * self.peer[0][0]).times(same),
            (first * self.peer[0][1] + second * self.peer[1][0]).times(across / 2),
            (second * self.peer[1][1]).times(near),
        )


@dataclass(frozen=True)
class AtCounts:
    """Any convex rows whose enclosure is known, at given counts: batches among them."""

    k: tuple[int, int]
    program: GramProgram
    goal: Objective

    @classmethod
    def of(cls, program: GramProgram) -> AtCounts:
        """Lay the rows out at the present precision."""
        k_major, k_minor = program.multiplicity.astype(int).tolist()
        return cls((k_major, k_minor), program, objective(program))

    def slopes(self, t: arb) -> Slopes:
        """Return the entries of the gradient in balls."""
        peer = zeros(2, 2)
        peer[0, 1] = peer[1, 0] = -t
        peer[0, 0], peer[1, 1] = self._alpha(t), arb(1)
        slope = gradient_at(self.goal, BallMatrix(zeros(2) + arb(1), peer)).peer
        return Slopes(*(Scaled(slope[at], 0, arb(1)) for at in ((0, 0), (0, 1), (1, 1))))

    def floats(self, t: float) -> tuple[float, float, float]:
        """Return them in float64, for searches."""
        alpha = float(self._alpha(arb(t)))
        matrix = OrbitMatrix(
            self.program.multiplicity, np.ones((2, 1, 1)), np.array([[alpha, -t], [-t, 1.0]])
        )
        slope = self.program.gradient(matrix).peer
        return float(slope[0, 0]), float(slope[0, 1]), float(slope[1, 1])

    def _alpha(self, t: arb) -> arb:
        k = self.k[0]
        return (k * t * t - 1) / (k - 1) if k > 1 else arb(0)  # one class alone has no such entry


def step_problem(
    k: tuple[int, int], sizes: tuple[int, int], loss: Loss, temperature: float | None, views: int
) -> Problem:
    """Return the problem in two groups, equal sizes or not."""
    return Problem(ClassCounts((sizes[0], sizes[1]), k), loss, temperature, views=views)


def tables_of(
    k: tuple[int, int], n_minor: int, loss: Loss, temperature: float | None, views: int
) -> Tables | None:
    """Read the polynomials off the programs at R = 1, …, 6; None where rows are others, or no polynomials."""
    programs = [
        step_problem(k, (ratio * n_minor, n_minor), loss, temperature, views).program()
        for ratio in range(1, SEEN + 1)
    ]
    if not all(_is_plain(program) for program in programs):
        return None
    columns = [
        _polynomial(values) for values in zip(*(_numbers(program) for program in programs), strict=True)
    ]
    fitting = [found for found in columns if found is not None]
    if len(fitting) < len(columns):
        return None
    w0, w1, own0, own1, *peers = fitting
    peer = ((peers[0], peers[1]), (peers[2], peers[3]))
    return Tables(k, programs[0].temperature, (w0, w1), (own0, own1), peer)


def _is_plain(program: GramProgram) -> bool:
    """Return whether each group has one log-sum-exp row with its target on the own entry."""
    rows = program.rows[0]
    return (
        len(program.rows) == 1
        and isinstance(rows, LogSumExp)
        and rows.anchor.tolist() == [0, 1]
        and rows.peer_target is None
        and bool(np.all(rows.own_target == 1))
    )


def _numbers(program: GramProgram) -> list[Fraction]:
    rows = program.rows[0]
    assert isinstance(rows, LogSumExp)
    weight = [Fraction(w) / int(g) for w, g in zip(rows.weight.tolist(), program.multiplicity, strict=True)]
    rest = [*rows.own_multiplicity.tolist(), *rows.peer_multiplicity.ravel().tolist()]
    return [*weight, *(Fraction(number) for number in rest)]


def _polynomial(values: tuple[Fraction, ...]) -> Polynomial | None:
    found = Polynomial.through((values[0], values[1], values[2]))
    return found if all(found(Fraction(i + 1)) == x for i, x in enumerate(values)) else None
