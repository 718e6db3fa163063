"""`gramcert solve`: how it prints, bounds that no features attain, and descents of every loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from certify import certify
from certify.cli.report import facts, report
from relax import Problem, solve

Command = Callable[..., tuple[int, str, str]]


def test_piped_output_is_not_wrapped(gramcert: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    counts = ",".join(str(size) for size in range(40, 2, -1))
    code, out, _ = gramcert("solve", "--counts", counts)
    assert code == 0
    assert f"817 samples in 38 classes of 38 sizes: {Problem([*range(40, 2, -1)]).counts}" in out
    assert "verdict      CERTIFIED: the gap is proven to be within the tolerance times its scale\n" in out


def test_parameters_of_the_loss_are_said(gramcert: Command) -> None:
    _, out, _ = gramcert(
        "solve", "--counts", "5,3", "--loss", "cross-entropy:classifier=ridge:0.01", "--norm", "mean-square:1"
    )
    assert "cross-entropy:classifier=ridge:0.01, temperature 1\n" in out
    assert "loss         supcon, temperature 0.1\n" in gramcert("solve", "--counts", "5,3")[1]


def test_a_bound_that_no_features_attain_is_called_one() -> None:
    solution = solve(Problem([5, 3]))
    proof = certify(solution)
    assert "loss ≤" in dict(facts(solution, proof))
    bound = replace(solution, reduction=replace(solution.reduction, attained=False))
    said = dict(facts(bound, proof))
    assert "loss ≤" not in said
    assert said["bound ≤"] == proof.upper
    assert "lower bound" in said["attained"]
    assert report(bound, proof)["attained"] is False
    assert report(solution, proof)["attained"] is True


TABLE = [
    ("--counts 6,4,3 --temperature 0.5", 2),
    ("--counts 5,5,2 --nonnegative", 3),
    ("--counts 6,4,3 --loss pml-ntxent --temperature 0.5", 2),
    ("--counts 3,2 --loss decoupled --views 2", 4),
    ("--counts 2,2 --loss fixed-batches:labels=0.1.0.1,batches=0.1.2/0.1.3 --temperature 0.5", 3),
    ("--counts 5,5,2 --loss cross-entropy:classifier=ridge:0.01 --norm ridge:0.001", 3),
]


@pytest.mark.parametrize(("options", "dimension"), TABLE)
def test_descents_of_every_loss_end_at_the_optimum(gramcert: Command, options: str, dimension: int) -> None:
    code, out, error = gramcert("solve", *options.split(), "--verify-descent", "3", "--seed", "1", "--json")
    assert code == 0, error
    found = json.loads(out)["descent"]
    assert (found["starts"], found["dimension"]) == (3, dimension)
    assert found["agree"] >= 1
    assert found["worst_loss_gap"] >= -1e-12


def test_the_dimension_of_descents(gramcert: Command) -> None:
    _, out, _ = gramcert("solve", "--counts", "6,4,3", "--verify-descent", "1", "--descent-dim", "5")
    shown = out[out.index("\ndescent") :].split("\n")
    assert shown[1].split() == ["descent", "dimension", "5"]
    assert shown[2].split() == ["starts", "1"]
