"""Proven digits: closed forms and mpmath root finding lie in the balls; what does not apply says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from certify.enclosure import enclose, enclose_optimum
from relax import Ball, Problem, Ridge, Solution, Sphere, solve
from relax.errors import InputError
from relax.orbits import OrbitMatrix


def contains(ball: arb, number: Any) -> bool:
    """Whether a ball contains an mpmath number, up to the 45 digits that the number has."""
    return bool(ball.overlaps(arb(mpmath.nstr(number, 45), arb(10) ** -40)))


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("tau", ["1", "0.1", "0.02"])
def test_the_simplex_lies_in_the_ball(k: int, tau: str) -> None:
    mpmath.mp.dps = 60
    found = enclose(solve(Problem({20: k}, temperature=float(tau))))
    assert found.method == "Krawczyk"
    assert contains(found.gram[0, 0], mpmath.mpf(-1) / (k - 1))
    tail = (k - 1) * 20 * mpmath.exp((mpmath.mpf(-1) / (k - 1) - 1) / mpmath.mpf(tau))
    assert contains(found.value, mpmath.log(19 + tail))
    assert found.error < 1e-30


def two_sizes(k: int, j: int, n: int, q: int, tau: str) -> tuple[Any, Any, Any]:
    """STEP by its two-unknown closed form, the gradient solved to 60 digits: (α, β, value)."""
    t = mpmath.mpf(tau)

    def loss(alpha: Any, beta: Any) -> Any:
        gamma = -mpmath.sqrt((1 + (k - 1) * alpha) * (1 + (j - 1) * beta) / (k * j))
        cross = mpmath.exp((gamma - 1) / t)
        major = n - 1 + (k - 1) * n * mpmath.exp((alpha - 1) / t) + j * q * cross
        minor = q - 1 + (j - 1) * q * mpmath.exp((beta - 1) / t) + k * n * cross
        return (k * n * mpmath.log(major) + j * q * mpmath.log(minor)) / (k * n + j * q)

    def slopes(alpha: Any, beta: Any) -> list[Any]:
        return [mpmath.diff(loss, (alpha, beta), order) for order in ((1, 0), (0, 1))]

    gram = solve(Problem.step(k, j, n, q, temperature=float(tau))).groups.gram
    alpha, beta = mpmath.findroot(slopes, (gram[0, 0], gram[1, 1]), tol=1e-80)
    return alpha, beta, loss(alpha, beta)


@pytest.mark.parametrize("numbers", [(2, 2, 100, 10), (3, 5, 50, 5)])
@pytest.mark.parametrize("tau", ["0.5", "0.1"])
def test_step_imbalance_lies_in_the_balls(numbers: tuple[int, int, int, int], tau: str) -> None:
    mpmath.mp.dps = 100
    alpha, beta, value = two_sizes(*numbers, tau)
    found = enclose(solve(Problem.step(*numbers, temperature=float(tau))))
    assert found.method == "Krawczyk"
    assert contains(found.gram[0, 0], alpha)
    assert contains(found.gram[1, 1], beta)
    assert contains(found.value, value)
    below, above = found.decimals(1, 1)
    assert Decimal(above) - Decimal(below) <= Decimal(10) ** -29


def test_collapse_and_singletons_are_enclosed() -> None:
    for counts, tau in (([1000, 10, 10, 10, 10], 1.0), ([10, 5, 1, 1, 1], 0.5)):
        solution = solve(Problem(counts, temperature=tau))
        found = enclose(solution)
        assert found.method == "Krawczyk"
        assert found.gram[-1, -1] == arb(1)
        assert np.abs(found.midpoints - solution.groups.gram).max() < 1e-12


def test_many_groups() -> None:
    counts = sorted({int(1000 * 0.9**i) + 2 for i in range(50)}, reverse=True)
    found = enclose(solve(Problem(counts, temperature=0.1)))
    assert found.method == "Krawczyk"
    assert found.error < 1e-30


def test_where_newton_does_not_apply_the_radius_stands_in_and_says_why() -> None:
    found = enclose(solve(Problem([20, 10, 5], temperature=0.3, nonnegative=True)), digits=4)
    assert found.method == "gram radius"
    assert "non-negativity" in found.reason
    assert found.error < 1e-4


def test_a_slack_of_rank_two_has_equations_of_its_own() -> None:
    """The class of one sample joins the small one opposite the large one; two points leave rank two."""
    found = enclose(solve(Problem([400, 3, 1], temperature=1.0)), digits=30)
    assert found.method == "Krawczyk, dual slack of rank 2"
    assert all(found.gram[a, b].contains(sign) for a, b, sign in ((0, 1, -1), (0, 2, -1), (1, 2, 1)))


def test_refusals() -> None:
    with pytest.raises(InputError, match="digits 0 must lie"):
        enclose(solve(Problem([10, 5])), 0)
    with pytest.raises(InputError, match="no digits are proven"):
        enclose(solve(Problem([10, 5], norm=Ridge(0.01))))


def test_a_wrong_start_proves_nothing_wrong() -> None:
    """A witness perturbed beyond the basin gives the same root or none, never another one."""
    solution = solve(Problem([30, 10, 4], temperature=0.3, norm=Ball()))
    truth = enclose(solution)
    for factor in (0.9, 0.5, 3.0):
        z = solution.witness.factor * np.array([[factor], [1.0], [1 / factor]])
        try:
            found = enclose(
                replace(
                    solution, answer=replace(solution.answer, witness=replace(solution.witness, factor=z))
                )
            )
        except InputError:
            continue
        overlaps = [a.overlaps(b) for a, b in zip(truth.gram.ravel(), found.gram.ravel(), strict=True)]
        assert all(overlaps)


@pytest.mark.slow
def test_places_lt_has_twelve_digits() -> None:
    found = enclose(solve(Problem.from_dataset("places-lt")), digits=12)
    assert found.method == "Krawczyk"
    assert found.error < 1e-12


def in_the_plane(weights: list[Any], own: list[Any], peers: list[int], tau: Any, start: np.ndarray) -> Any:
    """Three classes on a sphere, by the angles of three unit vectors: (their cosines, the least loss).

    The loss is Σ_c w_c log(own_c + Σ_c' peers_c' e^((cos − 1)/τ)); see docs/certificate-format.md.
    """

    def cosines(beta: Any, gamma: Any) -> list[list[Any]]:
        angle = [mpmath.mpf(0), beta, gamma]
        return [[mpmath.cos(a - b) for a in angle] for b in angle]

    def loss(beta: Any, gamma: Any) -> Any:
        cosine, total = cosines(beta, gamma), mpmath.mpf(0)
        for c, (weight, positives) in enumerate(zip(weights, own, strict=True)):
            if weight:
                far = (peers[d] * mpmath.exp((cosine[c][d] - 1) / tau) for d in range(3) if d != c)
                total += weight * mpmath.log(positives + sum(far))
        return total

    def slopes(beta: Any, gamma: Any) -> list[Any]:
        return [mpmath.diff(loss, (beta, gamma), order) for order in ((1, 0), (0, 1))]

    guess = (np.arccos(start[0, 1]), -np.arccos(start[0, 2]))
    beta, gamma = mpmath.findroot(slopes, guess, tol=1e-90)
    return cosines(beta, gamma), loss(beta, gamma)


def rows_of(loss: str, n: list[int]) -> tuple[list[Any], list[Any]]:
    """Weights and own multiplicities of a loss's rows, from the table of docs/certificate-format.md."""
    third, one = mpmath.mpf("0.3333333333333333"), mpmath.mpf(1)  # what the float 1/3 spells
    anchored = [size if size >= 2 else 0 for size in n]
    mean = [mpmath.mpf(size) / sum(anchored) for size in anchored]
    pairs = [size * (size - 1) for size in n]
    return {
        "supcon": (mean, [size - 1 for size in n]),
        "supcon:positives_weight=1/3": (mean, [third * (size - 1) for size in n]),
        "supcon:class_weights=classes": ([one / 3] * 3, [size - 1 for size in n]),
        "ntxent-labels": ([mpmath.mpf(p) / sum(pairs) for p in pairs], [1] * 3),
        "supcon-in": (mean, [size - 1 for size in n]),
    }[loss]


