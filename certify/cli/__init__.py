"""The command `gramcert`: exit 0 certified or holds, 1 not, 2 bad input (one line on stderr).

Standard output that is full counts as bad input; where it is closed, the exit code says what was proven.
"""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from certify.cli import checking, explore, landscape, listing, solving, sweep, threshold
from certify.cli.streams import complain, prepare, say
from certify.cli.words import in_options
from relax import __version__
from relax.errors import InputError, SolverError, reason

COMMANDS = {
    "solve": (solving.solve_command, solving.EXAMPLES),
    "check": (checking.check_command, checking.EXAMPLES),
    "landscape": (landscape.landscape_command, landscape.EXAMPLES),
    "threshold": (threshold.threshold_command, threshold.EXAMPLES),
    "sweep": (sweep.sweep_command, sweep.EXAMPLES),
    "explore": (explore.explore_command, explore.EXAMPLES),
    "losses": (listing.losses_command, listing.OF_LOSSES),
    "datasets": (listing.datasets_command, listing.OF_DATASETS),
}

app = typer.Typer(
    name="gramcert",
    help="Proven global optima of contrastive losses over free features.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, (_command, _examples) in COMMANDS.items():
    app.command(_name, epilog=f"Examples:\n{_examples}")(_command)


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
