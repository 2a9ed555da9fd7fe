"""The machine and chat formats of a notice, and the conversion of AWS Health's own events."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.notices.bus_events import DETAIL_TYPES, SCHEMA, detail_of
from chalicelib.domain.notices.notice import NoticeKind
from chalicelib.domain.support.health_events import HealthEvent, merged, parse
from chalicelib.words.chat import chat_document
from tests.domain.notices.test_digest import kept, mails, notices_of
from tests.domain.support.test_assessment import NOW
from tests.fakes.fleet_builders import a_key, a_notice, a_trouble

ARN = "arn:aws:health:eu-west-1::event/EKS/AWS_EKS_PLANNED_LIFECYCLE_EVENT/AWS_EKS_PLANNED_LIFECYCLE_EVENT_1"
ORDERS = "arn:aws:eks:ap-northeast-2:111122223333:cluster/orders"


def health(**detail: object) -> dict[str, object]:
    sent_by_aws = {
        "eventArn": ARN,
        "service": "EKS",
        "eventTypeCode": "AWS_EKS_PLANNED_LIFECYCLE_EVENT",
        "eventTypeCategory": "scheduledChange",
        "statusCode": "upcoming",
        "eventRegion": "ap-northeast-2",
        "affectedAccount": "111122223333",
        "affectedEntities": [
            {"entityValue": ORDERS, "status": "PENDING"},
            {"entityValue": "billing", "status": "RESOLVED"},
            {"entityValue": "arn:aws:s3:::no-cluster"},
            "nonsense",
        ],
    }
    return {"source": "aws.health", "account": "111122223333", "region": "us-east-1", "detail": sent_by_aws | detail}


def test_a_health_event_names_its_clusters_by_arn_or_by_name() -> None:
    assert parse(health()) == HealthEvent(ARN, False, (a_key("orders"),), (a_key("billing"),))


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.health"},
        {"source": "aws.ec2", "detail": {"service": "EKS"}},
        health(eventTypeCode="AWS_EKS_OPERATIONAL_ISSUE"),
        health(service="EC2"),
    ],
)
def test_other_events_are_none_of_ours(event: dict[str, object]) -> None:
    assert parse(event) is None


def test_it_is_recorded_once_and_cleared_when_resolved_or_closed() -> None:
    orders, event = kept("orders", "1.31"), parse(health())
    assert event is not None
    recorded = merged(orders, event)
    assert recorded is not None
    assert recorded.health_event_arn == ARN
    assert merged(recorded, event) is None
    assert merged(kept("elsewhere", "1.31"), event) is None
    for over in (replace(event, closed=True), replace(event, pending=(), resolved=event.pending)):
        cleared = merged(recorded, over)
        assert cleared is not None
        assert cleared.health_event_arn is None


def test_a_recorded_event_makes_no_second_notice() -> None:
    plain, recorded = kept("orders", "1.31"), kept("orders", "1.31", health_event_arn=ARN)
    assert [n.id for n, _ in notices_of(plain)] == [n.id for n, _ in notices_of(recorded)]


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_the_event_of_every_notice_is_as_its_schema_says(kind: NoticeKind) -> None:
    for watched in (kept("orders", "1.31", trouble=a_trouble()), kept("orders", "1.10", None, owner=None)):
        name, detail = detail_of(a_notice(kind=kind, reminder=None), watched, NOW)
        jsonschema.validate(json.loads(json.dumps(detail)), SCHEMA)
        assert name == DETAIL_TYPES[kind]
        assert detail["schemaVersion"] == "1"


def test_a_detail_with_a_field_too_many_is_not_as_the_schema_says() -> None:
    _, detail = detail_of(a_notice(), kept("orders", "1.31"), NOW)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**detail, "extra": 1}, SCHEMA)


def test_an_event_says_which_deadline_and_how_many_days_are_left() -> None:
    notice, watched = notices_of(kept("orders", "1.31"))[0]
    _, detail = detail_of(notice, watched, NOW)
    deadline = detail["deadline"]
    assert isinstance(deadline, dict)
    assert (deadline["kind"], deadline["at"], deadline["daysLeft"]) == ("forced-upgrade", "2026-11-26T00:00:00Z", 3)


def test_a_chat_notice_is_in_awss_schema_and_short() -> None:
    message, *_ = mails(*(kept(f"cluster-{number:03}", "1.31") for number in range(200)))
    document = chat_document(message, Language.EN)
    content, metadata = document["content"], document["metadata"]
    assert (document["version"], document["source"]) == ("1.0", "custom")
    assert isinstance(content, dict)
    assert isinstance(metadata, dict)
    assert content["textType"] == "client-markdown"
    assert set(content) == {"textType", "title", "description", "nextSteps", "keywords"}
    assert set(metadata) == {"threadId", "summary", "eventType", "additionalContext"}
    assert len(content["description"]) <= 4_000
    assert content["description"].count("```") == 2
    assert all(isinstance(value, str) for value in metadata["additionalContext"].values())
