"""The public instances: their digits by mpmath, their CVXPY models by Clarabel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest

from benchmarks.instances.model import instances, model, read


def loss_at(instance: dict[str, Any]) -> Any:
    """The class-level loss at the stated Gram matrix, by its definition, at 60 digits."""
    top, _, bottom = instance["temperature"].partition("/")
    tau = mpmath.mpf(top) / mpmath.mpf(bottom or "1")
    sizes, g = instance["sizes"], instance["multiplicities"]
    total, anchors = mpmath.mpf(0), 0
    for a, n in enumerate(sizes):
        if n < 2:
            continue
        inside = mpmath.mpf(n - 1)
        for b, other in enumerate(sizes):
            entry = (mpmath.mpf(instance["gram_below"][a][b]) + mpmath.mpf(instance["gram_above"][a][b])) / 2
            inside += (g[b] - (a == b)) * other * mpmath.exp((entry - 1) / tau)
        total += g[a] * n * mpmath.log(inside)
        anchors += g[a] * n
    return total / anchors


@pytest.mark.parametrize("name", instances())
def test_the_value_is_the_loss_of_the_gram_matrix(name: str) -> None:
    mpmath.mp.dps = 60
    instance = read(name)
    below, above = map(mpmath.mpf, instance["value"])
    value = loss_at(instance)
    # entries are known to 30 digits and the loss is flat along feasible directions, not along all
    assert abs(value - below) < mpmath.mpf(10) ** -24
    assert below <= above < below + mpmath.mpf(10) ** -25
    assert Decimal(instance["excess"]) > 0


@pytest.mark.parametrize("name", sorted(set(instances()) - {"long-tail-30"}))
def test_the_cvxpy_model_states_it(name: str) -> None:
    instance = read(name)
    problem, gram = model(instance)
    problem.solve(solver="CLARABEL")
    assert problem.value == pytest.approx(float(instance["value"][0]), rel=2e-6)
    assert np.linalg.eigvalsh(np.asarray(gram.value)).min() > -1e-6
