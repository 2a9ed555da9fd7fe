"""The server: ministack with this package's parts mounted in it, on one port of the loopback.

`serve` is called by `python -m emulator serve` and returns when the process gets a signal. ministack reads its environment
once, at import: that is why it is imported inside a function, after the environment is set.
"""

import asyncio
import ctypes
import errno
import gc
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from emulator.core.settings import Settings, environment

_PR_SET_PDEATHSIG = 1
_PORTS_TRIED = 100
_YOUNG = 20_000
"""New objects after which the garbage collector looks at the young ones."""


def serve(settings: Settings, *, ready_file: Path | None = None, end_with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; write the URL to `ready_file` once answering.

    With `end_with_parent` it also ends when standard input closes or, on Linux, when the parent process dies.
    """
    listener = _listener(settings.port)
    settings = replace(settings, port=listener.getsockname()[1])
    own = environment(settings)
    os.environ.clear()
    os.environ.update(own)
    gc.disable()
    if end_with_parent:
        _end_with_parent()
    asyncio.run(_serve(settings, listener, ready_file))


def _listener(port: int) -> socket.socket:
    """Listen on this port of the loopback, or on the next free one where it is taken, and say so."""
    for candidate in range(port, port + (_PORTS_TRIED if port else 1)):
        try:
            listener = socket.create_server(("127.0.0.1", candidate))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        if candidate != port:
            print(f"port {port} is taken, listening on {candidate}", file=sys.stderr, flush=True)
        return listener
    raise SystemExit(f"ports {port} to {port + _PORTS_TRIED - 1} are taken")


async def _serve(settings: Settings, listener: socket.socket, ready_file: Path | None) -> None:
    from hypercorn.asyncio import serve as serve_asgi
    from hypercorn.config import Config

    from emulator.server.mount import mounted_app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = 0.2
    config.loglevel = settings.log_level
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    url = f"http://127.0.0.1:{settings.port}"
    app = mounted_app(settings, url)
    _collect_less()
    if ready_file:
        # The socket listens already, so readers of this file may connect: the first answer comes after startup.
        ready_file.write_text(url)
    else:
        print(f"listening on {url}, until Ctrl-C", flush=True)
    await serve_asgi(app, config, shutdown_trigger=ended.wait)
    _end_lambda_processes()


def _collect_less() -> None:
    """Leave imported objects out of the garbage collector's rounds: they live as long as the process."""
    gc.freeze()
    gc.set_threshold(_YOUNG)
    gc.enable()


def _end_lambda_processes() -> None:
    """End the warm Lambda processes, then this one without waiting for threads that still sleep in a state machine."""
    from ministack.core import lambda_runtime

    from emulator.lambdas import code

    lambda_runtime.reset()
    code.remove_all()
    sys.stdout.flush()
    os._exit(0)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_end_at_end_of_input, name="parent-watch", daemon=True).start()


def _end_at_end_of_input() -> None:
    while os.read(0, 4096):  # Not through sys.stdin, whose lock a thread must not hold when Python ends.
        pass
    os.kill(os.getpid(), signal.SIGTERM)
