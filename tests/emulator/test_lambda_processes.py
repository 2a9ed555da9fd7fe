"""Lambda processes share their imports, few of them stay, and all of them end with the emulator.

Memory is read by `emulator/core/memory.py`.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.core.memory import pss, tree
from emulator.core.settings import Settings
from emulator.lambdas.fork_server import MOST_IDLE
from emulator.lambdas.gate import MOST_AT_ONCE
from emulator.process import Sandbox, running_sandbox
from tests.emulator.conftest import zipped
from tests.emulator.test_process import server_of, until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux",
    reason="The fork server needs Linux's pidfd_open and PR_SET_PDEATHSIG; elsewhere ministack starts the processes itself.",
)
WHO = """
import os, time, boto3
def handle(event, context):
    time.sleep(event.get("seconds", 0))
    who = boto3.client("sts").get_caller_identity()
    files = sorted(set(os.listdir(".")) - {"__pycache__"})
    return {"pid": os.getpid(), "env": os.environ.get("NAME"), "cwd": files, "who": who["UserId"]}
"""
READER = """
import os, time, boto3
def handle(event, context):
    boto3.client("ec2")
    time.sleep(event.get("seconds", 0))
    with open("/proc/self/smaps_rollup") as lines:
        return {"own": sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")), "pid": os.getpid()}
"""


def call(sandbox: Sandbox, name: str, **event: object) -> dict[str, object]:
    answer = sandbox.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    found: dict[str, object] = json.load(answer["Payload"])
    return found


def test_each_function_has_a_process_of_its_own_environment(
    sandbox: Sandbox, deploy_function: Callable[..., str]
) -> None:
    deploy_function("first", WHO)
    deploy_function("second", WHO)
    for name in ("first", "second"):
        sandbox.client("lambda").update_function_configuration(
            FunctionName=name, Environment={"Variables": {"NAME": name}}
        )
    first, second = call(sandbox, "first"), call(sandbox, "second")
    assert (first["env"], second["env"]) == ("first", "second")
    assert first["cwd"] == second["cwd"] == ["main.py"]
    assert first["pid"] != second["pid"]
    assert call(sandbox, "first")["pid"] == first["pid"], "it stays warm"


def test_its_session_says_the_role_s_unique_id(sandbox: Sandbox, deploy_function: Callable[..., str]) -> None:
    deploy_function("whose", WHO)
    role = sandbox.client("iam").get_role(RoleName="small")["Role"]["RoleId"]
    assert call(sandbox, "whose")["who"] == f"{role}:whose"


def test_thirty_at_once_take_turns_in_few_processes_that_share_memory(
    sandbox: Sandbox, deploy_function: Callable[..., str]
) -> None:
    deploy_function("crowd", WHO)
    sandbox.client("lambda").update_function_configuration(FunctionName="crowd", Timeout=60)
    server = server_of(sandbox.port)
    before, peak = pss(tree(server)), 0.0
    with ThreadPoolExecutor(30) as pool:
        running = [pool.submit(call, sandbox, "crowd", seconds=0.5) for _ in range(30)]
        while not all(each.done() for each in running):
            peak = max(peak, pss(tree(server)))
            time.sleep(0.2)
        pids = {each.result()["pid"] for each in running}
    assert 1 < len(pids) <= MOST_AT_ONCE
    assert (peak - before) / len(pids) < 25, "each would take 45 to 80 MB by itself"


def test_those_that_are_idle_longest_end(sandbox: Sandbox, deploy_function: Callable[..., str]) -> None:
    server, names = server_of(sandbox.port), [f"idle-{number}" for number in range(MOST_IDLE + 3)]
    for name in names:
        deploy_function(name, WHO)
    first = call(sandbox, names[0])
    for name in names[1:]:
        call(sandbox, name)
    until(lambda: not Path(f"/proc/{first['pid']}").exists())
    until(lambda: len(tree(server)) <= MOST_IDLE + 4)


def test_a_turn_is_waited_for_outside_of_a_function_s_own_timeout(
    sandbox: Sandbox, deploy_function: Callable[..., str]
) -> None:
    deploy_function("answering", "import time\ndef handle(event, context): time.sleep(1)")
    sandbox.client("lambda").update_function_configuration(FunctionName="answering", Timeout=4)
    began = time.monotonic()
    with ThreadPoolExecutor(5 * MOST_AT_ONCE) as pool:
        answers = list(pool.map(lambda _: call(sandbox, "answering", requestContext={}), range(5 * MOST_AT_ONCE)))
    assert time.monotonic() - began > 4
    assert answers == [None] * len(answers)


BRITTLE = """
import os, time
if os.path.exists({file!r}):
    raise ValueError("not today")
def handle(event, context):
    time.sleep(event.get("seconds", 0))
    return os.getpid()
"""


def test_a_process_that_does_not_start_ends_no_other(
    sandbox: Sandbox, deploy_function: Callable[..., str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    deploy_function("brittle", BRITTLE.format(file=str(broken)))
    pid = call(sandbox, "brittle")
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(call, sandbox, "brittle", seconds=3)
        time.sleep(1)
        broken.touch()
        refused = call(sandbox, "brittle")
        broken.unlink()
        assert refused == {"errorMessage": "Worker init failed: not today", "errorType": "RuntimeError"}
        assert working.result() == pid
    assert call(sandbox, "brittle") == pid


def test_what_one_has_read_of_aws_s_services_the_next_ones_share(
    sandbox: Sandbox, deploy_function: Callable[..., str]
) -> None:
    deploy_function("reader", READER)
    first = call(sandbox, "reader")
    with ThreadPoolExecutor(3) as pool:
        later = list(pool.map(lambda _: call(sandbox, "reader", seconds=1), range(3)))
    after_it = [int(str(each["own"])) for each in later if each["pid"] != first["pid"]]
    assert after_it
    assert max(after_it) < 0.75 * int(str(first["own"])), "EC2's description alone is 16 MB"


PART = """
import dataclasses, logging, os, sys
PID = os.getpid()
class Deferred:
    def __get__(self, _instance, owner):
        dataclasses.dataclass(owner)
        owner.maker = os.getpid()
        return vars(owner)["__dataclass_fields__"]
class Later:
    __dataclass_fields__ = Deferred()
log = logging.getLogger("part")
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel("INFO")
"""
PARTS = """
import dataclasses, os, part
def handle(event, context):
    part.log.info("said by %s", os.getpid())
    return {"pid": os.getpid(), "imported by": part.PID, "made by": dataclasses.fields(part.Later) or part.Later.maker}
"""


def parts(sandbox: Sandbox, *names: str) -> list[tuple[int, int, str]]:
    """Deploy and call functions of one archive; return the process of each, the importer of its part, and its answer."""
    lambdas, iam = sandbox.client("lambda"), sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="parts", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    archive, found = zipped(PARTS, {"part.py": PART}), []
    for name in names:
        lambdas.create_function(
            FunctionName=name, Runtime="python3.11", Role=role, Handler="main.handle", Code={"ZipFile": archive}
        )
        answer = lambdas.invoke(FunctionName=name, LogType="Tail")
        said = json.load(answer["Payload"])
        assert said["made by"] == said["imported by"]
        found.append((said["pid"], said["imported by"], base64.b64decode(answer["LogResult"]).decode()))
        lambdas.delete_function(FunctionName=name)
    iam.delete_role(RoleName="parts")
    return found


def test_each_process_imports_what_it_uses(sandbox: Sandbox) -> None:
    assert all(pid == importer for pid, importer, _ in parts(sandbox, "alone", "alone-too"))


def test_functions_of_an_archive_share_their_imports_if_that_is_wanted() -> None:
    with running_sandbox(Settings(shared_imports=True)) as sandbox:
        first, second, third = parts(sandbox, "one", "two", "three")
    assert first[0] == first[1]
    assert second[1] == third[1] not in (first[0], second[0], third[0]), "it was imported before they were forked"
    assert all(f"said by {pid}" in lines for pid, _, lines in (first, second, third)), "a line is of whoever says it"
    assert not any("emulator:" in lines for _, _, lines in (first, second, third))


def test_a_function_may_bring_a_botocore_of_its_own(sandbox: Sandbox, deploy_function: Callable[..., str]) -> None:
    source = "import botocore\ndef handle(event, context): return {'version': botocore.__version__}"
    deploy_function("modern", source, **{"botocore/__init__.py": "__version__ = 'its own'"})
    assert call(sandbox, "modern") == {"version": "its own"}


def test_a_broken_configuration_of_the_caller_s_own_gets_into_no_function(
    deploy_into: Callable[[Sandbox, str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default\nregion = nowhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)  # For this process's own clients alone.
    source = "import boto3\ndef handle(event, context): return {'region': boto3.session.Session().region_name}"
    with running_sandbox() as sandbox:
        deploy_into(sandbox, "own", source)
        assert call(sandbox, "own") == {"region": sandbox.region}


def test_they_end_with_the_server_even_if_it_is_killed(deploy_into: Callable[[Sandbox, str, str], str]) -> None:
    with running_sandbox() as sandbox:
        deploy_into(sandbox, "orphan", WHO)
        pid = int(str(call(sandbox, "orphan")["pid"]))
        os.kill(server_of(sandbox.port), signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), 5)
