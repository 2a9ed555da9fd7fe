"""A lost start: the lab is stored, its workflow is not running. The scheduled run starts it, once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.steps import alone, learner

pytestmark = pytest.mark.story


def test_a_lab_whose_start_got_lost_is_started_once(stage: Stage) -> None:
    # Given a lab that was accepted while no workflow could be started
    with alone:
        with nothing_can_be_started(stage):
            lab = learner(stage).asks_for("forgotten")
        assert "start-delayed" in {warning["code"] for warning in lab.warnings}
        assert executions(stage, lab.id) == []
        assert lab.shown()["phase"] == "requested"

        # When the scheduled run comes twice at the same time, and once more
        later = datetime.now(UTC) + timedelta(minutes=2)
        with ThreadPoolExecutor(2) as runs:
            reports = list(runs.map(stage.recover_labs, [later, later]))
        reports.append(stage.recover_labs(later + timedelta(minutes=6)))

    # Then it was started, once
    acts = [done["act"] for report in reports for done in report["done"] if done["lab_id"] == lab.id]
    assert acts.count("start") == 1
    assert len(executions(stage, lab.id)) == 1
    lab.becomes("ready")
    assert len(executions(stage, lab.id)) == 1
    assert lab.events().count("The start of provision got lost.") == 1

    # And is deleted like any other
    lab.is_let_go()
    lab.becomes("deleted")
    assert left_of(lab) == []


@contextmanager
def nothing_can_be_started(stage: Stage) -> Iterator[None]:
    """Deny the API's Lambda function states:StartExecution."""
    iam = stage.sandbox.client("iam")
    functions = stage.sandbox.client("lambda").list_functions()["Functions"]
    [role] = [f["Role"].rpartition("/")[2] for f in functions if "APIHandler" in f["FunctionName"]]
    statement = {"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="nothing-starts", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="nothing-starts")


def executions(stage: Stage, lab_id: str) -> list[str]:
    """The names of all executions that created this lab."""
    machines = stage.sandbox.client("stepfunctions")
    arns = [machine["stateMachineArn"] for machine in machines.list_state_machines()["stateMachines"]]
    provision = next(arn for arn in arns if arn.endswith("-provision"))
    pages = machines.get_paginator("list_executions").paginate(stateMachineArn=provision)
    return [run["name"] for page in pages for run in page["executions"] if lab_id in run["name"]]
