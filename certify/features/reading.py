"""What users give as features and labels, as the exact numbers they are, or refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped

from relax.errors import InputError, in_one_line, worded

MOST_SAMPLES = 2_000  # their Gram matrix in ball arithmetic takes a minute
FEATURES = "give real numbers of shape (n, d), e.g. a float64 array"
LABELS = "give one integer or text a sample, shape (n,)"
EXACT = ("float16", "float32", "float64")


def exact_features(given: Any) -> Float64[np.ndarray, "n d"]:
    """Return features as float64 numbers that are exactly those given.

    Arrays and tensors of float16, bfloat16, float32 and float64 are exact in float64. Numbers of other types,
    and those in lists and in object arrays, are taken where a float64 is exactly that number. A tensor is
    read where it is, without its gradient.

    Raises
    ------
    InputError
        If they are not (n, d) real and finite numbers with 1 ≤ n ≤ 2,000 and d ≥ 1, if float64 would round
        one, or if they are masked, sparse or hold no numbers (the device "meta").
    """
    array = _array(given, "features", FEATURES)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"features have shape {array.shape}; {FEATURES}")
    if len(array) > MOST_SAMPLES:
        raise InputError(
            f"features have {len(array)} rows; exact losses take at most {MOST_SAMPLES} samples, give fewer"
        )
    exact = _floats(array)
    if not np.isfinite(exact).all():
        raise InputError("features hold NaN or infinity; give finite vectors")
    return exact


def label_array(given: Any, samples: int) -> Shaped[np.ndarray, " n"]:
    """Return labels as an array that sorts.

    Integers, booleans, texts and finite floats are taken, in arrays, tensors, lists or tuples; all of one
    kind, so that 1 and "1" are never one class.

    Raises
    ------
    InputError
        If they are not, if they hold NaN, or if there is not one for each sample.
    """
    array = _array(given, "labels", LABELS)
    if array.dtype == object:
        array = _of_one_kind(array)
    if array.dtype.kind not in "biufU":
        raise InputError(f"labels are of type {array.dtype}; {LABELS}")
    if array.shape != (samples,):
        raise InputError(f"labels have shape {array.shape} beside {samples} rows of features; {LABELS}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"labels hold NaN or infinity; {LABELS}")
    return array


def _array(given: Any, what: str, mend: str) -> np.ndarray:
    """Return an array of the same numbers; lists become object arrays, which round nothing."""
    if isinstance(given, np.ma.MaskedArray):
        if np.ma.is_masked(given):
            raise InputError(f"{what} are masked; leave out what is masked")
        given = given.data
    if type(given).__module__.partition(".")[0] == "torch":
        return _from_torch(given, what, mend)
    if hasattr(given, "toarray"):
        raise InputError(f"{what} are sparse ({type(given).__name__}); give .toarray()")
    if given is None or isinstance(given, (str, bytes, dict, set, type)):
        raise InputError(f"{what} {worded(given)} are no array; {mend}")
    if isinstance(given, (list, tuple)) and any(
        hasattr(row, "mask") or hasattr(row, "grad") for row in given
    ):
        raise InputError(f"{what} are a list of masked arrays or tensors; stack them into one")
    try:
        array = np.array(given, dtype=object) if isinstance(given, (list, tuple)) else np.asarray(given)
    except Exception as error:  # rows of unequal length, or whatever an __array__ raises
        raise InputError(f"{what} are no array ({in_one_line(error, 80)}); {mend}") from error
    return array


def _from_torch(given: Any, what: str, mend: str) -> np.ndarray:
    import torch

    if not isinstance(given, torch.Tensor):
        raise InputError(f"{what} are {worded(given)}; {mend}")
    if given.is_sparse or given.layout is not torch.strided:
        raise InputError(f"{what} are a sparse tensor; give .to_dense()")
    if given.device.type == "meta":
        raise InputError(f"{what} are a tensor on the device meta, which holds no numbers; {mend}")
    try:
        here = given.detach().cpu()
        return (here.double() if here.is_floating_point() else here.resolve_conj()).numpy()
    except (RuntimeError, TypeError, NotImplementedError) as error:  # nested tensors and other kinds
        raise InputError(
            f"{what} are a tensor that has no array ({in_one_line(error, 80)}); {mend}"
        ) from error


def _floats(array: np.ndarray) -> Float64[np.ndarray, ...]:
    """Return float64 numbers that equal those of the array."""
    if array.dtype.name in EXACT:
        return array.astype(np.float64)
    if array.dtype.kind not in "iufO":
        raise InputError(f"features are of type {array.dtype}; {FEATURES}")
    numbers = array.astype(object).ravel().tolist() if array.dtype.kind != "f" else array.ravel()
    made = np.array([_float(number) for number in numbers], dtype=np.float64)
    return made.reshape(array.shape)


def _float(number: Any) -> float:
    """Return the float64 that is this number."""
    if isinstance(number, (bool, np.bool_, complex, str, bytes)):
        raise InputError(f"features hold {worded(number)}; {FEATURES}")
    try:
        made = float(number)
        exact = bool(made == number or made != made)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"features hold {worded(number)}, which is no real number; {FEATURES}") from error
    if not exact:
        raise InputError(
            f"features hold {worded(number)}, which is no float64 exactly; round them to float64 first"
        )
    return made


def _of_one_kind(labels: np.ndarray) -> np.ndarray:
    """Return an object array as one of integers, texts, booleans or floats; nothing is converted."""
    each = labels.ravel().tolist()
    kinds = {
        "O" if hasattr(label, "__len__") and not isinstance(label, str) else np.asarray(label).dtype.kind
        for label in each
    }
    if len(kinds) != 1 or not kinds <= set("biufU"):
        raise InputError(f"labels are not all integers or all texts; {LABELS}")
    return np.array(labels.tolist())
