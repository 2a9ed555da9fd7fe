"""The sandbox starts, keeps to this machine, enforces IAM, and goes away with whoever started it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox, running_sandbox
from emulator.settings import PROJECT, Settings, environment


def test_it_tells_where_it_is_and_how_fast_its_time_goes(sandbox: Sandbox) -> None:
    health = sandbox.admin("GET", "health")
    assert (health["url"], health["scale"]) == (sandbox.url, 0.01)


def test_an_unknown_admin_route_is_refused_with_the_known_ones(sandbox: Sandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.admin("GET", "helth")
    assert refused.value.code == 404
    assert b"GET /_sandbox/health" in refused.value.read()


def test_it_listens_on_one_loopback_address_only(sandbox: Sandbox) -> None:
    # A server listening on every interface would answer on this address too.
    assert not _answers("127.0.0.2", sandbox.port)


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


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
