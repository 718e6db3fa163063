"""Labels of samples as class numbers: each kind of label is counted rightly, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from relax.errors import InputError, shown

MEND = "give one integer or string a sample, shape (n,)"
_UNORDERED = (str, bytes, bytearray, set, frozenset, dict)


class Labelling(NamedTuple):
    """The different labels, sorted, and for every sample the index of its own."""

    names: tuple[Any, ...]
    classes: Int[np.ndarray, " n"]

    @property
    def sizes(self) -> Int[np.ndarray, " k"]:
        """The number of samples of every class."""
        return np.bincount(self.classes, minlength=len(self.names))


def labelled(labels: Any) -> Labelling:
    """Return labels as class numbers, classes in the sorted order of their labels.

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
        names, classes = np.unique(_whole(labels), return_inverse=True)
        return Labelling(tuple(names.tolist()), classes.reshape(-1))
    given = [_plain(label) for label in _listed(labels)]
    _check_kinds(given)
    names = sorted(set(given))
    number = {name: c for c, name in enumerate(names)}
    return Labelling(tuple(names), np.array([number[label] for label in given], dtype=np.int64))


def _check_shape(labels: Any) -> None:
    shape = getattr(labels, "shape", None)
    if shape is None:
        if isinstance(labels, _UNORDERED) or not (isinstance(labels, Sequence) or hasattr(labels, "tolist")):
            raise InputError(f"labels {shown(labels)} are no list and no array; {MEND}")
        shape = (len(labels),)
    if len(shape) != 1 or shape[0] == 0:
        what = "; a one-hot array becomes labels by argmax(axis=1)" if len(shape) == 2 else ""
        raise InputError(f"labels have shape {tuple(shape)}; give one label a sample, shape (n,){what}")


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
    if absent or (isinstance(label, float) and label != label):
        raise InputError("labels are missing for some samples (None, NaN); leave those samples out")
    if isinstance(label, float):
        raise InputError(f"labels hold {label:g}, which is not a whole number; {MEND}")
    raise InputError(f"labels hold {shown(label)} of type {type(label).__name__}; {MEND}")


def _check_kinds(labels: list[Any]) -> None:
    """Refuse labels of several kinds: 1 and "1" are different, and 1 and True the same, to Python alone."""
    first: dict[str, Any] = {}
    for label in labels:
        first.setdefault(_kind(label), label)
    if len(first) > 1:
        (one, a), (other, b) = list(first.items())[:2]
        raise InputError(f"labels mix {one} ({shown(a)}) and {other} ({shown(b)}); give all of one kind")
