"""Deploying shows changes before it makes them, keeps existing data, and never deletes resources that still cost money."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, MissingDependencyException

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.labs.lab import Phase
from deployment.__main__ import parameters, stack_name, told
from deployment.deploy import Consent, Refused, deploy
from deployment.destroy import StillInUse, destroy
from deployment.packaging import PROJECT, Package
from deployment.refusals import is_lost
from deployment.stacks import Change, NotDeployed, Pace, find_stack, protect, wait_for_names
from emulator.process import Sandbox
from tests.fakes.builders import NOW, a_lab

ELSEWHERE = "eu-west-1"
QUICK = Pace(patience=60, interval=0.05)
TABLE = json.loads((PROJECT / ".chalice/template.json").read_text())["Resources"]["LabsTable"]
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": "${Said} ${Other}"}}}
SMALL = Package(
    {
        "Parameters": {"Said": {"Type": "String", "Default": "nothing"}, "Other": {"Type": "String", "Default": "x"}},
        "Resources": {"LabsTable": TABLE, "Topic": TOPIC},
        "Outputs": {
            "Table": {"Value": {"Ref": "LabsTable"}},
            "Said": {"Value": {"Ref": "Said"}},
            "Other": {"Value": {"Ref": "Other"}},
        },
    },
    {},
)


@pytest.fixture
def stack(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[str]:
    """A stack name of the test's own; its resources are deleted afterwards."""
    name = f"small-{abs(hash(request.node.name)) % 10**6}"
    yield name
    for region in (sandbox.region, ELSEWHERE):
        cloudformation = sandbox.client("cloudformation", region=region)
        with suppress(ClientError):
            protect(cloudformation, name, against_deletion=False)
        cloudformation.delete_stack(StackName=name)


def deployed(sandbox: Sandbox, stack: str, **given: str) -> dict[str, str]:
    return deploy(sandbox.client, SMALL, stack, given, pace=QUICK)


def put_lab(sandbox: Sandbox, table: str, phase: Phase, lab_id: str = "lab-1") -> DynamoStore:
    store = DynamoStore(sandbox.client("dynamodb"), table)
    lab = store.create_lab(replace(a_lab(), id=lab_id), None, "digest", NOW)
    store.change_lab(lab.id, lambda there: replace(there, phase=phase))
    return store


def test_what_would_change_is_shown_and_a_no_leaves_everything_as_it_is(sandbox: Sandbox, stack: str) -> None:
    shown: list[str] = []

    def no(changes: Sequence[Change]) -> bool:
        shown.extend(map(str, changes))
        return False

    with pytest.raises(Refused):
        deploy(sandbox.client, SMALL, stack, consent=Consent(no), pace=QUICK)
    assert shown == ["Add     LabsTable (AWS::DynamoDB::Table)", "Add     Topic (AWS::SNS::Topic)"]
    assert find_stack(sandbox.client("cloudformation"), stack) is None

    assert deployed(sandbox, stack)["Said"] == "nothing"
    shown.clear()
    with pytest.raises(Refused):
        deploy(sandbox.client, SMALL, stack, {"Said": "more"}, consent=Consent(no), pace=QUICK)
    assert shown == ["Modify  Topic (AWS::SNS::Topic)"]
    assert deployed(sandbox, stack)["Said"] == "nothing"


def test_parameters_that_are_not_given_keep_their_values(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack, Said="once")
    outputs = deployed(sandbox, stack, Other="y")
    assert (outputs["Said"], outputs["Other"]) == ("once", "y")


def test_a_parameter_that_the_next_release_lacks_does_not_stop_it(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack, Said="once", Other="y")
    later = json.loads(json.dumps(SMALL.template))
    del later["Parameters"]["Other"], later["Outputs"]["Other"]
    outputs = deploy(sandbox.client, Package(later, {}), stack, pace=QUICK)
    assert outputs["Said"] == "once"


def test_an_update_keeps_what_is_in_the_table(sandbox: Sandbox, stack: str) -> None:
    table = deployed(sandbox, stack)["Table"]
    store = put_lab(sandbox, table, Phase.READY)
    assert deployed(sandbox, stack, Said="more")["Table"] == table
    assert store.load_lab("lab-1").phase is Phase.READY