@pytest.mark.parametrize(
    "loss",
    [
        "supcon",
        "supcon:positives_weight=1/3",
        "supcon:class_weights=classes",
        "ntxent-labels",
        "supcon-in",
    ],
)
@pytest.mark.parametrize("norm", [Sphere(), Ball()])
@pytest.mark.parametrize("tau", [0.1, 0.5])
def test_three_classes_by_their_angles(loss: str, norm: Sphere | Ball, tau: float) -> None:
    mpmath.mp.dps = 100
    n, exact = [30, 20, 15], mpmath.mpf(repr(tau))
    solution = solve(Problem(n, loss, temperature=tau, norm=norm))
    cosines, value = in_the_plane(*rows_of(loss, n), n, exact, solution.groups.gram)
    found = enclose(solution)
    assert found.method == "Krawczyk"
    assert all(contains(found.gram[a, b], cosines[a][b]) for a in range(3) for b in range(3) if a != b)
    assert contains(found.value, value)
    assert found.error <= 1e-30


def test_collapse_under_weights_that_no_float_holds() -> None:
    """A class of 1,000 and four of 10, positives weighing a third: the four on one point, opposite to it."""
    mpmath.mp.dps = 100
    found = enclose(solve(Problem([1000, 10, 10, 10, 10], "supcon:positives_weight=1/3", temperature=1.0)))
    third, far = mpmath.mpf("0.3333333333333333"), mpmath.exp(-2)
    major = mpmath.log(999 * third + 40 * far)
    minor = mpmath.log(9 * third + 30 + 1000 * far)
    assert found.method == "Krawczyk"
    assert contains(found.value, (1000 * major + 40 * minor) / 1040)


