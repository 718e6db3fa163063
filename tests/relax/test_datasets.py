"""Class counts of data sets: the published totals, the formula, and every refusal."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relax import datasets
from relax.errors import InputError

# name, classes, samples, largest, smallest; the CIFAR totals are those that papers print.
PUBLISHED = [
    ("places-lt", 365, 62_500, 4980, 5),
    ("lvis-v1", 1203, 360_952, 1977, 1),
    ("lvis-v1-instances", 1203, 1_270_141, 50_552, 1),
    ("cifar10-lt-10", 10, 20_431, 5000, 500),
    ("cifar10-lt-50", 10, 13_996, 5000, 100),
    ("cifar10-lt-100", 10, 12_406, 5000, 50),
    ("cifar100-lt-10", 100, 19_573, 500, 50),
    ("cifar100-lt-50", 100, 12_608, 500, 10),
    ("cifar100-lt-100", 100, 10_847, 500, 5),
]

UNKNOWN = [
    *(
        "",
        "placeslt",
        "Places-LT",
        " places-lt",
        "cifar11-lt-10",
        "cifar10-lt",
        "cifar10-lt-",
        "cifar10-lt-0",
    ),
    *("cifar10-lt-010", "cifar10-lt-2.5", "cifar10-lt--5", "cifar10-lt-10\n", "cifar10-lt-" + "9" * 5000),
    *(5, None, ["places-lt"]),
]


@pytest.mark.parametrize(("name", "classes", "samples", "largest", "smallest"), PUBLISHED)
def test_published_totals(name: str, classes: int, samples: int, largest: int, smallest: int) -> None:
    counts = datasets.counts(name)
    assert (len(counts), sum(counts), max(counts), min(counts)) == (classes, samples, largest, smallest)
    assert all(type(n) is int for n in counts)


@pytest.mark.parametrize("name", datasets.names())
def test_description_agrees_with_the_counts(name: str) -> None:
    counts, found = datasets.counts(name), datasets.describe(name)
    assert found.name == name
    assert (found.classes, found.samples) == (len(counts), sum(counts))
    assert (found.largest, found.smallest) == (max(counts), min(counts))
    assert "20" in found.source  # the year of a publication


def test_names_are_distinct_and_lead_with_the_real_data() -> None:
    names = datasets.names()
    assert names[:3] == ("places-lt", "lvis-v1", "lvis-v1-instances")
    assert len(set(names)) == len(names)


def test_counts_stand_in_the_class_order_of_the_data_set() -> None:
    assert datasets.counts("places-lt")[:4] == (219, 20, 115, 86)
    assert datasets.counts("lvis-v1")[:4] == (64, 364, 1911, 149)
    assert datasets.counts("lvis-v1-instances")[:4] == (109, 1081, 3720, 158)


def test_an_image_has_at_least_one_instance() -> None:
    pairs = zip(datasets.counts("lvis-v1"), datasets.counts("lvis-v1-instances"), strict=True)
    assert all(images <= instances for images, instances in pairs)


def test_any_whole_ratio_is_a_profile() -> None:
    assert datasets.counts("cifar10-lt-1") == (5000,) * 10
    assert datasets.counts("cifar10-lt-64") == datasets.long_tail(10, 5000, 64)
    assert min(datasets.counts("cifar100-lt-500")) == 1


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("function", [datasets.counts, datasets.describe])
def test_unknown_names_are_refused_with_the_known_ones(function: Any, name: Any) -> None:
    with pytest.raises(InputError, match=r"^unknown data set .*places-lt, lvis-v1, .*cifar10-lt-RATIO"):
        function(name)


def test_a_ratio_beyond_the_largest_class_is_refused() -> None:
    with pytest.raises(InputError, match=r"^ratio 5001 is above n_max 5000"):
        datasets.counts("cifar10-lt-5001")


@pytest.mark.parametrize(
    ("k", "n_max", "ratio", "expected"),
    [
        (10, 5000, 100, (5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)),
        (2, 7, 7, (7, 1)),
        (3, 5, 1, (5, 5, 5)),
        (4, 1, 1.0, (1, 1, 1, 1)),
        (3, 10, 2.5, (10, 6, 4)),
        (2, 11, 1.1, (11, 10)),  # the decimal 1.1; the binary number above it would give 9
        (3, 2**53, 2**52, (2**53, 2**27, 2)),
        (2, 2**53, Fraction(2**53, 3), (2**53, 3)),
    ],
)
def test_long_tail(k: int, n_max: int, ratio: float | Fraction, expected: tuple[int, ...]) -> None:
    assert datasets.long_tail(k, n_max, ratio) == expected


@pytest.mark.parametrize("root", [2, 3, 5, 7])
@pytest.mark.parametrize("k", [4, 7, 10, 13])
def test_long_tail_keeps_exact_integers(k: int, root: int) -> None:
    """With ratio root^(k−1) class c has n_max / root^c samples exactly, which floats often put just below."""
    n_max = root ** (k - 1)
    assert datasets.long_tail(k, n_max, n_max) == tuple(root ** (k - 1 - c) for c in range(k))


def test_the_plain_float_formula_loses_exact_integers() -> None:
    """Shows that the test above can fail: the formula as the papers' code has it does fail it."""
    naive = [
        math.floor(root ** (k - 1) * float(root ** (k - 1)) ** (-c / (k - 1))) == root ** (k - 1 - c)
        for root in (2, 3, 5, 7)
        for k in (4, 7, 10, 13)
        for c in range(k)
    ]
    assert not all(naive)


