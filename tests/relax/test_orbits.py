"""Group-invariant matrices against the full matrices they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from relax.orbits import OrbitMatrix, from_parts

SHAPES = [([1, 1, 1], 1), ([3, 1, 2], 1), ([4], 1), ([2, 3], 2), ([1, 4, 2], 2), ([1, 1], 3)]


def full_by_definition(g: list[int], s: int, own: np.ndarray, peer: np.ndarray) -> np.ndarray:
    """M[(a,i),(b,j)] = B_ab + δ_ab δ_ij (O_a − B_aa), entry by entry."""
    nodes = [(a, i) for a, members in enumerate(g) for i in range(members)]
    full = np.zeros((len(nodes) * s, len(nodes) * s))
    for x, (a, i) in enumerate(nodes):
        for y, (b, j) in enumerate(nodes):
            same = (a, i) == (b, j)
            block = own[a] if same else peer[a * s : a * s + s, b * s : b * s + s]
            full[x * s : x * s + s, y * s : y * s + s] = block
    return full


def random_orbit_matrix(rng: np.random.Generator, g: list[int], s: int) -> OrbitMatrix:
    m = len(g)
    own, peer = rng.normal(size=(m, s, s)), rng.normal(size=(m * s, m * s))
    return OrbitMatrix(np.array(g, dtype=float), own + own.transpose(0, 2, 1), peer + peer.T)


@pytest.mark.parametrize(("g", "s"), SHAPES)
def test_expand_and_inner_match_the_definition(g: list[int], s: int) -> None:
    rng = np.random.default_rng(0)
    first, second = random_orbit_matrix(rng, g, s), random_orbit_matrix(rng, g, s)
    full = full_by_definition(g, s, first.own, first.peer)
    other = full_by_definition(g, s, second.own, second.peer)
    np.testing.assert_array_equal(first.expand(), full)
    assert first.inner(second) == pytest.approx(np.sum(full * other), rel=1e-12)


@pytest.mark.parametrize(("g", "s"), SHAPES)
def test_the_cone_is_the_cone_of_the_quotient_and_the_within_blocks(g: list[int], s: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        matrix = random_orbit_matrix(rng, g, s)
        spectrum = np.linalg.eigvalsh(matrix.expand())
        parts = list(np.linalg.eigvalsh(matrix.quotient()))
        for members, block in zip(g, matrix.within(), strict=True):
            parts += list(np.linalg.eigvalsh(block)) * (members - 1)
        np.testing.assert_allclose(np.sort(parts), spectrum, atol=1e-12)


@pytest.mark.parametrize(("g", "s"), SHAPES)
def test_from_parts_inverts(g: list[int], s: int) -> None:
    matrix = random_orbit_matrix(np.random.default_rng(2), g, s)
    back = from_parts(matrix.multiplicity, matrix.quotient(), matrix.within())
    np.testing.assert_allclose(back.expand(), matrix.expand(), atol=1e-13)


def test_scaled_is_a_congruence() -> None:
    rng = np.random.default_rng(3)
    matrix = random_orbit_matrix(rng, [2, 3], 2)
    factor = rng.uniform(0.5, 2, 4)
    t = np.concatenate([np.tile(factor[:2], 2), np.tile(factor[2:], 3)])
    np.testing.assert_allclose(matrix.scaled(factor).expand(), t[:, None] * matrix.expand() * t, atol=1e-14)
