"""The command `gramcert`: exit 0 certified or holds, 1 not, 2 bad input (one line on stderr)."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from certify.cli.checking import check_command
from certify.cli.listing import datasets_command, losses_command
from certify.cli.solving import EXAMPLES, solve_command
from relax import __version__
from relax.errors import InputError, SolverError

app = typer.Typer(
    name="gramcert",
    help="Proven global optima of contrastive losses over free features.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("solve", epilog=EXAMPLES)(solve_command)
app.command("check")(check_command)
app.command("losses")(losses_command)
app.command("datasets")(datasets_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gramcert {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show it."),
) -> None:
    pass


def main() -> None:
    """Run the command and exit with its code."""
    try:
        code = app(prog_name="gramcert", standalone_mode=False)
    except InputError as error:
        _complain(str(error))
        code = 2
    except TyperException as error:
        _complain(f"{error.format_message()} (gramcert --help says what there is)")
        code = 2
    except SolverError as error:
        _complain(str(error))
        code = 1
    except KeyboardInterrupt:
        _complain("interrupted before anything was proven")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str) -> None:
    print(f"gramcert: {' '.join(message.split())}", file=sys.stderr)
