"""Problem and ClassCounts: what they accept, what they refuse and in which words."""

from __future__ import annotations

import dataclasses
import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relax.errors import InputError, worded
from relax.losses import SupCon
from relax.problem import Ball, ClassCounts, Problem, Ridge, Sphere, exact_rational

BAD_COUNTS = [
    # counts, and how the one sentence begins or what it says
    ([], r"^counts are empty; give at least two classes"),
    ({}, r"^counts are empty"),
    ([100, 0], r"^class size 0 is not positive; leave out classes without samples$"),
    ({100: 2, 0: 1}, r"^class size 0 is not positive"),
    ([100, -10], r"^class size -10 is not positive"),
    ([100, 10.5], r"^class size 10\.5 is not an integer; counts are whole numbers"),
    (np.array([100.0, 0.5]), r"^class size .*0\.5.* is not an integer"),
    ([100, math.nan], r"^class size nan is not an integer"),
    ([100, math.inf], r"^class size inf is not an integer"),
    ([100, "10"], r"^class size '10' is not an integer"),
    ([100, None], r"^class size None is not an integer"),
    ([100, 10j], r"^class size 10j is not an integer"),
    ([100, Fraction(1, 2)], r"^class size Fraction\(1, 2\) is not an integer"),
    ([100, True], r"^class size True is not an integer"),
    ([[100, 10], [10, 10]], r"^class size \[100, 10\] is not an integer"),
    ([100, 2**53 + 1], r"^class size 9007199254740993 is beyond 2\*\*53; scale the counts down$"),
    ([2**53, 2**53], r"^counts sum to 18014398509481984, beyond 2\*\*53; scale them down$"),
    ({2: 2**53}, r"^counts sum to 18014398509481984, beyond 2\*\*53"),
    ({100: 0}, r"^number of classes 0 is not positive"),
    ({100: 2.5}, r"^number of classes 2\.5 is not an integer"),
    ({100: 2**53 + 1}, r"^number of classes 9007199254740993 is beyond 2\*\*53"),
    ("100,10", r"^counts '100,10' must be a sequence of integers, e\.g\. \[100, 100, 10, 10\]$"),
    (b"100,10", r"^counts b'100,10' must be a sequence"),
    (100, r"^counts 100 must be a sequence"),
    (None, r"^counts None must be a sequence"),
    (np.array(100), r"^counts .*100.* must be a sequence"),
    ([100], r"^one class only: .* its 100 samples .* minimum log\(n-1\).*; give at least two classes$"),
    ({1: 1}, r"^one class only"),
    ([1, 1, 1], r"^no class has two samples, so the loss has no anchor"),
]

BAD_TEMPERATURES = [0, 0.0, -0.1, math.nan, math.inf, -math.inf, "hot", [0.1], 1j, 10**400]


