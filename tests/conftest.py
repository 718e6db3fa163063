"""What holds for every test: annotations are checked while it runs, and hypothesis repeats itself."""

from __future__ import annotations

import os
from pathlib import Path

# Two workers on two cores: BLAS threads on top of them only wait for each other. Must precede NumPy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from collections.abc import Iterator

import pytest
from hypothesis import settings
from jaxtyping import config, install_import_hook

ROOT = Path(__file__).resolve().parent.parent

# These check what a user gave and answer in their own words; a type checker in front of them would answer
# first, in words that no user ever sees, and the tests of bad input could not run.
CHECK_THEIR_OWN_INPUT = {
    "relax.counts",
    "relax.norms",
    "relax.problem",
    "relax.datasets",
    "relax.files",
    "certify.cli",
}

# An int is good where a float is asked for (PEP 484); beartype says no unless told.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"


def _checked_modules() -> list[str]:
    """Return the modules and sub-packages of relax and certify whose annotations the tests enforce."""
    paths = [path for package in ("relax", "certify") for path in (ROOT / package).iterdir()]
    modules = [path for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()]
    # A package root would stand for all its modules, and only re-exports.
    names = {f"{path.parent.name}.{path.stem}" for path in modules if path.stem != "__init__"}
    return sorted(names - CHECK_THEIR_OWN_INPUT)


install_import_hook(_checked_modules(), CHECKER)

settings.register_profile("gramcert", deadline=None, derandomize=True)
settings.load_profile("gramcert")


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Let wrong types through, as they come from users, whose annotations nobody checks."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