def without_the_table() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(json.dumps(SMALL.template))
    del template["Resources"]["LabsTable"], template["Outputs"]["Table"]
    return template


def with_another_key() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(json.dumps(SMALL.template))
    template["Resources"]["LabsTable"]["Properties"]["KeySchema"][1]["AttributeName"] = "created"
    return template


def under_another_name() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(json.dumps(SMALL.template).replace("LabsTable", "Labs"))
    return template


@pytest.mark.parametrize("later", [without_the_table(), with_another_key(), under_another_name()])
def test_a_release_that_would_begin_with_an_empty_table_is_refused_whoever_agrees(
    sandbox: Sandbox, stack: str, later: dict[str, Any]
) -> None:
    table = deployed(sandbox, stack)["Table"]
    store = put_lab(sandbox, table, Phase.READY)
    with pytest.raises(
        NotDeployed, match=r"begin anew.*\n\w+ +LabsTable \(AWS::DynamoDB::Table\).*\n.*LOSE=\"LabsTable\""
    ):
        deploy(sandbox.client, Package(later, {}), stack, pace=QUICK)
    assert deployed(sandbox, stack)["Table"] == table
    assert store.load_lab("lab-1").phase is Phase.READY
    left = sandbox.client("cloudformation").list_change_sets(StackName=stack)["Summaries"]
    assert [change_set for change_set in left if change_set["ExecutionStatus"] == "AVAILABLE"] == []


def test_whoever_names_the_table_may_lose_it(sandbox: Sandbox, stack: str) -> None:
    table = deployed(sandbox, stack)["Table"]
    outputs = deploy(
        sandbox.client, Package(without_the_table(), {}), stack, pace=QUICK, consent=Consent(lose=["LabsTable"])
    )
    assert "Table" not in outputs
    assert sandbox.client("dynamodb").describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"]


@pytest.mark.parametrize(
    ("action", "kind", "replacement", "lost"),
    [
        ("Remove", "AWS::DynamoDB::Table", "", True),
        ("Modify", "AWS::DynamoDB::Table", "True", True),
        ("Modify", "AWS::DynamoDB::Table", "Conditional", True),
        ("Modify", "AWS::SecretsManager::Secret", "True", True),
        ("Dynamic", "AWS::SecretsManager::Secret", "", True),
        ("Modify", "AWS::DynamoDB::Table", "False", False),
        ("Add", "AWS::DynamoDB::Table", "", False),
        ("Import", "AWS::DynamoDB::Table", "", False),
        ("Remove", "AWS::SNS::Topic", "", False),
    ],
)
def test_what_counts_as_lost(action: str, kind: str, replacement: str, lost: bool) -> None:
    assert is_lost(Change(action, "It", kind, replacement)) is lost


def test_a_new_index_is_no_loss_though_cloudformation_does_not_say_so() -> None:
    added = Change("Modify", "It", "AWS::DynamoDB::Table", "Conditional", frozenset({"AttributeDefinitions"}))
    assert not is_lost(added)
    assert is_lost(replace(added, causes=frozenset({"AttributeDefinitions", "KeySchema"})))
    assert is_lost(replace(added, replacement="True"))


def test_what_can_t_be_made_again_is_of_the_kinds_that_are_kept(packaged: Package) -> None:
    kept = [
        name for name, said in packaged.template["Resources"].items() if is_lost(Change("Remove", name, said["Type"]))
    ]
    assert sorted(kept) == ["KeepLinkSecret", "LabsTable", "LoginPool"]


def test_only_destroying_deletes_the_stack(sandbox: Sandbox, stack: str) -> None:
    table = deployed(sandbox, stack)["Table"]
    cloudformation = sandbox.client("cloudformation")
    with pytest.raises(ClientError, match="TerminationProtection"):
        cloudformation.delete_stack(StackName=stack)
    put_lab(sandbox, table, Phase.READY)
    with pytest.raises(StillInUse):
        destroy(sandbox.client, stack, pace=QUICK)
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["EnableTerminationProtection"]


