"""The process that forks Lambda's: a failure affects one process, leaves nothing open, and is over with the next request."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.lambdas.code import unpacked
from emulator.lambdas.fork_server import PROGRAM, ForkedProcess, ForkServer
from tests.emulator.conftest import zipped
from tests.emulator.test_process import until
from tests.paths import PROJECT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux",
    reason="The fork server needs Linux's pidfd_open and PR_SET_PDEATHSIG; elsewhere ministack starts the processes itself.",
)
ECHO = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"


@pytest.fixture
def echo(tmp_path: Path) -> str:
    (tmp_path / "echo.py").write_text(ECHO)
    return str(tmp_path / "echo.py")


def started(server: ForkServer, program: str) -> ForkedProcess:
    process = server.start(program, "/", {"PATH": os.environ["PATH"]})
    process.stdin.write("hello\n")
    assert process.stdout.readline() == "HELLO\n"
    return process


def ended(process: ForkedProcess) -> None:
    process.kill()
    assert process.wait(60) == 1
    for each in (process.stdin, process.stdout, process.stderr):
        each.close()


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_one_that_has_ended_is_started_anew(echo: str) -> None:
    server = ForkServer()
    ended(started(server, echo))
    before = open_files()
    assert server._running
    os.kill(server._running[0].pid, signal.SIGKILL)
    ended(started(server, echo))
    assert open_files() == before
    server._forget()


def test_one_that_can_not_start_leaves_nothing_open(echo: str, tmp_path: Path) -> None:
    program = tmp_path / "server.py"
    program.write_text("raise SystemExit(1)")
    server, before = ForkServer(program=program), open_files()
    for _ in range(3):
        with pytest.raises(OSError, match=r"has ended|Broken pipe|reset"):
            server.start(echo, "/", {})
    assert open_files() == before
    program.write_text(PROGRAM.read_text())
    ended(started(server, echo))
    server._forget()


REFUSING = """
    import os, runpy
    fork, left = os.fork, [1, 1]
    def refuse():
        if left:
            left.pop()
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()
    os.fork = refuse
    runpy.run_path({program!r}, run_name="__main__")
"""


def test_a_machine_that_takes_no_more_processes_fails_one_start(echo: str, tmp_path: Path) -> None:
    program = tmp_path / "server.py"
    program.write_text(textwrap.dedent(REFUSING).format(program=str(PROGRAM)))
    server = ForkServer(program=program)
    for _ in range(2):
        with pytest.raises(BlockingIOError):
            server.start(echo, "/", {})
        assert server._running
    running = server._running
    ended(started(server, echo))
    assert server._running == running
    server._forget()


def test_several_threads_may_see_the_same_process_end(echo: str) -> None:
    server = ForkServer()
    for _ in range(20):
        process = started(server, echo)
        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(process.wait, 60) for _ in range(8)]
            process.kill()
            assert [each.result() for each in waiting] == [1] * 8
        ended(process)
    server._forget()


def test_a_process_that_has_ended_gives_its_handle_back(echo: str) -> None:
    server = ForkServer()
    ended(started(server, echo))
    before = open_files()
    ended(started(server, echo))
    until(lambda: open_files() == before)
    server._forget()


def test_an_archive_is_hashed_once() -> None:
    archive = zipped("x = 1")
    before = unpacked.cache_info()
    assert [unpacked(archive) for _ in range(80)] == [unpacked(archive)] * 80
    assert unpacked.cache_info().misses == before.misses + 1


STANDING_STILL = """
import sys, time
from emulator.lambdas.timeouts import PatientThread
thread = PatientThread(target=sys.stdin.read, daemon=True)
thread.start()
began = time.monotonic()
print("waiting", flush=True)
thread.join(timeout=3)
print(time.monotonic() - began, thread.is_alive(), flush=True)
"""


def test_a_machine_that_stands_still_takes_a_second_of_a_timeout() -> None:
    command = [sys.executable, "-c", STANDING_STILL]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
        seconds, alive = process.stdout.readline().split()
        process.stdin.close()
    assert alive == "True"
    assert float(seconds) > 5, "four of standstill, and two slices"
