"""Groups cost nothing, however many classes they hold; what is too large is refused in one sentence."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from relax import ClassCounts, Problem
from relax.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
MEMORY = 6 * 2**30  # bytes of address space
RUN = """
import contextlib, io, json, sys
from certify.cli import main
for line in json.loads(sys.argv[1]):
    out, error = io.StringIO(), io.StringIO()
    sys.argv = ["gramcert", "solve", *line.split()]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as stopped:
            code = stopped.code
    print(json.dumps([code or 0, out.getvalue(), error.getvalue()]))
"""
SOLVED = {
    "--step 1,1000000000,2,3": "1000000001 classes of 2 sizes: 3x1000000000,2x1",
    "--step 1000000000,1,3,2": "1000000001 classes of 2 sizes",
    "--counts 10x1000000000": "1000000000 classes of 1 size",
    "--counts 5x100000000,10x100000000": "200000000 classes of 2 sizes",
    "--counts 10x1000000000,5x1000000000 --json": '"multiplicities": [1000000000, 1000000000]',
    "--counts 10x1000000000 --loss decoupled --views 2": "1000000000 classes of 1 size",
    "--counts 10x1000000000 --loss dhel --views 2": "1000000000 classes of 1 size",
    "--counts 10x1000000000,5x3 --loss kernel": "1000000003 classes of 2 sizes",
}
REFUSED = {
    "--counts 1000000000000000000,5": "beyond 2**53",
    "--counts 1000000000000000000000000000000,5": "beyond 2**53",
    "--counts 10x1000000000 --level classes": "1000000000 classes are too many for one program",
    "--counts 10x30000 --level classes": "30000 classes are too many for one program, which takes 10000",
    "--counts 1000000000x2 --level samples": "2000000000 samples are too many for level 'samples'",
    "--counts 10x1000000000 --verify-descent 2": "1000000000 features is too large for descent",
    "--counts 300,300 --verify-descent 16 --descent-dim 100000": "a descent in dim = 100000 keeps",
    "--counts 10x5000 --verify-descent 2": "a descent in dim = 4999 keeps",
    "--counts 10x100 --loss supcon:batch_size=1000000000000": "batch size 1000000000000 is above 100000",
    "--counts 10x100 --loss fixed-batches:labels=0.0.1.1,batches=0.1.2/1.2.3": "class counts 2,2",
}


@pytest.fixture(scope="module")
def shown() -> dict[str, tuple[int, str, str]]:
    """Run everything in one process that may not take much memory."""
    lines = [*SOLVED, *REFUSED]
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(lines)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(lines), done.stderr
    return {line: tuple(one) for line, one in zip(lines, found, strict=True)}


@pytest.mark.slow  # all lines run in one process, which takes some ten seconds
@pytest.mark.parametrize("line", SOLVED)
def test_groups_cost_nothing(line: str, shown: dict[str, tuple[int, str, str]]) -> None:
    code, out, error = shown[line]
    assert (code, error) == (0, "")
    assert SOLVED[line] in out


@pytest.mark.slow
@pytest.mark.parametrize("line", REFUSED)
def test_what_is_too_large_is_refused(line: str, shown: dict[str, tuple[int, str, str]]) -> None:
    code, out, error = shown[line]
    assert (code, out) == (2, "")
    assert REFUSED[line] in error
    assert error.count("\n") == 1


def test_counts_of_runs_are_those_of_lists() -> None:
    for runs in ([(5, 2), (9, 3)], [(9, 3), (5, 2)], [(4, 1), (9, 2), (4, 3)], [(3, 2), (3, 1)]):
        listed = ClassCounts.of([size for size, classes in runs for _ in range(classes)])
        assert ClassCounts.of_runs(runs) == listed
    assert Problem.step(1, 2, 3, 7).counts == ClassCounts.of([3, 7, 7])
    assert ClassCounts.of_runs([(2, 1), (3, 10**9)]).order is None
    with pytest.raises(InputError, match="number of classes 0 is not positive"):
        ClassCounts.of_runs([(2, 0)])


def test_profiles_and_programs_say_their_limits() -> None:
    with pytest.raises(InputError, match="k 1000000000 is more than the 1000000 classes of a profile"):
        Problem.long_tailed(10**9, 1000, 10)
    assert Problem.long_tailed(10**6, 1000, 1).counts.multiplicities == (10**6,)
    with pytest.raises(InputError, match="10001 distinct class sizes are too many for one program"):
        Problem(list(range(1, 10_002))).program()
