"""The Mailer port on the emulator's SES v2, with exactly the functions' rights, and SES's events as a queue gets them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.messaging.ses import TAG, SesMailer, mail_events
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, Throttled
from chalicelib.domain.notices.mail import MailEvent, MailEventKind, mail_id
from chalicelib.ports.mail import Letterhead
from emulator.process import Sandbox

SENDER, SET, TOPIC = "mail.example.org", "ekslab-mails", "mail-events"
ACCOUNT = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.org"}
SIMULATOR = "simulator.amazonses.com"


def letter(address: str, once: str = "run", **more: str) -> Letterhead:
    return Letterhead(mail_id(address, once), address, "제목: a lab", "text", "<p>html</p>", **more)


@pytest.fixture(scope="module")
def queue(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """A verified domain, a configuration set, and its topic with a queue: (topic, queue's URL)."""
    ses, sns, sqs = (sandbox.client(name) for name in ("sesv2", "sns", "sqs"))
    ses.create_email_identity(EmailIdentity="mail.example.org")
    sandbox.admin("POST", "mail", {"verify": "mail.example.org"})
    ses.create_configuration_set(ConfigurationSetName=SET)
    topic = sns.create_topic(Name=TOPIC)["TopicArn"]
    url = sqs.create_queue(QueueName=TOPIC)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    kinds = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"]
    destination = {"Enabled": True, "MatchingEventTypes": kinds, "SnsDestination": {"TopicArn": topic}}
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=SET, EventDestinationName="topic", EventDestination=destination
    )
    yield topic, url
    ses.delete_configuration_set(ConfigurationSetName=SET)
    ses.delete_email_identity(EmailIdentity="mail.example.org")


@pytest.fixture
def mailer(sandbox: Sandbox, queue: tuple[str, str]) -> SesMailer:
    return SesMailer(sandbox.client("sesv2"), SENDER, SET, lambda _: None)


def records(sandbox: Sandbox, queue: tuple[str, str], tag: str, count: int) -> list[dict[str, Any]]:
    """SNS's Lambda event for the mail with this tag."""
    sqs, found, until = sandbox.client("sqs"), list[dict[str, Any]](), time.monotonic() + 20
    while len(found) < count and time.monotonic() < until:
        for each in sqs.receive_message(QueueUrl=queue[1], WaitTimeSeconds=1, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            sqs.delete_message(QueueUrl=queue[1], ReceiptHandle=each["ReceiptHandle"])
            body = json.loads(each["Body"])
            if json.loads(body["Message"])["mail"]["tags"].get(TAG) == [tag]:
                found.append({"EventSource": "aws:sns", "Sns": body})
    return found


@pytest.mark.parametrize(
    ("name", "kinds", "why"),
    [
        ("success", {MailEventKind.SENT, MailEventKind.DELIVERED}, ""),
        ("bounce", {MailEventKind.SENT, MailEventKind.REFUSED}, "smtp; 550 5.1.1 user unknown"),
        ("suppressionlist", {MailEventKind.SENT, MailEventKind.REFUSED}, "suppression list"),
        ("complaint", {MailEventKind.SENT, MailEventKind.DELIVERED, MailEventKind.REFUSED}, "complained"),
    ],
)
def test_a_mail_is_found_again_by_its_tag(
    sandbox: Sandbox, queue: tuple[str, str], mailer: SesMailer, name: str, kinds: set[MailEventKind], why: str
) -> None:
    sent = letter(f"{name}@{SIMULATOR}", name)
    message_id = mailer.send(sent)
    found = read(records(sandbox, queue, sent.tag, len(kinds)), queue[0])
    assert {event.kind for event in found} == kinds
    assert {(event.mail_id, event.message_id) for event in found} == {(sent.tag, message_id)}
    assert {event.addresses for event in found} - {()} == {(sent.address,)}
    assert any(why in event.why for event in found)


def read(given: list[dict[str, Any]], topic: str) -> list[MailEvent]:
    found = list(mail_events({"Records": given}, topic, SET))
    assert None not in found
    return [event for event in found if event is not None]


def test_text_html_and_the_way_to_unsubscribe_go_out(sandbox: Sandbox, mailer: SesMailer) -> None:
    message_id = mailer.send(letter(f"success@{SIMULATOR}", "unsubscribe", unsubscribe_url="https://example.org/u/1"))
    (kept,) = (each for each in sandbox.admin("GET", "mails")["mails"] if each["MessageId"] == message_id)
    assert (kept["Subject"], kept["BodyText"], kept["BodyHtml"]) == ("제목: a lab", "text", "<p>html</p>")
    assert {each["Name"]: each["Value"] for each in kept["Headers"]} == {
        "List-Unsubscribe": "<https://example.org/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_mail_comes_from_the_address_that_is_the_identity_or_from_one_of_the_domain(
    sandbox: Sandbox, mailer: SesMailer
) -> None:
    sandbox.client("sesv2").create_email_identity(EmailIdentity="lab@post.example.org")
    sandbox.admin("POST", "mail", {"verify": "lab@post.example.org"})
    other = SesMailer(sandbox.client("sesv2"), "lab@post.example.org", SET, lambda _: None)
    sent = {each.send(letter(f"success@{SIMULATOR}", "from")): each for each in (mailer, other)}
    kept = [each["Source"] for each in sandbox.admin("GET", "mails")["mails"] if each["MessageId"] in sent]
    assert kept == ["ekslab@mail.example.org", "lab@post.example.org"]


def test_a_warning_has_no_way_to_unsubscribe(sandbox: Sandbox, mailer: SesMailer) -> None:
    message_id = mailer.send(letter(f"success@{SIMULATOR}", "warning"))
    (kept,) = (each for each in sandbox.admin("GET", "mails")["mails"] if each["MessageId"] == message_id)
    assert kept["Headers"] == []


def test_what_health_says_of_a_sender(sandbox: Sandbox, queue: tuple[str, str], mailer: SesMailer) -> None:
    ses = sandbox.client("sesv2")
    assert mailer.troubles() == ()
    (nobody,) = SesMailer(ses, "nowhere.example.org", SET, lambda _: None).troubles()
    assert "aws sesv2 create-email-identity --email-identity nowhere.example.org" in nobody
    ses.create_email_identity(EmailIdentity="late.example.org")
    (pending,) = SesMailer(ses, "late.example.org", SET, lambda _: None).troubles()
    assert "PENDING" in pending
    assert "aws sesv2 get-email-identity --email-identity late.example.org" in pending
    ses.put_account_details(ProductionAccessEnabled=False, **ACCOUNT)
    try:
        (boxed,) = mailer.troubles()
        assert "sandbox" in boxed
        assert "aws sesv2 put-account-details --production-access-enabled" in boxed
        with pytest.raises(AwsRefused, match="not verified"):
            mailer.send(letter("jane@example.com"))
    finally:
        ses.put_account_details(ProductionAccessEnabled=True, **ACCOUNT)


class Answers:
    """A client whose calls end in these ways, one after the other."""

    def __init__(self, *answers: Exception | str) -> None:
        self.answers, self.asked = list(answers), 0

    def send_email(self, **_: Any) -> dict[str, str]:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"MessageId": answer}

    def get_email_identity(self, **_: Any) -> dict[str, str]:
        raise error("AccessDeniedException", 403)


