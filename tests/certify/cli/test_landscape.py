"""`gramcert landscape`: words, JSON, pictures, refusals and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from certify.cli.landscape import parse_dims
from relax.errors import InputError

Run = Callable[..., tuple[int, str, str]]
BAD = ("landscape", "--counts", "2,2", "--temperature", "0.1", "--dims", "2", "--starts", "4")


def test_a_bad_minimum_is_exit_one(gramcert: Run, tmp_path: Path) -> None:
    code, out, error = gramcert(*BAD, "--plot", str(tmp_path / "landscape.png"))
    assert (code, error) == (1, "")
    assert out.splitlines()[1].startswith(
        "d = 2: 2 minima, 1 of them bad, the worst 973.3% of the range above"
    )
    assert "searching proves nothing about minima that were not found" in out
    assert (tmp_path / "landscape.png").read_bytes().startswith(b"\x89PNG")


def test_no_bad_minimum_is_exit_zero(gramcert: Run) -> None:
    code, out, _ = gramcert(*BAD, "--norm", "ball", "--json")
    said = json.loads(out)
    assert code == 0
    assert said["schema"] == "gramcert/landscape/1"
    assert said["all_global"] and said["safe"] == said["asked"] == [2]
    (slice_,) = said["dimensions"]
    assert slice_["words"] == said["words"][0] and slice_["minima"] == 1
    lowest = slice_["points"][0]
    assert lowest["minimum"] and not lowest["bad"] and len(lowest["features"]) == 4
    assert said["lower_bound"] <= lowest["loss"] + 1e-12


@pytest.mark.parametrize(("text", "dims"), [("2", (2,)), ("2,5", (2, 5)), ("1:3", (1, 2, 3)), ("4:4", (4,))])
def test_dimensions_are_read(text: str, dims: tuple[int, ...]) -> None:
    assert parse_dims(text) == dims


@pytest.mark.parametrize("text", ["", "a", "1:", "2.5", "1:2:3", "1:100000", "0", "0:2", "3:1", "2,2"])
def test_what_are_no_dimensions(text: str) -> None:
    with pytest.raises(InputError, match=r"dimensions.*write 1:6 or 2,3,5"):
        parse_dims(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--dims", "3:2"), "--dims"),
        (("--dims", "0"), "--dims"),
        (("--dims", "x"), "--dims"),
        (("--starts", "0"), "--starts"),
        (("--plot", "a.txt"), "--plot"),
        (("--norm", "cube"), "--norm"),
    ],
)
def test_bad_input(refusal: Callable[..., str], options: tuple[str, str], words: str) -> None:
    assert words in refusal(*BAD[:5], *options)
