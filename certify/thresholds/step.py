"""Slopes of a loss for two class sizes, along the singular matrices.

With cosines α between majorities, β between minorities, γ across, A = 1 + (k_M − 1) α, B = 1 + (k_m − 1) β,
t = √(A/k_M) and s = √(B/k_m), both between 0 and 1, these have γ = −s t. At s = 1 the minorities coincide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import arb

from certify.balls.bounds import Objective, gradient_at, objective
from certify.balls.enclosures import BallMatrix, ball, zeros
from certify.thresholds.falling import falling
from certify.thresholds.scaled import Polynomial, Scaled
from relax.counts import ClassCounts
from relax.losses import Loss
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.program import GramProgram
from relax.rows import LogSumExp, RandomLogSumExp
from relax.rules import Fixed

ONE = arb(1)
SEEN = 6  # ratios 1, 2, … at which the numbers of a program are read; three fix a polynomial, three test it


class Slopes(NamedTuple):
    """Derivatives of the loss by one entry: of two majorities, across, and of two minorities at cosine 1."""

    major: Scaled
    across: Scaled
    minor: Scaled


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

    def at(self, y: arb, s: arb = ONE) -> ForRatios:
        """Return the rows for every R with 1/R in the ball y, which may hold 0, at the present precision."""
        weight = (self.weight[0].scaled(y), self.weight[1].scaled(y))
        own = (self.own[0].scaled(y), self.own[1].scaled(y))
        peer = [[number.scaled(y) for number in row] for row in self.peer]
        return ForRatios(self.k, y, ball(1 / self.temperature), weight, own, peer, s)


@dataclass(frozen=True)
class ForRatios:
    """The rows of `Tables` for a ball of ratios."""

    k: tuple[int, int]
    y: arb
    inverse_temperature: arb
    weight: tuple[Scaled, Scaled]
    own: tuple[Scaled, Scaled]
    peer: list[list[Scaled]]
    s: arb = ONE

    def slopes(self, t: arb) -> Slopes:
        """Return the slopes ω U e^{(M − 1)/τ}/X, X the argument of a row's logarithm."""
        (k, k_minor), pull = self.k, self.inverse_temperature
        same = ((cosine(k, t) - 1) * pull).exp()
        across = (-(1 + self.s * t) * pull).exp()
        near = ((cosine(k_minor, self.s) - 1) * pull).exp()
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
    """Any convex rows whose enclosure is known, at given counts: batches among them.

    Group `minor` stands for the minorities, the other for the majorities, whatever their sizes.
    """

    program: GramProgram
    goal: Objective
    s: arb = ONE
    minor: int = 1

    @classmethod
    def of(cls, program: GramProgram, s: arb = ONE, minor: int = 1) -> AtCounts:
        """Lay the rows out at the present precision."""
        return cls(program, objective(program), s, minor)

    @property
    def k(self) -> tuple[int, int]:
        """How many classes the two groups have."""
        return int(self.program.multiplicity[1 - self.minor]), int(self.program.multiplicity[self.minor])

    def slopes(self, t: arb) -> Slopes:
        """Return the entries of the gradient in balls."""
        first, last, peer = 1 - self.minor, self.minor, zeros(2, 2)
        peer[0, 1] = peer[1, 0] = -self.s * t
        peer[first, first], peer[last, last] = cosine(self.k[0], t), cosine(self.k[1], self.s)
        slope = gradient_at(self.goal, BallMatrix(zeros(2) + arb(1), peer)).peer
        return Slopes(*(Scaled(slope[at], 0, arb(1)) for at in ((first, first), (0, 1), (last, last))))

    def floats(self, t: float) -> tuple[float, float, float]:
        """Return them in float64, for searches."""
        first, last, peer = 1 - self.minor, self.minor, np.full((2, 2), -float(self.s) * t)
        peer[first, first], peer[last, last] = map(
            float, (cosine(self.k[0], arb(t)), cosine(self.k[1], self.s))
        )
        matrix = OrbitMatrix(self.program.multiplicity, np.ones((2, 1, 1)), peer)
        slope = self.program.gradient(matrix).peer
        return float(slope[first, first]), float(slope[0, 1]), float(slope[last, last])

    def search(self) -> tuple[float, float]:
        """Return log t at the minimum, and log of the sides of (2) in `merged` there, both in float64."""
        k, k_minor = self.k

        def difference(log_t: float) -> float:
            major, across, _ = self.floats(math.exp(log_t))
            return _log(k * major) + log_t - _log(k_minor * float(self.s) * across)

        log_t = falling(difference) if k > 1 else 0.0
        _, across, minor = self.floats(math.exp(log_t))
        return log_t, _log(k * across) + log_t - _log(k_minor * float(self.s) * minor)


Step = ForRatios | AtCounts  # k_M and k_m classes at some s, for one ratio or for a ball of them


def cosine(k: int, part: arb) -> arb:
    """Return the cosine x between k classes with (1 + (k − 1) x)/k = part²; 1 where there is one class."""
    return (k * part * part - 1) / (k - 1) if k > 1 else arb(1)


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
    if not all(is_plain(program) for program in programs):
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


def rises(program: GramProgram) -> bool:
    """Return whether norms are one and the rows, known to be convex, rise with every entry between nodes."""
    rows = all(
        isinstance(block, RandomLogSumExp)
        or (
            isinstance(block, LogSumExp) and block.peer_target is None and bool(np.all(block.own_target == 1))
        )
        for block in program.rows
    )
    unit = all(isinstance(rule, Fixed) and rule.value == 1 for rule in program.rules)
    return rows and unit and program.roles == 1 and not program.nonnegative


def is_plain(program: GramProgram) -> bool:
    """Return whether each group has one log-sum-exp row with its target on the own entry."""
    rows = program.rows[0]
    return len(program.rows) == 1 and isinstance(rows, LogSumExp) and rows.anchor.tolist() == [0, 1]


def _numbers(program: GramProgram) -> list[Fraction]:
    rows = program.rows[0]
    assert isinstance(rows, LogSumExp)
    weight = [Fraction(w) / int(g) for w, g in zip(rows.weight.tolist(), program.multiplicity, strict=True)]
    rest = [*rows.own_multiplicity.tolist(), *rows.peer_multiplicity.ravel().tolist()]
    return [*weight, *(Fraction(number) for number in rest)]


def _polynomial(values: tuple[Fraction, ...]) -> Polynomial | None:
    found = Polynomial.through((values[0], values[1], values[2]))
    return found if all(found(Fraction(i + 1)) == x for i, x in enumerate(values)) else None


def _log(number: float) -> float:
    return math.log(number) if number > 0 else -math.inf
