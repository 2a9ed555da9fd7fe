"""The sandbox starts, listens on this machine only, enforces IAM, and ends with its parent process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from emulator.core.settings import Settings, environment
from emulator.process import Sandbox, running_sandbox
from tests.paths import PROJECT


def test_it_tells_where_it_is_and_how_fast_its_time_goes(sandbox: Sandbox) -> None:
    health = sandbox.admin("GET", "health")
    assert (health["url"], health["scale"]) == (sandbox.url, 0.01)


def test_an_unknown_admin_route_is_refused_with_the_known_ones(sandbox: Sandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.admin("GET", "helth")
    assert refused.value.code == 404
    assert b"GET /_emulator/health" in refused.value.read()


def test_it_listens_on_one_loopback_address_only(sandbox: Sandbox) -> None:
    # A server listening on every interface would answer on this address too.
    assert not _answers("127.0.0.2", sandbox.port)


def test_it_opens_one_port_for_aws_and_one_for_kubernetes_and_both_on_loopback(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "emulator", "serve", "--port=0", f"--ready-file={ready}", "--end-with-parent"]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE) as server:
        assert server.stdin
        until(lambda: ready.exists() and ready.read_text() and _answers("127.0.0.1", _port(ready.read_text())))
        urllib.request.urlopen(f"{ready.read_text()}/_emulator/health").close()
        addresses = listening(server.pid)
        server.stdin.close()
    assert {address for address, _ in addresses} == {"127.0.0.1"}
    assert len(addresses) == 2


def test_a_taken_port_gives_way_to_the_next_free_one_in_one_line(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "emulator", "serve", f"--port={port}", f"--ready-file={ready}"]
        command.append("--end-with-parent")
        with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
            assert server.stdin
            assert server.stderr
            line = server.stderr.readline()
            until(lambda: ready.exists() and ready.read_text())
            server.stdin.close()
            rest = server.stderr.read()
    chosen = _port(ready.read_text())
    assert port < chosen < port + 100
    assert (line, rest) == (f"port {port} is taken, listening on {chosen}\n", "")


def test_whoever_holds_it_hears_that_its_server_died() -> None:
    heard: list[str] = []
    with running_sandbox(died=heard.append) as sandbox:
        os.kill(server_of(sandbox.port), signal.SIGKILL)
        until(lambda: heard)
    assert heard == ["it printed nothing"]


def test_an_ordinary_end_is_no_death() -> None:
    heard: list[str] = []
    with running_sandbox(died=heard.append):
        pass
    assert heard == []


def test_a_user_without_permission_is_denied_and_named(sandbox: Sandbox) -> None:
    sandbox.client("iam").create_user(UserName="nobody-special")
    stranger = sandbox.client("dynamodb", credentials=sandbox.credentials_for("nobody-special"))
    with pytest.raises(ClientError) as denied:
        stranger.list_tables()
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert ":user/nobody-special" in denied.value.response["Error"]["Message"]


def test_nothing_of_the_callers_own_aws_settings_gets_in() -> None:
    host = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_PROFILE": "work", "PYTHONPATH": "/home", "PATH": "/bin"}
    inside = environment(Settings(), host)
    assert not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} & set(inside)
    assert inside["PATH"] == "/bin"


def test_two_sandboxes_do_not_see_each_other(sandbox: Sandbox) -> None:
    sandbox.client("sns").create_topic(Name="here")
    with running_sandbox() as other:
        assert other.port != sandbox.port
        assert other.client("sns").list_topics()["Topics"] == []


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, time\n"
        "from emulator.process import running_sandbox\n"
        "with running_sandbox() as sandbox:\n"
        "    print(sandbox.port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    port = int(parent.stdout.readline())
    os.kill(parent.pid, 9)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _answers("127.0.0.1", port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _answers("127.0.0.1", port)


def until(look: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listening(pid: int) -> list[tuple[str, int]]:
    """The addresses and ports on which a process listens, as Linux lists them."""
    own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = []
    for table, length in (("tcp", 8), ("tcp6", 32)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in own:
                address, _, port = local.partition(":")
                packed = bytes.fromhex(address[:8])[::-1] if length == 8 else bytes.fromhex(address)
                family = socket.AF_INET if length == 8 else socket.AF_INET6
                found.append((socket.inet_ntop(family, packed), int(port, 16)))
    return found


def server_of(port: int) -> int:
    """The process that listens on this port of the loopback and is a child of this one."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return next(int(child) for child in children if ("127.0.0.1", port) in listening(int(child)))


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
