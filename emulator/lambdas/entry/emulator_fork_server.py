"""A Python with every function's common imports, which forks itself into each requested Lambda process.

It is started by `emulator/lambdas/fork_server.py`, which sends it, over the socket on standard input, each process's
program, folder and environment, with its three pipes. Pages that nobody changes are shared by all. It ends with the emulator, and
its processes with it.

botocore's descriptions of AWS's services take most of a process's own memory: that of EC2 alone takes 16 MB and a third of a
second. So a process reports each one that it reads, and processes forked later inherit it, with the methods of its clients.

With the folder of an archive as its argument it does the same with imports: a process reports its imports, and processes
forked later have them already. That is for code that reads nothing at import, neither settings nor the clock.
"""

import array
import ctypes
import dataclasses
import gc
import importlib
import importlib.abc
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
import botocore.hooks
import botocore.loaders
import botocore.session

_PR_SET_PDEATHSIG = 1
_CAPACITY = 1 << 16
"""The capacity of a pipe, in bytes."""
_MOST_FILES = 256
"""The most files that are shared, in case a process reads all of botocore's descriptions."""
_ENTRY = "emulator_lambda_entry"
"""Not shared: importing it imports one function's handler."""
_DATA = botocore.loaders.Loader.BUILTIN_DATA_PATH
_KINDS = ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2")
"""The kinds of botocore's descriptions that clients look for."""


class Told:
    """Lines that processes write and this one reads before it forks again."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def tell(self, line: str) -> None:
        """Write a line, in one piece however many processes write; drop it if the pipe is full."""
        with suppress(BlockingIOError):
            os.write(self._write, f"{line}\n".encode())

    def take(self) -> list[str]:
        """The lines since the last call, each once."""
        try:
            said = os.read(self._read, _CAPACITY).decode()
        except BlockingIOError:
            return []
        return [line for line in dict.fromkeys(said.split("\n")) if line]


class SharedFiles:
    """botocore's own data files, read once for all processes: this process reads the reported files before it forks again."""

    def __init__(self) -> None:
        self._read = botocore.loaders.JSONFileLoader.load_file
        self._look = botocore.loaders.Loader.list_available_services
        self._known: dict[str, Any] = {}
        self._listed: dict[tuple[str, ...], Any] = {}
        self._methods: dict[tuple[str, str], dict[str, Any]] = {}
        self._told = Told()

    def install(self) -> None:
        """Have botocore look here first. Its data never change; files of other folders are read each time."""

        def list_available_services(loader: Any, type_name: str) -> Any:
            key = (type_name, *loader.search_paths)
            if key not in self._listed:
                self._listed[key] = self._look(loader, type_name)
            return self._listed[key]

        def load_file(loader: Any, path: str) -> Any:
            if not path.startswith(_DATA):
                return self._read(loader, path)
            if path not in self._known:
                found = self._read(loader, path)
                if len(self._known) >= _MOST_FILES:
                    return found
                self._known[path] = found
                self._told.tell(path)
            return self._known[path]

        botocore.loaders.JSONFileLoader.load_file = load_file
        botocore.loaders.Loader.list_available_services = list_available_services
        self._share_methods()
        _share_event_names()

    def _share_methods(self) -> None:
        make = botocore.client.ClientCreator._create_methods

        def create_methods(creator: Any, model: Any) -> dict[str, Any]:
            key = (model.service_name, model.api_version)
            if key not in self._methods:
                self._methods[key] = make(creator, model)
            return dict(self._methods[key])

        botocore.client.ClientCreator._create_methods = create_methods

    def take(self) -> bool:
        """Read the files that processes have reported since; return whether there were any."""
        new = [path for path in self._told.take() if path not in self._known][: _MOST_FILES - len(self._known)]
        for path in new:
            self._known[path] = self._read(botocore.loaders.JSONFileLoader(), path)
        for path in new:
            _, service, _, kind = path.rsplit(os.sep, 3)
            if kind == "service-2":
                _make_client(service)
        return bool(new)


