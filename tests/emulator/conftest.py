"""One running emulator for all of its tests, and small resources deployed in it."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from emulator.process import Sandbox, running_sandbox

Json = Any


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def role(sandbox: Sandbox) -> Iterator[str]:
    """A Lambda and Step Functions role that may only invoke functions and read its identity."""
    iam = sandbox.client("iam")
    services = ["lambda.amazonaws.com", "states.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "sts:GetCallerIdentity"], "Resource": "*"}
    arn = iam.create_role(RoleName="small", AssumeRolePolicyDocument=json.dumps(_policy(trust)))["Role"]["Arn"]
    iam.put_role_policy(RoleName="small", PolicyName="small", PolicyDocument=json.dumps(_policy(allowed)))
    yield arn
    iam.delete_role_policy(RoleName="small", PolicyName="small")
    iam.delete_role(RoleName="small")


@pytest.fixture
def deploy_function(sandbox: Sandbox, role: str) -> Iterator[Callable[..., str]]:
    """Deploy Python source with a `handle(event, context)` under a name, beside other files; returns the function's ARN."""
    client = sandbox.client("lambda")
    deployed: list[str] = []

    def deploy(name: str, source: str, **others: str) -> str:
        deployed.append(name)
        return client.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=role,
            Handler="main.handle",
            Code={"ZipFile": zipped(source, others)},
            Timeout=10,
        )["FunctionArn"]

    yield deploy
    for name in deployed:
        client.delete_function(FunctionName=name)


@pytest.fixture
def deploy_into() -> Callable[[Sandbox, str, str], str]:
    """Deploy Python source into another emulator, which deletes it at its end."""

    def deploy(sandbox: Sandbox, name: str, source: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps(_policy(trust))
        role = sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        made: str = sandbox.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=role,
            Handler="main.handle",
            Code={"ZipFile": zipped(source)},
            Timeout=10,
        )["FunctionArn"]
        return made

    return deploy


@pytest.fixture
def run_machine(sandbox: Sandbox, role: str) -> Iterator[Callable[..., Json]]:
    """Run a state machine to its end; return DescribeExecution's answer, `output` parsed."""
    client = sandbox.client("stepfunctions")
    made: list[str] = []

    def run(definition: Json, given: Json = None) -> Json:
        name = f"machine-{len(made)}"
        arn = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
        made.append(arn)
        execution = client.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))["executionArn"]
        while (seen := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.02)
        return seen | ({"output": json.loads(seen["output"])} if "output" in seen else {})

    yield run
    for arn in made:
        client.delete_state_machine(stateMachineArn=arn)


def _policy(statement: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [statement]}


def zipped(source: str, others: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """An archive with `main.py` and others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", source)
        for name, text in others.items():
            archive.writestr(name, text)
    return buffer.getvalue()
