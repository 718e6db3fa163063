"""`gramcert losses` and `gramcert datasets`: a line a row, whatever is read by whom."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from certify.cli import printing
from certify.cli.printing import columns, cropped
from relax import datasets, losses

Command = Callable[..., tuple[int, str, str]]


def test_piped_lists_have_a_line_a_row_and_all_of_it(gramcert: Command) -> None:
    code, out, _ = gramcert("losses")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["loss", "default", "τ", "parameters", "formula"]
    assert [line.split()[0] for line in lines[1:]] == losses.names()
    for name, line in zip(losses.names(), lines[1:], strict=True):
        assert line.endswith(losses.kind(name).formula)
        assert not line.endswith(" ")
    _, out, _ = gramcert("losses", "--sources")
    assert all(
        line.endswith(losses.kind(name).source)
        for name, line in zip(losses.names(), out.splitlines()[1:], strict=True)
    )
    _, out, _ = gramcert("datasets")
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(datasets.names())


@pytest.mark.parametrize("width", [30, 79, 200])
def test_a_terminal_crops_lines(gramcert: Command, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "terminal_width", lambda: width)
    for command in (["losses"], ["datasets", "--sources"]):
        lines = gramcert(*command)[1].splitlines()
        assert max(len(line) for line in lines) <= width
        assert lines[2].split()[0] == {"losses": "decoupled", "datasets": "lvis-v1"}[command[0]]
        assert any(line.endswith("…") for line in lines)


def test_losses_as_json(gramcert: Command) -> None:
    said = json.loads(gramcert("losses", "--json")[1])
    assert said["schema"] == "gramcert/losses/1"
    by_name = {loss["name"]: loss for loss in said["losses"]}
    assert list(by_name) == losses.names()
    keys = {"name", "temperature", "parameters", "formula", "source", "checker"}
    assert all(set(loss) == keys for loss in said["losses"])
    assert by_name["supcon"]["checker"] is True
    assert by_name["pml-supcon"]["parameters"] == []
    weights = {"name": "class_weights", "default": "samples", "values": "samples | classes"}
    assert weights in by_name["supcon"]["parameters"]
    (classifier,) = by_name["cross-entropy"]["parameters"]
    assert classifier["default"] == "ball"
    assert "ridge:NUMBER" in classifier["values"]
    labels, batches = by_name["fixed-batches"]["parameters"]
    assert (labels["default"], batches["default"]) == ("none", "none")
    assert "0.1.4.5/2.3.4.5" in batches["values"]


def test_datasets_as_json(gramcert: Command) -> None:
    said = json.loads(gramcert("datasets", "--json")[1])
    assert [one["name"] for one in said["datasets"]] == list(datasets.names())
    assert said["datasets"][0]["samples"] == 62500


def test_columns_count_cells_not_characters() -> None:
    assert columns([["τ", "1"], ["長い", "10"]], right=[1]) == ["τ      1", "長い  10"]
    assert cropped("abcdef", 6) == "abcdef"
    assert cropped("abcdef", 5) == "abcd…"
    assert cropped("abcdef", None) == "abcdef"
