"""Output files: refused in one sentence before the work, complete or absent after it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from relax.errors import InputError
from relax.files import check_writable, write_atomically

BOTH = [check_writable, lambda path: write_atomically(path, "new")]
both = pytest.mark.parametrize("touch", BOTH, ids=["check", "write"])


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@both
def test_missing_folder(tmp_path: Path, touch: Any) -> None:
    with pytest.raises(InputError, match=r"^output folder '.*absent' does not exist; make it first"):
        touch(tmp_path / "absent" / "out.json")
    assert listing(tmp_path) == []


@both
@pytest.mark.parametrize("name", ["", "/"])
def test_folder_in_place_of_a_file(tmp_path: Path, touch: Any, name: str) -> None:
    with pytest.raises(InputError, match=r"^output path '.*' is a folder; give the name of a file$"):
        touch(f"{tmp_path}{name}")


@both
def test_name_that_ends_like_a_folder(tmp_path: Path, touch: Any) -> None:
    with pytest.raises(InputError, match=r"is a folder; give the name of a file$"):
        touch(f"{tmp_path}/out/")
    assert listing(tmp_path) == []


@both
def test_empty_name(tmp_path: Path, touch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^output path '' is a folder"):
        touch("")


@both
def test_file_in_place_of_the_folder(tmp_path: Path, touch: Any) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(
        InputError, match=r"^output path '.*' (lies in '.*file', which is not a folder|cannot be)"
    ):
        touch(tmp_path / "file" / "out.json")
    assert (tmp_path / "file").read_text() == "old"


@both
@pytest.mark.parametrize("name", ["null\0byte", "x" * 300], ids=["null byte", "too long"])
def test_impossible_name(tmp_path: Path, touch: Any, name: str) -> None:
    with pytest.raises(InputError, match=r"^output path '.*' cannot be written \(.+\); give another path$"):
        touch(tmp_path / name)
    assert listing(tmp_path) == []


@both
@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_device_is_not_replaced_by_a_file(touch: Any) -> None:
    with pytest.raises(InputError, match=r"^output path '/dev/null' is not a regular file"):
        touch("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@both
@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that refuses even root")
def test_folder_that_refuses_even_root(touch: Any) -> None:
    with pytest.raises(InputError, match=r"^output path '/proc/out.json' cannot be written"):
        touch("/proc/out.json")


@both
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path: Path, touch: Any) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(InputError, match=r"cannot be written \(permission denied\)"):
        touch(tmp_path / "closed" / "out.json")


@both
def test_refusal_is_one_line(tmp_path: Path, touch: Any) -> None:
    with pytest.raises(InputError) as refusal:
        touch(tmp_path / "absent" / "out.json")
    assert "\n" not in str(refusal.value)


def test_check_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    check_writable(path)
    assert listing(tmp_path) == []
    path.write_text("old")
    check_writable(str(path))
    assert listing(tmp_path) == ["out.json"]
    assert path.read_text() == "old"


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_writable("out.json")
    write_atomically("out.json", "new")
    assert listing(tmp_path) == ["out.json"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("τ = 1\n", "τ = 1\n".encode()),
        (b"\x00\r\n", b"\x00\r\n"),
        ("", b""),
        (lambda file: file.write(b"by hand"), b"by hand"),
    ],
    ids=["text", "bytes", "empty", "callable"],
)
@pytest.mark.parametrize("old", [None, "a longer text that was here before"])
def test_content(tmp_path: Path, content: Any, expected: bytes, old: str | None) -> None:
    path = tmp_path / "out"
    if old is not None:
        path.write_text(old)
    write_atomically(path, content)
    assert path.read_bytes() == expected
    assert listing(tmp_path) == ["out"]


def test_callable_writes_npz(tmp_path: Path) -> None:
    write_atomically(tmp_path / "out.npz", lambda file: np.savez(file, gram=np.eye(2)))
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["gram"], np.eye(2))


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_atomically(tmp_path / "out", "")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


class Interrupted(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("error", [RuntimeError("no"), Interrupted()], ids=["error", "interrupt"])
def test_failure_of_the_writer_leaves_the_old_file_alone(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, fail)
    assert listing(tmp_path) == ["out"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_is_a_refusal_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(InputError, match=r"cannot be written \(no space left on device\)"):
        write_atomically(tmp_path / "out", "new")
    assert listing(tmp_path) == []


def test_content_is_on_the_disk_before_it_takes_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (seen.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *names: (seen.append("replace"), replace(*names)))
    write_atomically(tmp_path / "out", "new")
    assert seen == ["fsync", "replace"]
