"""The recipients of a message: on moto's and the sandbox's topics, against their real deliveries, and policy by policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.aws.messaging.notifier import SnsNotifier
from chalicelib.aws.messaging.subscriptions import KEPT_FOR, TopicSubscriptions, takes
from chalicelib.domain.core.message import Message
from chalicelib.domain.errors.tree import Throttled
from emulator.process import Sandbox
from tests.aws.messaging.test_notifier import open_to_aws
from tests.domain.curfew.messages.test_warning import mail
from tests.examples import examples
from tests.fakes.builders import NOW

REGION = "ap-northeast-2"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:notices"
ATTRIBUTES: dict[str, str | int] = {
    "kind": "curfew-warning",
    "severity": "warning",
    "account": "111122223333",
    "owner": "arn:aws:iam::111122223333:user/learner",
    "recipient": "learner",
    "days": 0,
}


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Topic:
    """A topic with subscribed queues, and the reach over it."""

    sns: Any
    sqs: Any
    arn: str
    clock: Clock
    reach: TopicSubscriptions
    queues: list[str] = field(default_factory=list)

    def subscribe(self, policy: object = None, scope: str = "MessageAttributes") -> str:
        """A new queue's address, subscribed."""
        attributes = {} if policy is None else {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope}
        url = str(self.sqs.create_queue(QueueName=f"listens-{len(self.queues)}")["QueueUrl"])
        said = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        self.queues.append(url)
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_aws(said["QueueArn"])})
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=said["QueueArn"], Attributes=attributes)
        return url

    def got(self, url: str, message: Message) -> bool:
        """Whether a published message arrives there."""
        SnsNotifier(self.sns, None, self.arn, "ekslab").send(message)
        return bool(self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages"))


def _topic(client: Any, name: str) -> Topic:
    sns, clock = client("sns"), Clock()
    arn = sns.create_topic(Name=name)["TopicArn"]
    return Topic(sns, client("sqs"), arn, clock, TopicSubscriptions(sns, arn, clock.now))


@pytest.fixture(params=["moto", "sandbox"])
def topic(request: pytest.FixtureRequest) -> Iterator[Topic]:
    if request.param == "moto":
        with mock_aws():
            yield _topic(lambda service: boto3.client(service, region_name=REGION), "notices")
        return
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    topic = _topic(sandbox.client, "reached")
    yield topic
    topic.sns.delete_topic(TopicArn=topic.arn)
    for url in topic.queues:
        topic.sqs.delete_queue(QueueUrl=url)


def test_a_topic_without_subscriptions_reaches_nobody(topic: Topic) -> None:
    assert topic.reach.undeliverable_reason("learner") == f"Nobody has a confirmed subscription to {topic.arn}."


def test_a_subscription_without_a_filter_takes_everybodys_messages(topic: Topic) -> None:
    topic.subscribe()
    assert topic.reach.undeliverable_reason("learner") is None
    assert topic.reach.undeliverable_reason("shop@example.com") is None


def test_a_filter_by_recipient_takes_that_recipients_messages_only(topic: Topic) -> None:
    topic.subscribe({"recipient": ["learner"]})
    assert topic.reach.undeliverable_reason("learner") is None
    assert (
        topic.reach.undeliverable_reason("ops") == f"No confirmed subscription to {topic.arn} takes messages for ops."
    )


def test_an_account_is_known_only_with_the_message(topic: Topic) -> None:
    topic.subscribe({"account": ["111122223333"], "recipient": ["learner"]})
    assert topic.reach.undeliverable_reason("learner") is not None
    assert topic.reach.undeliverable_reason("learner", mail()) is None
    assert topic.reach.undeliverable_reason("learner", replace(mail(), account="")) is not None


def test_what_a_message_will_or_will_not_have_is_not_guessed(topic: Topic) -> None:
    topic.subscribe({"owner": [{"exists": False}]})
    topic.subscribe({"account": [{"exists": True}]})
    assert topic.reach.undeliverable_reason("learner") is not None
    assert topic.reach.undeliverable_reason("learner", replace(mail(), account="")) is not None
    assert topic.reach.undeliverable_reason("learner", mail()) is None


def test_a_subscription_by_message_body_is_not_counted_on(topic: Topic) -> None:
    topic.subscribe({"recipient": ["learner"]}, "MessageBody")
    assert topic.reach.undeliverable_reason("learner") is not None


def test_subscriptions_are_read_page_by_page(topic: Topic) -> None:
    for number in range(105):
        topic.subscribe({"recipient": [f"learner-{number}"]})
    assert topic.reach.undeliverable_reason("learner-104") is None


def test_what_was_read_is_believed_for_five_minutes_and_then_read_again(topic: Topic) -> None:
    assert topic.reach.undeliverable_reason("learner") is not None
    topic.subscribe()
    topic.clock.at += KEPT_FOR - timedelta(seconds=1)
    assert topic.reach.undeliverable_reason("learner") is not None
    topic.clock.at += timedelta(seconds=1)
    assert topic.reach.undeliverable_reason("learner") is None


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"recipient": ["learner"]},
        {"recipient": ["ops", "learner"]},
        {"recipient": ["ops"]},
        {"recipient": ["learner"], "severity": ["critical"]},
        {"kind": [{"prefix": "curfew-"}]},
        {"kind": [{"suffix": "-report"}]},
        {"kind": [{"anything-but": ["deadline", "solved"]}]},
        {"kind": [{"anything-but": "curfew-warning"}]},
        {"owner": [{"exists": True}]},
        {"team": [{"exists": False}]},
        {"team": [{"exists": True}]},
        {"days": [{"numeric": ["<=", 7]}]},
        {"days": [{"numeric": [">", 0, "<=", 7]}]},
        {"days": [{"numeric": ["=", 0]}]},
    ],
    ids=json.dumps,
)
def test_reach_says_what_a_topic_then_does(topic: Topic, policy: dict[str, Any]) -> None:
    url = topic.subscribe(policy)
    assert (topic.reach.undeliverable_reason("learner", mail()) is None) is topic.got(url, mail())


