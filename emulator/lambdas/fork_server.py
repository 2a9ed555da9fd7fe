"""Lambda processes by fork, so that they share what all of them import; few of them stay warm.

ministack starts a Python for each concurrent invocation, of 45 to 80 MB, and keeps it. Here a process is forked from one that has
imported boto3, and beyond a number of idle ones the longest idle end. ministack's way is kept on other systems than Linux, and for
functions whose archive brings a botocore of its own.
"""

from __future__ import annotations

import array
import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
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
    """A forked process, with the part of `subprocess.Popen` that ministack uses.

    Its handle stays open as long as this object exists: several threads read it, and the number of a closed one is used again.
    """

    def __init__(self, pid: int, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle, self.returncode = -1, 1
        else:
            weakref.finalize(self, os.close, self._handle)

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
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


def _is_readable(handle: int, timeout: float | None) -> bool:
    """By poll: select takes no descriptor above 1,023."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


class ForkServer:
    """The process that forks, started with the first request, and anew if it has ended.

    With a folder of code its processes share that code's imports.
    """

    def __init__(self, code: str = "", program: Path = PROGRAM) -> None:
        self._command, self._lock = [sys.executable, str(program), *filter(None, (code,))], threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def start(self, program: str, folder: str, environment: dict[str, str]) -> ForkedProcess:
        """Fork a process that runs a Python program in a folder with this environment; raises OSError."""
        body = json.dumps({"program": program, "folder": folder, "environment": environment}).encode()
        ours, theirs = list[int](), list[int]()
        with ExitStack() as failed, ExitStack() as after:
            for is_input in (True, False, False):
                read, write = os.pipe()
                ours.append(write if is_input else read)
                theirs.append(read if is_input else write)
                failed.callback(os.close, ours[-1])
                after.callback(os.close, theirs[-1])
            pid = self._forked(body, theirs)
            failed.pop_all()
        stdin, stdout, stderr = ours
        return ForkedProcess(pid, os.fdopen(stdin, "w", buffering=1), os.fdopen(stdout, "r"), os.fdopen(stderr, "r"))

    def _forked(self, body: bytes, pipes: Sequence[int]) -> int:
        with self._lock:
            try:
                pid = self._asked(body, pipes)
            except OSError:
                self._forget()
                try:
                    pid = self._asked(body, pipes)
                except OSError:
                    self._forget()
                    raise
        if pid < 0:
            raise BlockingIOError(errno.EAGAIN, "This machine starts no more processes now")
        return pid

    def _asked(self, body: bytes, pipes: Sequence[int]) -> int:
        """Ask the running server, or a new one; raises OSError where it has ended."""
        _, control = self._running = self._running or _started(self._command)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", pipes))]
        control.sendmsg([struct.pack("!I", len(body))], rights)
        control.sendall(body)
        answer = control.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            raise BrokenPipeError(errno.EPIPE, "The process that forks Lambda's processes has ended")
        return int(struct.unpack("!i", answer)[0])

    def _forget(self) -> None:
        if self._running:
            process, control = self._running
            control.close()
            process.kill()
            process.wait()
        self._running = None


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


def _started(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | NO_FILES
    with theirs:
        return subprocess.Popen(command, stdin=theirs.fileno(), env=environment), ours