def by_radius(solution: Solution, point: OrbitMatrix | None = None) -> Solution:
    """The same solution with a witness that is not the dual-vector method's, and another point."""
    z = solution.witness.factor
    witness = replace(solution.witness, factor=np.column_stack([z, np.zeros(len(z))]))
    answer = replace(solution.answer, witness=witness, point=point or solution.point)
    return replace(solution, answer=answer)


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("norm", [Sphere(), Ball()])
def test_the_radius_is_about_the_factored_and_scaled_point(norm: Sphere | Ball, scale: float) -> None:
    """Vectors of another length have the Gram matrix that they have once they are scaled to the norm."""
    solution = solve(Problem([30, 10, 4], temperature=0.3, norm=norm))
    truth = enclose(solution)
    point = solution.point
    longer = OrbitMatrix(point.multiplicity, scale * point.own, scale * point.peer)
    if scale < 1 and norm == Ball():  # a shorter vector is a point of the ball, and a bad one
        with pytest.raises(InputError, match="proven"):
            enclose(by_radius(solution, longer), 5)
        return
    found = enclose(by_radius(solution, longer), 5)
    assert found.method == "gram radius"
    pairs = zip(truth.gram.ravel(), found.gram.ravel(), strict=True)
    assert all(around.contains(entry) for entry, around in pairs)
    assert found.value.overlaps(truth.value)


