"""Files of tables: every digit comes back, missing packages are named, and a file is whole or absent."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from certify.sweeps import counts_grid, step_grid, summary, sweep, table, write_table
from relax import InputError


@pytest.fixture(scope="module")
def swept() -> pd.DataFrame:
    return sweep([*step_grid(1, 3, 7, [1, 10, 1000], temperatures=[1.0]), *counts_grid([[1, 1], [9, 5, 3]])])


def test_parquet_comes_back_as_it_was(swept: pd.DataFrame, tmp_path: Path) -> None:
    write_table(swept, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), swept, check_exact=True)


def test_csv_keeps_every_digit(swept: pd.DataFrame, tmp_path: Path) -> None:
    write_table(swept, tmp_path / "t.csv")
    kinds = {name: str(kind) for name, kind in swept.dtypes.items()}
    missing = {name: [""] for name, kind in kinds.items() if kind != "str"}
    read = pd.read_csv(tmp_path / "t.csv", dtype=kinds, keep_default_na=False, na_values=missing)  # type: ignore[call-overload]
    pd.testing.assert_frame_equal(read, swept, check_exact=True)


def test_lines_of_json_keep_every_digit(swept: pd.DataFrame, tmp_path: Path) -> None:
    write_table(swept, tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    assert len(lines) == len(swept)
    for line, row in zip(lines, swept.to_dict("records"), strict=True):
        said = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        for name, value in row.items():
            assert said[name] == value or (said[name] is None and (value is pd.NA or math.isnan(value)))


def test_a_missing_extra_is_named_with_its_command(
    swept: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package, suffix in (("pandas", ".csv"), ("pyarrow", ".parquet")):
        monkeypatch.setattr(table, "find_spec", lambda name, gone=package: None if name == gone else name)
        with pytest.raises(InputError, match=rf"{package}.*pip install 'gramcert\[sweeps\]'"):
            write_table(swept, tmp_path / f"t{suffix}")
    with pytest.raises(InputError, match=r"must end in one of \.parquet, \.csv, \.jsonl"):
        write_table(swept, tmp_path / "t.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_sentence(swept: pd.DataFrame) -> None:
    said = summary(swept.iloc[:3])
    assert said.all_certified and said.coinciding == 1
    assert str(said).startswith("3 points, all CERTIFIED, largest relative gap ")
    assert str(said).endswith("; minorities coincide in 1")
    assert str(summary(swept.iloc[:1])).startswith("1 point, CERTIFIED, ")
    assert str(summary(swept.iloc[3:4])) == "1 point, 0 CERTIFIED, 1 refused by their loss"
    assert not summary(swept.iloc[:0]).all_certified
