"""The cross-polytope's closed form against numerical Hessians, and against the general prover."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from certify.landscape import cross_polytope, cross_polytope_bracket, prove_minimum, prove_saddle
from relax import InputError, Problem
from tests.certify.landscape.oracles import riemannian_spectrum
from tests.certify.landscape.seeds import labels_of, loss_and_gradient


@pytest.mark.parametrize(("n", "k"), [(2, 2), (2, 3), (4, 2), (4, 3), (6, 2), (2, 5)])
@pytest.mark.parametrize("tau", [0.05, 0.15, 0.5, 3.0])
def test_spectrum_against_automatic_differentiation(n: int, k: int, tau: float) -> None:
    found = cross_polytope(n, k, tau)
    d, labels = found.dimension, labels_of([n] * k)
    said = [value for ball, count in found.eigenvalues for value in [float(ball.mid())] * count]
    said += [0.0] * (d * (d - 1) // 2)
    known = riemannian_spectrum(found.features(), labels, tau)
    assert np.allclose(np.sort(said), known, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(known).max()))
    value, slope = loss_and_gradient(found.features(), labels, tau)
    assert float(found.loss[0]) == pytest.approx(value, rel=1e-12)
    tangent = slope - (slope * found.features()).sum(axis=1, keepdims=True) * found.features()
    assert np.abs(tangent).max() < 1e-12
    lowest = min(said[: len(said) - d * (d - 1) // 2])
    assert found.verdict == ("minimum" if lowest > 0 else "saddle")


@pytest.mark.parametrize(
    ("n", "k", "near"), [(2, 2, 0.2523), (4, 2, 0.2182), (4, 3, 0.1304), (10, 3, 0.0604), (2, 3, 0.1668)]
)
def test_brackets(n: int, k: int, near: float) -> None:
    found = cross_polytope_bracket(n, k)
    assert found.lower is not None and found.upper is not None
    assert found.relative_width <= 1e-6
    assert float(found.lower) == pytest.approx(near, abs=1e-4)

    def lowest(tau: Fraction) -> float:
        """By mpmath, the d − 1 axes of one block as a full matrix, from the formula with p and q."""
        mp = mpmath.mp.clone()
        mp.dps = 40
        t, d = mp.mpf(tau.numerator) / tau.denominator, n * k // 2
        e = mp.exp(-1 / t)
        p, q = 1 / (2 * d - 2 + e), mp.mpf(1) / (n - 1)
        axes = np.repeat(np.arange(k), n // 2)[1:]
        matrix = mp.matrix(d - 1, d - 1)
        for a in range(d - 1):
            for b in range(d - 1):
                matrix[a, b] = p / t - p**2 / t**2 - (q / t if axes[a] == axes[b] else 0)
                matrix[a, b] += p / t**2 - p * (1 - e) / t if a == b else 0
        return min(mp.eigsy(matrix, eigvals_only=True))

    assert lowest(found.lower) > 0 > lowest(found.upper)
    assert all(lowest(found.lower * i / 20) > 0 for i in range(1, 20))


@pytest.mark.parametrize(("n", "k"), [(2, 2), (4, 2), (4, 3)])
def test_the_general_prover_agrees(n: int, k: int) -> None:
    bracket = cross_polytope_bracket(n, k)
    assert bracket.lower is not None and bracket.upper is not None
    for tau in (0.1, float(round(bracket.lower * 999 / 1000, 6))):
        closed, problem = cross_polytope(n, k, tau), Problem({n: k}, temperature=tau)
        found = prove_minimum(closed.features(), problem)
        assert closed.verdict == "minimum" and found.proven, found.reason
        lowest = min(float(value.mid()) for value, _ in closed.eigenvalues)
        assert 0.99 * lowest < float(found.curvature or 0) <= lowest
        assert float(found.worse_by or 0) == pytest.approx(float(closed.worse_by or -1), rel=1e-5)
        assert len(found.negative) == n * k
    tau = float(round(bracket.upper * 1001 / 1000, 6))
    assert prove_saddle(cross_polytope(n, k, tau).features(), Problem({n: k}, temperature=tau)).proven


@pytest.mark.slow
def test_the_general_prover_in_fifteen_dimensions() -> None:
    closed = cross_polytope(10, 3, 0.05)
    found = prove_minimum(closed.features(), Problem({10: 3}, temperature=0.05), alone=False)
    assert closed.verdict == "minimum" and found.proven, found.reason
    assert float(found.worse_by or 0) == pytest.approx(float(closed.worse_by or -1), rel=1e-5)


def test_what_there_is_none_of() -> None:
    for n, k, word in ((3, 2, "even"), (0, 2, "at least"), (2, 1, "at least")):
        with pytest.raises(InputError, match=word):
            cross_polytope_bracket(n, k)
    with pytest.raises(InputError, match="temperature"):
        cross_polytope(2, 2, -1.0)


def test_it_prints() -> None:
    assert "minimum, 2 classes of 4, τ=0.1, d=4" in str(cross_polytope(4, 2, 0.1))
    assert "2.18174" in str(cross_polytope_bracket(4, 2))
