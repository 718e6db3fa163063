"""Output files: refused before the work starts, and complete or absent afterwards."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from relax.errors import InputError, expect, reason

Content = str | bytes | Callable[[BinaryIO], object]


def named(path: Any, mend: str = "give the name of a file") -> str:
    """Return the name that a path has.

    Raises
    ------
    InputError
        If it is none: a number would be the descriptor of an open file.
    """
    return os.fspath(expect(path, (str, os.PathLike), "path", mend))


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse an output path that `write_atomically` could not write.

    A temporary file is made beside it and removed, since permission bits do not bind root and do not know
    of read-only disks. A file that is there already stays as it is.

    Raises
    ------
    InputError
        If the folder is missing or nothing can be written in it, or the path is not that of a file.
    """
    target = _target(path)
    try:
        temporary, file = _open_beside(target)
        file.close()
        temporary.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


def check_apart(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path | None]) -> None:
    """Refuse outputs that are unwritable, or one file with another, an input, or where this process prints.

    A file is the same under every name: by another spelling, a symbolic or a hard link.

    Parameters
    ----------
    outputs, inputs : mapping of str to path or None
        What each is called in messages, and its path; None where there is none.

    Raises
    ------
    InputError
        If one is refused, beginning with what it is called.
    """
    taken = {_identity(path): name for name, path in inputs.items() if path is not None}
    taken |= {identity: "where the command prints" for identity in _printed_to()}
    for name, path in outputs.items():
        if path is None:
            continue
        identity = _identity(path)
        if identity is not None and identity in taken:
            other = taken[identity]
            same = other if other.startswith("where") else f"the file of {other}"
            raise InputError(f"{name} {str(path)!r} is {same}; give another path")
        taken[identity] = name
        try:
            check_writable(path)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error


def _identity(path: str | os.PathLike[str]) -> tuple[object, ...] | None:
    """Return what is equal for two names of one file, there already or not yet; None where there is none."""
    try:
        target = Path(os.path.realpath(path))
        try:
            found = target.stat()
        except FileNotFoundError:
            parent = target.parent.stat()
            return parent.st_dev, parent.st_ino, target.name
    except (OSError, ValueError):  # for `check_writable` to say
        return None
    return found.st_dev, found.st_ino


def _printed_to() -> list[tuple[object, ...]]:
    """Return the identities of standard output and error, where they are files."""
    found = []
    for descriptor in (1, 2):
        with suppress(OSError):
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                found.append((status.st_dev, status.st_ino))
    return found


def write_atomically(path: str | os.PathLike[str], content: Content) -> None:
    """Write a file so that readers see the old one or the whole new one, whatever happens on the way.

    The content goes to a temporary file in the same folder, is flushed to the disk, and takes the name
    by `os.replace`. On any failure the temporary file is removed and the old file is untouched. A symbolic
    link is followed, not replaced.

    Parameters
    ----------
    path : str or path
        The file to write.
    content : str, bytes or callable
        Text is written as UTF-8. A callable gets the open binary file and writes to it, e.g.
        ``lambda file: numpy.savez(file, gram=gram)``.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = _target(path)
    try:
        temporary, file = _open_beside(target)
    except OSError as error:
        raise _refusal(path, error) from error
    try:
        with file:
            _put(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _refusal(path, error) from error
        raise


def _put(content: Content, file: BinaryIO) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def _mode(target: Path) -> int | None:
    """Return the mode of a file, None where there is none (another process may remove it at any time)."""
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _target(path: str | os.PathLike[str]) -> Path:
    """Return the file behind the path, or refuse a path that is not that of a file."""
    name = named(path)
    try:
        target = Path(os.path.realpath(name))
        parent = target.parent.stat().st_mode
        there = _mode(target)
    except FileNotFoundError as error:
        raise InputError(
            f"output folder {_folder(path)!r} does not exist; make it first or change the path"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise _refusal(path, error) from error
    if not stat.S_ISDIR(parent):
        raise InputError(
            f"output path {name!r} lies in {_folder(path)!r}, which is not a folder; change the path"
        )
    if name.endswith(os.sep) or (there is not None and stat.S_ISDIR(there)):
        raise InputError(f"output path {name!r} is a folder; give the name of a file")
    if there is not None and not stat.S_ISREG(there):  # os.replace would put a file in place of a device
        raise InputError(f"output path {name!r} is not a regular file; give another name")
    return target


def _open_beside(target: Path) -> tuple[Path, BinaryIO]:
    """Create a temporary file in the folder of the target, with the permissions of a new file."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    return temporary, open(temporary, "xb")


def _folder(path: str | os.PathLike[str]) -> str:
    return os.path.dirname(os.fspath(path)) or os.curdir


def _refusal(path: str | os.PathLike[str], error: Exception) -> InputError:
    said = reason(error)
    return InputError(f"output path {os.fspath(path)!r} cannot be written ({said}); give another path")