def refusal(function: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize(("counts", "sentence"), BAD_COUNTS, ids=[repr(counts) for counts, _ in BAD_COUNTS])
def test_bad_counts(counts: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        Problem(counts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("temperature", BAD_TEMPERATURES, ids=lambda t: repr(t)[:12])
def test_bad_temperature(temperature: Any) -> None:
    message = refusal(Problem, [10, 5], temperature=temperature)
    said = worded(temperature)  # the number itself, where it is short
    assert message == f"temperature {said} must be a positive finite number; give e.g. 0.1"


@pytest.mark.parametrize("weight", [0, -1e-3, math.nan, math.inf, "small", None])
def test_bad_ridge_weight(weight: Any) -> None:
    message = refusal(Ridge, weight)
    assert message == f"ridge weight {weight!r} must be a positive finite number; give e.g. Ridge(1e-3)"


@pytest.mark.parametrize("norm", ["sphere", Sphere, 1.0])
def test_bad_norm(norm: Any) -> None:
    assert refusal(Problem, [10, 5], norm=norm).endswith(
        "is not one of Sphere(), Ball(), Ridge(weight), MeanSquare(E)"
    )


@pytest.mark.parametrize(
    ("views", "sentence"),
    [(0, "number of views 0 is not positive"), (1.5, "number of views 1.5 is not an integer")],
)
def test_bad_views(views: Any, sentence: str) -> None:
    assert refusal(Problem, [10, 5], views=views).startswith(sentence)


def test_views_may_not_push_the_counts_beyond_exact_floats() -> None:
    assert "beyond 2**53" in refusal(Problem, [2**52, 2**52], views=2)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([], "labels have shape (0,); give one label a sample, shape (n,)"),
        (3, "labels 3 are no list and no array; give one integer or string a sample, shape (n,)"),
        (
            np.zeros((4, 2), int),
            "labels have shape (4, 2); give one label a sample, shape (n,), e.g. [:, 0] of one column, "
            "argmax(axis=1) of a one-hot array",
        ),
        ([0.0, 1.0, math.nan], "labels hold NaN or infinity; give one integer label a sample"),
        ([0.0, 1.0, math.inf], "labels hold NaN or infinity; give one integer label a sample"),
        ([0, 1, None], "labels are missing for some samples (None, NA); leave those samples out"),
        (np.array([1j, 2j]), "labels of type complex128 cannot be compared; give integers or strings"),
    ],
)
def test_bad_labels(labels: Any, sentence: str) -> None:
    assert refusal(Problem.from_labels, labels) == sentence


def test_ragged_labels() -> None:
    assert refusal(Problem.from_labels, [[0, 1], [2]]).startswith("labels ")


def test_labels_of_one_class() -> None:
    assert refusal(Problem.from_labels, [7, 7, 7]).startswith("one class only")


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("bad", [0, -1, 2.5, "2", None, math.nan, 2**53 + 1])
def test_bad_step(position: int, bad: Any) -> None:
    arguments: list[Any] = [2, 2, 100, 10]
    arguments[position] = bad
    assert repr(bad).removeprefix("'").removesuffix("'") in refusal(Problem.step, *arguments)


def test_factories_that_read_data_sets_refuse_with_their_words() -> None:
    assert refusal(Problem.from_dataset, "imagenet").startswith("unknown data set 'imagenet'")
    assert refusal(Problem.long_tailed, 1, 100, 10).startswith("k 1 must be")


@pytest.mark.parametrize(
    ("counts", "sizes", "multiplicities", "order"),
    [
        ([100, 100, 10, 10], (100, 10), (2, 2), None),
        ([10, 100, 10, 100], (100, 10), (2, 2), (1, 0, 1, 0)),
        ((5, 7), (7, 5), (1, 1), (1, 0)),
        ({10: 2, 100: 3}, (100, 10), (3, 2), None),
        ([100.0, 10.0], (100, 10), (1, 1), None),
        (np.array([3, 9, 3], dtype=np.uint8), (9, 3), (1, 2), (1, 0, 1)),
        (np.array([3.0, 9.0]), (9, 3), (1, 1), (1, 0)),
        ((n for n in (4, 4)), (4,), (2,), None),
        ([1, 1, 2], (2, 1), (1, 2), (1, 1, 0)),
        ([2**53 - 2, 2], (2**53 - 2, 2), (1, 1), None),
    ],
)
def test_class_counts(counts: Any, sizes: Any, multiplicities: Any, order: Any) -> None:
    found = ClassCounts.of(counts)
    assert (found.sizes, found.multiplicities, found.order) == (sizes, multiplicities, order)
    assert all(type(n) is int for n in (*found.sizes, *found.multiplicities))
    assert ClassCounts.of(found) is found


@given(st.lists(st.integers(1, 30), min_size=2, max_size=12).filter(lambda counts: max(counts) >= 2))
def test_order_is_kept_and_totals_are_sums(counts: list[int]) -> None:
    found = Problem(counts).counts
    assert [found.sizes[a] for a in found.group_of_class()] == counts
    assert found.classes == len(counts)
    assert found.samples == sum(counts)
    assert found.anchors == sum(n for n in counts if n >= 2)
    assert list(found.sizes) == sorted(set(counts), reverse=True)
    assert str(found) == ",".join(map(str, counts))


def test_long_counts_are_written_as_size_by_number() -> None:
    assert str(ClassCounts.of({1000: 5, 10: 1_000_000})) == "1000x5,10x1000000"
    assert str(ClassCounts.of(range(1, 31))).count("x1") == 11


def test_problem_is_a_frozen_hashable_value() -> None:
    given_in_order = Problem([100, 100, 10], temperature=0.5, norm=Ball())
    the_same = Problem({10: 1, 100: 2}, "supcon", 0.5, Ball())
    assert given_in_order == the_same
    assert hash(given_in_order) == hash(the_same)
    assert len({given_in_order, the_same, Problem([100, 10, 100], temperature=0.5, norm=Ball())}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        given_in_order.temperature = 1.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    "other",
    [
        Problem([10, 6]),
        Problem([5, 10]),
        Problem([10, 5], norm=Ball()),
        Problem([10, 5], temperature=0.2),
        Problem([10, 5], norm=Ball()),
        Problem([10, 5], norm=Ridge(1e-3)),
        Problem([10, 5], nonnegative=True),
        Problem([10, 5], views=2),
    ],
)
def test_every_part_of_a_problem_counts(other: Problem) -> None:
    assert other != Problem([10, 5])


def test_equal_after_use() -> None:
    """Totals are remembered on the object; what is remembered takes no part in comparison."""
    used, fresh = Problem([10, 5]), Problem([10, 5])
    assert used.counts.samples == 15
    assert used == fresh
    assert hash(used) == hash(fresh)


def test_defaults() -> None:
    problem = Problem([10, 5])
    assert problem.loss == SupCon()
    assert problem.temperature == 0.1
    assert problem.norm == Sphere()
    assert not problem.nonnegative
    assert problem.views == 1
    assert problem.effective_counts is problem.counts


def test_views_multiply_the_counts_the_loss_sees() -> None:
    problem = Problem([1, 3, 1], views=2)  # singletons have an anchor once there are two views
    assert problem.counts.sizes == (3, 1)
    assert problem.effective_counts == ClassCounts.of([2, 6, 2])
    assert problem.effective_counts.anchors == 10


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        ([2, 0, 2, 1, 2, 0], (2, 1, 3)),
        (np.array([5, -1, 5], dtype=np.int8), (1, 2)),
        (["cat", "dog", "cat"], (2, 1)),
        (np.array([True, False, True]), (1, 2)),
        ([1.0, 2.0, 2.0], (1, 2)),
    ],
)
def test_from_labels_stands_in_sorted_order(labels: Any, counts: tuple[int, ...]) -> None:
    assert Problem.from_labels(labels, temperature=0.3) == Problem(counts, temperature=0.3)


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ((2, 2, 100, 10), [100, 100, 10, 10]),
        ((1, 2, 10, 100), [10, 100, 100]),
        ((2, 1, 7, 7), [7, 7, 7]),
    ],
)
def test_step(arguments: tuple[int, int, int, int], counts: list[int]) -> None:
    assert Problem.step(*arguments, temperature=0.2) == Problem(counts, temperature=0.2)


