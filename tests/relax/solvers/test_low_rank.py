"""Burer–Monteiro: its derivatives, ranks that are too small, two hundred slots, and small temperatures."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from relax.answer import Status
from relax.bounds import feasible
from relax.problem import Ball, Norm, Ridge, Sphere
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Budget, Fixed
from relax.solvers import barrier, low_rank
from relax.solvers.low_rank.factored import Factors, Model
from relax.solvers.low_rank.walls import walls_at
from tests.relax.programs import PROGRAMS, cross_entropy, gap, long_tail, supcon

NAMES = sorted(PROGRAMS)


def batches(m: int, tau: Fraction) -> GramProgram:
    """Return five random batch compositions for each class: five rows an anchor."""
    rng, share = np.random.default_rng(1), np.array(long_tail(m)) / sum(long_tail(m))
    anchor = np.repeat(np.arange(m), 5)
    peers = np.array([rng.multinomial(64, share) for _ in anchor]).astype(float)
    peers[np.arange(len(anchor)), anchor] = 0.0
    own = rng.integers(1, 6, len(anchor)).astype(float)
    rows = LogSumExp(anchor, share[anchor], own, np.ones(len(anchor)), peers)
    return GramProgram(np.ones(m), tau, (rows,), Fraction(5), (Fixed(np.arange(m)),))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("walled", [False, True])
def test_derivatives_on_the_spheres_are_those_of_differences(name: str, walled: bool) -> None:
    factors = Factors(PROGRAMS[name], 3)
    start, rng = factors.start(), np.random.default_rng(0)
    x = factors.spheres.retract(start + 0.3 * rng.normal(size=len(start)))
    if walled:  # twice, so that there are multipliers; half of the entries push
        for _ in range(2):
            model = Model(replace(factors, walls=None), x)
            walls = walls_at(model.matrix, model.single, factors.walls)
            factors = replace(factors, walls=walls)
    model = Model(factors, x)
    way = factors.spheres.tangent(x, rng.normal(size=len(x)))
    h = 1e-4
    ahead, behind = (Model(factors, factors.spheres.retract(x + step * way)) for step in (h, -h))
    assert model.gradient @ way == pytest.approx((ahead.value - behind.value) / (2 * h), rel=1e-5, abs=1e-7)
    bend = (ahead.value - 2 * model.value + behind.value) / h**2  # along a curve without tangent acceleration
    assert way @ model.hessian(way) == pytest.approx(bend, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mixed-targets"])
@pytest.mark.parametrize("rank", [1, 2, None])
def test_columns_are_added_until_the_slack_is_semidefinite(name: str, rank: int | None) -> None:
    program = PROGRAMS[name]
    found = low_rank.solve(program, 1e-9, np.inf, rank)
    assert found.status is Status.CONVERGED
    assert gap(program, found) <= 1e-9


@pytest.mark.parametrize("norm", [Sphere(), Ball(), None], ids=["sphere", "ball", "ridge"])
@pytest.mark.parametrize(
    "tau", [2.0, *(pytest.param(tau, marks=pytest.mark.slow) for tau in (0.5, 0.1, 0.05)), 0.02]
)
def test_relative_accuracy_does_not_depend_on_the_temperature(norm: Norm | None, tau: float) -> None:
    large = 2_000_000 if norm else 2_000  # beyond, weights of a ridge differ too much; the barrier takes them
    for sizes in (long_tail(30), [large] * 15 + [2] * 15, [200, 200, 5, 1, 1, 1]):
        for level in ("groups", "classes"):
            program = supcon(sizes, level, temperature=tau, norm=norm or Ridge(0.01 / sum(sizes)))
            found = low_rank.solve(program, 1e-9, np.inf)
            assert found.status is Status.CONVERGED, (sizes, level)
            assert gap(program, found) <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("tau", [1.0, 0.1, 0.05])
def test_two_hundred_slots_of_every_kind(tau: float) -> None:
    exact = Fraction(tau).limit_denominator(100)
    sizes, slots = long_tail(100), np.arange(200)
    ones = np.ones(100)
    rows = LogSumExp(
        np.arange(100), np.array(sizes, dtype=float), ones, ones, np.ones((100, 100)), roles=(1, 0)
    )
    budgets = tuple(Budget(slots[role::2], ones, 100.0) for role in (0, 1))
    programs = [
        batches(200, exact),
        supcon(long_tail(200), "classes", temperature=tau, norm=Ridge(1e-4)),
        supcon(long_tail(200), "classes", temperature=tau, norm=Ball()),
        GramProgram(np.ones(100), exact, (rows,), Fraction(sum(sizes)), budgets, roles=2),
    ]
    for program in programs:
        assert gap(program, low_rank.solve(program, 1e-9, np.inf)) <= 1e-9


@pytest.mark.parametrize("budget", [0.19, 0.5, 3.0, 20.0, 200.0])
def test_minority_collapse_leaves_slots_empty_and_is_proven(budget: float) -> None:
    program = cross_entropy([1615, 1615, 30, 30], budget)
    found = low_rank.solve(program, 1e-9, np.inf)
    assert gap(program, found) <= 1e-9
    if budget < 0.2:
        assert found.point.diagonal()[4:].max() < 1e-9


@pytest.mark.parametrize(("m", "tau"), [(10, 1), (20, Fraction(1, 5))])
def test_non_negative_programs_that_are_no_frames(m: int, tau: Fraction) -> None:
    program = attracting(m, Fraction(tau))
    found = low_rank.solve(program, 1e-9, np.inf)
    assert found.status is Status.CONVERGED
    assert gap(program, found) <= 1e-9
    other = barrier.solve(program, 1e-9, np.inf)
    excess, reference = (program.excess(feasible(program, c.point)) for c in (found, other))
    assert excess == pytest.approx(reference, rel=2e-9)
    assert np.abs(found.point.peer - np.eye(m)).max() > 0.1  # some are joined in part


@pytest.mark.slow
def test_two_hundred_non_negative_slots() -> None:
    for program in (
        supcon(long_tail(200), "classes", temperature=0.3, norm=Ridge(1e-5), nonnegative=True),
        supcon(long_tail(200), "classes", temperature=0.3, norm=Ball(), nonnegative=True),
    ):
        assert gap(program, low_rank.solve(program, 1e-9, np.inf)) <= 1e-9


def attracting(m: int, tau: Fraction) -> GramProgram:
    """Return two rows an anchor, half of whose targets are on another node, M ≥ 0."""
    rng, count = np.random.default_rng(0), 2 * m
    anchor = np.repeat(np.arange(m), 2)
    other = (anchor + rng.integers(1, m, count)) % m
    target = np.zeros((count, m))
    target[np.arange(count), other] = 0.5
    peers = rng.integers(0, 4, (count, m)).astype(float)
    peers[np.arange(count), other] = 1.0
    own, weight = rng.integers(1, 4, count).astype(float), rng.uniform(0.5, 2.0, count)
    rows = LogSumExp(anchor, weight, own, np.full(count, 0.5), peers, target)
    return GramProgram(np.ones(m), tau, (rows,), Fraction(count), (Fixed(np.arange(m)),), nonnegative=True)


def test_it_says_what_it_does_not_take() -> None:
    assert "1001 slots are too many" in str(low_rank.supports(supcon(list(range(2, 1003)), "classes")))


def test_an_interrupt_returns_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    product, count = Model.hessian, iter(range(1000))

    def interrupted(model: Model, u: np.ndarray) -> np.ndarray:
        if next(count) == 8:
            raise KeyboardInterrupt
        return product(model, u)

    monkeypatch.setattr(Model, "hessian", interrupted)
    program = PROGRAMS["supcon-classes"]
    found = low_rank.solve(program, 1e-9, np.inf)
    assert found.status is Status.INTERRUPTED
    assert 1e-9 < gap(program, found) < 10.0