@pytest.mark.parametrize(
    ("policy", "is_taken"),
    [
        ({"recipient": [{"equals-ignore-case": "LEARNER"}]}, True),
        ({"recipient": [{"equals-ignore-case": "ops"}]}, False),
        ({"recipient": [{"wildcard": "learn*"}, "learner"]}, True),
        ({"kind": [{"anything-but": {"prefix": "curfew-"}}]}, False),
        ({"kind": [{"anything-but": {"prefix": "dead"}}]}, True),
        ({"kind": [{"anything-but": {"suffix": "-warning"}}]}, False),
        ({"days": [{"anything-but": [7, 14]}]}, True),
        ({"days": [{"anything-but": [0]}]}, False),
        ({"team": [{"anything-but": ["ops"]}]}, False),
        ({"team": [{"anything-but": [7]}]}, False),
        ({"account": [{"exists": False}]}, False),
    ],
    ids=json.dumps,
)
def test_operators_mean_what_sns_says_they_mean(policy: dict[str, Any], is_taken: bool) -> None:
    assert takes(json.dumps(policy), "MessageAttributes", ATTRIBUTES) is is_taken


@pytest.mark.parametrize(
    "policy",
    [
        '{"recipient": [{"wildcard": "learn*"}]}',
        '{"$or": [{"recipient": ["learner"]}, {"severity": ["critical"]}]}',
        '{"recipient": {"name": ["learner"]}}',
        '{"recipient": "learner"}',
        '{"recipient": [{"prefix": "learn", "suffix": "er"}]}',
        '{"recipient": [{"prefix": 7}]}',
        '{"recipient": [{"anything-but": []}]}',
        '{"recipient": [{"anything-but": {"wildcard": "ops*"}}]}',
        '{"recipient": [{"anything-but": {"prefix": ["ops"]}}]}',
        '{"recipient": [{"anything-but": {}}]}',
        '{"recipient": [{"anything-but": [7]}]}',
        '{"recipient": [{"anything-but": [null]}]}',
        '{"recipient": [{"numeric": ["=", 0]}]}',
        '{"recipient": [{"exists": 1}]}',
        '{"recipient": [null, true, 7, ["learner"]]}',
        '{"days": [0]}',
        '{"days": [{"numeric": ["!", 0]}]}',
        '{"days": [{"numeric": ["=", false]}]}',
        '{"days": [{"numeric": ["=", "0"]}]}',
        '{"days": [{"numeric": ["<", 1, ">"]}]}',
        '{"days": [{"numeric": [["="], 0]}]}',
        '["recipient"]',
        "null",
        "{",
    ],
)
def test_what_is_not_understood_counts_as_not_taking_the_message(policy: str) -> None:
    assert takes(policy, "MessageAttributes", ATTRIBUTES) is False


