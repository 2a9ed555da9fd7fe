"""Chalice's packaged template deploys to the sandbox unchanged: functions, API, state machines."""

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from deployment.packaging import NotPackaged, Package, package
from deployment.stacks import NotDeployed
from emulator.process import Sandbox
from sandbox.deploy import api_url, deploy, without_compiled_packages

APP = """
from chalice import Chalice, IAMAuthorizer
app = Chalice(app_name="small")
@app.route("/hello", authorizer=IAMAuthorizer())
def hello(): return {"hello": "there"}
@app.lambda_function(name="do_it")
def do_it(event, context): return {"done": event}
"""
CONFIG = {"version": "2.0", "app_name": "small", "stages": {"dev": {"autogen_policy": False}}}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
MACHINE = {"StartAt": "DoIt", "States": {"DoIt": {"Type": "Task", "Resource": "${DoIt}", "End": True}}}
RESOURCES = {
    "Parameters": {"Greeting": {"Type": "String", "Default": "hello"}},
    "Resources": {
        "MachineRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": {"Ref": "Greeting"},
                "Policies": [
                    {
                        "PolicyName": "invoke",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "lambda:InvokeFunction",
                                    "Resource": {"Fn::GetAtt": ["DoIt", "Arn"]},
                                }
                            ],
                        },
                    }
                ],
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "states.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionS3Location": "../statemachine/small.asl.json",
                "DefinitionSubstitutions": {"DoIt": {"Fn::GetAtt": ["DoIt", "Arn"]}},
                "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
            },
        },
    },
    "Outputs": {"MachineArn": {"Value": {"Ref": "Machine"}}, "Greeting": {"Value": {"Ref": "Greeting"}}},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    files: Mapping[str, str] = {
        "app.py": APP,
        "requirements.txt": "",
        ".chalice/config.json": json.dumps(CONFIG),
        ".chalice/policy-dev.json": json.dumps(POLICY),
        ".chalice/resources.json": json.dumps(RESOURCES),
        "statemachine/small.asl.json": json.dumps(MACHINE),
    }
    for name, content in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(content)
    return project


@pytest.fixture(scope="module")
def packaged(project: Path) -> Package:
    return package(project)


@pytest.fixture(scope="module")
def outputs(sandbox: Sandbox, packaged: Package) -> dict[str, str]:
    return deploy(sandbox.client, packaged, "small", {"Greeting": "good evening"})


def test_a_package_names_its_local_files_relative_to_the_template(packaged: Package) -> None:
    assert set(packaged.files) == {"./deployment.zip", "../statemachine/small.asl.json"}


def test_an_unchanged_project_is_packaged_at_once(project: Path, packaged: Package) -> None:
    started = time.monotonic()
    assert package(project) == packaged
    assert time.monotonic() - started < 0.2


def test_a_changed_source_is_packaged_anew(project: Path, packaged: Package) -> None:
    (project / "chalicelib").mkdir()
    (project / "chalicelib" / "new.py").write_text("x = 1")
    with zipfile.ZipFile(io.BytesIO(package(project).files["./deployment.zip"])) as archive:
        assert "chalicelib/new.py" in archive.namelist()


def test_a_broken_application_is_told_as_chalice_tells_it(tmp_path: Path) -> None:
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "app.py").write_text("import nowhere")
    with pytest.raises(NotPackaged, match="No module named 'nowhere'"):
        package(tmp_path)


def test_parameters_and_outputs_pass_through(outputs: dict[str, str]) -> None:
    assert outputs["Greeting"] == "good evening"


def test_a_state_machine_runs_the_deployed_function(sandbox: Sandbox, outputs: dict[str, str]) -> None:
    client = sandbox.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=outputs["MachineArn"], input='{"a": 1}')["executionArn"]
    while (seen := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.01)
    assert json.loads(seen["output"]) == {"done": {"a": 1}}


def test_the_api_refuses_an_unsigned_request(sandbox: Sandbox, outputs: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(api_url(sandbox.url, outputs) + "/hello")
    assert refused.value.code == 403


def test_deploying_again_updates_and_without_changes_does_nothing(
    sandbox: Sandbox, packaged: Package, outputs: dict[str, str]
) -> None:
    assert deploy(sandbox.client, packaged, "small", {"Greeting": "good evening"}) == outputs
    assert deploy(sandbox.client, packaged, "small", {"Greeting": "good night"})["Greeting"] == "good night"


def test_a_resource_that_fails_is_named_with_its_reason(sandbox: Sandbox) -> None:
    location = {"Bucket": "broken-artifacts", "Key": "not-there.asl.json"}
    machine = {"DefinitionS3Location": location, "RoleArn": f"arn:aws:iam::{sandbox.account}:role/small"}
    broken = {"Resources": {"Odd": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}}
    with pytest.raises(NotDeployed, match=r"Odd .*not-there"):
        deploy(sandbox.client, Package(broken, {}), "broken")


def test_a_resource_type_the_emulator_lacks_is_refused_rather_than_pretended(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::Odd::Thing\]"):
        deploy(sandbox.client, Package({"Resources": {"Odd": {"Type": "AWS::Odd::Thing"}}}, {}), "odd")


def test_compiled_packages_can_be_left_to_this_machine() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name in ("app.py", "pure/__init__.py", "fast/__init__.py", "fast/core.cpython-311-x86_64-linux-gnu.so"):
            target.writestr(name, "")
    with zipfile.ZipFile(io.BytesIO(without_compiled_packages(archive.getvalue()))) as left:
        assert left.namelist() == ["app.py", "pure/__init__.py"]
