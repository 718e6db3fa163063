"""From bytes to JSON values that have the grammar."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from certify.grammar.claims import discord
from certify.grammar.shapes import Fault
from certify.grammar.table import CERTIFICATE
from relax.errors import InputError, reason
from relax.files import named

LARGEST_FILE = 100_000_000  # bytes
MEND = "write one with --certificate"


class UnusableError(InputError):
    """What should be a certificate is none; nothing is known of what it may have claimed."""


def read_file(path: str | Path) -> str:
    """Return the text of a file, once.

    Raises
    ------
    UnusableError
        If it is not there, is too large, or is not UTF-8.
    """
    named(path, "give the name of a certificate file (of what is in memory: verify(certificate.document))")
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError(f"more than {LARGEST_FILE} bytes")
        return content.decode()
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path} is not a certificate ({reason(error)}); {MEND}") from error


def parse(text: str) -> dict[str, Any]:
    """Return the JSON object that a text holds, whatever is in it.

    Raises
    ------
    UnusableError
        If it holds none, or one with a key twice, NaN or infinities.
    """

    def refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is not a number")

    try:
        document = json.loads(text, object_pairs_hook=refuse_twice, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"this is not a certificate ({reason(error)}); {MEND}") from error
    if not isinstance(document, dict):
        raise UnusableError(f"this is not a certificate (no JSON object); {MEND}")
    return document


def require_grammar(document: dict[str, Any]) -> None:
    """Return if JSON values are those of a certificate as docs/certificate-format.md has it.

    Raises
    ------
    UnusableError
        If they are not, naming the first place.
    """
    try:
        CERTIFICATE(document)
    except Fault as fault:
        raise UnusableError(str(fault)) from None
    found = discord(document["claim"])
    if found is not None:
        raise UnusableError(f"the claim of the certificate does not fit itself: {found}")


def claim_hash(claim: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON text of a claim."""
    text = json.dumps(claim, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
