"""`gramcert explore`: a page in the browser that shows the certified optimum while its controls are moved."""

from __future__ import annotations

from typing import Annotated

import typer

from certify.cli.options import whole
from certify.cli.streams import say
from certify.explore import serve
from certify.explore.serving import LOCAL

EXAMPLES = """gramcert explore
gramcert explore --port 8000 --no-browser
"""


def explore_command(
    port: Annotated[
        int | None,
        typer.Option(
            parser=whole(1, 65_535), metavar="INTEGER", help="Listen here; by default on a free one."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Listen on this address; by default only this machine sees the page.")
    ] = LOCAL,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
) -> None:
    """Show the certified geometry in a browser while counts, temperature, loss and batches are moved."""
    serve(
        host, port, not no_browser, lambda address: say(f"gramcert explore is at {address} (Ctrl-C ends it)")
    )
