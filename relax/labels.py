"""Class sizes from labels of samples: each kind of label is counted rightly, or refused in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from relax.errors import InputError, worded

MEND = "give one integer or string a sample, shape (n,)"
_UNORDERED = (str, bytes, bytearray, set, frozenset, dict)


def class_sizes(labels: Any) -> list[int]:
    """Return how many samples have each label, in the sorted order of the labels.

    Parameters
    ----------
    labels : sequence or array, shape (n,)
        One label a sample: all whole numbers, all strings, all bytes or all truth values. Floats may be whole
        numbers, up to where their type still tells neighbours apart. A list, a tuple, a NumPy array, or
        whatever has `tolist`: torch tensors, pandas Series.

    Raises
    ------
    InputError
        If they are of another shape or kind, of several kinds, missing, masked, or there are none.
    """
    if np.ma.isMaskedArray(labels):
        if np.ma.is_masked(labels):
            raise InputError("labels are masked in part; leave out the samples without a label")
        labels = np.ma.getdata(labels)
    _check_shape(labels)
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iubUSf":
        return np.unique(_whole(labels), return_counts=True)[1].tolist()
    given = [_plain(label) for label in _listed(labels)]
    _check_kinds(given)
    found = Counter(given)
    return [found[label] for label in sorted(found)]


def _check_shape(labels: Any) -> None:
    shape = getattr(labels, "shape", None)
    if shape is None:
        if isinstance(labels, _UNORDERED) or not (isinstance(labels, Sequence) or hasattr(labels, "tolist")):
            raise InputError(f"labels {worded(labels)} are no list and no array; {MEND}")
        shape = (len(labels),)
    if len(shape) != 1 or shape[0] == 0:
        mend = ", e.g. [:, 0] of one column, argmax(axis=1) of a one-hot array" if len(shape) == 2 else ""
        raise InputError(f"labels have shape {tuple(shape)}; give one label a sample, shape (n,){mend}")


def _whole(labels: np.ndarray) -> np.ndarray:
    """Return an array that may be counted, floats only where they are whole and exact."""
    if labels.dtype.kind != "f":
        return labels
    if not np.isfinite(labels).all():
        raise InputError("labels hold NaN or infinity; give one integer label a sample")
    broken = labels[labels != np.floor(labels)]
    if broken.size:
        raise InputError(f"labels hold {float(broken[0]):g}, which is not a whole number; {MEND}")
    if (np.abs(labels) > 2 / np.finfo(labels.dtype).eps).any():
        raise InputError(f"labels of type {labels.dtype} are too large to be told apart; give integers")
    return labels.astype(np.int64) if labels.dtype.itemsize <= 8 else labels


def _listed(labels: Any) -> list[Any]:
    """Return the labels as a list; `tolist` gives numbers and strings of Python."""
    if isinstance(labels, np.ndarray) and labels.dtype.kind not in "OT":
        raise InputError(f"labels of type {labels.dtype} cannot be compared; give integers or strings")
    try:
        return labels.tolist() if hasattr(labels, "tolist") else list(labels)
    except Exception as error:  # of a library that we do not know: a tensor without data, a column of a file
        raise InputError(f"labels of type {type(labels).__name__} cannot be read; {MEND}") from error


def _plain(label: Any) -> Any:
    """Return a scalar of NumPy or torch as one of Python; a float that is whole as an integer."""
    if getattr(label, "ndim", None) == 0 and hasattr(label, "item"):
        label = label.item()
    if isinstance(label, float) and label.is_integer() and abs(label) <= 2**53:
        return int(label)
    return label


def _kind(label: Any) -> str:
    if isinstance(label, bool):
        return "truth values"
    if isinstance(label, int):
        return "whole numbers"
    if isinstance(label, str):
        return "strings"
    if isinstance(label, bytes):
        return "bytes"
    absent = label is None or type(label).__name__ in ("NAType", "NaTType", "MaskedConstant")
    if absent:
        raise InputError("labels are missing for some samples (None, NA); leave those samples out")
    if isinstance(label, float):
        _whole(np.array([label]))  # which refuses it, and knows why
    raise InputError(f"labels hold {worded(label)} of type {type(label).__name__}; {MEND}")


def _check_kinds(labels: list[Any]) -> None:
    """Refuse labels of several kinds: 1 and "1" are different, and 1 and True the same, to Python alone."""
    first: dict[str, Any] = {}
    for label in labels:
        first.setdefault(_kind(label), label)
    if len(first) > 1:
        (one, a), (other, b) = list(first.items())[:2]
        raise InputError(f"labels mix {one} ({worded(a)}) and {other} ({worded(b)}); give all of one kind")
