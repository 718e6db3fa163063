"""Labels beside a problem: whether they have its class counts, in its order."""

from __future__ import annotations

from collections import Counter

import numpy as np
from jaxtyping import Int

from relax.errors import InputError
from relax.labels import Labelling
from relax.problem import Problem


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
