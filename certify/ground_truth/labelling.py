"""Labels of any kind as class numbers, classes standing in the sorted order of their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from relax.errors import InputError
from relax.problem import Problem


class Labelling(NamedTuple):
    """The different labels, sorted, and for every sample the index of its own."""

    names: tuple[Any, ...]
    classes: Int[np.ndarray, " n"]

    @property
    def sizes(self) -> Int[np.ndarray, " k"]:
        """The number of samples of every class."""
        return np.bincount(self.classes, minlength=len(self.names))


def labelled(labels: Iterable[Any]) -> Labelling:
    """Return labels, for instance a list, a NumPy array or a torch tensor, as class numbers.

    Raises
    ------
    InputError
        If the labels are not one hashable, sortable value for each sample.
    """
    listing: Any = getattr(labels, "tolist", None)  # of NumPy, torch and pandas: numbers that print well
    try:
        given = list(labels if listing is None else listing())
        names = sorted(set(given))
        number = {name: c for c, name in enumerate(names)}
        sortable = bool(names) and all(bool(name == name) for name in names)  # NaN is not, and sorts anyhow
    except TypeError as error:
        raise InputError(
            f"labels are no list of sortable values ({error}); give one integer or string a sample"
        ) from error
    if not sortable:
        raise InputError("labels are empty or hold NaN; give one integer or string a sample")
    return Labelling(tuple(names), np.array([number[name] for name in given], dtype=np.int64))


def class_sizes(problem: Problem) -> Int[np.ndarray, " k"]:
    """Return the number of samples of every class, views included, in the user's order."""
    seen = problem.effective_counts
    return np.array(seen.sizes, dtype=np.int64)[seen.group_of_class()]


def check_counts(labelling: Labelling, problem: Problem) -> None:
    """Refuse labels whose counts, in sorted order, are not those of a problem.

    Raises
    ------
    InputError
        If they are not; in another order they are another geometry.
    """
    if np.array_equal(labelling.sizes, class_sizes(problem)):
        return
    again = dict(zip(labelling.names[:12], labelling.sizes.tolist(), strict=False))
    more = "" if len(labelling.names) <= 12 else " …"
    same = Counter(labelling.sizes.tolist()) == Counter(class_sizes(problem).tolist())
    raise InputError(
        f"labels count {again}{more}, the problem {problem.effective_counts}"
        f"{' in another order' if same else ''}; make the problem by Problem.from_labels of these labels"
    )
