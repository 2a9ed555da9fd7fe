"""No finding of parliament (policies) or bandit (code that ships or deploys) that is not accepted with its reason.

Accepted ones are in `.ci/accepted-findings.json`; obsolete ones must be removed there. The sandbox is not checked: it never
leaves the machine it runs on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import parliament

from tests.paths import PROJECT

ACCEPTED = json.loads((PROJECT / ".ci/accepted-findings.json").read_text())
RIGHTS = json.loads((PROJECT / ".chalice/statements.json").read_text())
TEMPLATES = (".chalice/resources.json", "deployment/member-account.json")
#: The values for CloudFormation's ARNs, without `arn:aws:`.
_ARNS = {
    "LabsTable": "dynamodb:eu-west-1:111122223333:table/labs",
    "LabStackRole": "iam::111122223333:role/labs",
    "LabViewRole": "iam::111122223333:role/looks",
    "LabBoundary": "iam::111122223333:policy/ekslab/labs",
    "EventBus": "events:eu-west-1:111122223333:event-bus/events",
    "KeepLinkSecret": "secretsmanager:eu-west-1:111122223333:secret:key-123456",
    "DeadLetters": "sqs:eu-west-1:111122223333:letters",
    "AlarmsTopic": "sns:eu-west-1:111122223333:alarms",
    "NoticesTopic": "sns:eu-west-1:111122223333:notices",
    "ChatNoticesTopic": "sns:eu-west-1:111122223333:chat",
    "MailEventsTopic": "sns:eu-west-1:111122223333:mails",
    "LoginPool": "cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abcdefghi",
}
_NAMES = {
    "AWS::StackName": "ekslab",
    "AWS::AccountId": "111122223333",
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "ServiceAccount": "111122223333",
}
#: The places of policies in a resource. Trust policies name no resource, which the tool requires.
_POLICIES = ("PolicyDocument", "KeyPolicy")


def accepted(tool: str) -> set[tuple[str, str]]:
    return {(each["finding"], where) for each in ACCEPTED if each["tool"] == tool for where in each["where"]}


def statements() -> Iterator[tuple[str, Any]]:
    """Each right by its name, each other statement of the templates by resource and Sid. A right counts once wherever it is
    used.
    """
    for name, said in RIGHTS.items():
        yield name, {"Effect": "Allow", **{key: value for key, value in said.items() if key != "why"}}
    rights = {"".join(part for part in name.title() if part.isalnum()): name for name in RIGHTS}
    for path in TEMPLATES:
        for resource, thing in json.loads((PROJECT / path).read_text())["Resources"].items():
            for number, statement in enumerate(_statements_of(thing.get("Properties", {}))):
                sid = statement.get("Sid", str(number))
                yield rights.get(sid) or f"{resource}/{sid}", statement


def _statements_of(properties: Any) -> Iterator[Any]:
    inline = properties.get("Policies", []) if isinstance(properties.get("Policies", []), list) else []
    for holder in (properties, *inline):
        for name in _POLICIES:
            yield from holder.get(name, {}).get("Statement", [])


def filled_in(thing: Any) -> Any:
    """The value as CloudFormation resolves it; parameters are any text."""
    match thing:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda found: _named(found[1]), text)
        case {"Fn::If": [_, switched_on, _]}:
            return filled_in(switched_on)
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return _named(name)
        case dict():
            return {key: filled_in(value) for key, value in thing.items()}
        case list():
            return [filled_in(value) for value in thing]
        case _:
            return thing


def _named(name: str) -> str:
    thing = name.removesuffix(".Arn")
    return f"arn:aws:{_ARNS[thing]}" if thing in _ARNS else _NAMES.get(name, "a-parameter")


def findings(statement: Any) -> Iterator[tuple[str, str]]:
    """parliament's findings on one statement: the issue, and its details."""
    policy = {"Version": "2012-10-17", "Statement": [filled_in(statement)]}
    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
        yield finding.issue, str(finding.detail)


def test_parliament_finds_nothing_in_policies_that_is_not_accepted() -> None:
    found = {(issue, name): detail for name, statement in statements() for issue, detail in findings(statement)}
    assert {key: detail for key, detail in found.items() if key not in accepted("parliament")} == {}
    assert accepted("parliament") - set(found) == set(), "accepted, but no longer found"


def test_every_policy_of_the_templates_is_looked_at() -> None:
    names = [name for name, _ in statements()]
    looked_at = {name.partition("/")[0] for name in names if "/" in name}
    assert looked_at >= {"LabBoundary", "LabStackRole", "StateMachineRole", "MessagesKey", "DeadLettersPolicy"}
    assert looked_at >= {"AlarmsTopicPolicy", "NoticesTopicPolicy", "ChatNoticesTopicPolicy"}
    assert names.count("read-clusters") == 2, "at home and in a member account"


def test_parliament_notices_a_policy_that_does_nothing() -> None:
    """It can fail: a topic's right on a table is a mismatch."""
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Fn::GetAtt": ["LabsTable", "Arn"]}}
    assert [issue for issue, _ in findings(statement)] == ["RESOURCE_MISMATCH"]


def test_bandit_finds_nothing_in_what_ships_or_deploys_that_is_not_accepted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "app.py", "chalicelib", "deployment", "ekslab", "-f", "json"],
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