def test_a_condition_on_what_is_not_known_yet_is_not_met_either_way() -> None:
    for condition in ({"exists": True}, {"exists": False}, {"anything-but": ["ops"]}, "111122223333"):
        assert not takes(json.dumps({"account": [condition]}), "MessageAttributes", ATTRIBUTES, frozenset({"account"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["learner", "=", "<", "warning", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["recipient", "days", "prefix", "suffix", "anything-but", "numeric", "exists", "$or"]),
            inner,
            max_size=3,
        )
    ),
)


@settings(max_examples=examples(400))
@given(JSON)
def test_no_policy_is_too_strange_to_be_answered(policy: object) -> None:
    assert takes(json.dumps(policy), "MessageAttributes", ATTRIBUTES) in (True, False)


@dataclass
class Stubbed:
    reach: TopicSubscriptions
    sns: Stubber


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    sns = boto3.client("sns", REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sns) as stub:
        yield Stubbed(TopicSubscriptions(sns, TOPIC, Clock().now), stub)
        stub.assert_no_pending_responses()


def _listed(*arns: str) -> dict[str, Any]:
    return {"Subscriptions": [{"SubscriptionArn": arn, "Protocol": "email", "TopicArn": TOPIC} for arn in arns]}


def test_an_unconfirmed_or_deleted_subscription_reaches_nobody(stubbed: Stubbed) -> None:
    stubbed.sns.add_response("list_subscriptions_by_topic", _listed("PendingConfirmation", "Deleted", f"{TOPIC}:1"))
    stubbed.sns.add_response("get_subscription_attributes", {"Attributes": {"PendingConfirmation": "true"}})
    assert stubbed.reach.undeliverable_reason("learner") == f"Nobody has a confirmed subscription to {TOPIC}."


def test_a_subscription_that_ends_while_it_is_read_does_not_count(stubbed: Stubbed) -> None:
    stubbed.sns.add_response("list_subscriptions_by_topic", _listed(f"{TOPIC}:1", f"{TOPIC}:2"))
    stubbed.sns.add_client_error("get_subscription_attributes", "NotFound", http_status_code=404)
    stubbed.sns.add_response("get_subscription_attributes", {"Attributes": {"PendingConfirmation": "false"}})
    assert stubbed.reach.undeliverable_reason("learner") is None


def test_a_topic_that_may_not_be_read_reaches_nobody_and_says_so(stubbed: Stubbed) -> None:
    stubbed.sns.add_client_error("list_subscriptions_by_topic", "AuthorizationError", http_status_code=403)
    assert (
        stubbed.reach.undeliverable_reason("learner")
        == f"The subscriptions of {TOPIC} could not be read (AuthorizationError)."
    )


def test_a_throttled_reading_is_left_to_be_tried_again(stubbed: Stubbed) -> None:
    stubbed.sns.add_client_error("list_subscriptions_by_topic", "Throttling", http_status_code=400)
    with pytest.raises(Throttled):
        stubbed.reach.undeliverable_reason("learner")
    stubbed.sns.add_response("list_subscriptions_by_topic", _listed(f"{TOPIC}:1"))
    stubbed.sns.add_response("get_subscription_attributes", {"Attributes": {"FilterPolicy": "{}"}})
    assert stubbed.reach.undeliverable_reason("learner") is None
