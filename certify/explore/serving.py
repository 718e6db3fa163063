"""The page on an address of this machine, until Ctrl-C."""

from __future__ import annotations

import os
import socket
import tempfile
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from relax.errors import InputError, reason

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
    """
    if find_spec("marimo") is None:
        raise InputError(MISSING)
    listening = _listening(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    with tempfile.TemporaryDirectory() as folder, listening:
        os.environ.update(dict.fromkeys(KEPT, folder))
        server = _server()
        tell(address)
        if browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):  # which uvicorn raises again after it has shut down
            server.run(sockets=[listening])


def _listening(host: str, port: int | None) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port or 0))
    except OSError as error:
        raise InputError(
            f"host {host!r} and port {port or 'any'} cannot be listened on ({reason(error)}); give others"
        ) from error
    return found


def _server():
    import marimo
    import uvicorn

    style = (HERE / "style.css").read_text(encoding="utf-8")
    pages = marimo.create_asgi_app(quiet=True, html_head=f"<style>{style}</style>")
    page = pages.with_app(path="/", root=str(HERE / "app.py")).build()
    config = uvicorn.Config(page, log_level="error", timeout_graceful_shutdown=1)
    return uvicorn.Server(config)