def test_a_stack_that_was_not_protected_is_so_after_the_next_deployment(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack)
    cloudformation = sandbox.client("cloudformation")
    protect(cloudformation, stack, against_deletion=False)
    deployed(sandbox, stack)
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["EnableTerminationProtection"]


def test_a_stack_that_could_not_be_deleted_is_protected_again(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack)

    class Failing:
        def __init__(self, cloudformation: Any) -> None:
            self.cloudformation = cloudformation

        def delete_stack(self, **asked: Any) -> Any:
            raise NotDeployed("not today")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.cloudformation, name)

    def client(service: str) -> Any:
        return Failing(sandbox.client(service)) if service == "cloudformation" else sandbox.client(service)

    with pytest.raises(NotDeployed, match="not today"):
        destroy(client, stack, pace=QUICK)
    there = find_stack(sandbox.client("cloudformation"), stack) or {}
    assert there["EnableTerminationProtection"]


def test_a_stage_is_in_one_region_of_an_account(sandbox: Sandbox, packaged: Package, stack: str) -> None:
    """Labs are known by the stack's name, in any region."""
    deploy(sandbox.client, packaged, stack, pace=QUICK)

    def client(service: str) -> Any:
        return sandbox.client(service, region=ELSEWHERE)

    with pytest.raises(NotDeployed, match=f"{stack} is in another region of account {sandbox.account} already"):
        deploy(client, packaged, stack, pace=QUICK)
    assert find_stack(client("cloudformation"), stack) is None


def test_the_table_is_not_deleted_by_a_slip(sandbox: Sandbox, stack: str) -> None:
    with pytest.raises(ClientError, match="protect"):
        sandbox.client("dynamodb").delete_table(TableName=deployed(sandbox, stack)["Table"])


def test_the_table_outlives_its_stack_and_can_be_brought_back_to_any_minute() -> None:
    """Read from the template: the emulator's CloudFormation does not pass these two on."""
    assert (TABLE["DeletionPolicy"], TABLE["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert TABLE["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert TABLE["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_nothing_is_destroyed_while_a_lab_lives(sandbox: Sandbox, stack: str) -> None:
    table = deployed(sandbox, stack)["Table"]
    put_lab(sandbox, table, Phase.DELETED, "lab-1")
    put_lab(sandbox, table, Phase.BLOCKED, "lab-2")
    with pytest.raises(StillInUse, match=r"1 alive\.\nlab-2 \(blocked\)"):
        destroy(sandbox.client, stack, pace=QUICK)
    assert find_stack(sandbox.client("cloudformation"), stack) is not None


def test_a_stack_without_labs_goes_and_its_table_stays(sandbox: Sandbox, stack: str) -> None:
    outputs = deployed(sandbox, stack)
    store = put_lab(sandbox, outputs["Table"], Phase.DELETED)
    asked: list[str] = []
    with pytest.raises(Refused):
        destroy(sandbox.client, stack, lambda said: bool(asked.append(said)), QUICK)
    assert find_stack(sandbox.client("cloudformation"), stack) is not None
    assert outputs["Table"] in asked[0]

    message = " ".join(destroy(sandbox.client, stack, pace=QUICK))
    assert find_stack(sandbox.client("cloudformation"), stack) is None
    assert outputs["Table"] in message
    assert store.load_lab("lab-1").phase is Phase.DELETED


def test_a_lab_that_the_list_does_not_show_yet_keeps_the_stack(sandbox: Sandbox, stack: str) -> None:
    put_lab(sandbox, deployed(sandbox, stack)["Table"], Phase.REQUESTED)

    def client(service: str) -> Any:
        return Lagging(sandbox.client(service)) if service == "dynamodb" else sandbox.client(service)

    with pytest.raises(StillInUse, match=r"1 alive\. They are not listed yet"):
        destroy(client, stack, pace=QUICK)
    assert find_stack(sandbox.client("cloudformation"), stack) is not None


@dataclass(frozen=True)
class Lagging:
    """DynamoDB whose indexes are still empty."""

    dynamodb: Any

    def query(self, **asked: Any) -> Any:
        answer = self.dynamodb.query(**asked)
        return {**answer, "Items": [], "Count": 0} if "IndexName" in asked else answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dynamodb, name)


def test_a_lab_asked_for_while_the_question_was_open_keeps_the_stack_and_the_api_goes_on(
    sandbox: Sandbox, packaged: Package, stack: str
) -> None:
    outputs = deploy(sandbox.client, packaged, stack, pace=QUICK)

    def ask(_said: str) -> bool:
        put_lab(sandbox, outputs["LabsTableName"], Phase.REQUESTED)
        return True

    with pytest.raises(StillInUse, match=r"1 alive\.\nlab-1 \(requested\)"):
        destroy(sandbox.client, stack, ask, QUICK)
    assert find_stack(sandbox.client("cloudformation"), stack) is not None
    found = sandbox.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="APIHandler")
    handler = found["StackResourceDetail"]["PhysicalResourceId"]
    assert "ReservedConcurrentExecutions" not in sandbox.client("lambda").get_function_concurrency(FunctionName=handler)


def test_no_request_is_taken_while_the_stack_goes(sandbox: Sandbox, packaged: Package, stack: str) -> None:
    """CloudFormation's obstacle at the deletion: an API whose handler may not run."""
    deploy(sandbox.client, packaged, stack, pace=QUICK)
    seen: list[int] = []

    class Watched:
        def __init__(self, cloudformation: Any) -> None:
            self.cloudformation = cloudformation

        def delete_stack(self, **asked: Any) -> Any:
            found = self.cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="APIHandler")
            handler = found["StackResourceDetail"]["PhysicalResourceId"]
            may = sandbox.client("lambda").get_function_concurrency(FunctionName=handler)
            seen.append(may["ReservedConcurrentExecutions"])
            return self.cloudformation.delete_stack(**asked)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.cloudformation, name)

    def client(service: str) -> Any:
        return Watched(sandbox.client(service)) if service == "cloudformation" else sandbox.client(service)

    destroy(client, stack, pace=QUICK)
    assert seen == [0]


