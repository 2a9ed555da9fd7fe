"""AWS limits that no emulator enforces: generated names of CloudFormation, and the length of a role's policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.paths import PROJECT

CHALICE = PROJECT / ".chalice"
#: The maximum length of the stack's name in docs/how-to/deploy.md.
STACK = "s" * 16
LONGEST_NAME = 64
#: Inline policies of a role, all together, without white space (IAM's quota).
LONGEST_POLICIES = 10_240


def roles() -> Iterator[tuple[str, Any]]:
    """The name and policies of each role: Chalice's, one a function, and those of the template."""
    for path in sorted((CHALICE / "policies").glob("*.json")):
        yield path.stem, json.loads(path.read_text())
    for name, resource in json.loads((CHALICE / "template.json").read_text())["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            yield name, [policy["PolicyDocument"] for policy in resource["Properties"].get("Policies", [])]


def as_iam_sees_it(policies: Any) -> str:
    """The policies' text with the longest names that CloudFormation can put into it."""
    text = re.sub(r'\{"Fn::Sub":("[^"]*")\}', r"\1", json.dumps(policies, separators=(",", ":")))
    text = re.sub(r'\{"Fn::GetAtt":\[[^]]*\]\}', '"' + "x" * 120 + '"', text)
    text = re.sub(r'\{"Fn::If":\["[^"]*",("[^"]*"),("[^"]*")\]\}', lambda found: max(found[1], found[2], key=len), text)
    text = text.replace("${AWS::StackName}", STACK).replace("${AWS::AccountId}", "1" * 12)
    text = text.replace("${AWS::Region}", "ap-southeast-2").replace("${AWS::Partition}", "aws-us-gov")
    return re.sub(r"\$\{[\w.]+\}", "x" * 120, text)


@pytest.mark.parametrize(("name", "policies"), list(roles()), ids=[name for name, _ in roles()])
def test_a_role_s_policies_are_no_longer_than_iam_takes(name: str, policies: Any) -> None:
    assert "Fn::" not in as_iam_sees_it(policies), name
    assert len(as_iam_sees_it(policies)) <= LONGEST_POLICIES


FUNCTIONS = json.loads((CHALICE / "config.json").read_text())["stages"]["dev"]["lambda_functions"]
RESOURCES = json.loads((CHALICE / "resources.json").read_text())["Resources"]


def test_each_function_has_memory_and_time_of_its_own() -> None:
    """The measured memory of each is in docs/how-to/deploy.md; none used more than 90 MB, and each must have at least twice
    that.
    """
    assert {said["lambda_memory_size"] for said in FUNCTIONS.values()} == {256, 512, 1024}
    assert FUNCTIONS["api_handler"]["lambda_memory_size"] > FUNCTIONS["provision_check_cluster"]["lambda_memory_size"]
    assert all(29 <= said["lambda_timeout"] <= 900 for said in FUNCTIONS.values())


def test_what_people_and_schedules_call_can_have_executions_kept_and_nothing_else() -> None:
    """Workflows retry steps; the callers of these do not."""
    kept = {name for name, said in RESOURCES.items() if "ReservedConcurrentExecutions" in said.get("Properties", {})}
    assert kept == {"APIHandler", "RecoverLabs", "StartCurfew", "StartWatchSupport", "TakeHealthEvent"}
    for name in kept:
        condition, executions, otherwise = RESOURCES[name]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"]
        assert (condition, otherwise) == ("ReservesConcurrency", {"Ref": "AWS::NoValue"})
        assert executions >= 2


@pytest.mark.parametrize("name", [name for name, _ in roles()])
def test_no_name_that_cloudformation_makes_up_is_so_long_that_it_is_cut(name: str) -> None:
    """Rights name functions and roles by the stack's name, which must stand in full at their beginning."""
    logical_id = name if "_" not in name else "".join(part.capitalize() for part in name.split("_"))
    assert len(f"{STACK}-{logical_id}Role-{'X' * 13}") <= LONGEST_NAME
