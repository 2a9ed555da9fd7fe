"""No finding of parliament (policies) or bandit (code that ships or deploys) that is not accepted with its reason.

Accepted ones are in `.ci/accepted-findings.json`; one that no longer occurs has to go from there. The sandbox is not
looked at: it never leaves the machine it runs on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parliament

PROJECT = Path(__file__).resolve().parent.parent
ACCEPTED = json.loads((PROJECT / ".ci/accepted-findings.json").read_text())
#: What stands for ARNs that CloudFormation fills in.
_ARNS = {
    "LabsTable": "dynamodb:eu-west-1:111122223333:table/labs",
    "LabStackRole": "iam::111122223333:role/labs",
    "LabBoundary": "iam::111122223333:policy/ekslab/labs",
    "EventBus": "events:eu-west-1:111122223333:event-bus/events",
    "KeepLinkSecret": "secretsmanager:eu-west-1:111122223333:secret:key-123456",
    "DeadLetters": "sqs:eu-west-1:111122223333:letters",
    "NoticesTopic": "sns:eu-west-1:111122223333:notices",
    "ChatNoticesTopic": "sns:eu-west-1:111122223333:chat",
}
_NAMES = {"StackName": "ekslab", "AccountId": "111122223333", "Region": "eu-west-1", "Partition": "aws"}


def accepted(tool: str) -> set[tuple[str, str]]:
    return {(each["finding"], where) for each in ACCEPTED if each["tool"] == tool for where in each["where"]}


def policies() -> Iterator[tuple[str, Any]]:
    """Each right by its name, and each policy of the template's own roles."""
    for name, said in json.loads((PROJECT / ".chalice/statements.json").read_text()).items():
        statement = {"Effect": "Allow", **{key: value for key, value in said.items() if key != "why"}}
        yield name, {"Version": "2012-10-17", "Statement": [statement]}
    for role, resource in json.loads((PROJECT / ".chalice/template.json").read_text())["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                yield f"{role}/{policy['PolicyName']}", policy["PolicyDocument"]


def filled_in(policy: Any) -> str:
    text = re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", json.dumps(policy))
    text = re.sub(r'\{"Fn::GetAtt": \["(\w+)", "\w+"\]\}', lambda found: f'"arn:aws:{_ARNS[found[1]]}"', text)
    text = re.sub(r'\{"Ref": "(\w+)"\}', lambda found: f'"{_referred(found[1])}"', text)
    text = re.sub(r"\$\{AWS::(\w+)\}", lambda found: _NAMES[found[1]], text)
    return re.sub(r"\$\{(\w+)\.Arn\}", lambda found: f"arn:aws:{_ARNS[found[1]]}", text)


def _referred(name: str) -> str:
    return f"arn:aws:{_ARNS[name]}" if name in _ARNS else "a-parameter"


def test_parliament_finds_nothing_in_policies_that_is_not_accepted() -> None:
    found = {
        (finding.issue, name): str(finding.detail)
        for name, policy in policies()
        for finding in parliament.analyze_policy_string(filled_in(policy)).findings
    }
    assert {key: detail for key, detail in found.items() if key not in accepted("parliament")} == {}
    assert accepted("parliament") - set(found) == set(), "accepted, but no longer found"


def test_parliament_notices_a_policy_that_does_nothing() -> None:
    """It can fail: a topic's right on a table is a mismatch."""
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": f"arn:aws:{_ARNS['LabsTable']}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert [each.issue for each in parliament.analyze_policy_string(policy).findings] == ["RESOURCE_MISMATCH"]


def test_bandit_finds_nothing_in_what_ships_or_deploys_that_is_not_accepted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "app.py", "chalicelib", "deploying", "ekslab", "-f", "json"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    results = json.loads(done.stdout)["results"]
    found = {(each["test_id"], each["filename"].removeprefix("./")): each["issue_text"] for each in results}
    assert {key: text for key, text in found.items() if key not in accepted("bandit")} == {}
    assert accepted("bandit") - set(found) == set(), "accepted, but no longer found"


def test_each_accepted_finding_has_its_reason() -> None:
    assert [each for each in ACCEPTED if len(each["why"]) < 20] == []
