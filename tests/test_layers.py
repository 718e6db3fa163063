"""Imports only point up the list below, and `import relax` is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module imports only from lines above its own; the names on one line do not know of each other.
# A package stands for all its files. The two roots re-export what is above them.
ORDER = [
    "relax.apart relax.errors",
    "relax.datasets relax.facts",
    "relax.files",
    "relax.arrays relax.counts relax.ranges",
    "relax.numerals relax.orbits",
    "relax.labels",
    "relax.rules",
    "relax.norms",
    "relax.rows",
    "relax.program",
    "relax.losses relax.model",
    "relax.problem",
    "relax.symmetry",
    "relax.geometry",
    "relax.bounds",
    "relax.answer",
    "relax.by_slot",
    "relax.dual_equations relax.saved",
    "relax.solution",
    "relax.solvers",
    "relax.arrangement relax.sensitivity",
    "relax.endpoints",
    "relax.descent",
    "relax.imbalance relax.testing relax.plots",
    "relax",
    "certify.balls",
    "certify.grammar",
    "certify.encoding certify.statement",
    "certify.claim certify.rounding",
    "certify.certificate",
    "certify.picture",
    "certify.checker",
    "certify.verification",
    "certify.higher_rank",
    "certify.enclosure",
    "certify.features",
    "certify.batches",
    "certify.landscape",
    "certify.thresholds",
    "certify.sweeps",
    "certify.ground_truth",
    "certify.theorems",
    "certify",
    "certify.explore",
    "certify.cli",
    "certify.__main__",
]
LAYER = {module: level for level, line in enumerate(ORDER) for module in line.split()}

# What is proved is proved without the code that finds: these may not reach a solver, nor the root that does.
PROOF_KERNEL = {
    f"certify.{name}"
    for name in ("balls", "grammar", "encoding", "claim", "certificate", "checker", "verification")
}
SOLVERS = {"relax", "relax.solvers", "relax.descent"}

SOURCES = sorted(path for package in ("relax", "certify") for path in (ROOT / package).rglob("*.py"))


def dotted(path: Path) -> str:
    """Return the name a source file is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path) for path in SOURCES}


def layer_name(module: str) -> str:
    """Return the entry of ORDER that a module belongs to: its first two names."""
    return ".".join(module.split(".")[:2])


def imports(source: str, package: str) -> Iterator[str]:
    """Yield every module that a source text names in an import, wherever in the text it stands.

    `from relax import datasets` names relax.datasets, and `from relax import solve` names relax.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = (f"{base}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES or name in LAYER else base for name in names)


def imports_of(path: Path) -> list[str]:
    module = dotted(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return list(imports(path.read_text(encoding="utf-8"), package))


def misplaced(module: str, imported: list[str]) -> list[str]:
    """Return the imports of our own that do not point up the list."""
    own = layer_name(module)
    ours = {layer_name(name) for name in imported if name.split(".")[0] in ("relax", "certify")}
    return sorted(name for name in ours - {own} if LAYER.get(name, len(ORDER)) >= LAYER[own])


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_module_has_a_place_in_the_list(path: Path) -> None:
    assert layer_name(dotted(path)) in LAYER, "add the module to ORDER, at the place it deserves"


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_imports_point_up(path: Path) -> None:
    assert misplaced(dotted(path), imports_of(path)) == []


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_proof_kernel_imports_no_solver(path: Path) -> None:
    if layer_name(dotted(path)) in PROOF_KERNEL:
        assert {layer_name(name) for name in imports_of(path)} & SOLVERS == set()


def test_checker_imports_the_standard_library_only() -> None:
    checker = ROOT / "certify" / "checker.py"
    if not checker.exists():
        pytest.skip("certify/checker.py is not written yet")
    foreign = {name.split(".")[0] for name in imports_of(checker)} - sys.stdlib_module_names
    assert foreign == set()


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("relax.problem", "from relax import datasets", []),
        ("relax.datasets", "from relax.problem import Problem", ["relax.problem"]),
        ("relax.datasets", "def f():\n    import relax.problem", ["relax.problem"]),
        ("relax.datasets", "if TYPE_CHECKING:\n    from . import problem", ["relax.problem"]),
        ("relax.losses.supcon", "from relax.losses.presets import x\nfrom . import y", []),
        ("relax.losses.supcon", "from ..solvers import conic", ["relax.solvers"]),
        ("relax.program", "from relax import solve", ["relax"]),
        ("relax.plots", "import relax.testing", ["relax.testing"]),
        ("relax.plots", "import numpy, certify.balls", ["certify.balls"]),
        ("relax", "from certify import certify", ["certify"]),
        ("certify.certificate", "from relax import solve\nfrom relax.solution import Solution", []),
        ("certify.balls", "from relax.no_such_module import x", ["relax.no_such_module"]),
    ],
)
def test_the_rule_itself(module: str, source: str, wrong: list[str]) -> None:
    package = module if module in ("relax", "certify") else module.rpartition(".")[0]
    assert misplaced(module, list(imports(source, package))) == wrong


def test_import_relax_is_light() -> None:
    program = "import sys, relax; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "relax" in loaded
    assert set(loaded) & {"torch", "cvxpy", "matplotlib"} == set()
