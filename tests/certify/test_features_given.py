"""Features and labels of every kind: read exactly, or refused in one sentence; never rounded in silence."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from flint import ctx

from certify import Verdict
from certify.features import certify_point, loss_of_features
from relax import Problem, solve
from relax.errors import InputError
from relax.losses import FixedBatches

PROBLEM = Problem([3, 2], temperature=0.3)
GOOD = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float16).astype(float)  # exact in every float
WHOLE = np.round(GOOD * 4).astype(int) + 1
TENSOR = torch.from_numpy(GOOD)

SAME = {
    "float16": GOOD.astype(np.float16),
    "float32": GOOD.astype(np.float32),
    "big-endian": GOOD.astype(">f8"),
    "Fortran order": np.asfortranarray(GOOD),
    "every other row": np.repeat(GOOD, 2, axis=0)[::2],
    "longdouble with no more digits": GOOD.astype(np.longdouble),
    "object": GOOD.astype(object),
    "lists": GOOD.tolist(),
    "tuples of fractions": tuple(tuple(Fraction(x) for x in row) for row in GOOD.tolist()),
    "decimals": [[Decimal(x) for x in row] for row in GOOD.tolist()],
    "list of rows": list(GOOD),
    "nothing masked": np.ma.array(GOOD, mask=False),
    "tensor": TENSOR,
    "float32 tensor": TENSOR.float(),
    "float16 tensor": TENSOR.half(),
    "tensor with a gradient": TENSOR.clone().requires_grad_(),
    "parameter": torch.nn.Parameter(TENSOR.clone()),
    "view of a tensor": torch.stack([TENSOR, TENSOR])[1],
    "transposed tensor": TENSOR.T.contiguous().T,
}
ALIKE = {
    "int64": WHOLE,
    "int8": WHOLE.astype(np.int8),
    "lists of int": WHOLE.tolist(),
    "int tensor": torch.from_numpy(WHOLE),
    "bfloat16": torch.from_numpy(WHOLE).to(torch.bfloat16),
}


def with_entry(value: Any, dtype: Any = None) -> Any:
    array = GOOD.astype(object)
    array[1, 2] = value
    return array if dtype is None else array.astype(dtype)


REFUSED = {
    "one axis": (GOOD.ravel(), "shape"),
    "three axes": (GOOD[None], "shape"),
    "a number": (3.0, "shape"),
    "no rows": (GOOD[:0], "shape"),
    "no columns": (GOOD[:, :0], "shape"),
    "an empty list": ([], "shape"),
    "None": (None, "None"),
    "a path": ("features.npz", "features.npz"),
    "a dict": ({"features": GOOD}, "dict"),
    "a set": ({1.0}, "set"),
    "rows of unequal length": ([[1.0, 2.0], [3.0]], "no array|shape"),
    "complex": (GOOD.astype(complex), "complex128"),
    "complex in a list": (GOOD.astype(complex).tolist(), "0j"),
    "complex tensor": (TENSOR.to(torch.complex128), "complex128"),
    "booleans": (GOOD > 0, "bool"),
    "a boolean": (with_entry(True), "True"),
    "texts": (GOOD.astype(str), "type"),
    "a text": (with_entry("x"), "'x'"),
    "a None": (with_entry(None), "None"),
    "dates": (np.zeros((5, 4), dtype="M8[s]"), "datetime64"),
    "records": (np.zeros((5, 4), dtype=[("x", float)]), "type"),
    "masked": (np.ma.array(GOOD, mask=GOOD > 1), "masked"),
    "list of masked rows": ([np.ma.array(row, mask=row > 1) for row in GOOD], "masked"),
    "list of tensors": (list(TENSOR), "stack"),
    "longdouble": (GOOD.astype(np.longdouble) + np.longdouble(2) ** -60, "no float64 exactly"),
    "a large int": (with_entry(2**53 + 1), "no float64 exactly"),
    "a large int in a list": ([*GOOD.tolist()[:4], [2**53 + 1, 0.5, 1, 2]], "no float64 exactly"),
    "large int64": (WHOLE + 2**53, "no float64 exactly"),
    "a huge int": (with_entry(10**400), "no real number"),
    "a third": (with_entry(Fraction(1, 3)), "no float64 exactly"),
    "a tenth": (with_entry(Decimal("0.1")), "no float64 exactly"),
    "NaN": (with_entry(np.nan, float), "NaN"),
    "infinity": (with_entry(np.inf, float), "infinity"),
    "a NaN object": (with_entry(Decimal("nan")), "NaN"),
    "float16 overflow": (np.full((5, 4), np.inf, dtype=np.float16), "infinity"),
    "sparse matrix": (scipy.sparse.csr_array(GOOD), "toarray"),
    "sparse tensor": (TENSOR.to_sparse(), "to_dense"),
    "meta tensor": (TENSOR.to("meta"), "meta"),
    "a dtype": (torch.float64, "features"),
    "a class": (np.ndarray, "class ndarray"),
    "too few": (GOOD[:4], "5 samples"),
    "too many": (np.ones((2001, 1)), "at most 2000"),
    "a zero vector": (np.vstack([GOOD[:4], 0 * GOOD[:1]]), "zero"),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_same_numbers_have_the_same_loss(kind: str) -> None:
    ours, given = (loss_of_features(h, PROBLEM) for h in (GOOD, SAME[kind]))
    with ctx.workprec(400):
        assert ours.mid() == given.mid() and ours.rad() == given.rad()


@pytest.mark.parametrize("kind", ALIKE)
def test_whole_numbers_are_taken_exactly(kind: str) -> None:
    ours, given = (loss_of_features(h, PROBLEM) for h in (WHOLE.astype(float), ALIKE[kind]))
    with ctx.workprec(400):
        assert ours.mid() == given.mid()


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("judge", [loss_of_features, certify_point])
@pytest.mark.usefixtures("unchecked")
def test_unusable_features_are_refused_in_one_sentence(kind: str, judge: Any) -> None:
    given, words = REFUSED[kind]
    with pytest.raises(InputError, match=words) as error:
        judge(given, PROBLEM)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


LABELS = [0, 1, 0, 0, 1]
GOOD_LABELS = {
    "list": LABELS,
    "tuple": tuple(LABELS),
    "int8": np.array(LABELS, dtype=np.int8),
    "tensor": torch.tensor(LABELS),
    "bool": np.array(LABELS) == 1,
    "bool tensor": torch.tensor(LABELS) == 1,
    "texts": [f"class {y}" for y in LABELS],
    "object texts": np.array(["a", "bb", "a", "a", "bb"], dtype=object),
    "object integers": np.array(LABELS, dtype=object),
    "whole floats": np.array(LABELS, dtype=float),
    "floats": [0.5 * y for y in LABELS],
    "swapped": [1 - y for y in LABELS],
    "nothing masked": np.ma.array(LABELS, mask=False),
    "longdouble": np.array(LABELS, dtype=np.longdouble),
}
BAD_LABELS = {
    "too few": (LABELS[:4], "shape"),
    "too many": ([*LABELS, 0], "shape"),
    "two axes": ([[y] for y in LABELS], "shape"),
    "a text": ("01001", "'01001'"),
    "a number": (3, "shape"),
    "NaN": ([0.0, 1.0, 0.0, np.nan, 1.0], "NaN"),
    "None": ([0, 1, 0, None, 1], "not all integers"),
    "mixed": ([0, 1, "0", 0, 1], "not all integers"),
    "int and float": ([0, 1, 0.0, 0, 1], "not all integers"),
    "complex": (np.array(LABELS) + 0j, "complex"),
    "dates": (np.array(LABELS, dtype="M8[s]"), "datetime64"),
    "bytes": (np.array(["a", "b", "a", "a", "b"], dtype="S1"), "type"),
    "masked": (np.ma.array(LABELS, mask=[y == 1 for y in LABELS]), "masked"),
    "one class": ([0] * 5, "class counts 5"),
    "other counts": ([0, 1, 1, 1, 1], "class counts 1,4"),
    "three classes": ([0, 1, 0, 2, 1], "class counts 2,2,1"),
    "huge": ([0, 2**63, -1, 0, 2**63], "not all integers"),
    "a set": ({0, 1}, "set"),
    "one-hot": (np.eye(2)[LABELS], "shape"),
    "meta": (torch.tensor(LABELS).to("meta"), "meta"),
    "list of tensors": (list(torch.tensor(LABELS)), "stack"),
}


@pytest.mark.parametrize("kind", GOOD_LABELS)
def test_labels_of_every_kind_say_the_same(kind: str) -> None:
    order = np.argsort(LABELS, kind="stable")
    ours, given = loss_of_features(GOOD[order], PROBLEM), loss_of_features(GOOD, PROBLEM, GOOD_LABELS[kind])
    assert ours.overlaps(given)


@pytest.mark.parametrize("kind", BAD_LABELS)
@pytest.mark.usefixtures("unchecked")
def test_unusable_labels_are_refused_in_one_sentence(kind: str) -> None:
    given, words = BAD_LABELS[kind]
    for judge in (loss_of_features, certify_point):
        with pytest.raises(InputError, match=words) as error:
            judge(GOOD, PROBLEM, given)
        assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_verdict_on_a_tensor_with_a_gradient() -> None:
    rows = np.repeat(solve(PROBLEM).embedding(), [3, 2], axis=0)
    features = torch.from_numpy(rows).requires_grad_()
    assert certify_point(features, PROBLEM).verdict is Verdict.CERTIFIED
    assert certify_point(features.flip(0), PROBLEM, ["b"] * 2 + ["a"] * 3).verdict is Verdict.CERTIFIED
    assert certify_point(features.flip(0), PROBLEM).verdict is Verdict.REFUTED


def test_a_loss_that_knows_its_samples_takes_its_own_labels_alone() -> None:
    labels, batches = (1, 0, 0, 1, 1), ((0, 1, 2, 3), (1, 2, 3, 4))
    problem = Problem([2, 3], FixedBatches(labels, batches))
    by_class = GOOD[np.argsort(labels, kind="stable")]
    assert loss_of_features(GOOD, problem, labels).overlaps(loss_of_features(by_class, problem))
    with pytest.raises(InputError, match="own labels"):
        loss_of_features(GOOD, problem, [0, 0, 1, 1, 1])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("tolerance", [0, 1, -1e-9, "1e-9", None, True, np.nan, [1e-9]])
def test_tolerances(tolerance: Any) -> None:
    with pytest.raises(InputError, match=r"tolerance .* must lie between 0 and 1"):
        certify_point(GOOD, PROBLEM, tolerance=tolerance)


def test_numbers_of_other_types_are_tolerances() -> None:
    for tolerance in (np.float32(1e-6), Fraction(1, 1000), Decimal("1e-9")):
        assert certify_point(GOOD, PROBLEM, tolerance=float(tolerance)).verdict is Verdict.REFUTED
