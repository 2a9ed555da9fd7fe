"""Lambda processes share what they import, few of them stay, and all of them end with the emulator.

Memory is what `emulator/core/memory.py` reads.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.core.memory import pss, tree
from emulator.core.settings import Settings
from emulator.lambdas.fork_server import MOST_IDLE
from emulator.lambdas.gate import MOST_AT_ONCE, Gate, in_turn
from emulator.process import Sandbox, running_sandbox
from tests.emulator.conftest import zipped
from tests.emulator.test_process import server_of, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
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


def test_who_waits_for_a_turn_gets_it_when_one_is_free_or_after_a_while() -> None:
    gate = Gate(1, longest=60)
    gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    gate.leave()
    waiting.join()
    nested = Gate(1, longest=0.01)
    nested.enter()
    nested.enter()


def test_nobody_overtakes_those_who_wait() -> None:
    gate, entered = Gate(1, longest=60), list[int]()

    def come(number: int) -> None:
        gate.enter()
        entered.append(number)
        gate.leave()

    gate.enter()
    crowd = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    for number, each in enumerate(crowd):
        each.start()
        until(lambda number=number: len(gate._waiting) > number)
    gate.leave()
    come(20)
    for each in crowd:
        each.join()
    assert entered == list(range(21))


def test_whoever_waited_too_long_takes_a_place_that_becomes_free_later() -> None:
    gate = Gate(1, longest=0.01)
    gate.enter()
    gate.enter()
    gate.leave()
    assert gate._free == 0
    gate.leave()
    assert gate._free == 1


def test_an_answer_of_api_gateway_does_not_wait_for_steps() -> None:
    over, begun = threading.Event(), threading.Event()

    def execute(_function: dict[str, object], event: dict[str, object], _request: str) -> str:
        if "requestContext" not in event:
            begun.set()
            assert over.wait(60)
        return "done"

    execute_in_turn = in_turn(execute, places=1)
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(execute_in_turn, {}, {"lab": "myeks"}, "1")
        assert begun.wait(60)
        assert execute_in_turn({}, {"requestContext": {}}, "2") == "done"
        assert not step.done()
        over.set()
        assert step.result() == "done"


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
    """Deploy and call functions of one archive; which process each is, which imported its part, and what it said."""
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
