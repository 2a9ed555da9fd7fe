"""Reads SES's events from SNS's notifications: the mail, its outcome, and the reason as a sentence.

The shapes are those of "Contents of event data that Amazon SES publishes to Amazon SNS" (SES developer guide). Messages are
ignored unless they are such events of this installation's configuration set, from its own topic, with a tag that can be ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.messaging.ses import TAG
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.notices.mail import MailEvent, MailEventKind, is_mail_id


def mail_events(event: Mapping[str, Any], topic_arn: str, configuration_set: str) -> Iterator[MailEvent | None]:
    """One for each record of a Lambda's event; None for an untrusted record, or one of another kind."""
    for record in event.get("Records", ()):
        try:
            yield _event(record, topic_arn, configuration_set)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            yield None


def _event(record: Mapping[str, Any], topic_arn: str, configuration_set: str) -> MailEvent | None:
    sns = record["Sns"]
    if record["EventSource"] != "aws:sns" or not topic_arn or sns["TopicArn"] != topic_arn:
        return None
    said = json.loads(sns["Message"])
    mail = said["mail"]
    tag = mail["tags"].get(TAG, [""])[0]
    if mail["tags"]["ses:configuration-set"] != [configuration_set] or not is_mail_id(tag):
        return None
    found = _kind(said)
    if found is None:
        return None
    kind, why, at, addresses = found
    return MailEvent(tag, str(mail["messageId"]), kind, addresses, _instant(at or mail["timestamp"]), why)


def _kind(said: Mapping[str, Any]) -> tuple[MailEventKind, str, str, tuple[str, ...]] | None:
    """The kind of event, its reason, time and addresses; None for kinds that do not change the state."""
    match said["eventType"]:
        case "Send":
            return MailEventKind.SENT, "", "", ()
        case "Delivery":
            return MailEventKind.DELIVERED, "", said["delivery"]["timestamp"], tuple(said["delivery"]["recipients"])
        case "Bounce":
            return _bounce(said["bounce"])
        case "Complaint":
            whose = tuple(each["emailAddress"] for each in said["complaint"]["complainedRecipients"])
            listed = said["complaint"].get("complaintSubType") == "OnAccountSuppressionList"
            why = (
                Sentence("the address complained before, and Amazon SES sends it nothing")
                if listed
                else Sentence("the reader complained")
            )
            return MailEventKind.REFUSED, why, said["complaint"]["timestamp"], whose
        case "Reject":
            words = _plain(said["reject"].get("reason", ""))
            return MailEventKind.REFUSED, Sentence("Amazon SES rejected it: {words}", words=words), "", ()
        case _:
            return None


def _bounce(bounce: Mapping[str, Any]) -> tuple[MailEventKind, str, str, tuple[str, ...]]:
    recipients = bounce["bouncedRecipients"]
    kind = MailEventKind.REFUSED if bounce["bounceType"] == "Permanent" else MailEventKind.DELAYED_FOR_GOOD
    sub_type = str(bounce.get("bounceSubType", ""))
    said = next((_plain(each["diagnosticCode"]) for each in recipients if each.get("diagnosticCode")), "")
    if sub_type in ("Suppressed", "OnAccountSuppressionList"):
        why = Sentence("the address is on Amazon SES's suppression list")
    else:
        words = said or sub_type or str(bounce["bounceType"])
        why = Sentence("the mail server refused it ({words})", words=words)
    return kind, why, bounce["timestamp"], tuple(each["emailAddress"] for each in recipients)


def _plain(text: str) -> str:
    """One line of a foreign mail server's text, short and printable."""
    return "".join(sign if sign.isprintable() else " " for sign in str(text))[:200].strip()


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError(text)
    return at
