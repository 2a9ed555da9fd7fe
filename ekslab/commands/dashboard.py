"""The command that shows the page: opens a session, serves it on 127.0.0.1 until Ctrl-C, and ends it."""

from __future__ import annotations

import argparse
import os
import time

from ekslab.client import Client
from ekslab.commands.answers import refused
from ekslab.commands.exit_codes import Exit
from ekslab.parsing.arguments import UsageError
from ekslab.printing import terminal
from ekslab.words import t

_LAST_PORT = 65535


def dashboard(client: Client, options: argparse.Namespace) -> int:
    """Show the page until Ctrl-C."""
    from ekslab import dashboard as proxy

    if options.port > _LAST_PORT:
        raise UsageError(f"--port is at most {_LAST_PORT}.")
    answer = client.call("POST", "/sessions")
    if not answer.ok:
        return refused(answer, options)
    url, session = str(options.url or os.environ.get("EKSLAB_URL")), str(answer.body["token"])
    server = proxy.listen(options.port)
    door = proxy.Door(server.server_address[1], time.monotonic())
    address = f"{door.origin}/start?{door.link}"
    terminal.out(t("The page, for the next minute and once: {address}", address=address))
    terminal.out(t("Ctrl-C ends it, and the session."))
    if options.browser is not False:
        _open(address)
    upstream = proxy.to_service(url)
    try:
        proxy.serve(door, upstream, session, server)
    finally:
        server.server_close()
        proxy.end_session(upstream, session)
    return int(Exit.OK)


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
