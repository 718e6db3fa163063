"""What the tests of ground truths share: a cache folder of their own, and a solver to put in."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certify import GroundTruth, ground_truth
from relax import Problem


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's cache folder."""
    monkeypatch.setenv("GRAMCERT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pets() -> GroundTruth:
    """Three classes of 6, 3 and 2 samples."""
    return ground_truth(Problem([6, 3, 2], temperature=0.5))


@pytest.fixture
def solving(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Problem], Any]], None]:
    """Replace the solver behind ground truths."""
    module = importlib.import_module("certify.ground_truth.truth")
    return lambda solver: monkeypatch.setattr(module, "solve", solver)
