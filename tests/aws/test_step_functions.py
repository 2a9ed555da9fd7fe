"""The Workflows port on Step Functions: moto's, and its fake."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.aws.step_functions import StepFunctionsWorkflows
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, Throttled, Transient
from chalicelib.domain.labs.steps import Execution
from chalicelib.ports.deps import Workflows
from tests.domain.errors.test_retries import ROWS
from tests.fakes import Account, FakeWorkflows

ACCOUNT, REGION = "123456789012", "ap-northeast-2"


@pytest.fixture(params=["fake", "moto"])
def workflows(request: pytest.FixtureRequest) -> Iterator[Workflows]:
    if request.param == "fake":
        yield FakeWorkflows(Account())
        return
    with mock_aws():
        client = boto3.client("stepfunctions", region_name=REGION)
        states = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 60, "End": True}}}
        role = f"arn:aws:iam::{ACCOUNT}:role/states"
        client.create_state_machine(name="lab-provision", definition=json.dumps(states), roleArn=role)
        yield StepFunctionsWorkflows(client, REGION, ACCOUNT, "lab")


def test_a_started_workflow_is_running_and_a_second_start_is_no_error(workflows: Workflows) -> None:
    assert workflows.execution("provision", "lab-1-0-provision") is Execution.ABSENT
    workflows.start("provision", "lab-1-0-provision", {"lab_id": "lab-1"})
    workflows.start("provision", "lab-1-0-provision", {"lab_id": "lab-1"})
    assert workflows.execution("provision", "lab-1-0-provision") is Execution.RUNNING


def test_a_missing_state_machine_is_not_taken_for_a_started_workflow() -> None:
    with mock_aws():
        client = boto3.client("stepfunctions", region_name=REGION)
        with pytest.raises(AwsRefused):
            StepFunctionsWorkflows(client, REGION, ACCOUNT, "lab").start("provision", "x", {})


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_state_machines_are_looked_for_in_the_partition_of_their_region(region: str, partition: str) -> None:
    asked: list[str] = []

    class Client:
        def describe_execution(self, **request: str) -> dict[str, str]:
            asked.append(request["executionArn"])
            return {"status": "RUNNING"}

    found = StepFunctionsWorkflows(Client(), region, ACCOUNT, "lab").execution("update", "lab-1-2-update")
    assert found is Execution.RUNNING
    assert asked == [f"arn:{partition}:states:{region}:{ACCOUNT}:execution:lab-update:lab-1-2-update"]


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT", "SUCCEEDED"])
def test_an_execution_that_ended_somehow_is_not_one_that_never_was(status: str) -> None:
    class Client:
        def describe_execution(self, **request: str) -> dict[str, str]:
            return {"status": status}

    found = StepFunctionsWorkflows(Client(), REGION, ACCOUNT, "lab").execution("update", "lab-1-2-update")
    assert found is Execution.ENDED


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["operation"].startswith("states:")],
    ids=lambda row: f"{row['operation']} {row['code']}",
)
def test_an_answer_of_step_functions_is_read_as_the_table_of_retries_says(row: dict[str, str]) -> None:
    client = boto3.client("stepfunctions", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    workflows = StepFunctionsWorkflows(client, REGION, ACCOUNT, "lab")
    starts = row["operation"] == "states:StartExecution"
    with Stubber(client) as stubber:
        stubber.add_client_error("start_execution" if starts else "describe_execution", row["code"], row["message"])
        raised: EkslabError | None = None
        try:
            _ = workflows.start("provision", "x", {}) if starts else workflows.execution("provision", "x")
        except EkslabError as error:
            raised = error
    match row["do"]:
        case "exists":
            assert raised is None, "started before, which is as good"
        case "throttled":
            assert isinstance(raised, Throttled)
        case "wait":
            assert isinstance(raised, Transient)
        case _:
            assert isinstance(raised, AwsRefused)
