"""Geometries known in closed form, as factories and as pytest fixtures: `pytest_plugins = ["relax.testing"]`.

Everything here stands apart from the solvers of this package, so that it can be what they are tested against.
Vectors are rows: (k, dim) for one vector a class, (n, dim) once they are repeated by labels. The factories
need no pytest. (PYTEST_DONT_REWRITE: a conftest.py may both import from here and name this as a plugin.)
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from relax.testing.frames import Seli, orthogonal_frame, seli, simplex_etf
from relax.testing.samples import random_rotation, repeated, rotated
from relax.testing.step import step_geometry

__all__ = [
    "Seli",
    "orthogonal_frame",
    "random_rotation",
    "repeated",
    "rotated",
    "seli",
    "simplex_etf",
    "step_geometry",
]

try:
    import pytest
except ModuleNotFoundError:  # the factories do without it; fixtures are for those who have it
    pass
else:
    _factory = partial(pytest.fixture, scope="session")

    @_factory(name="simplex_etf")
    def _simplex_etf() -> Callable[..., Any]:
        """simplex_etf(k, dim=None): k unit vectors with cosines −1/(k−1)."""
        return simplex_etf

    @_factory(name="orthogonal_frame")
    def _orthogonal_frame() -> Callable[..., Any]:
        """orthogonal_frame(k, dim=None): k orthonormal vectors with entries ≥ 0."""
        return orthogonal_frame

    @_factory(name="seli")
    def _seli() -> Callable[..., Seli]:
        """seli(counts, dim=None): classifier and class features of the SELI geometry."""
        return seli

    @_factory(name="step_geometry")
    def _step_geometry() -> Callable[..., Any]:
        """step_geometry(k_major, k_minor, n_major, n_minor, temperature): the Gram matrix of the optimum."""
        return step_geometry
