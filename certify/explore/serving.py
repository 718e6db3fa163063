"""The page on an address of this machine, until Ctrl-C."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from relax.apart import Ended, working
from relax.errors import InputError, SolverError, reason

HERE = Path(__file__).parent
LOCAL = "127.0.0.1"
# Where marimo would keep settings and logs of the user's own notebooks: ours are of this run alone.
KEPT = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
MISSING = (
    "gramcert explore needs marimo, which is not installed; install it with: "
    "python -m pip install 'gramcert[explore]'"
)


def serve(
    host: str = LOCAL, port: int | None = None, browser: bool = True, tell: Callable[[str], None] = print
) -> None:
    """Serve the explorer until Ctrl-C; it asks nothing of the network and keeps nothing.

    Parameters
    ----------
    host : str
        The address to listen on; by default this machine alone can see the page.
    port : int, optional
        A free one where it is not given.
    browser : bool
        Whether to open the page in the user's browser.
    tell : function
        Called once, with the page's address.

    Raises
    ------
    InputError
        If the extra "explore" is not installed, or the address cannot be listened on.
    SolverError
        If the process that serves it was killed.
    """
    if find_spec("marimo") is None:
        raise InputError(MISSING)
    listening = _listening(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    # In a process of its own, as the threads of marimo's sessions wait for ever when it is told to end.
    with tempfile.TemporaryDirectory() as folder, listening, working(_pages, listening, folder) as worker:
        try:
            worker.receive()
            tell(address)
            if browser:
                webbrowser.open(address)
            worker.receive()
        except KeyboardInterrupt:
            return
        except Ended as end:
            raise SolverError(f"the page is no longer served; {end}".rstrip("; ,")) from end


def _pages(listening: socket.socket, folder: str) -> Iterator[None]:
    """Yield when the page can be served, and serve it for ever; what marimo keeps goes to the folder."""
    os.environ.update(dict.fromkeys(KEPT, folder))
    import marimo
    import uvicorn

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a tab was closed is no news
    style = (HERE / "style.css").read_text(encoding="utf-8")
    pages = marimo.create_asgi_app(quiet=True, html_head=f"<style>{style}</style>")
    page = pages.with_app(path="/", root=str(HERE / "app.py")).build()
    server = uvicorn.Server(uvicorn.Config(page, log_level="error"))
    yield None
    server.run(sockets=[listening])


def _listening(host: str, port: int | None) -> socket.socket:
    found = None
    try:
        family = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port or 0))
        found.listen()
    except OSError as error:
        if found is not None:
            found.close()
        raise InputError(
            f"host {host!r} and port {port or 'any'} cannot be listened on ({reason(error)}); give others"
        ) from error
    return found
