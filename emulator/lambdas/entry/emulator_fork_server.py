"""A Python that has imported what every function needs, and forks itself into each Lambda process that is asked for.

It is started by `emulator/lambdas/fork_server.py`, which sends it, over the socket on standard input, what a process gets: its
program, folder and environment, with its three pipes. Pages that nobody changes are shared by all. It ends with the emulator, and
its processes with it.
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
from typing import Any

import boto3.session  # noqa: F401 - imported here once, for all processes
import botocore.client
import botocore.session  # noqa: F401

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork for each request until the socket closes, which it does when the emulator is gone."""
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    while True:
        request, pipes = _receive(control)
        if request is None:
            return
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