def test_whoever_may_not_look_at_the_table_destroys_nothing(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack)
    iam = sandbox.client("iam")
    iam.create_user(UserName=stack)
    may = {"Effect": "Allow", "Action": ["cloudformation:*", "sns:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName=stack, PolicyName="half", PolicyDocument=document)
    half = sandbox.credentials_for(stack)

    def client(service: str) -> Any:
        return sandbox.client(service, credentials=half)

    with pytest.raises(ClientError, match="dynamodb:DescribeTable"):
        destroy(client, stack, pace=QUICK)
    assert find_stack(sandbox.client("cloudformation"), stack) is not None


def test_a_stack_that_is_not_there_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(NotDeployed, match="there is no stack nowhere"):
        destroy(sandbox.client, "nowhere", pace=QUICK)


def test_a_stack_that_never_came_up_can_be_destroyed_and_deployed_again(sandbox: Sandbox, stack: str) -> None:
    broken = json.loads(json.dumps(SMALL.template))
    broken["Resources"]["Topic"]["Properties"]["Subscription"] = [{"Protocol": "odd", "Endpoint": "x"}]
    machine = {"DefinitionS3Location": {"Bucket": "none", "Key": "none"}, "RoleArn": "arn:aws:iam::1:role/none"}
    broken["Resources"]["Machine"] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}
    for expected in ("Machine", "never came up"):
        with pytest.raises(NotDeployed, match=expected):
            deploy(sandbox.client, Package(broken, {}), stack, pace=QUICK)
    destroy(sandbox.client, stack, pace=QUICK)
    assert deployed(sandbox, stack)["Said"] == "nothing"


def test_a_deploy_right_after_a_destroy_waits_until_step_functions_gives_its_names_back(
    sandbox: Sandbox, stack: str
) -> None:
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"StateMachineName": {"Fn::Sub": "${AWS::StackName}-make"}},
    }
    looks = ["DELETING", "DELETING", "gone"]
    asked: list[str] = []

    class Deleting:
        meta = sandbox.client("stepfunctions").meta

        def describe_state_machine(self, **given: str) -> dict[str, str]:
            asked.append(given["stateMachineArn"])
            if (status := looks.pop(0)) == "gone":
                raise ClientError({"Error": {"Code": "StateMachineDoesNotExist"}}, "DescribeStateMachine")
            return {"status": status}

    def client(service: str) -> Any:
        return Deleting() if service == "stepfunctions" else sandbox.client(service)

    wait_for_names(client, {"Resources": {"Make": machine}}, stack, QUICK)
    assert looks == []
    assert set(asked) == {f"arn:aws:states:{sandbox.region}:{sandbox.account}:stateMachine:{stack}-make"}
    looks += ["DELETING"] * 50
    with pytest.raises(NotDeployed, match=f"still being deleted: {stack}-make"):
        wait_for_names(client, {"Resources": {"Make": machine}}, stack, Pace(patience=0.2, interval=0.05))