class SharedImports(importlib.abc.MetaPathFinder):
    """Imports that processes report: this process repeats them before it forks again, and makes dataclasses in advance."""

    def __init__(self) -> None:
        self._told, self._made = Told(), set[str]()

    def install(self) -> None:
        """Report the imports of this process, and dataclasses that get their methods later: call it in a forked process."""
        make = vars(dataclasses)["_process_class"]

        def make_and_tell(shape: type, *options: Any, **named: Any) -> Any:
            self._told.tell(f"{shape.__module__}:{shape.__qualname__}")
            return make(shape, *options, **named)

        vars(dataclasses)["_process_class"] = make_and_tell
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname: str, _path: object, _target: object = None, /) -> None:
        """Report an import, and leave it to the next finder."""
        if fullname != _ENTRY:
            self._told.tell(fullname)

    def take(self, environment: dict[str, str]) -> bool:
        """Import the reported modules, as a process of this environment; return whether there were any."""
        new = [name for name in self._told.take() if name not in sys.modules and name not in self._made]
        before = dict(os.environ)
        os.environ.update(environment)
        for name in new:
            with suppress(Exception):  # The process that reported it did not find it either, or handled the error.
                module, _, shape = name.partition(":")
                found: Any = importlib.import_module(module)
                for part in shape.split(".") if shape else ():
                    found = getattr(found, part)
                    self._made.add(name)
                dataclasses.is_dataclass(found)  # Dataclasses of `deferred` get their methods at this call.
        os.environ.clear()
        os.environ.update(before)
        return bool(new)


def main() -> None:
    """Fork for each request until the socket closes, which it does when the emulator is gone."""
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    files, imports = SharedFiles(), SharedImports() if sys.argv[1:] else None
    files.install()
    sys.path[:0] = sys.argv[1:]
    _prepare()
    while True:
        request, pipes = _receive(control)
        if request is None:
            return
        new = files.take()
        if (imports and imports.take(request["environment"])) or new:
            gc.collect()
            gc.freeze()
        forker = os.getpid()
        if (child := _forked()) == 0:
            control.detach()
            if imports:
                imports.install()
            _become(request, pipes, forker)
        for pipe in pipes:
            os.close(pipe)
        control.sendall(struct.pack("!i", child))


def _forked() -> int:
    """The new process's id, 0 in it, -1 where the machine takes no more processes: those that are there go on."""
    try:
        return os.fork()
    except OSError:
        return -1


def _prepare() -> None:
    """Import the modules that all processes need."""
    # One object for all, whichever pipe is behind it there: modules keep it from their import. Standard output is the answers'
    # alone, as in ministack's own processes.
    sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
    # The first client imports, reads and compiles what all need. boto3 looks into one more folder than botocore.
    _make_client("sts")
    for loader in (botocore.loaders.create_loader(), boto3.session.Session()._loader):
        for kind in _KINDS:
            loader.list_available_services(kind)
    gc.collect()
    gc.freeze()


def _make_client(service: str) -> None:
    """Make a client, to fill the caches that all clients of its service share."""
    boto3.session.Session().client(service, region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-")


def _share_event_names() -> None:
    """Translate the old name of an event once: each session and each client would translate hundreds for itself."""
    begin, known = botocore.hooks.EventAliaser.__init__, dict[str, str]()

    def begin_knowing(aliaser: Any, *options: Any, **named: Any) -> None:
        begin(aliaser, *options, **named)
        if aliaser._event_aliases == botocore.hooks.EVENT_ALIASES:
            aliaser._alias_name_cache = known

    botocore.hooks.EventAliaser.__init__ = begin_knowing


def _receive(control: socket.socket) -> tuple[Any, list[int]]:
    size = array.array("i")
    head, ancillary, _, _ = control.recvmsg(4, socket.CMSG_SPACE(3 * size.itemsize))
    if len(head) < 4:
        return None, []
    for _level, _kind, data in ancillary:
        size.frombytes(data[: len(data) - len(data) % size.itemsize])
    body, length = b"", struct.unpack("!I", head)[0]
    while len(body) < length:
        if not (more := control.recv(length - len(body))):
            return None, []
        body += more
    return json.loads(body), list(size)


def _become(request: Any, pipes: list[int], forker: int) -> None:
    """Become the requested process; never return."""
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
