"""Lambda processes by fork, so that they share what all of them import; few of them stay warm.

ministack starts a Python for each concurrent invocation, of 45 to 80 MB, and keeps it. Here a process is forked from one that has
imported boto3, and beyond a number of idle ones the longest idle end. ministack's way is kept on other systems than Linux, and for
functions whose archive brings a botocore of its own.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO, cast

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from emulator.core.settings import NO_FILES

PROGRAM = Path(__file__).resolve().parent / "entry" / "emulator_fork_server.py"
MOST_IDLE = 24
"""Number of idle processes that stay warm for their function's next call."""


class ForkedProcess:
    """A forked process, with the part of `subprocess.Popen` that ministack uses."""

    def __init__(self, pid: int, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle, self.returncode = -1, 1

    def poll(self) -> int | None:
        """Return None while the process lives; its true exit status is not known here."""
        return self.wait_for(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process is gone; raises subprocess.TimeoutExpired."""
        status = self.wait_for(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("a Lambda process", timeout or 0)
        return status

    def wait_for(self, timeout: float | None) -> int | None:
        """Wait for at most this long; None if it still runs."""
        if self.returncode is None and _is_readable(self._handle, timeout):
            self.returncode = 1
            os.close(self._handle)
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)


def _is_readable(handle: int, timeout: float | None) -> bool:
    """By poll: select takes no descriptor above 1,023."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


class ForkServer:
    """The process that forks, started with the first request. With a folder of code its processes share that code's imports."""

    def __init__(self, code: str = "") -> None:
        self._code, self._lock = code, threading.Lock()
        self._control: socket.socket | None = None

    def start(self, program: str, folder: str, environment: dict[str, str]) -> ForkedProcess:
        """Fork a process that runs a Python program in a folder with this environment."""
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        body = json.dumps({"program": program, "folder": folder, "environment": environment}).encode()
        with self._lock:
            control = self._control = self._control or _started(self._code)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", theirs))]
            control.sendmsg([struct.pack("!I", len(body))], rights)
            control.sendall(body)
            [pid] = struct.unpack("!i", control.recv(4))
        for pipe in theirs:
            os.close(pipe)
        return ForkedProcess(
            pid,
            os.fdopen(pipes[0][1], "w", buffering=1),
            os.fdopen(pipes[1][0], "r"),
            os.fdopen(pipes[2][0], "r"),
        )


def install(shared_imports: bool = False) -> None:
    """Fork the Python functions' processes of this emulator, and end those that are idle too long.

    With `shared_imports`, the functions of one archive share their imports.
    """
    if sys.platform != "linux":
        return
    servers: dict[str, ForkServer] = {}
    acquire, popen = lambda_runtime.acquire_worker, cast(Any, subprocess.Popen)

    def start(command: Sequence[str], **options: Any) -> Any:
        environment = options["env"]
        code = environment.get("EMULATOR_CODE", os.devnull)
        if Path(code, "botocore").exists():
            environment["PYTHONPATH"] = os.pathsep.join((code, environment.get("PYTHONPATH", "")))
        elif command[0] == sys.executable:
            shared = code if shared_imports else ""
            server = servers.setdefault(shared, ForkServer(shared))
            return server.start(command[1], options["cwd"], environment)
        return popen(command, **options)

    def acquire_among_few(*arguments: Any, **named: Any) -> Any:
        _end_idle()
        return acquire(*arguments, **named)

    names = {name: getattr(subprocess, name) for name in ("PIPE", "DEVNULL", "STDOUT", "TimeoutExpired", "run")}
    lambda_runtime.subprocess = SimpleNamespace(**names, Popen=start)
    lambda_runtime.acquire_worker = lambda_svc.acquire_worker = acquire_among_few


def _end_idle() -> None:
    """End the longest idle processes beyond the number that may stay."""
    with lambda_runtime._lock:
        idle = [
            (worker.last_used, key, worker)
            for key, workers in lambda_runtime._workers.items()
            for worker in workers
            if not worker.in_use and worker._proc is not None
        ]
        surplus = sorted(idle, key=lambda each: each[0])[: max(0, len(idle) - MOST_IDLE)]
        for _, key, worker in surplus:
            lambda_runtime._workers[key].remove(worker)
    if surplus:
        doomed = [worker for _, _, worker in surplus]
        threading.Thread(target=lambda_runtime.kill_workers, args=(doomed,), daemon=True).start()


def _started(code: str) -> socket.socket:
    ours, theirs = socket.socketpair()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | NO_FILES
    with theirs:
        subprocess.Popen([sys.executable, str(PROGRAM), *filter(None, (code,))], stdin=theirs.fileno(), env=environment)
    return ours
