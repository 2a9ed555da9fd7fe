"""People's activity in logs that are long, garbled, or have names that change at every login."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.idleness.audit_log import AuditLog
from chalicelib.aws.idleness.cloudtrail import find_owner_calls
from chalicelib.aws.idleness.evidence import MetricWindow, Reading
from chalicelib.domain.idleness.evidence import Source
from tests.aws.paginators import paginator_of
from tests.fakes.builders import ACCOUNT, OWNER, a_lab, a_spec

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
WINDOW = MetricWindow(NOW - timedelta(hours=3), NOW, NOW)
OURS = f"arn:aws:iam::{ACCOUNT}:role/ekslab-LabViewRole"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/teachers/ops"
PASSING = f"arn:aws:sts::{ACCOUNT}:assumed-role/learners/botocore-session-1795512345"


@dataclass
class Pages:
    """Answers any operation with pages in turn, each with a token for the next; repeats the last one if `endless`."""

    service: str
    items: str
    token: str
    pages: list[list[dict[str, Any]]]
    endless: bool = False
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Any:
        return self._next

    def get_paginator(self, operation: str) -> Any:
        return paginator_of(self.service, operation, self._next)

    def _next(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        index = min(len(self.requests), len(self.pages)) - 1
        more = self.endless or len(self.requests) < len(self.pages)
        return {self.items: self.pages[index]} | ({self.token: f"{len(self.requests)}"} if more else {})


class Refused:
    """Refuses every operation, and counts the calls."""

    def __init__(self) -> None:
        self.asked = 0

    def get_paginator(self, operation: str) -> Any:
        return paginator_of("logs" if "log" in operation else "cloudtrail", operation, getattr(self, operation))

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_: Any) -> Any:
            self.asked += 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation)

        return refuse


def logged(username: object, minutes: int = 10) -> dict[str, Any]:
    at = int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)
    return {"timestamp": at, "message": json.dumps({"user": {"username": username}})}


def logs(*pages: list[dict[str, Any]], endless: bool = False) -> Pages:
    return Pages("logs", "events", "nextToken", list(pages), endless)


def called(
    caller: str, name: str = "myeks", minutes: int = 10, source: str = "eks.amazonaws.com", **more: Any
) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    said = {"userIdentity": {"arn": caller}, "requestParameters": {"name": name}}
    text = {"eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"} | said | more
    return {"EventSource": source, "EventTime": at, "CloudTrailEvent": json.dumps(text)}


def trail(*pages: list[dict[str, Any]], endless: bool = False) -> Pages:
    return Pages("cloudtrail", "Events", "NextToken", list(pages), endless)


def audited(client: Any) -> Reading:
    reading = Reading(a_lab(spec=a_spec(log_types=("audit",))))
    AuditLog(client, OURS).read(reading, WINDOW)
    return reading


def looked_up(cloudtrail: Any, *owners: str) -> list[Reading]:
    readings = [Reading(a_lab(id=f"lab-{number}", owner=owner)) for number, owner in enumerate(owners)]
    find_owner_calls(cloudtrail, readings, WINDOW)
    return readings


def test_the_audit_log_is_asked_for_people_in_the_window_only() -> None:
    client = logs([])
    audited(client)
    [request] = client.requests
    assert request["logGroupName"] == "/aws/eks/myeks/cluster"
    assert request["logStreamNamePrefix"] == "kube-apiserver-audit"
    assert (request["startTime"], request["endTime"]) == (1795428000000, 1795438800000)
    assert '$.user.username != "system:*"' in request["filterPattern"]


@pytest.mark.parametrize(
    "username",
    [
        "system:serviceaccount:kube-system:coredns",
        "system:anonymous",
        "eks:addon-manager",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ekslab-LabViewRole/ekslab",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ekslab-LabViewRole/another-session",
        "",
        None,
        7,
    ],
)
def test_machines_and_this_service_are_no_people(username: object) -> None:
    reading = audited(logs([logged(username)]))
    assert (reading.audit_human, reading.unread) == (None, [])


@pytest.mark.parametrize("username", [OWNER, SESSION, "teacher", "kubernetes-admin"])
def test_everybody_else_is_a_person(username: str) -> None:
    seen = audited(logs([logged("system:apiserver")], [logged(username)])).audit_human
    assert seen is not None
    assert (seen.who, seen.at) == (username, NOW - timedelta(minutes=10))


def test_the_latest_person_counts_wherever_in_the_log_they_are() -> None:
    seen = audited(logs([logged("early", 90), logged("late", 5)], [logged("between", 30)])).audit_human
    assert seen is not None
    assert seen.who == "late"


@pytest.mark.parametrize("message", ["", "no json", "[]", "{}", '{"user": null}', '{"user": "x"}'])
def test_a_line_that_is_no_audit_event_is_passed_over(message: str) -> None:
    reading = audited(logs([{"timestamp": 1, "message": message}, logged(OWNER)]))
    assert reading.audit_human is not None
    assert reading.unread == []


def test_a_log_without_an_end_in_which_nobody_was_found_is_unread() -> None:
    client = logs([logged("system:apiserver")], endless=True)
    [text] = audited(client).unread
    assert text.startswith(f"{Source.AUDIT}: ")
    assert len(client.requests) == 20


def test_a_log_without_an_end_in_which_somebody_was_found_says_who() -> None:
    reading = audited(logs([logged(OWNER)], endless=True))
    assert reading.audit_human is not None
    assert reading.unread == []


def test_one_lookup_is_for_all_labs_of_an_owner_by_their_name() -> None:
    client = trail([])
    looked_up(client, OWNER, OWNER, SESSION)
    assert [request["LookupAttributes"] for request in client.requests] == [
        [{"AttributeKey": "Username", "AttributeValue": "learner"}],
        [{"AttributeKey": "Username", "AttributeValue": "ops"}],
    ]
    assert {(request["StartTime"], request["EndTime"]) for request in client.requests} == {(WINDOW.start, NOW)}


@pytest.mark.parametrize(
    "event",
    [
        called(f"arn:aws:iam::{ACCOUNT}:user/another"),
        called("arn:aws:iam::999988887777:user/learner"),
        called(OWNER, name="myeks2"),
        called(OWNER, source="ec2.amazonaws.com"),
        called(OWNER, requestParameters=None),
        {"EventSource": "eks.amazonaws.com", "EventTime": NOW, "CloudTrailEvent": "garbled"},
        {"EventSource": "eks.amazonaws.com", "EventTime": NOW},
    ],
)
def test_a_call_of_somebody_else_or_about_something_else_does_not_count(event: dict[str, Any]) -> None:
    [reading] = looked_up(trail([event]), OWNER)
    assert (reading.owner_call, reading.unread) == (None, [])


def test_a_call_that_names_the_cluster_by_its_arn_counts() -> None:
    arn = f"arn:aws:eks:ap-northeast-2:{ACCOUNT}:cluster/myeks"
    [reading] = looked_up(trail([called(OWNER, requestParameters={"resourceArn": arn})]), OWNER)
    assert reading.owner_call is not None


def test_the_last_call_counts_and_nothing_is_read_beyond_it() -> None:
    client = trail([called(OWNER, minutes=5), called(OWNER, minutes=50)], [called(OWNER, minutes=100)])
    [reading] = looked_up(client, OWNER)
    assert reading.owner_call is not None
    assert reading.owner_call.at == NOW - timedelta(minutes=5)
    assert len(client.requests) == 1


def test_a_session_is_its_owner_only_under_its_own_name() -> None:
    other = SESSION.replace("/ops", "/shop")
    [reading] = looked_up(trail([called(other)]), SESSION)
    assert reading.owner_call is None
    [reading] = looked_up(trail([called(SESSION)]), SESSION)
    assert reading.owner_call is not None


def test_an_owner_is_known_by_every_suffix_of_their_permission_sets_role() -> None:
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Labs"
    before, after, identity = (f"{role}{suffix}/ops" for suffix in ("_0123456789abcdef", "_fedcba9876543210", ""))
    for owner in (before, identity):
        [reading] = looked_up(trail([called(after)]), owner)
        assert reading.owner_call is not None
        [reading] = looked_up(trail([called(after.replace("/ops", "/shop"))]), owner)
        assert reading.owner_call is None


def by_access_role(owner: str, lab_id: str = "lab-0") -> Reading:
    role = f"arn:aws:iam::{ACCOUNT}:role/ekslab/{lab_id}-access"
    lab = a_lab(id=lab_id, owner=owner, spec=a_spec(access_role=True, access=(), log_types=("audit",)))
    return Reading(lab.with_facts(stack_outputs={"AccessRoleArn": role}))


def test_an_owner_who_assumes_the_labs_access_role_was_seen() -> None:
    person = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/1234567890"
    mine, others = by_access_role(person), by_access_role(person, "lab-1")
    asked = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/ekslab/lab-0-access", "roleSessionName": "EKSGetTokenAuth"}
    client = trail([called(person, source="sts.amazonaws.com", requestParameters=asked)])
    find_owner_calls(client, [mine, others], WINDOW)
    assert client.requests[0]["LookupAttributes"] == [{"AttributeKey": "Username", "AttributeValue": "1234567890"}]
    assert mine.owner_call is not None
    assert (mine.owner_call.who, mine.owner_call.did) == (person, "assumed the lab's access role")
    assert others.owner_call is None


def test_the_audit_log_shows_the_owner_behind_the_labs_access_role() -> None:
    person = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Labs/jane@example.com"
    reading = by_access_role(person)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/lab-0-access/EKSGetTokenAuth"
    AuditLog(logs([logged(session)]), OURS).read(reading, WINDOW)
    assert reading.audit_human is not None
    assert reading.audit_human.who == person


def test_an_owner_whose_session_name_was_made_up_is_known_by_the_role() -> None:
    client = trail([called(PASSING.replace("1795512345", "1795599999"))])
    [reading] = looked_up(client, PASSING)
    assert client.requests[0]["LookupAttributes"] == [
        {"AttributeKey": "EventSource", "AttributeValue": "eks.amazonaws.com"}
    ]
    assert reading.owner_call is not None


def test_an_owner_with_more_calls_than_are_read_is_unread() -> None:
    client = trail([called(OWNER, source="s3.amazonaws.com")], endless=True)
    [reading] = looked_up(client, OWNER)
    assert reading.unread == ["CloudTrail: the owner is not in the last 200 calls of learner"]
    assert len(client.requests) == 4


def test_an_owner_who_is_no_principal_is_not_looked_up() -> None:
    client = trail([])
    [reading] = looked_up(client, "ops@example.com")
    assert (client.requests, reading.owner_call, reading.unread) == ([], None, [])


def test_after_one_refused_lookup_nobody_else_is_asked_about_and_all_are_unread() -> None:
    client = Refused()
    readings = looked_up(client, OWNER, SESSION)
    assert client.asked == 1
    assert all("ThrottlingException" in text for reading in readings for text in reading.unread)
    assert all(len(reading.unread) == 1 for reading in readings)


def test_a_lab_whose_owner_was_seen_before_the_refusal_is_read() -> None:
    lab = replace(a_lab(), owner=OWNER)
    seen, other = Reading(lab), Reading(replace(lab, id="lab-2", spec=a_spec(name="other")))

    class Breaking(Pages):
        def _next(self, **request: Any) -> dict[str, Any]:
            if self.requests:
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "LookupEvents")
            return super()._next(**request)

    find_owner_calls(Breaking("cloudtrail", "Events", "NextToken", [[called(OWNER)], []]), [seen, other], WINDOW)
    assert seen.owner_call is not None
    assert (seen.unread, len(other.unread)) == ([], 1)


@pytest.mark.parametrize("broken", ["{", "null", "[]", '"text"', '{"userIdentity": "jo"}', '{"requestParameters": []}'])
def test_an_event_that_can_not_be_read_hides_no_other(broken: str) -> None:
    reading = Reading(replace(a_lab(), owner=OWNER))
    find_owner_calls(trail([called(OWNER) | {"CloudTrailEvent": broken}, called(OWNER)]), [reading], WINDOW)
    assert reading.owner_call is not None
    assert reading.unread == []
