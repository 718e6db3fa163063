"""Lists and ranges of numbers, as they are typed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.cli.ranges import numbers, whole_numbers
from relax import InputError


def test_numbers() -> None:
    assert numbers("0.05,0.1,0.5,1") == [0.05, 0.1, 0.5, 1.0]
    assert numbers("0.1:1:10") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert numbers("1:1e4:5log") == [1.0, 10.0, 100.0, 1000.0, 10000.0]
    assert numbers("3, 1:2:2, 5") == [3.0, 1.0, 2.0, 5.0]
    assert numbers("1:1:1log") == numbers("1:1:1") == numbers("1") == [1.0]


def test_whole_numbers() -> None:
    assert whole_numbers("8,32") == [8, 32]
    assert whole_numbers("1:5:9log") == [1, 2, 3, 4, 5]
    assert whole_numbers("8:512:4log") == [8, 32, 128, 512]


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(2, 50))
def test_ranges_end_where_they_are_said_to_and_rise(low: int, more: int, count: int) -> None:
    for kind in ("", "log"):
        found = numbers(f"{low / 100!r}:{(low + more) / 100!r}:{count}{kind}")
        assert (found[0], found[-1], len(found)) == (low / 100, (low + more) / 100, count)
        steps = np.diff(found if kind == "" else np.log(found))
        assert steps.min() > 0 and np.allclose(steps, steps.mean(), rtol=1e-6)
        if kind == "":
            exact = [Fraction(low, 100) + Fraction(more, 100) * Fraction(i, count - 1) for i in range(count)]
            assert found == [float(one) for one in exact]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is not a decimal number"),
        ("1,,2", "'' is not a decimal number"),
        ("0", "0 which is not positive".replace("0 which", "0, which")),
        ("0:1:5log", "has 0, which is not positive"),
        ("-1:1:5", "has -1, which is not positive"),
        ("10:1:5log", "no range of two or more numbers that rise"),
        ("1:1:2log", "no range of two or more numbers that rise"),
        ("1:2:1", "no range of two or more numbers that rise"),
        ("1:2:0", "no range of two or more numbers that rise"),
        ("1:2:1000000000", "has more than 1,000,000 numbers"),
        ("1:2:" + "9" * 300, "has more than 1,000,000 numbers"),
        (",".join(["1:2:600000"] * 2), "has more than 1,000,000 numbers"),
        ("1:2", "'1:2' is no range; write numbers"),
        ("1:2:3:4", "is no range"),
        ("1:2:5ln", "is no range"),
        ("1:inf:5", "'inf' is not a decimal number"),
        ("nan", "'nan' is not a decimal number"),
        ("1:1e999:5", "beyond float64"),
        ("0.1000000000000000000001", "more digits than a float64 keeps"),
        ("１", "is not a decimal number"),
    ],
)
def test_refusals(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        numbers(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1.5", "not a whole number in plain digits"),
        ("0", "goes below 1"),
        ("0.1:5:9", "goes below 1"),
        ("8,none", "not a whole number"),
        ("1:2:1000000000", "more than 1,000,000"),
    ],
)
def test_refusals_of_whole_numbers(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        whole_numbers(text)
    assert sentence in str(refused.value)