@given(k=st.integers(2, 40), n_max=st.integers(1, 2**53), data=st.data())
def test_long_tail_against_fifty_digits(k: int, n_max: int, data: st.DataObject) -> None:
    ratio = data.draw(st.integers(1, min(n_max, 10**6)))
    with localcontext() as context:
        context.prec = 50
        for c, n in enumerate(datasets.long_tail(k, n_max, ratio)):
            exact = n_max * (-Decimal(c) / (k - 1) * Decimal(ratio).ln()).exp()
            assert n - Decimal("1e-30") <= exact < n + 1


@pytest.mark.parametrize(
    ("k", "n_max", "ratio", "sentence"),
    [
        (1, 100, 10, r"^k 1 must be the number of classes, a whole number from 2"),
        (0, 100, 10, r"^k 0 "),
        (-3, 100, 10, r"^k -3 "),
        (10.0, 100, 10, r"^k 10\.0 "),
        (True, 100, 10, r"^k True "),
        ("ten", 100, 10, r"^k 'ten' "),
        (10, 0, 10, r"^n_max 0 must be the largest class, a whole number from 1"),
        (10, -1, 10, r"^n_max -1 "),
        (10, 99.5, 10, r"^n_max 99\.5 "),
        (10, 2**53 + 1, 10, r"^n_max 9007199254740993 must be .* to 2\*\*53"),
        (10, 100, 0.01, r"^ratio 0\.01 must be a finite number of at least 1"),
        (10, 100, 0, r"^ratio 0 must"),
        (10, 100, -10, r"^ratio -10 must"),
        (10, 100, math.nan, r"^ratio nan must"),
        (10, 100, math.inf, r"^ratio inf must"),
        (10, 100, None, r"^ratio None must"),
        (10, 100, "many", r"^ratio 'many' must"),
        (10, 100, True, r"^ratio True must"),
        (10, 100, 101, r"^ratio 101 is above n_max 100, so the smallest class is empty; lower the ratio$"),
        (10, 100, 100.00001, r"^ratio 100\.00001 is above n_max 100"),
    ],
)
def test_long_tail_refuses(k: Any, n_max: Any, ratio: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        datasets.long_tail(k, n_max, ratio)
