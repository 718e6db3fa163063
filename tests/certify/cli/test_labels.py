"""Label files: each is read rightly or refused in one sentence, and what was read is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Command = Callable[..., tuple[int, str, str]]
Refusal = Callable[..., str]

READ = {  # the bytes of a file, the column, and the class sizes
    "words": (b"a\nb\na\nb\nb\n", "", [2, 3]),
    "BOM": ("\ufeffa\nb\na\nb\nb\n".encode(), "", [2, 3]),
    "CRLF": (b"a\r\nb\r\na\r\nb\r\nb\r\n", "", [2, 3]),
    "old Mac": (b"a\rb\ra\rb\rb", "", [2, 3]),
    "empty lines at the end": (b"1\n2\n1\n2\n2\n\n \n", "", [2, 3]),
    "numbers in the order of numbers": (b"10\n10\n9\n9\n9\n", "", [3, 2]),
    "whole floats": (b"1.0\n2.0\n1.0\n2.0\n2.0\n", "", [2, 3]),
    "blanks in labels": (b"golden retriever\ntabby cat\ngolden retriever\ntabby cat", "", [2, 2]),
    "quoted": (b'"a, b"\n"c"\n"a, b"\nc\nc\n', "", [2, 3]),
    "by title": (b"id,label\n1,5\n2,6\n3,6\n4,5\n5,5", ":label", [3, 2]),
    "by number": (b"id,label\n1,5\n2,6\n3,6\n4,5\n5,5", ":2", [3, 2]),
    "no titles": (b"1,5\n2,6\n3,6\n4,5\n5,5", ":2", [3, 2]),
    "semicolons": (b'name;kind\n"x;y";b\nx;b\nz;a\nz;a\nz;a', ":kind", [3, 2]),
    "tabs": (b"name\tkind\nx\tb\nx\tb\nz\ta\nz\ta\nz\ta", ":kind", [3, 2]),
    "blanks between columns": (b"a.jpg 0\nb.jpg 1\nc.jpg 1\nd.jpg 0\ne.jpg 1", ":2", [2, 3]),
    "title over one column": (b"kind\ncat\ncat\ndog\ndog\ndog", ":kind", [2, 3]),
}


@pytest.mark.parametrize("name", READ)
def test_texts_that_are_read(name: str, gramcert: Command, tmp_path: Path) -> None:
    content, column, sizes = READ[name]
    path = tmp_path / "y.csv"
    path.write_bytes(content)
    code, out, error = gramcert("solve", "--labels", f"{path}{column}", "--json")
    assert (code, error) == (0, "")
    assert json.loads(out)["counts"] == sizes


REFUSED = {
    "UTF-16": ("0\n1\n1\n".encode("utf-16"), "", "is UTF-16, or no text"),
    "UTF-16 without BOM": ("0\n1\n1\n".encode("utf-16-le"), "", "is UTF-16, or no text"),
    "latin-1": (b"caf\xe9\ncaf\xe9\n", "", "not UTF-8"),
    "nothing": (b"", "", "it is empty"),
    "title of numbers": (b"label\n0\n0\n1\n1\n", "", "say --labels {path}:label"),
    "title of words": (b"species\ncat\ncat\ndog\ndog\n", "", "say --labels {path}:species"),
    "comment": (b"# made by hand\ncat\ncat\ndog\n", "", "looks like a column name"),
    "title by number": (b"species\ncat\ncat\ndog\ndog\n", ":1", "may be a column name"),
    "columns": (b"id,label\n1,5\n2,6\n", "", "it has 2 columns (1 'id', 2 'label'); name one"),
    "columns apart by blanks": (b"a.jpg 0\nb.jpg 1\n", "", "it has 2 columns"),
    "one line of commas": (b"0,0,1,2", "", "its only line has 4 cells"),
    "one line of blanks": (b"0 0 1 2\n", "", "its only line has 4 cells"),
    "an empty line inside": (b"0\n0\n\n1\n1\n", "", "line 3 is empty"),
    "an empty cell": (b"id,label\n1,5\n2,\n3,5\n4,6\n", ":label", "line 3 has no label"),
    "NaN": (b"0\n0\nnan\n1\n", "", "line 3 has no label"),
    "None": (b"0\n0\nNone\n1\n", "", "'None' stands among numbers"),
    "half": (b"0\n0\n0.5\n1\n", "", "labels hold 0.5"),
    "two spellings": (b"1\n1\n01\n2\n", "", "1 and 01 are one number"),
    "short line": (b"1,a\n2\n", ":1", "line 2 has 1 cells and the first 2"),
    "open quote": (b'"a\nb\n', "", "no row of a table"),
    "no such title": (b"id,label\n1,5\n2,6\n", ":kind", "no column 'kind'; its first line is 'id', 'label'"),
    "no such number": (b"id,label\n1,5\n2,6\n", ":3", "no column 3, but columns 1 to 2"),
    "title twice": (b"a,a\n1,5\n2,6\n", ":a", "several columns 'a'"),
    "no array": (b"\x93NUMPY and no more", "", "no whole NumPy file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_texts_that_are_refused(name: str, refusal: Refusal, tmp_path: Path) -> None:
    content, column, said = REFUSED[name]
    path = tmp_path / "y.csv"
    path.write_bytes(content)
    message = refusal("solve", "--labels", f"{path}{column}")
    assert said.format(path=path) in message
    assert "--labels" in message


ARRAYS: list[tuple[Any, str]] = [
    (np.array([0, 1], dtype=object), "holds Python objects, which are not read"),
    (np.eye(3), "have shape (3, 3)"),
    (np.zeros((3, 1), int), "have shape (3, 1)"),
    (np.array([0.5, 1]), "hold 0.5"),
    (np.array([np.nan, 1]), "hold NaN"),
    (np.array([(1, 2), (1, 3)], dtype=[("a", int), ("b", int)]), "the arrays 'a', 'b'; name one"),
]


@pytest.mark.parametrize(("array", "said"), ARRAYS)
def test_arrays_that_are_refused(array: Any, said: str, refusal: Refusal, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", array, allow_pickle=True)
    assert said in refusal("solve", "--labels", str(tmp_path / "y.npy"))


def test_arrays_by_name(gramcert: Command, refusal: Refusal, tmp_path: Path) -> None:
    labels, path = np.array([0, 0, 1, 1, 1]), str(tmp_path / "y.npz")
    np.savez(path, labels=labels)
    assert gramcert("solve", "--labels", path)[0] == 0
    np.savez(path, labels=labels, features=np.eye(5))
    assert "the arrays 'labels', 'features'; name one" in refusal("solve", "--labels", path)
    assert json.loads(gramcert("solve", "--labels", f"{path}:labels", "--json")[1])["counts"] == [2, 3]
    fields = np.array([(1, "a"), (2, "a"), (2, "b")], dtype=[("n", int), ("kind", "U1")])
    np.save(tmp_path / "y.npy", fields)
    said = json.loads(gramcert("solve", "--labels", f"{tmp_path / 'y.npy'}:n", "--json")[1])
    assert said["counts"] == [1, 2]


def test_a_file_may_have_colons_in_its_name(gramcert: Command, tmp_path: Path) -> None:
    path = tmp_path / "run:2.csv"
    path.write_text("id,label\n1,5\n2,6\n3,6\n4,5\n5,5\n")
    assert gramcert("solve", "--labels", f"{path}:label")[0] == 0
    path.write_text("5\n5\n6\n6\n")
    assert gramcert("solve", "--labels", str(path))[0] == 0


def test_what_was_read_is_said(gramcert: Command, tmp_path: Path) -> None:
    (tmp_path / "y.txt").write_text("cat\ncat\ndog\ndog\ndog\n")
    _, out, _ = gramcert("solve", "--labels", str(tmp_path / "y.txt"))
    assert "counts       5 samples in 2 classes of 2 sizes: 2,3\n" in out
    said = json.loads(gramcert("solve", "--labels", str(tmp_path / "y.txt"), "--json")[1])
    assert (said["samples"], said["classes"]) == (5, 2)
