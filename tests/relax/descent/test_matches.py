"""The nonconvex minimisers match the relaxation, on every case of the solvers' table."""

from __future__ import annotations

import numpy as np
import pytest

from relax.descent import descend, match
from relax.problem import Norm, Problem
from relax.solvers import solve
from tests.relax.solvers.test_agreement import CASES, IDS


@pytest.mark.parametrize(("counts", "tau", "norm"), CASES, ids=IDS)
def test_descent_ends_at_the_certified_optimum(counts: list[int], tau: float, norm: Norm) -> None:
    solution = solve(Problem(counts, temperature=tau, norm=norm))
    found = match(descend(solution.problem, max(2, len(counts) - 1), starts=4), solution.gram, solution.value)
    best = int(np.argmin(np.abs(found.loss_gaps)))
    assert abs(found.loss_gaps[best]) <= 1e-9
    assert found.gram_distances[best] <= 1e-5
    assert found.residuals[best] <= 1e-3
    assert found.loss_gaps.min() >= -solution.gap() - 1e-12  # nothing lies below what is certified
