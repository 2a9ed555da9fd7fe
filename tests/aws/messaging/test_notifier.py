"""Outgoing messages as subscribers get them, on the fake, on moto and in the sandbox; events on the bus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.aws.messaging.notifier import MOST_BYTES, SnsNotifier
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message, subject_line
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, Throttled, Transient
from chalicelib.words.chat import chat_document
from emulator.process import Sandbox
from tests.fakes import Account, FakeNotifier
from tests.fakes.fleet_builders import a_message


@dataclass
class Post:
    """A notifier, and queues subscribed to its topics and its bus."""

    notifier: SnsNotifier
    sqs: Any
    mails: str
    chats: str
    events: str

    def arrived(self, queue: str) -> list[dict[str, Any]]:
        """The bodies of all received messages; empties the queue."""
        answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def _post(client: Any) -> Post:
    sns, sqs, events = client("sns"), client("sqs"), client("events")
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("mails", "chats", "events")}
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in queues.items()
    }
    for name, url in queues.items():
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_aws(arns[name])})
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("mails", "chats")}
    for name, topic in topics.items():
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns[name])
    events.create_event_bus(Name="ekslab")
    events.put_rule(Name="all", EventBusName="ekslab", EventPattern=json.dumps({"source": ["ekslab"]}))
    events.put_targets(Rule="all", EventBusName="ekslab", Targets=[{"Id": "queue", "Arn": arns["events"]}])
    notifier = SnsNotifier(sns, events, topics["mails"], "ekslab", chat=(topics["chats"], in_chat))
    return Post(notifier, sqs, **queues)


def in_chat(message: Message) -> dict[str, object]:
    return chat_document(message, Language.EN)


def open_to_aws(queue_arn: str) -> str:
    services = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    allowed = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": queue_arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


@pytest.fixture(params=["moto", "sandbox"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    if request.param == "moto":
        with mock_aws():
            yield _post(lambda service: boto3.client(service, region_name="ap-northeast-2"))
    else:
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        post = _post(sandbox.client)
        yield post
        for queue in (post.mails, post.chats, post.events):
            post.sqs.delete_queue(QueueUrl=queue)
        sandbox.client("events").remove_targets(Rule="all", EventBusName="ekslab", Ids=["queue"])
        sandbox.client("events").delete_rule(Name="all", EventBusName="ekslab")
        sandbox.client("events").delete_event_bus(Name="ekslab")


def test_a_message_arrives_with_what_one_can_filter_by(post: Post) -> None:
    id = post.notifier.send(a_message())
    (mail,) = post.arrived(post.mails)
    assert (mail["MessageId"], mail["Subject"], mail["Message"]) == (id, a_message().subject, a_message().body)
    said = {name: (attribute["Type"], attribute["Value"]) for name, attribute in mail["MessageAttributes"].items()}
    assert said == {
        "kind": ("String", "deadline"),
        "severity": ("String", "warning"),
        "account": ("String", "111122223333"),
        "owner": ("String", "ops@example.com"),
        "recipient": ("String", "ops@example.com"),
        "days": ("Number", "9"),
    }


def test_what_is_not_known_is_no_attribute_and_days_may_be_past(post: Post) -> None:
    post.notifier.send(a_message(owner="", account="", days=-21))
    (mail,) = post.arrived(post.mails)
    assert set(mail["MessageAttributes"]) == {"kind", "severity", "recipient", "days"}
    assert mail["MessageAttributes"]["days"]["Value"] == "-21"


def test_a_chat_gets_the_same_message_in_its_own_schema(post: Post) -> None:
    post.notifier.send(a_message())
    (chat,) = post.arrived(post.chats)
    assert json.loads(chat["Message"]) == in_chat(a_message())
    assert chat["MessageAttributes"]["owner"]["Value"] == "ops@example.com"


@pytest.mark.parametrize("post", ["sandbox"], indirect=True)
def test_an_event_arrives_on_the_bus_as_it_was_told(post: Post) -> None:
    post.notifier.publish_events([("Cluster Deadline", {"version": "1", "days": 9, "cluster": {"name": "orders"}})])
    (event,) = post.arrived(post.events)
    assert (event["source"], event["detail-type"]) == ("ekslab", "Cluster Deadline")
    assert event["detail"] == {"version": "1", "days": 9, "cluster": {"name": "orders"}}


def test_the_fake_keeps_what_was_sent_even_where_its_answer_is_lost() -> None:
    account = Account()
    notifier = FakeNotifier(account)
    account.fail("send", AwsUnavailable("before"))
    account.lose_answer("publish_events")
    with pytest.raises(Transient):
        notifier.send(a_message())
    with pytest.raises(Transient):
        notifier.publish_events([("Cluster Deadline", {})])
    assert (notifier.send(a_message()), notifier.send(a_message(recipient="team"))) == ("message-1", "message-2")
    assert notifier.to("team") == (a_message(recipient="team"),)
    assert notifier.events == [("Cluster Deadline", {})]


@dataclass
class Stubbed:
    notifier: SnsNotifier
    sns: Stubber
    events: Stubber


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    sns, events = (boto3.client(service, "ap-northeast-2", **keys) for service in ("sns", "events"))
    notifier = SnsNotifier(sns, events, "arn:aws:sns:::mails", "ekslab", chat=("arn:aws:sns:::chats", in_chat))
    with Stubber(sns) as sns_stub, Stubber(events) as events_stub:
        yield Stubbed(notifier, sns_stub, events_stub)


def test_a_chat_that_fails_takes_no_mail_back(stubbed: Stubbed) -> None:
    stubbed.sns.add_response("publish", {"MessageId": "m-1"})
    stubbed.sns.add_client_error("publish", "AuthorizationError")
    assert stubbed.notifier.send(a_message()) == "m-1"
    stubbed.sns.assert_no_pending_responses()


def test_topics_are_told_in_their_language_and_so_are_their_subjects(stubbed: Stubbed) -> None:
    stubbed.notifier._translate = lambda message: replace(message, subject="기한", body="본문\n\n표\n")
    kept = {"TopicArn": ANY, "MessageAttributes": ANY}
    stubbed.sns.add_response("publish", {"MessageId": "m-1"}, {**kept, "Subject": "기한", "Message": "본문\n\n표\n"})
    stubbed.sns.add_response("publish", {"MessageId": "m-2"}, {**kept, "Message": ANY})
    assert stubbed.notifier.send(a_message()) == "m-1"
    stubbed.sns.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "error"),
    [("AuthorizationErrorException", AccessDenied), ("Throttled", AwsRefused), ("Throttling", Throttled)],
)
def test_a_topic_that_refuses_says_so_and_the_chat_is_not_told(stubbed: Stubbed, code: str, error: type) -> None:
    stubbed.sns.add_client_error("publish", code)
    with pytest.raises(error):
        stubbed.notifier.send(a_message())


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", Throttled), ("InternalFailure", AwsUnavailable), ("NoSuchBus", AwsRefused)],
)
def test_an_event_that_the_bus_counts_as_failed_has_failed(stubbed: Stubbed, code: str, error: type) -> None:
    entry = {"ErrorCode": code, "ErrorMessage": "no"}
    stubbed.events.add_response("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(error):
        stubbed.notifier.publish_events([("Cluster Deadline", {})])


def test_events_go_ten_a_call_and_one_that_fails_keeps_no_other_back(stubbed: Stubbed) -> None:
    answers = [{"EventId": "1"}] * 10, [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}, {"EventId": "2"}]
    for entries in answers:
        failed = sum("ErrorCode" in entry for entry in entries)
        stubbed.events.add_response("put_events", {"FailedEntryCount": failed, "Entries": entries})
    large = ("Cluster Deadline", {"resources": ["x" * MOST_BYTES]})
    with pytest.raises(AwsRefused) as refusal:
        stubbed.notifier.publish_events([large, *[("Cluster Deadline", {"n": n}) for n in range(12)]])
    assert refusal.value.code == "EntryTooLarge"
    stubbed.events.assert_no_pending_responses()


def test_events_that_are_too_large_together_go_one_after_another(stubbed: Stubbed) -> None:
    for _ in range(2):
        stubbed.events.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    stubbed.notifier.publish_events([("Cluster Deadline", {"resources": ["x" * (MOST_BYTES // 2)]})] * 2)
    stubbed.events.assert_no_pending_responses()


def test_an_event_too_large_for_the_bus_is_refused_before_it_is_tried(stubbed: Stubbed) -> None:
    with pytest.raises(AwsRefused) as refusal:
        stubbed.notifier.publish_events([("Cluster Deadline", {"resources": ["x" * MOST_BYTES]})])
    assert refusal.value.code == "EntryTooLarge"


def test_a_body_too_long_for_a_message_is_cut_between_characters(stubbed: Stubbed) -> None:
    body = "ü" * MOST_BYTES
    sent: list[str] = []
    stubbed.notifier._sns.meta.events.register(
        "before-parameter-build.sns.Publish", lambda params, **_: sent.append(params["Message"])
    )
    for _ in range(2):
        stubbed.sns.add_response("publish", {"MessageId": "m-1"})
    stubbed.notifier.send(a_message(body=body))
    assert len(sent[0].encode()) < 262_144
    assert sent[0].startswith("üüü")
    assert "cut here" in sent[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("orders — 1.34 → 1.35", "orders — 1.34 → 1.35"),
        ("Bücher\nfällig\t", "Bücher fällig"),
        ("", "ekslab"),
        ("\u202ekcab\u2028\ud800", "kcab"),
        ("가" * 100, "가" * 96 + "..."),
        ("x" * 99, "x" * 99),
        ("x" * 100, "x" * 96 + "..."),
    ],
)
def test_a_subject_is_one_short_line_that_sns_takes(text: str, line: str) -> None:
    assert subject_line(text) == line


@given(st.text(max_size=300))
def test_no_subject_is_ever_refused(text: str) -> None:
    line = subject_line(text)
    assert 1 <= len(line) <= 99
    assert line.encode()
    assert line.isprintable()
    assert line == line.strip()
