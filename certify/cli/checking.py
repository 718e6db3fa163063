"""`gramcert check`: verify a certificate twice, by code that shares nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from certify.verification import check


def check_command(
    file: Annotated[Path, typer.Argument(help="A certificate that `gramcert solve --certificate` wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Verify a certificate with ball arithmetic and with checker.py; both must accept it."""
    with Console(stderr=True, quiet=quiet).status("checking"):
        verdict = check(file)
    if as_json:
        print(json.dumps({"schema": "gramcert/check/1", **verdict.facts()}))
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for label, value in verdict.rows():
            table.add_row(label, value)
        Console(soft_wrap=True, highlight=False).print(table)
    raise typer.Exit(0 if verdict.accepted else 1)
