"""`gramcert check`: verify a certificate twice, by code that shares nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from certify.verification import check


def check_command(
    file: Annotated[Path, typer.Argument(help="A certificate that `gramcert solve --certificate` wrote.")],
    unnamed: Annotated[
        bool, typer.Option("--unnamed", help="Accept a program whose loss the verifiers do not know.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Verify a certificate with ball arithmetic and with checker.py; both must accept it."""
    with Console(stderr=True, quiet=quiet).status("checking"):
        verdict = check(file)
    if as_json:
        print(json.dumps({"schema": "gramcert/check/2", **verdict.json_values()}))
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for label, value in verdict.facts():
            table.add_row(label, Text(value))
        Console(soft_wrap=True, highlight=False).print(table)
    raise typer.Exit(0 if verdict.named or (unnamed and verdict.accepted) else 1)
