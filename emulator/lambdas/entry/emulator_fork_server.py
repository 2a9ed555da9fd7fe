"""A Python that has imported what every function needs, and forks itself into each Lambda process that is asked for.

It is started by `emulator/lambdas/fork_server.py`, which sends it, over the socket on standard input, what a process gets: its
program, folder and environment, with its three pipes. Pages that nobody changes are shared by all. It ends with the emulator, and
its processes with it.

botocore's descriptions of AWS's services are most of what a process has by itself: that of EC2 alone takes 16 MB and a third of a
second. So a process that reads one says which, and the next one finds it there.
"""

import array
import ctypes
import gc
import io
import json
import os
import runpy
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any

import boto3.session
import botocore.client
import botocore.handlers
import botocore.loaders
import botocore.session

_PR_SET_PDEATHSIG = 1
_CAPACITY = 1 << 16
"""Of a pipe."""
_MOST_FILES = 256
"""A process that reads all of botocore's descriptions has most of them by itself."""
_DATA = botocore.loaders.Loader.BUILTIN_DATA_PATH


class SharedFiles:
    """botocore's own data files, each read once for all processes: what a process reads, this one reads before it forks again."""

    def __init__(self) -> None:
        self._read = botocore.loaders.JSONFileLoader.load_file
        self._known: dict[str, Any] = {}
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._tell, False)

    def install(self) -> None:
        """Have botocore look here first. Its data never change; files of other folders are read each time."""

        def load_file(loader: Any, path: str) -> Any:
            if not path.startswith(_DATA):
                return self._read(loader, path)
            if path not in self._known:
                found = self._read(loader, path)
                if len(self._known) >= _MOST_FILES:
                    return found
                self._known[path] = found
                # A line this short is written in one piece, however many processes write; where the pipe is full, another tells.
                with suppress(BlockingIOError):
                    os.write(self._tell, f"{path}\n".encode())
            return self._known[path]

        botocore.loaders.JSONFileLoader.load_file = load_file

    def read_what_processes_read(self) -> None:
        """Read the files that processes have told of since."""
        try:
            told = os.read(self._told, _CAPACITY).decode()
        except BlockingIOError:
            return
        for path in [*set(told.split("\n")) - {""} - set(self._known)][: _MOST_FILES - len(self._known)]:
            self._known[path] = self._read(botocore.loaders.JSONFileLoader(), path)
        gc.collect()
        gc.freeze()


def main() -> None:
    """Fork for each request until the socket closes, which it does when the emulator is gone."""
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    files = SharedFiles()
    files.install()
    # The first client imports, reads and compiles what all need; nothing of this one is kept.
    boto3.session.Session().client("sts", region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-")
    gc.collect()
    gc.freeze()
    while True:
        request, pipes = _receive(control)
        if request is None:
            return
        files.read_what_processes_read()
        forker = os.getpid()
        child = os.fork()
        if child == 0:
            control.detach()
            _become(request, pipes, forker)
        for pipe in pipes:
            os.close(pipe)
        control.sendall(struct.pack("!i", child))


def _receive(control: socket.socket) -> tuple[Any, list[int]]:
    size = array.array("i")
    head, ancillary, _, _ = control.recvmsg(4, socket.CMSG_SPACE(3 * size.itemsize))
    if len(head) < 4:
        return None, []
    for _level, _kind, data in ancillary:
        size.frombytes(data[: len(data) - len(data) % size.itemsize])
    body, length = b"", struct.unpack("!I", head)[0]
    while len(body) < length:
        body += control.recv(length - len(body))
    return json.loads(body), list(size)


def _become(request: Any, pipes: list[int], forker: int) -> None:
    """Be the process that was asked for; never return."""
    status = 1
    try:
        _die_with(forker)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
        for pipe in set(pipes) - {0, 1, 2}:
            os.close(pipe)
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        os.chdir(request["folder"])
        program = request["program"]
        added = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
        sys.path[:0] = [os.path.dirname(program), *(each for each in added if each not in sys.path)]
        sys.argv = [program]
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)))
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), write_through=True)
        runpy.run_path(program, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(status)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main()