def test_a_solution_of_the_sphere_says_nothing_of_non_negative_features() -> None:
    """Its optimum has negative entries; with M ≥ 0 the least loss is that of orthogonal classes."""
    mpmath.mp.dps = 60
    counts, tau = [20, 10, 5], 0.3
    sphere = solve(Problem(counts, temperature=tau))
    problem = Problem(counts, temperature=tau, nonnegative=True)
    for forged in (replace(sphere, problem=problem), replace(solve(problem), answer=sphere.answer)):
        with pytest.raises(InputError, match=r"(are not|no digits are) proven"):
            enclose(forged)
        assert isinstance(enclose_optimum(problem.program(), sphere.witness, 20), str)
    far = mpmath.exp(-1 / mpmath.mpf("0.3"))
    value = sum(n * mpmath.log(n - 1 + (35 - n) * far) for n in counts) / 35
    found = enclose(solve(problem), 4)
    assert found.method == "gram radius"
    assert contains(found.value, value)
    assert all(found.gram[a, b].contains(arb(int(a == b))) for a in range(3) for b in range(3))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_the_point_and_the_witness_the_truth_is_in_the_balls(data: st.DataObject) -> None:
    norm = data.draw(st.sampled_from([Sphere(), Ball(), Sphere(2.0)]))
    nonnegative = data.draw(st.booleans())
    problem = Problem([30, 10, 10, 4], temperature=0.4, norm=norm, nonnegative=nonnegative)
    solution = TRUE.setdefault(problem, solve(problem))
    numbers = st.floats(-1, 1)
    size = data.draw(st.sampled_from([1e-12, 1e-8, 1e-4, 1.0]))
    shaken = data.draw(st.lists(numbers, min_size=30, max_size=30).map(np.array)) * size
    m, point, witness = 3, solution.point, solution.witness
    point = OrbitMatrix(
        point.multiplicity, point.own + shaken[:3, None, None], point.peer + shaken[3:12].reshape(m, m)
    )
    factor = witness.factor + shaken[12 : 12 + m, None]
    base = OrbitMatrix(point.multiplicity, witness.base.own, witness.base.peer + shaken[21:30].reshape(m, m))
    witness = replace(witness, factor=factor, base=base if data.draw(st.booleans()) else witness.base)
    answer = replace(solution.answer, point=point, witness=witness)
    try:
        found = enclose(replace(solution, answer=answer), data.draw(st.sampled_from([1, 3, 10, 30])))
    except InputError as error:
        assert "\n" not in str(error)
        return
    tolerance = arb(0, 1e-7)  # of the solver's own optimum, which stands for the truth
    near = zip(found.gram.ravel(), solution.groups.gram.ravel().tolist(), strict=True)
    assert all(entry.overlaps(arb(number) + tolerance) for entry, number in near)
    assert found.value.overlaps(arb(solution.value) + tolerance)


TRUE: dict[Problem, Solution] = {}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("digits", [0, -1, 2.0, 30.5, "30", None, True, 10**6, float("nan"), [30]])
def test_digits_are_whole_numbers_up_to_a_thousand(digits: Any) -> None:
    with pytest.raises(InputError, match=r"digits .*; give"):
        enclose(solve(Problem([10, 5])), digits)


def test_more_digits_than_the_radius_has_are_refused_with_their_number() -> None:
    solution = by_radius(solve(Problem([30, 10, 4], temperature=0.3)))
    with pytest.raises(
        InputError, match=r"^30 digits are not proven \(.*\); give digits=(\d+) or less$"
    ) as error:
        enclose(solution)
    most = int(str(error.value).split("digits=")[1].split()[0])
    assert enclose(solution, most).error <= 10.0**-most
    with pytest.raises(InputError, match="are not proven"):
        enclose(solution, most + 1)


@pytest.mark.parametrize(("digits", "tau"), [(1, 0.1), (400, 0.1), (1000, 0.1), (30, 1e5), (30, 0.01)])
def test_every_entry_has_the_digits_that_were_asked_for(digits: int, tau: float) -> None:
    found = enclose(solve(Problem([30, 10, 4], temperature=tau)), digits)
    assert found.method == "Krawczyk"
    assert all(entry.rad() <= arb(10) ** -digits for entry in found.gram.ravel())
    assert not dict(found.facts())["Gram matrix"].endswith("within 0")
    assert found.error > 0