def test_long_tailed_and_data_sets() -> None:
    assert Problem.long_tailed(10, 5000, 100) == Problem.from_dataset("cifar10-lt-100")
    places = Problem.from_dataset("places-lt", temperature=0.07)
    assert (places.counts.classes, places.counts.samples, len(places.counts.sizes)) == (365, 62_500, 201)
    assert places.temperature == 0.07


def test_a_million_classes_cost_nothing() -> None:
    """Two sizes are two numbers: 10**6 classes make no object of that length."""
    start = time.process_time()
    problem = Problem.step(5, 10**6, 1000, 10)
    assert problem == Problem({1000: 5, 10: 10**6})
    assert problem.counts == ClassCounts((1000, 10), (5, 10**6))
    assert problem.counts.classes == 1_000_005
    assert problem.counts.samples == 10_005_000
    assert hash(problem) == hash(Problem({10: 10**6, 1000: 5}))
    assert time.process_time() - start < 0.1  # a list of 10**6 counts takes several times as long


@pytest.mark.parametrize(
    ("number", "exact"),
    [
        (0.1, Fraction(1, 10)),
        (np.float64(0.1), Fraction(1, 10)),
        (0.07, Fraction(7, 100)),
        (1e-3, Fraction(1, 1000)),
        (2.0, Fraction(2)),
        (3, Fraction(3)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_exact_rational(number: Any, exact: Fraction) -> None:
    assert exact_rational(number) == exact


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_exact_rational_rounds_back_to_the_float(number: float) -> None:
    assert float(exact_rational(number)) == number
