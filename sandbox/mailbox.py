"""A person's notices: a queue subscribed to the topic, in place of a mailbox, and the mails that SES accepted.

SNS wraps each message in JSON with its subject, body and attributes; a filter policy works as a subscriber's does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.process import Sandbox


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it arrived. Attributes of any type are texts."""

    id: str
    subject: str
    body: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that SES accepted. `outcome`: delivered, bounced or accepted, by SES's events."""

    id: str
    address: str
    subject: str
    text: str
    html: str
    outcome: str

    @property
    def mail(self) -> Mail:
        """As a mail from a topic."""
        return Mail(self.id, self.subject, self.text, {"recipient": self.address})


def sent_mails(sandbox: Sandbox) -> list[SentMail]:
    """All mails that SES accepted so far, oldest first."""
    return [
        SentMail(each["MessageId"], each["To"][0], each["Subject"], each["BodyText"], each["BodyHtml"], _outcome(each))
        for each in sandbox.admin("GET", "mails")["mails"]
    ]


def letters_in(text: str) -> list[tuple[str, str]]:
    """The subjects and texts of a mail about several subjects; none if it has one."""
    parts = re.split(r"^(\S.*)\n=+\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _outcome(record: Mapping[str, Any]) -> str:
    kinds = set(record.get("Events", ()))
    if kinds & {"Bounce", "Complaint", "Reject"}:
        return "bounced"
    return "delivered" if "Delivery" in kinds else "accepted"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A queue that gets the topic's messages."""

    sandbox: Sandbox
    queue_url: str

    def take(self) -> list[Mail]:
        """Return the messages since the last look, oldest first, and keep none."""
        sqs, mails = self.sandbox.client("sqs"), list[Mail]()
        while True:
            found = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
            for message in found:
                mails.append(_mail(json.loads(message["Body"])))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            if not found:
                return mails


def subscribe(
    sandbox: Sandbox, topic_arn: str, name: str, wanted: Mapping[str, Sequence[str]] | None = None
) -> Mailbox:
    """Make a mailbox for `topic_arn`; `wanted` is an SNS filter policy, by attribute."""
    sqs, sns = sandbox.client("sqs"), sandbox.client("sns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_may_send(topic_arn, arn))})
    filtered = {"FilterPolicy": json.dumps(wanted)} if wanted else {}
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=filtered)
    return Mailbox(sandbox, url)


def _may_send(topic_arn: str, queue_arn: str) -> Mapping[str, Any]:
    """A queue takes nothing from a topic that its policy does not name."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _mail(envelope: Mapping[str, Any]) -> Mail:
    attributes = {name: str(value["Value"]) for name, value in envelope.get("MessageAttributes", {}).items()}
    return Mail(envelope["MessageId"], envelope.get("Subject", ""), envelope["Message"], attributes)
