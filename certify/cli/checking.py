"""`gramcert check`: verify a certificate twice, by code that shares nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from certify.cli.printing import print_facts
from certify.cli.streams import say
from certify.grammar import parse, read_file
from certify.landscape.verification import PointCheck, is_stationary, verify_point
from certify.verification import Check, check_text
from relax.apart import Ended, working
from relax.errors import InputError, SolverError

EXAMPLES = """gramcert check places.json
gramcert check places.json --tolerance 1e-12 --json
"""


def check_command(
    file: Annotated[
        Path, typer.Argument(help="A certificate, or the file of a stationary point, that gramcert wrote.")
    ],
    tolerance: Annotated[
        str, typer.Option(help="Accept CERTIFIED at this tolerance or a smaller one.")
    ] = "1e-9",
    unnamed: Annotated[
        bool, typer.Option("--unnamed", help="Accept a program whose loss the verifiers do not know.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Verify a certificate with ball arithmetic and with checker.py; both must accept it.

    Exit 0 where both prove what is claimed, CERTIFIED at a tolerance that is small enough, of the loss that
    is named; 1 where they do not; 2 where the file is no certificate. Stationary points are proven again in
    ball arithmetic, and the optimum they are compared with is verified twice.
    """
    largest = _decimal(tolerance)
    with Console(stderr=True, quiet=quiet).status("checking"), working(_checked, file) as worker:
        try:
            verdict: Check | PointCheck = worker.receive()
        except (Ended, MemoryError) as ended:
            raise SolverError(f"the certificate is too large to be checked here ({ended})") from ended
        except KeyboardInterrupt:
            raise SolverError("interrupted before the certificate was checked") from None
    of_point = isinstance(verdict, PointCheck)
    if as_json:
        schema = "gramcert/check-stationary/1" if of_point else "gramcert/check/2"
        say(json.dumps({"schema": schema, **verdict.json_values()}))
    else:
        print_facts(verdict.facts())
    holds = verdict.accepted if of_point else verdict.suffices(largest, unnamed)
    raise typer.Exit(0 if holds else 1 if verdict.usable else 2)


def _checked(file: Path) -> Iterator[Check | PointCheck]:
    """Verify in a process that can be ended, as none of the verifiers looks out for signals."""
    text = read_file(file)
    document = parse(text)
    yield verify_point(document) if is_stationary(document) else check_text(text)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not (number.is_finite() and number >= 0):
        raise InputError(f"tolerance {text!r} must be a number from 0 on; give e.g. 1e-9")
    return number