def test_destroyed_and_deployed_at_once_it_is_there_again(sandbox: Sandbox, stack: str) -> None:
    deployed(sandbox, stack)
    destroy(sandbox.client, stack, pace=QUICK)
    assert deployed(sandbox, stack)["Said"] == "nothing"


def test_the_template_is_within_cloudformation_s_limits_with_room_for_what_sam_adds(packaged: Package) -> None:
    assert len(packaged.template["Resources"]) <= 400, "of 500 a stack may have"
    assert len(json.dumps(packaged.template, indent=1)) <= 700_000, "of 1,000,000 bytes a template in a bucket may have"


def test_parameters_are_words_or_a_file(tmp_path: Path) -> None:
    assert parameters("") == {}
    assert parameters("A=1 B='x y=z,w'") == {"A": "1", "B": "x y=z,w"}
    (tmp_path / "prod.json").write_text('{"A": "1", "MaxNodes": 4}')
    assert parameters(str(tmp_path / "prod.json")) == {"A": "1", "MaxNodes": "4"}
    with pytest.raises(NotDeployed, match="Name=value: B"):
        parameters("A=1 B")
    with pytest.raises(NotDeployed, match="holds no parameters"):
        parameters(str(tmp_path / "nowhere.json"))
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(NotDeployed, match="holds no parameters"):
        parameters(str(tmp_path / "list.json"))


@pytest.mark.parametrize("stage", ["", "lab", "labs", "Prod", "muchtoolong", "1st", "a_b"])
def test_a_stage_whose_names_would_not_fit_or_would_be_taken_for_a_lab_s_is_refused(stage: str) -> None:
    with pytest.raises(NotDeployed, match="is no stage"):
        stack_name(stage)
    assert len(stack_name("stagenine")) == 16


def test_no_stage_s_names_begin_as_another_s_do() -> None:
    """Rights name functions, machines and rules by `<stack>-*`."""
    for stage in ("prod-b", "prod-", "a-b"):
        with pytest.raises(NotDeployed, match="is no stage"):
            stack_name(stage)


