"""`gramcert sweep`: the grid that is typed, the table that is written, and what is refused first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from certify.cli import sweep as command
from certify.cli.sweep import split_losses
from certify.sweeps import step_grid, sweep

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--step", "2,2,10", "--R", "1,3", "--temperature", "1", "--jobs", "1")


def test_the_table_is_that_of_the_api(gramcert: Run, tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    grid = ("--step", "2,2,10", "--R", "1:1e4:9log", "--temperature", "0.1,1", "--jobs", "1")
    code, said, complaint = gramcert("sweep", *grid, "--out", str(out))
    assert (code, complaint) == (0, "")
    assert said.startswith("18 points, all CERTIFIED, largest relative gap ")
    assert said.splitlines()[0].endswith("; minorities coincide in 4")
    assert said.splitlines()[1] == f"table in {out}"
    ratios = [10 ** (i / 2) for i in range(9)]
    expected = sweep(step_grid(2, 2, 10, ratios, temperatures=[0.1, 1.0]))
    found = pd.read_parquet(out)
    pd.testing.assert_frame_equal(
        found.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True
    )
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_losses_batch_sizes_and_views_are_crossed(gramcert: Run, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    shared = ("--counts", "3,2,2", "--counts", "4x2", "--temperature", "1", "--jobs", "1", "--out", str(out))
    assert gramcert("sweep", *shared, "--batch-size", "none,4", "--views", "1,2")[0] == 0
    table = pd.read_csv(out)
    batches = table["batch_size"].fillna(0).astype(int).tolist()
    assert list(zip(batches, table["views"], table["counts"], strict=True)) == [
        (b, v, n) for b in (0, 4) for v in (1, 2) for n in ("3,2,2", "4,4")
    ]
    losses = ("--loss", "supcon:positives_weight=0.5,kernel", "--loss", "ntxent-labels")
    assert gramcert("sweep", *shared, *losses)[0] == 0
    assert pd.read_csv(out)["loss"].unique().tolist() == [
        "supcon:positives_weight=0.5", "kernel", "ntxent-labels",
    ]  # fmt: skip


def test_data_sets_and_long_tails(gramcert: Run, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    grid = ("--dataset", "cifar10-lt-10", "--dataset", "cifar10-lt-100", "--temperature", "0.5:1:2")
    assert gramcert("sweep", *grid, "--jobs", "1", "--out", str(out))[0] == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["temperature"], row["ratio"]) for row in rows] == [(0.5, 10), (0.5, 100), (1, 10), (1, 100)]
    grid = ("--long-tail", "10,5000", "--R", "10,100", "--temperature", "0.5:1:2")
    assert gramcert("sweep", *grid, "--jobs", "1", "--out", str(out))[0] == 0
    again = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row | {"seconds": 0} for row in again] == [row | {"seconds": 0} for row in rows]


def test_refused_points_are_rows_and_the_exit_code_is_one(gramcert: Run, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    code, said, _ = gramcert("sweep", "--counts", "3,2", "--counts", "1,1", "--jobs", "1", "--out", str(out))
    assert code == 1 and said.startswith("2 points, 1 CERTIFIED, 1 refused by their loss, ")
    assert "no class has two samples" in said.splitlines()[1]
    assert pd.read_csv(out)["status"].tolist() == ["CONVERGED", "REFUSED"]


def test_json(gramcert: Run, tmp_path: Path) -> None:
    code, said, _ = gramcert("sweep", *SMALL, "--json", "--out", str(tmp_path / "t.csv"))
    found = json.loads(said)
    assert code == 0 and found["schema"] == "gramcert/sweep/1"
    assert (found["points"], found["certified"], found["unfinished"]) == (2, 2, None)
    assert 0 <= found["largest_relative_gap"] < 1e-9
    _, said, _ = gramcert("sweep", "--counts", "1,1", "--json", "--out", str(tmp_path / "t.csv"))
    assert json.loads(said)["largest_relative_gap"] is None


def test_a_time_limit_before_the_first_point(gramcert: Run, tmp_path: Path) -> None:
    code, said, complaint = gramcert(
        "sweep", *SMALL, "--time-limit", "1e-9", "--out", str(tmp_path / "t.csv")
    )
    assert (code, said) == (1, "")
    assert complaint == "gramcert: the time limit was reached before any point was done\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("supcon", ["supcon"]),
        ("supcon,ntxent-labels", ["supcon", "ntxent-labels"]),
        ("supcon:batch_size=8,sampler=shuffle,kernel", ["supcon:batch_size=8,sampler=shuffle", "kernel"]),
        ("cross-entropy:classifier=ball:1,kernel:x=1", ["cross-entropy:classifier=ball:1", "kernel:x=1"]),
        ("cross-entropy:a=1,classifier=ridge:0.1", ["cross-entropy:a=1,classifier=ridge:0.1"]),
    ],
)  # fmt: skip
def test_lists_of_losses_with_parameters(text: str, names: list[str]) -> None:
    assert split_losses(text) == names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--R", "1"), "give exactly one of --step, --long-tail, --counts, --dataset (none of these"),
        (("--step", "2,2,10", "--counts", "3,2", "--R", "1"), "(--step and --counts were given)"),
        (("--step", "2,2,10"), "--step needs ratios; give --R"),
        (("--counts", "3,2", "--R", "1"), "--counts has no ratio; leave --R out"),
        (("--step", "2,2,100,10", "--R", "1"), "--step '2,2,100,10' must be three numbers"),
        (("--step", "2,2,10", "--R", "5:1:3"), "--R: '5:1:3' is no range"),
        (("--step", "2,2,10", "--R", "1:2:1000000000"), "--R: '1:2:1000000000' has more than"),
        (
            ("--step", "2,2,10", "--R", "1:100:100000", "--temperature", "0.1:1:100000"),
            "--step: the grid has 10,000,000,000 points",
        ),
        (("--step", "2,2,10", "--R", "0.01"), "leaves majority classes without samples"),
        (("--long-tail", "10,100", "--R", "1000"), "--long-tail: --R 1000.0 is above n_max 100"),
        (("--counts", "3,x"), "--counts item 'x' is not a class size"),
        (("--dataset", "nowhere"), "--dataset: unknown data set 'nowhere'"),
        (("--counts", "3,2", "--temperature", "0"), "--temperature: '0' has 0, which is not positive"),
        (("--counts", "3,2", "--loss", "supcon,nonsense"), "--loss: unknown loss 'nonsense'"),
        (("--counts", "3,2", "--loss", "kernel", "--batch-size", "2"), "kernel has no parameter batch_size"),
        (("--counts", "3,2", "--batch-size", "0"), "--batch-size: '0' goes below 1"),
        (("--counts", "3,2", "--jobs", "0"), "--jobs 0 must be a whole number from 1 on"),
        (("--counts", "3,2", "--views", "1.5"), "--views: '1.5' is not a whole number"),
    ],
)
def test_bad_input(
    refusal: Callable[..., str], arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    assert sentence in refusal("sweep", *arguments, "--out", str(tmp_path / "t.csv"))
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_refused_before_work_starts(
    refusal: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "carry_out", lambda *_: pytest.fail("work has started"))
    out, losses = tmp_path / "t.csv", tmp_path / "batches"
    assert "--out is missing" in refusal("sweep", *SMALL)
    assert "--out: 't.txt' must end in one of" in refusal("sweep", *SMALL, "--out", "t.txt")
    assert "does not exist" in refusal("sweep", *SMALL, "--out", str(tmp_path / "nowhere" / "t.csv"))
    assert "is the file of --out" in refusal("sweep", *SMALL, "--out", str(out), "--journal", str(out))
    assert "--journal: output path" in refusal("sweep", *SMALL, "--out", str(out), "--journal", str(tmp_path))
    losses.write_text("0.1\n")
    loss = f"fixed-batches:batches=@{losses}"
    assert "is the file of --loss" in refusal("sweep", *SMALL, "--loss", loss, "--out", str(out), "--journal",
                                              str(losses))  # fmt: skip
    out.mkdir()
    assert "is a folder" in refusal("sweep", *SMALL, "--out", str(out))


def test_the_journal_of_another_sweep(gramcert: Run, refusal: Callable[..., str], tmp_path: Path) -> None:
    out, kept = tmp_path / "t.csv", tmp_path / "j"
    sweep(step_grid(2, 2, 10, [1, 5]), journal=kept)
    said = refusal("sweep", *SMALL, "--out", str(out), "--journal", str(kept))
    assert f"--journal '{kept}' is of another sweep; delete it to begin anew" in said
    assert not out.exists()
