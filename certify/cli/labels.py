"""Label files: NumPy arrays, texts of one label a line, and columns of tables, named FILE:COLUMN."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from certify.cli.table import column_of
from relax.errors import InputError, reason, worded

MAGIC = (b"\x93NUMPY", b"PK\x03\x04")  # what npy and npz files begin with
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SAVE = "save integers or strings by numpy.save"


def split_column(text: str) -> tuple[Path, str | None]:
    """Return the file and the column that FILE or FILE:COLUMN names; files may have colons in their names."""
    colons = [i for i, letter in enumerate(text) if letter == ":"]
    for i in [len(text), *reversed(colons)]:
        if _is_there(text[:i]):
            return Path(text[:i]), text[i + 1 :].strip() if i < len(text) else None
    return Path(text), None


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # a name that is too long, or holds a null byte
        return False


def read_labels(text: str) -> Any:
    """Read one label a sample from FILE or FILE:COLUMN.

    COLUMN names an array of an npz file, a field of an npy file, or a column of a table in UTF-8
    (`table.column_of`).

    Raises
    ------
    InputError
        If the file is not there, cannot be read, or leaves open which labels are meant.
    """
    path, column = split_column(text)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = reason(error)
        raise InputError(f"--labels {worded(str(path))} cannot be read ({why}); give another file") from error
    try:
        if content.startswith(MAGIC) or path.suffix in (".npy", ".npz"):
            return _array(content, column)
        return column_of(_decoded(content), column)
    except InputError as error:
        raise InputError(f"--labels {path}: {str(error).replace('FILE:', f'--labels {path}:')}") from error


def _array(content: bytes, column: str | None) -> Any:
    """Return the array of an npy file, or the one of that name; objects are never unpickled."""
    loaded = _loaded(content)
    named = loaded if isinstance(loaded, dict) else {name: loaded[name] for name in loaded.dtype.names or ()}
    if not named:
        if column is not None or isinstance(loaded, dict):
            raise InputError(f"it has no array {worded(column)}; name the file alone, or {SAVE}")
        return loaded
    if column is None and isinstance(loaded, dict) and len(named) == 1:
        return next(iter(named.values()))
    if column not in named:
        raise InputError(f"it has the arrays {', '.join(map(worded, named))}; name one, FILE:ARRAY")
    return named[column]


def _loaded(content: bytes) -> Any:
    """Return an array, or the arrays of an npz file by name."""
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        arrays = loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    except Exception as error:  # of NumPy, zipfile, zlib, and memory: as many as there are damages
        pickled = isinstance(error, ValueError) and "allow_pickle" in str(error)
        why = "it holds Python objects, which are not read" if pickled else "it is no whole NumPy file"
        raise InputError(f"{why}; {SAVE}") from error
    if isinstance(arrays, dict) and not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise InputError(f"it holds other files than arrays; {SAVE}")
    return arrays


def _decoded(content: bytes) -> str:
    if content.startswith(UTF_16) or b"\0" in content:
        raise InputError("it is UTF-16, or no text; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8; save it as UTF-8") from error
