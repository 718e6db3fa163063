"""Path following: its derivatives, its scaling, small temperatures, and that it never crashes."""

from __future__ import annotations

import numpy as np
import pytest

from relax.answer import Status
from relax.problem import Ball, Norm, Ridge, Sphere
from relax.solvers import barrier
from relax.solvers.barrier.coordinates import Coordinates
from relax.solvers.barrier.nesterov_todd import Iterate, scaled
from relax.solvers.barrier.path import Path
from tests.relax.programs import PROGRAMS, cross_entropy, gap, long_tail, random_matrix, supcon


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_in_x_are_those_of_differences(name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(1)
    coordinates = Coordinates(program)
    path, x = Path(coordinates), coordinates.triangle(coordinates.of(random_matrix(program, rng, True)))
    ways = rng.normal(size=(2, len(x)))

    def value(step: np.ndarray) -> float:
        return program.excess(coordinates.matrix(coordinates.matrices(_doubled(coordinates, x + step))))

    matrix = coordinates.matrix(coordinates.matrices(_doubled(coordinates, x)))
    h = 1e-4
    slope = (value(h * ways[0]) - value(-h * ways[0])) / (2 * h)
    assert path.gradient(matrix) @ ways[0] == pytest.approx(slope, rel=1e-5, abs=1e-7)
    four = [value(h * (a * ways[0] + b * ways[1])) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    bend = (four[0] - four[1] - four[2] + four[3]) / (4 * h * h)
    hessian = coordinates.hessian(program.states(matrix))
    assert ways[0] @ (hessian @ ways[1]) == pytest.approx(bend, rel=1e-4, abs=1e-5)


def _doubled(coordinates: Coordinates, x: np.ndarray) -> np.ndarray:
    """Return the functional whose matrices are those of x: off-diagonal entries count twice in one."""
    ones = coordinates.triangle([2.0 - np.eye(q) for q in coordinates.sizes])
    return ones * x


def test_scaling_makes_both_matrices_the_same_diagonal() -> None:
    rng = np.random.default_rng(0)
    primal, dual = (tuple(np.tril(rng.normal(size=(q, q))) for q in (4, 2)) for _ in range(2))
    at = scaled(Iterate(primal, dual, np.ones(1), np.ones(1), np.zeros(0)))
    for one, other, g, inverse, middle in zip(primal, dual, at.primal, at.dual, at.middle, strict=True):
        np.testing.assert_allclose(g @ np.diag(middle) @ g.T, one @ one.T, atol=1e-12)
        np.testing.assert_allclose(inverse @ np.diag(middle) @ inverse.T, other @ other.T, atol=1e-12)
        np.testing.assert_allclose(inverse.T @ g, np.eye(len(middle)), atol=1e-10)


@pytest.mark.parametrize("norm", [Sphere(), Ball(), Ridge(1e-4)], ids=lambda norm: type(norm).__name__)
@pytest.mark.parametrize(
    "tau", [2.0, *(pytest.param(tau, marks=pytest.mark.slow) for tau in (0.5, 0.1, 0.05)), 0.02]
)
def test_relative_accuracy_does_not_depend_on_the_temperature(norm: Norm, tau: float) -> None:
    for nonnegative in (False, True):
        program = supcon(long_tail(7), "classes", temperature=tau, norm=norm, nonnegative=nonnegative)
        found = barrier.solve(program, 1e-9, np.inf)
        assert found.status is Status.CONVERGED
        assert gap(program, found) <= 1e-9
        assert found.iterations <= 60


@pytest.mark.parametrize("budget", [0.5, 3.0, 20.0])
def test_two_roles_with_budgets(budget: float) -> None:
    program = cross_entropy([100, 100, 10, 1], budget)
    found = barrier.solve(program, 1e-9, np.inf)
    assert gap(program, found) <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("nonnegative", [False, True])
def test_sixty_slots(nonnegative: bool) -> None:
    program = supcon(long_tail(60), "classes", temperature=0.3, norm=Ball(), nonnegative=nonnegative)
    assert gap(program, barrier.solve(program, 1e-9, np.inf)) <= 1e-9


def test_it_refuses_what_is_too_large() -> None:
    assert "61 slots are too many" in str(barrier.supports(supcon(list(range(2, 63)), "classes")))


def test_an_interrupt_returns_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    step, count = Path.newton, iter(range(100))

    def interrupted(path: Path, here: Iterate) -> Iterate:
        if next(count) == 4:
            raise KeyboardInterrupt
        return step(path, here)

    monkeypatch.setattr(Path, "newton", interrupted)
    program = PROGRAMS["supcon-classes"]
    found = barrier.solve(program, 1e-9, np.inf)
    assert found.status is Status.INTERRUPTED
    assert found.iterations == 4
    assert 1e-9 < gap(program, found) < 3.0