def test_the_commands_of_the_makefile_do_it(sandbox: Sandbox, packaged: Package) -> None:
    """A person's command, unchanged; only the endpoint is the sandbox's."""
    root = sandbox.root
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
    }

    def make(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        # The environment of the tests is the installed one.
        bound = ["make", f"BIN={Path(sys.executable).parent}", "-o", ".venv/.installed"]
        return subprocess.run(
            [*bound, *words], cwd=PROJECT, env=environment, input=typed, capture_output=True, text=True, timeout=120
        )

    where = ["STAGE=prod", f"REGION={sandbox.region}"]
    no = make("deploy", *where, typed="no\n")
    assert no.returncode
    assert "Add     LabsTable (AWS::DynamoDB::Table)" in no.stdout
    assert "Nothing was changed." in no.stderr

    done = make("deploy", *where, "PARAMETERS=MaxNodes=4 Administrators='arn:aws:sts::*:assumed-role/Team/*'", "YES=1")
    assert done.returncode == 0, done.stderr
    assert "EndpointURL" in done.stdout
    stack = find_stack(sandbox.client("cloudformation"), "ekslab-prod") or {}
    assert {"ParameterKey": "MaxNodes", "ParameterValue": "4"} in stack["Parameters"]
    assert _links_of(sandbox, "ekslab-prod-CurfewWarn").startswith("https://")

    again = make("deploy", *where, "LOSE=LabsTable KeepLinkSecret", "YES=1")
    assert again.returncode == 0, again.stderr

    gone = make("destroy", *where, typed="yes\n")
    assert gone.returncode == 0, gone.stderr
    assert "ekslab-prod is gone." in gone.stdout
    assert find_stack(sandbox.client("cloudformation"), "ekslab-prod") is None


def test_links_in_mails_lead_to_where_the_service_is(sandbox: Sandbox, packaged: Package, stack: str) -> None:
    deploy(sandbox.client, packaged, stack, {"ApiUrl": "https://labs.example.com"}, pace=QUICK)
    assert _links_of(sandbox, f"{stack}-CurfewWarn") == "https://labs.example.com"
    outputs = deploy(sandbox.client, packaged, stack, {"ApiUrl": ""}, pace=QUICK)
    assert _links_of(sandbox, f"{stack}-CurfewWarn") + "/" == outputs["EndpointURL"]


def test_whoever_wants_it_keeps_executions_for_the_api_and_the_schedules(
    sandbox: Sandbox, packaged: Package, stack: str
) -> None:
    def kept() -> dict[str, int]:
        functions, found = sandbox.client("lambda"), sandbox.client("cloudformation")
        pages = found.get_paginator("list_stack_resources").paginate(StackName=stack)
        names = {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == "AWS::Lambda::Function"
        }
        said = {name: functions.get_function_concurrency(FunctionName=there) for name, there in names.items()}
        return {
            name: each["ReservedConcurrentExecutions"]
            for name, each in said.items()
            if "ReservedConcurrentExecutions" in each
        }

    outputs = deploy(sandbox.client, packaged, stack, pace=QUICK)
    assert kept() == {}
    deploy(sandbox.client, packaged, stack, {"ReserveConcurrency": "true"}, pace=QUICK)
    reserved = kept()
    assert set(reserved) == {"APIHandler", "RecoverLabs", "StartCurfew", "StartWatchSupport", "TakeHealthEvent"}
    description = packaged.template["Parameters"]["ReserveConcurrency"]["Description"]
    assert f"It takes {sum(reserved.values())} of" in description

    put_lab(sandbox, outputs["LabsTableName"], Phase.DELETED)
    with pytest.raises(StillInUse):
        destroy(
            sandbox.client,
            stack,
            lambda _said: bool(put_lab(sandbox, outputs["LabsTableName"], Phase.READY, "lab-2")),
            QUICK,
        )
    assert kept() == reserved, "whoever could not destroy leaves it as it was"
    deploy(sandbox.client, packaged, stack, {"ReserveConcurrency": "false"}, pace=QUICK)
    assert kept() == {}


def test_what_is_measured_of_the_api_and_the_table_is_told_by_the_stack(
    sandbox: Sandbox, packaged: Package, stack: str
) -> None:
    outputs = deploy(sandbox.client, packaged, stack, pace=QUICK)
    assert sandbox.client("apigateway").get_rest_api(restApiId=outputs["RestAPIId"])["name"] == stack
    shown = sandbox.client("cloudwatch").get_dashboard(DashboardName=stack)["DashboardBody"]
    assert json.loads(shown)
    assert f'"{outputs["RecoverFunction"]}"' in shown
    assert f'"{outputs["CurfewStateMachineArn"]}"' in shown
    assert "${" not in shown
    pages = sandbox.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    alarms = {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}
    assert any("-TableThrottledAlarm-" in name for name in alarms)


def _links_of(sandbox: Sandbox, function: str) -> str:
    pages = sandbox.client("lambda").get_paginator("list_functions").paginate()
    found = next(f for page in pages for f in page["Functions"] if f["FunctionName"].startswith(function))
    return str(found["Environment"]["Variables"]["EKSLAB_API_URL"])


def test_credentials_of_aws_login_say_what_they_want() -> None:
    text = told(MissingDependencyException(msg="Missing Dependency: botocore[crt]"))
    assert "aws login" in text
    assert "pip install 'botocore[crt]'" in text
