"""Thresholds of collapse against the minimum of the loss by mpmath, closed forms, limits and solvers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from certify.thresholds import Threshold, collapse_threshold
from certify.thresholds.interior import minority_limit
from certify.thresholds.step import tables_of
from certify.thresholds.threshold import LARGEST_LOG, PRECISION
from relax import Problem, solve
from relax.errors import InputError
from relax.losses import SupCon
from relax.testing import step_geometry
from tests.certify.thresholds.oracle import Oracle

LOSSES = [
    "supcon",
    "ntxent-labels",
    "supcon:class_weights=classes",
    "supcon:positives_weight=0.25",
    "supcon:positives_weight=0",
]


def oracle_of(found: Threshold, loss: str) -> Oracle:
    name = "negatives-only" if loss == "supcon:positives_weight=0" else loss
    return Oracle(found.k_major, found.k_minor, found.n_minor, Fraction(repr(found.temperature)), name)


def test_one_majority_class_has_a_closed_form() -> None:
    """k_M = 1: two opposite points, and R k_M e^{−2/τ} (1 + D_m/D_M) = 2 k_m in R."""
    with mpmath.workdps(40):
        far = mpmath.exp(-2)

        def difference(r: Any) -> Any:
            n = 10 * r
            major, minor = n - 1 + 40 * far, 39 + n * far
            return r * far * (1 + minor / major) - 8

        root = mpmath.findroot(difference, 48.7)
    found = collapse_threshold(1, 4, 10, 1.0)
    assert found.lower is not None and found.upper is not None
    assert mpmath.mpf(found.lower.numerator) / found.lower.denominator < root
    assert mpmath.mpf(found.upper.numerator) / found.upper.denominator > root
    assert abs(root - 48.71) < 0.01
    assert found.upper / found.lower - 1 <= Fraction(1, 10**6)
    assert found.smallest and found.final
    assert found.ratio == pytest.approx(float(root), rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("k_major", "k_minor", "tau"),
    [
        (1, 3, 0.5),
        pytest.param(2, 2, 1.0, marks=pytest.mark.slow),
        pytest.param(3, 5, 0.3, marks=pytest.mark.slow),
    ],
)
def test_both_ends_are_right_by_mpmath(loss: str, k_major: int, k_minor: int, tau: float) -> None:
    found = collapse_threshold(k_major, k_minor, 7, tau, loss)
    oracle = oracle_of(found, loss)
    assert found.smallest
    if found.upper is None:
        assert found.limit is not None and found.limit < 1
        assert not any(oracle.coincide(Fraction(10) ** power) for power in (0, 2, 6))
        return
    assert found.lower is not None and found.final
    assert not oracle.coincide(found.lower)
    assert oracle.coincide(found.upper)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_what_is_proven_of_intervals_holds_at_any_ratio_in_them(data: st.DataObject) -> None:
    loss = data.draw(st.sampled_from(LOSSES))
    k_major, k_minor = data.draw(st.sampled_from([1, 2, 4])), data.draw(st.sampled_from([2, 3, 20]))
    tau = data.draw(st.sampled_from([0.1, 0.4, 1.0, 3.0]))
    found = collapse_threshold(k_major, k_minor, data.draw(st.sampled_from([2, 50])), tau, loss)
    for piece in found.pieces:
        far = piece.start * 10**6 if piece.end is None else piece.end
        part = data.draw(st.fractions(0, 1, max_denominator=1000))
        ratio = piece.start + (far - piece.start) * part**4
        assert oracle_of(found, loss).coincide(ratio) is piece.together


@pytest.mark.parametrize(
    "tau", [0.25, *(pytest.param(tau, marks=pytest.mark.slow) for tau in (0.1, 0.5, 1.0))]
)
def test_five_majorities_hold_three_minorities_apart_for_ever(tau: float) -> None:
    """The limit R → ∞ in closed form: α → −1/(k_M − 1), γ → 0, and β where the slack has rank one."""
    k = 5
    u = k / ((k - 1) * tau)
    q = (k - 1) * math.exp(-u) / (1 + (k - 1) * math.exp(-u))
    ratio = (k - 1) * (1 + k * math.exp(-1 / tau) * (1 - q)) ** 2 / (4 * k * q)
    found = collapse_threshold(k, 3, 50, tau)
    assert (found.lower, found.upper, found.ratio) == (None, None, None)
    assert found.smallest and found.pieces[0].end is None
    assert found.limit == pytest.approx(tau * math.log(ratio), abs=1e-9)
    far = step_geometry(k, 3, 10**13, 50, tau)
    assert found.limit == pytest.approx(far[-1, -2], abs=1e-6)


def test_a_cosine_that_still_moves_at_the_largest_ratio_is_no_limit() -> None:
    """Two majorities have a threshold, near R = e^(2/τ): at τ = 0.002 it is beyond the ratios of float64."""
    tables = tables_of((2, 2), 50, SupCon(), 0.002, 1)
    assert tables is not None
    with ctx.workprec(PRECISION):
        assert minority_limit(tables, LARGEST_LOG) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "views"), [("negatives-only", 2), ("ntxent-labels", 1), ("supcon:class_weights=classes", 1)]
)
def test_solvers_find_one_point_on_one_side_only(loss: str, views: int) -> None:
    found = collapse_threshold(2, 3, 10, 1.0, loss, views)
    assert found.ratio is not None
    for factor, together in ((0.8, False), (1.25, True)):
        problem = Problem.step(
            2, 3, round(found.ratio * factor * 10), 10, loss=loss, temperature=1.0, views=views
        )
        cosine = solve(problem, "low_rank").groups.gram[-1, -1]
        assert bool(cosine > 1 - 1e-7) is together


@pytest.mark.slow
def test_negatives_only_may_part_minorities_again() -> None:
    """Three majorities hold five minorities apart for good; between, they coincide over a wide window."""
    found = collapse_threshold(3, 5, 5000, 0.05, "supcon:positives_weight=0")
    assert [piece.together for piece in found.pieces] == [False, True, False]
    assert found.pieces[-1].end is None and found.smallest and not found.final
    oracle = Oracle(3, 5, 5000, Fraction(1, 20), "negatives-only")
    assert oracle.coincide(found.pieces[1].start)
    assert not oracle.coincide(found.pieces[2].start)
    assert "where they part again" in str(found)


def test_a_shuffled_batch_has_two_neighbouring_counts() -> None:
    found = collapse_threshold(2, 2, 5, 0.5, "supcon:batch_size=8")
    assert found.whole and found.lower is not None and found.upper is not None
    below, above = found.lower * 5, found.upper * 5
    assert below.denominator == 1 and above == below + 1
    for size, together in ((int(below) * 0.9, False), (int(above) * 1.1, True)):
        problem = Problem.step(2, 2, round(size), 5, loss="supcon:batch_size=8", temperature=0.5)
        assert bool(solve(problem).groups.gram[-1, -1] > 1 - 1e-7) is together
    assert found.pieces == () and not found.smallest and not found.final
    assert "at these two ratios only" in str(found) and f"first coincide at n_major = {above}" in str(found)


def test_draws_with_replacement_see_proportions_only() -> None:
    loss = "supcon:batch_size=8,sampler=replacement"
    found, same = collapse_threshold(2, 2, 5, 0.5, loss), collapse_threshold(2, 2, 500, 0.5, loss)
    assert (found.lower, found.upper) == (same.lower, same.upper)
    assert found.lower is not None and found.upper is not None and not found.whole
    assert found.upper / found.lower - 1 <= Fraction(1, 10**6)


def test_balanced_classes_do_not_feel_the_ratio() -> None:
    found = collapse_threshold(2, 2, 5, 0.5, "supcon:batch_size=8,sampler=class-balanced")
    assert found.ratio is None and found.limit is None


@pytest.mark.parametrize("tau", [0.05, 20.0])
def test_hot_and_cold(tau: float) -> None:
    found = collapse_threshold(1, 2, 2, tau)
    assert found.lower is not None and found.upper is not None
    oracle = Oracle(1, 2, 2, Fraction(repr(tau)))
    assert not oracle.coincide(found.lower) and oracle.coincide(found.upper)


def test_a_million_classes_cost_nothing() -> None:
    assert collapse_threshold(500_000, 500_000, 2, 1.0).smallest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 1, 10, 1.0), "k_minor 1 leaves no two"),
        ((0, 2, 10, 1.0), "k_major 0 is not positive"),
        ((2, 2, 1, 1.0), "coincide at every ratio"),
        ((2, 2, 10, -1.0), "temperature"),
        ((2, 2, 10, 1.0, "cross-entropy"), "no one vector"),
        ((2, 2, 10, 1.0, "supcon-temperatures"), "no one vector"),
        ((2, 2, 10, 1.0, "negatives-only"), "give views=2"),
        ((2, 2, 4, 0.5, "hscl"), "is a bound, not the loss"),
        ((2, 2, 4, 0.5, "hucl"), "is a bound, not the loss"),
        ((2, 2, 10, 1.0, "nonsense"), "nonsense"),
    ],
)
def test_bad_input(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        collapse_threshold(*arguments)


def test_words() -> None:
    found = collapse_threshold(2, 2, 50, 1.0)
    assert str(found).splitlines()[0] == (
        "answer   the two minority classes coincide from R = 142.729 on "
        "(proven apart at 142.728848, together at 142.728935)"
    )
    assert "together at every real R ≥ 142.728935" in str(found)
    assert repr(found).startswith("Threshold(the two minority classes coincide")
