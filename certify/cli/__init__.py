"""The command `gramcert`: exit 0 certified or holds, 1 not, 2 bad input (one line on stderr).

Standard output that is full counts as bad input; where it is closed, the exit code says what was proven.
"""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from certify.cli import explore
from certify.cli.checking import check_command
from certify.cli.landscape import EXAMPLES as LANDSCAPE_EXAMPLES
from certify.cli.landscape import landscape_command
from certify.cli.listing import datasets_command, losses_command
from certify.cli.solving import EXAMPLES, solve_command
from certify.cli.streams import complain, prepare, say
from certify.cli.sweep import EXAMPLES as SWEEP_EXAMPLES
from certify.cli.sweep import sweep_command
from certify.cli.threshold import EXAMPLES as THRESHOLD_EXAMPLES
from certify.cli.threshold import threshold_command
from certify.cli.words import in_options
from relax import __version__
from relax.errors import InputError, SolverError, reason

CHECK_EXAMPLES = """Examples:
gramcert check places.json
gramcert check places.json --tolerance 1e-12 --json
"""
LOSSES_EXAMPLES = """Examples:
gramcert losses
gramcert losses --sources
"""
DATASETS_EXAMPLES = """Examples:
gramcert datasets
gramcert solve --dataset cifar10-lt-100
"""

app = typer.Typer(
    name="gramcert",
    help="Proven global optima of contrastive losses over free features.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("solve", epilog=EXAMPLES)(solve_command)
app.command("check", epilog=CHECK_EXAMPLES)(check_command)
app.command("landscape", epilog=LANDSCAPE_EXAMPLES)(landscape_command)
app.command("threshold", epilog=THRESHOLD_EXAMPLES)(threshold_command)
app.command("sweep", epilog=SWEEP_EXAMPLES)(sweep_command)
app.command("explore", epilog=explore.EXAMPLES)(explore.explore_command)
app.command("losses", epilog=LOSSES_EXAMPLES)(losses_command)
app.command("datasets", epilog=DATASETS_EXAMPLES)(datasets_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"gramcert {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show it."),
) -> None:
    pass


def main() -> None:
    """Run the command and exit with its code."""
    prepare()
    code = 2
    try:
        found = app(prog_name="gramcert", standalone_mode=False)
        code = found if isinstance(found, int) else 0
    except InputError as error:
        complain(in_options(str(error)))
    except typer.BadParameter as error:
        complain(f"{_option(error)} {error.message or 'is missing; give it'}")
    except TyperException as error:
        complain(f"{error.format_message()} (gramcert --help says what there is)")
    except OSError as error:  # of help texts, which typer prints; ours go through `say`
        complain(f"standard output cannot be written ({reason(error)})")
    except SolverError as error:
        complain(str(error))
        code = 1
    except KeyboardInterrupt:
        complain("interrupted before anything was proven")
        code = 1
    sys.exit(code)


def _option(error: typer.BadParameter) -> str:
    return max(error.param.opts, key=len) if error.param is not None else "an option"
