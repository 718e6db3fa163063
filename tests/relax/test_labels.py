"""Labels in memory: each kind is counted rightly or refused in one sentence, never counted otherwise."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from datetime import datetime
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relax.errors import InputError
from relax.labels import class_sizes
from relax.problem import Problem

COUNTED: list[tuple[Any, list[int]]] = [
    ([3, 1, 3], [1, 2]),
    ((0, 0, 1), [2, 1]),
    (range(3), [1, 1, 1]),
    (deque("aab"), [2, 1]),
    (array("i", [5, 5, 4]), [1, 2]),
    (["10", "9", "9"], [1, 2]),
    (["a\0", "a", "a"], [2, 1]),  # NumPy's strings cannot tell these apart
    ([b"a", b"b", b"b"], [1, 2]),
    ([True, False, True], [1, 2]),
    ([1, 1.0, 2.0], [2, 1]),
    ([2**64, 2**64 + 1, 2**64], [2, 1]),  # as floats these are one
    ([2**63, -1, 2**63 + 1], [1, 1, 1]),
    ([np.int8(1), np.int64(1), 2], [2, 1]),
    ([torch.tensor(1), torch.tensor(1), torch.tensor(0)], [1, 2]),
    (np.array(["a", "b", "a"], dtype=object), [2, 1]),
    (np.array([1, 2, 2], dtype=object), [1, 2]),
    (np.array([1.0, 2.0, 2.0], dtype=np.float16), [1, 2]),
    (np.ma.array([1, 2, 2], mask=np.zeros(3, bool)), [1, 2]),
    (torch.tensor([1, 1, 0]), [1, 2]),
    (torch.tensor([1.0, 1.0, 0.0], dtype=torch.bfloat16, requires_grad=True), [1, 2]),
    (np.array([0, 255, 255], dtype=np.uint8), [1, 2]),
]
REFUSED: list[tuple[Any, str]] = [
    ("0011", "labels '0011' are no list and no array"),
    (b"0011", "are no list and no array"),
    ({0, 1}, "are no list and no array"),
    ({0: 1, 1: 2}, "are no list and no array"),
    ((label for label in (0, 1)), "are no list and no array"),
    (None, "labels None are no list"),
    ([1, "1", 1], "labels mix whole numbers (1) and strings ('1')"),
    ([True, 1, 1], "labels mix truth values (True) and whole numbers (1)"),
    ([b"a", "a"], "labels mix bytes (b'a') and strings ('a')"),
    ([0, 1, float("nan")], "NaN or infinity"),
    (["a", float("nan"), "b"], "NaN or infinity"),
    (["a", None, "b"], "missing for some samples"),
    ([0.5, 1, 1], "labels hold 0.5, which is not a whole number"),
    ([2.0**53 + 2, 1.0], "too large to be told apart"),
    ([(0, 1), (0, 2)], "labels hold (0, 1) of type tuple"),
    ([datetime(2020, 1, 1)] * 2, "of type datetime"),
    (np.array([0.5, 1.0]), "labels hold 0.5, which is not a whole number"),
    (np.array([1, 4096], dtype=np.float16), "float16 are too large to be told apart"),
    (np.eye(3), "argmax(axis=1) of a one-hot array"),
    (np.zeros((3, 1), int), "labels have shape (3, 1)"),
    (np.zeros((1, 3), int), "labels have shape (1, 3)"),
    (np.array([(1, 2)], dtype=[("a", int), ("b", int)]), "cannot be compared"),
    (np.array(["2020-01-01"], dtype="M8[D]"), "cannot be compared"),
    (np.array([1, "1"], dtype=object), "labels mix whole numbers (1) and strings ('1')"),
    (np.ma.array([1, 2, 2], mask=np.eye(3, dtype=bool)[1]), "labels are masked in part"),
    (torch.zeros(3, 2), "labels have shape (3, 2)"),
    (torch.empty(3, device="meta"), "labels of type Tensor cannot be read"),
]


@pytest.mark.parametrize(("labels", "sizes"), COUNTED, ids=lambda x: repr(x).split(" at 0x")[0][:40])
def test_counted(labels: Any, sizes: list[int]) -> None:
    assert class_sizes(labels) == sizes


@pytest.mark.parametrize(("labels", "said"), REFUSED, ids=lambda x: repr(x).split(" at 0x")[0][:40])
def test_refused(labels: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        Problem.from_labels(labels)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1) | st.lists(st.text(), min_size=1))
def test_lists_are_counted_as_python_compares(labels: list[Any]) -> None:
    found = Counter(labels)
    assert class_sizes(labels) == [found[label] for label in sorted(found)]


def test_pandas() -> None:
    assert class_sizes(pandas.Series([2, 0, 2], index=[7, 9, 2])) == [1, 2]
    assert class_sizes(pandas.Series(["b", "a", "b"], dtype="category")) == [1, 2]
    assert class_sizes(pandas.Series([1, 1, 0], dtype="Int64")) == [1, 2]
    for missing in (
        pandas.Series([0, 1, None]),
        pandas.Series([0, 1, None], dtype="Int64"),
        pandas.Series(["a", None, "b"]),
        pandas.Series(["a", None, "b"], dtype="category"),
        pandas.Series(["a", pandas.NA, "b"], dtype="string"),
        pandas.DataFrame({"a": [0, 1], "b": [0, 1]}),
        pandas.DataFrame({"a": [0, 1]}),
        pandas.Series(pandas.to_datetime(["2020-01-01", "2020-01-02"])),
    ):
        with pytest.raises(InputError, match="labels"):
            class_sizes(missing)