def error(code: str, status: int) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": metadata}, "SendEmail")


def test_only_what_ses_refused_for_its_rate_is_asked_again() -> None:
    fast = error("TooManyRequestsException", 429)
    client, pauses = Answers(fast, fast, "id"), list[float]()
    assert SesMailer(client, SENDER, SET, pauses.append).send(letter("jane@example.com")) == "id"
    assert (client.asked, len(pauses)) == (3, 2)
    with pytest.raises(Throttled):
        SesMailer(Answers(fast, fast, fast, fast), SENDER, SET, pauses.append).send(letter("jane@example.com"))
    client = Answers(error("InternalFailure", 500), "id")
    with pytest.raises(AwsUnavailable):
        SesMailer(client, SENDER, SET, pauses.append).send(letter("jane@example.com"))
    assert client.asked == 1


def test_a_sender_that_can_not_be_looked_at_is_a_trouble() -> None:
    (trouble,) = SesMailer(Answers(), SENDER, SET, lambda _: None).troubles()
    assert "AccessDenied" in trouble


TAGS = {TAG: ["a" * 32], "ses:configuration-set": [SET]}
MAIL = {"messageId": "m", "timestamp": "2026-11-29T12:00:00.000Z", "tags": TAGS}
ARN = "arn:aws:sns:ap-northeast-2:111122223333:mail-events"


def a_record(topic: str = ARN, source: str = "aws:sns", **said: Any) -> dict[str, Any]:
    message = json.dumps({"eventType": "Send", "mail": MAIL, "send": {}} | said)
    return {"EventSource": source, "Sns": {"TopicArn": topic, "Message": message}}


@pytest.mark.parametrize(
    "record",
    [
        a_record(topic="arn:aws:sns:ap-northeast-2:111122223333:another"),
        a_record(source="aws:sqs"),
        a_record(mail=MAIL | {"tags": TAGS | {"ses:configuration-set": ["theirs"]}}),
        a_record(mail=MAIL | {"tags": TAGS | {TAG: ["../../x"]}}),
        a_record(mail=MAIL | {"tags": {}}),
        a_record(mail=None),
        a_record(mail=MAIL | {"timestamp": "yesterday"}),
        a_record(mail=MAIL | {"timestamp": "2026-11-29T12:00:00"}),
        a_record(eventType="Open"),
        a_record(eventType="Bounce"),
        a_record(eventType="Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": "x", "timestamp": 1}),
        {"EventSource": "aws:sns", "Sns": {"TopicArn": ARN, "Message": "not json"}},
        {"EventSource": "aws:sns", "Sns": {"TopicArn": ARN, "Message": "[]"}},
        {},
        None,
    ],
)
def test_forged_and_strange_events_are_passed_over(record: Any) -> None:
    assert list(mail_events({"Records": [record]}, ARN, SET)) == [None]


def test_without_a_topic_nothing_is_believed() -> None:
    assert list(mail_events({"Records": [a_record(topic="")]}, "", SET)) == [None]
    assert [event.kind for event in read([a_record()], ARN)] == [MailEventKind.SENT]
    assert list(mail_events({}, ARN, SET)) == []


def test_what_a_stranger_s_mail_server_says_is_one_short_line() -> None:
    said = {"emailAddress": "j@example.com", "diagnosticCode": "550\r\nX-Evil: 1\u202e" + "x" * 500}
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [said], "timestamp": "2026-11-29T12:00:00.000Z"}
    (event,) = read([a_record(eventType="Bounce", bounce=bounce)], ARN)
    assert event.why.isprintable()
    assert len(event.why) < 250
