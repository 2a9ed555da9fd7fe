"""The changes of a change set, from all pages of CloudFormation's answer."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.stub import Stubber

from deployment.stacks import Change, ChangeSet, Pace


def test_a_change_set_names_the_changes_of_every_page() -> None:
    client = boto3.client("cloudformation", region_name="ap-northeast-2")
    asked = {"StackName": "ekslab", "ChangeSetName": "change-1"}
    with Stubber(client) as stub:
        for number, token in enumerate(("one", "two", "")):
            resource = {"Action": "Add", "LogicalResourceId": f"R{number}", "ResourceType": "AWS::SNS::Topic"}
            page: dict[str, Any] = {
                "Changes": [{"Type": "Resource", "ResourceChange": resource}] if token != "two" else []
            }
            stub.add_response("describe_change_set", page | ({"NextToken": token} if token else {}), asked)
            asked = {**asked, "NextToken": token}
        change_set = ChangeSet(client, "ekslab", "change-1", False, Pace(1, 0))
        assert change_set.changes() == tuple(Change("Add", each, "AWS::SNS::Topic") for each in ("R0", "R2"))
        stub.assert_no_pending_responses()
