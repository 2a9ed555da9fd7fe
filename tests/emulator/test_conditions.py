"""A resource is created and deleted with its condition, and a change set lists it."""

from __future__ import annotations

import json
from typing import Any

from emulator.process import Sandbox

NAME = "conditional"
TEMPLATE = {
    "Parameters": {"More": {"Type": "String", "Default": "off"}},
    "Conditions": {"HasMore": {"Fn::Equals": [{"Ref": "More"}, "on"]}},
    "Resources": {
        "Always": {"Type": "AWS::SNS::Topic"},
        "Sometimes": {"Type": "AWS::SNS::Topic", "Condition": "HasMore"},
    },
}


def test_a_change_set_sees_what_a_condition_brings_and_takes_away(sandbox: Sandbox) -> None:
    cloudformation = sandbox.client("cloudformation")
    cloudformation.create_stack(StackName=NAME, TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})
    seen = {more: changes(cloudformation, more) for more in ("on", "off")}
    there = [
        each["LogicalResourceId"]
        for each in cloudformation.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    ]
    cloudformation.delete_stack(StackName=NAME)
    assert seen == {"on": [("Add", "Sometimes")], "off": [("Remove", "Sometimes")]}
    assert there == ["Always"]


def changes(cloudformation: Any, more: str) -> list[tuple[str, str]]:
    """Create and execute a change set with this value; return its announced changes."""
    named = {"StackName": NAME, "ChangeSetName": f"to-{more}"}
    asked = [{"ParameterKey": "More", "ParameterValue": more}]
    cloudformation.create_change_set(**named, UsePreviousTemplate=True, Parameters=asked)
    cloudformation.get_waiter("change_set_create_complete").wait(**named, WaiterConfig={"Delay": 1})
    said = cloudformation.describe_change_set(**named)["Changes"]
    cloudformation.execute_change_set(**named)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})
    return [(each["ResourceChange"]["Action"], each["ResourceChange"]["LogicalResourceId"]) for each in said]
