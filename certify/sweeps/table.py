"""The table of a sweep, in pandas, and its files."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certify.sweeps.rows import COLUMNS
from relax.errors import InputError, worded
from relax.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".parquet", ".csv", ".jsonl")
INSTALL = "python -m pip install 'gramcert[sweeps]'"


def check_pandas() -> None:
    """Refuse to begin where there is no pandas.

    Raises
    ------
    InputError
        With the command that mends it.
    """
    if find_spec("pandas") is None:
        raise InputError(f"tables of sweeps need pandas, which is not installed; run {INSTALL}")


def check_format(path: str | Path) -> None:
    """Refuse a path whose suffix names no format, or one that needs a package that is not there.

    Raises
    ------
    InputError
        If it is refused.
    """
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise InputError(f"{worded(str(path))} must end in one of {', '.join(FORMATS)}")
    check_pandas()
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise InputError(f"parquet files need pyarrow, which is not installed; run {INSTALL}, or write .csv")


def frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a table, columns in their order and of their kinds."""
    import pandas as pd

    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in COLUMNS.items()}
    )


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as parquet, CSV or lines of JSON, by the suffix: to a temporary file, then renamed.

    All digits of floats are kept.

    Raises
    ------
    InputError
        If there is no such format, its package is missing, or the file cannot be written.
    """
    check_format(path)
    suffix = Path(path).suffix
    if suffix == ".parquet":
        write_atomically(path, lambda file: table.to_parquet(file, index=False))
    elif suffix == ".csv":
        write_atomically(path, table.to_csv(index=False, lineterminator="\n"))
    else:
        write_atomically(path, "".join(f"{json.dumps(_json(row))}\n" for row in table.to_dict("records")))


def _json(row: dict[Any, Any]) -> dict[str, Any]:
    import pandas as pd

    return {
        key: None if pd.isna(value) or value in (math.inf, -math.inf) else value for key, value in row.items()
    }
