"""Certificates of ground truths on disk. A file that is found there is proven again, not trusted."""

from __future__ import annotations

import hashlib
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from certify.certificate import TOLERANCE
from certify.grammar import SCHEMA
from certify.verification import verify
from relax import __version__
from relax.errors import InputError
from relax.files import write_atomically
from relax.problem import Problem

Folder = str | os.PathLike[str] | None

ATTEMPTS = 3  # at writing: somebody may be deleting the folder just then


def folder_of(cache: Folder) -> Path:
    """Return the folder of the cache: the one given, $GRAMCERT_CACHE, or gramcert in the user's cache folder.

    References
    ----------
    XDG Base Directory Specification: $XDG_CACHE_HOME where that is an absolute path, else ~/.cache.
    """
    named = os.environ.get("GRAMCERT_CACHE") if cache is None else cache
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "gramcert"


def file_of(problem: Problem, cache: Folder) -> Path:
    """Return where a problem's certificate is kept: named by the SHA-256 of all that it depends on."""
    content = {"problem": problem.statement(), "schema": SCHEMA, "version": __version__}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return folder_of(cache) / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def suffices(claim: dict[str, Any], problem: Problem) -> bool:
    """Return whether a claim, once verified, is that of a ground truth for the problem."""
    certified = claim["verdict"] == "CERTIFIED" and Decimal(claim["tolerance"]) <= Decimal(repr(TOLERANCE))
    return certified and claim["gram_radius"] is not None and claim["problem"] == problem.statement()


def stored(problem: Problem, cache: Folder) -> dict[str, Any] | None:
    """Return the certificate that is kept, if it passes verification in ball arithmetic here and now."""
    try:
        document = json.loads(file_of(problem, cache).read_text(encoding="utf-8"))
        found = verify(document)
        good = found.accepted and found.named and suffices(document["claim"], problem)
        return document if good else None
    except Exception:  # whatever a file holds or lacks, the answer is the same: prove it anew
        return None


def store(document: dict[str, Any], problem: Problem, cache: Folder) -> None:
    """Keep a certificate for other processes, which see the whole file or none.

    Raises
    ------
    InputError
        If the caller or GRAMCERT_CACHE names a folder and nothing can be written there. Without the user's
        cache folder (on a build machine, say) everything works, only slower.
    """
    path = file_of(problem, cache)
    failure: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(document, ensure_ascii=True) + "\n")
            return
        except (OSError, InputError) as error:
            failure = error
    if cache is not None or os.environ.get("GRAMCERT_CACHE"):
        raise InputError(
            f"cache folder {str(path.parent)!r} cannot be written ({failure}); give another cache or set "
            "GRAMCERT_CACHE"
        ) from failure
