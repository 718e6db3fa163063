"""Gradient descent on free features ends at the certified optimum of every registered loss."""

from __future__ import annotations

import pytest

from relax import Problem, losses, solve
from relax.descent import certified, descend, match

WITH_VIEWS = {
    "negatives-only",
    "decoupled",
    "self-supervised",
    "dhel",
    "lightly-ntxent",
    "luthra-ntxent",
    "luthra-weak",
}
GIVEN = {
    "fixed-batches": "fixed-batches:labels=0.0.0.1.1.2.2,batches=0.1.3.5/1.2.4.6/0.2.3.4.5.6",
    "scl": "scl:q=2",
    "ucl": "ucl:q=2",
}
BOUNDS_ONLY = {"hscl", "hucl"}  # programs that no loss attains
# one more, over batches
NAMES = [*sorted(set(losses.names()) - BOUNDS_ONLY), "supcon:batch_size=4,sampler=replacement"]


@pytest.mark.parametrize("name", NAMES)
def test_descent_ends_at_the_optimum(name: str) -> None:
    views = 2 if name in WITH_VIEWS else 1
    problem = Problem([3, 2, 2], GIVEN.get(name, name), temperature=0.5, views=views)
    solution = solve(problem)
    ended = descend(problem, dim=7, starts=3)
    found = match(ended, *certified(solution))
    assert found.agrees.any(), found
    assert found.loss_gaps.min() > -1e-9
