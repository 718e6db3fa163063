"""Every Python snippet of the guides in docs/ runs as printed, and says what the text around it says.

A snippet whose first line is the name of a file (`# conftest.py`) is written to it; then pytest runs there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from relax.testing import conformance

ROOT = Path(__file__).resolve().parent.parent
# What the scripts of each guide print, and how many of its tests pass.
GUIDES: dict[str, tuple[list[str], int]] = {
    "index.md": (
        [
            r"487 Krawczyk \('0\.99984602\d+', '0\.99984602\d+'\)\n488 Krawczyk \('1', '1'\)",
            r"^$",
        ],
        0,
    ),
    "collapse.md": (
        [
            r"coincide from R = 142\.729 on[\s\S]*together at every real R ≥",
            r"0\.5504",
            r"\(5, 3\)[\s\S]*0\.00037",
            r"size 5 .*7",
            r"batch_size 4 .*n_major",
        ],
        0,
    ),
    "ground-truth.md": (
        [
            r"loss ≥ [\s\S]*Gram error +\d\.\de-\d+, proven\n\[\[ 1\. ",
            r"^class means of 'dog' and 'eel' have cosine -0\.5 ",
            r"\(4, 3\)\n\(4, 6\)\n\(3, 3\)\n\[\[",
        ],
        3,
    ),
    "landscape.md": (
        [
            r"^d = 2: 2 minima, 1 of them bad, .*\nd = 2: 1 minimum, global, [\s\S]*\[-2\.5( -2\.5){3}\]",
        ],
        0,
    ),
    "sweeps.md": (
        [
            r"^8 points, all CERTIFIED, .*; minorities coincide in 1\n[\s\S]*1\.0 +-0\.333 ",
            r"^\{'CERTIFIED': 40\}$",
        ],
        0,
    ),
    "batches.md": ([r"^8 0\.3068 True\n64 0\.0366 True\n256 -0\.0071 True\nNone -0\.0159 True$"], 0),
    "solvers.md": ([], len(conformance.cases())),
    "your-own-loss.md": ([], 3),
    "landscape-proofs.md": (
        [r"PROVEN: a strict local minimum, worse than others[\s\S]*\nTrue\na minimum at τ = "],
        0,
    ),
}
SNIPPETS = {
    guide: re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / guide).read_text(encoding="utf-8"), re.M | re.S
    )
    for guide in GUIDES
}
FILE = re.compile(r"# (\w+\.py)\n")
SCRIPTS = {guide: [s for s in snippets if not FILE.match(s)] for guide, snippets in SNIPPETS.items()}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with a cache of its own and without options of pytest from around it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"GRAMCERT_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # what the guide needs, it loads itself
    command = [sys.executable, *command]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


LONG = {("sweeps.md", 1), ("landscape.md", 0), ("landscape-proofs.md", 0)}
EACH = [
    pytest.param(g, i, marks=[pytest.mark.slow] if (g, i) in LONG else [])
    for g in GUIDES
    for i in range(len(SCRIPTS[g]))
]


@pytest.mark.parametrize("guide", GUIDES)
def test_there_is_an_expectation_for_every_script(guide: str) -> None:
    assert len(SCRIPTS[guide]) == len(GUIDES[guide][0])


@pytest.mark.parametrize(("guide", "number"), EACH)
def test_script_runs(guide: str, number: int, tmp_path: Path) -> None:
    done = run(["-W", "error", "-c", SCRIPTS[guide][number]], tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(GUIDES[guide][0][number], done.stdout), done.stdout


@pytest.mark.parametrize("guide", [guide for guide, (_, tests) in GUIDES.items() if tests])
def test_tests_pass(guide: str, tmp_path: Path) -> None:
    for snippet in SNIPPETS[guide]:
        if name := FILE.match(snippet):
            (tmp_path / name[1]).write_text(snippet, encoding="utf-8")
    done = run(["-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir=."], tmp_path)
    assert re.search(rf"^{GUIDES[guide][1]} passed in", done.stdout, re.M), done.stdout + done.stderr


def test_a_loss_of_an_installed_package_is_one_of_the_command(tmp_path: Path) -> None:
    """The guide's loss, announced by the entry point that the guide prints."""
    (module,) = (s for s in SNIPPETS["your-own-loss.md"] if s.startswith("# balanced.py"))
    guide = (ROOT / "docs" / "your-own-loss.md").read_text(encoding="utf-8")
    ((group, line),) = re.findall(r"^```toml\n\[project.entry-points.\"(.*)\"\]\n(.*)\n```", guide, re.M)
    name, _, target = line.partition(" = ")
    (tmp_path / "balanced.py").write_text(module, encoding="utf-8")
    announced = tmp_path / "balanced-0.1.dist-info"
    announced.mkdir()
    (announced / "METADATA").write_text("Metadata-Version: 2.1\nName: balanced\nVersion: 0.1\n")
    (announced / "entry_points.txt").write_text(f"[{group}]\n{name} = {target.strip(chr(34))}\n")

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
        main = "import sys; from certify.cli import main; sys.argv[0] = 'gramcert'; main()"
        return subprocess.run(
            [sys.executable, "-c", main, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert name in command("losses").stdout
    solved = command("solve", "--counts", "20,5,5", "--loss", name, "--certificate", "proof.json")
    assert solved.returncode == 0, solved.stderr
    assert "CERTIFIED" in solved.stdout
    assert command("check", "proof.json").returncode == 1  # checker.py does not know the loss
    assert command("check", "proof.json", "--unnamed").returncode == 0
    unknown = command("solve", "--counts", "20,5,5", "--loss", f"{name}:weight=1")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "has no parameter" in unknown.stderr
