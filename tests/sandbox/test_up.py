"""`make sandbox` reports where it runs when its port is taken, and that it has ended when its server dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

from tests.paths import PROJECT


def test_a_taken_port_and_the_death_of_the_server_are_said_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "up", f"--port={port}", "--scale=0.01"],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with up:
            assert up.stdout
            said = list(takewhile(lambda line: line != "Ctrl-C ends it all.\n", up.stdout))
            [server] = Path(f"/proc/{up.pid}/task/{up.pid}/children").read_text().split()
            os.kill(int(server), signal.SIGKILL)
            rest = up.stdout.read()
    assert [line for line in said if line.startswith(f"port {port} is taken: this sandbox is on port")]
    assert "The sandbox's server has ended by itself, and everything in it is gone." in rest
    assert "Traceback" not in rest
    assert up.returncode == 1
