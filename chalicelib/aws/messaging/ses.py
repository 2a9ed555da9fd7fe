"""Sends mail through SES v2: the port `Mailer`; and reads SES's events from SNS's notifications. Imported by the first mail,
and by `GET /health` if mail is configured.

SES has no client token for SendEmail, so only requests that SES refused for their rate are repeated here:
the client must make one attempt a call. The shapes of events are those of "Contents of event data that Amazon SES publishes to
Amazon SNS" (SES developer guide). Messages are ignored unless they are such events of this installation's configuration set,
from its own topic, with a tag that can be ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError, ResourceGone, Throttled
from chalicelib.domain.notices.mail import MailEvent, MailEventKind, is_mail_id
from chalicelib.ports.mail import Letterhead

#: The tag with the id of the mail's record.
TAG = "ekslab-mail"
#: Seconds before each retry after SES refused the rate: it accepted nothing then.
_PAUSES = (0.2, 0.5, 1.0)


class SesMailer:
    """`identity`: a verified one, an address or a domain. Needs ses:SendEmail on it and the set, GetEmailIdentity, GetAccount."""

    def __init__(self, sesv2: Any, identity: str, configuration_set: str, pause: Callable[[float], None]) -> None:
        self._ses, self._identity, self._set, self._pause = sesv2, identity, configuration_set, pause
        self._sender = identity if "@" in identity else f"ekslab@{identity}"

    def send(self, letter: Letterhead) -> str:
        """Send; retry only if SES refused the rate. Raises Throttled, AwsRefused, AwsUnavailable."""
        for seconds in _PAUSES:
            try:
                return self._send(letter)
            except Throttled:
                self._pause(seconds)
        return self._send(letter)

    def troubles(self) -> tuple[str, ...]:
        """Two calls. An unreadable answer is a trouble, too."""
        try:
            return tuple(filter(None, (self._identity_trouble(), self._account_trouble())))
        except EkslabError as error:
            return (
                Sentence(
                    "Amazon SES can't be asked about {identity}: {name}.",
                    identity=self._identity,
                    name=type(error).__name__,
                ),
            )

    def _send(self, letter: Letterhead) -> str:
        headers = []
        if letter.unsubscribe_url:
            headers = [
                {"Name": "List-Unsubscribe", "Value": f"<{letter.unsubscribe_url}>"},
                {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
            ]
        body = {"Text": _utf8(letter.text), "Html": _utf8(letter.html)}
        simple = {"Subject": _utf8(letter.subject), "Body": body, **({"Headers": headers} if headers else {})}
        answer = call(
            self._ses,
            "ses:SendEmail",
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [letter.address]},
            Content={"Simple": simple},
            EmailTags=[{"Name": TAG, "Value": letter.tag}],
            ConfigurationSetName=self._set,
        )
        return str(answer["MessageId"])

    def _identity_trouble(self) -> str:
        try:
            found = call(self._ses, "ses:GetEmailIdentity", EmailIdentity=self._identity)
        except ResourceGone:
            return Sentence(
                "Mail can't be sent: Amazon SES has no identity {identity} here. "
                "`aws sesv2 create-email-identity --email-identity {identity}` makes it; its owner confirms it.",
                identity=self._identity,
            )
        if found.get("VerifiedForSendingStatus"):
            return ""
        status = found.get("VerificationStatus", "not verified")
        return Sentence(
            "Mail can't be sent: the identity {identity} is {status}. `aws sesv2 get-email-identity --email-identity {identity}` "
            "shows what is to be done.",
            identity=self._identity,
            status=status,
        )

    def _account_trouble(self) -> str:
        account = call(self._ses, "ses:GetAccount")
        if not account.get("ProductionAccessEnabled"):
            return Sentence(
                "Mail reaches verified addresses only: the account is in Amazon SES's sandbox. "
                "`aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url URL` "
                "asks AWS to move it out."
            )
        if not account.get("SendingEnabled"):
            return Sentence(
                "Mail can't be sent: sending is paused in this account. `aws sesv2 "
                "put-account-sending-attributes --sending-enabled` goes on, once its reason is gone."
            )
        return ""


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


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
