"""Events that SES publishes to the SNS topics of a mail's configuration set, a second of AWS after it accepts the mail.

The records are those of "Contents of event data that Amazon SES publishes to Amazon SNS" and its examples (SES developer guide),
the simulator's addresses those of "Using the mailbox simulator". `POST /_emulator/mail {"address": …, "outcome": …}` makes any
other mailbox behave so.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import ses, ses_v2, sns

from emulator.core.clock import EmulatorClock
from emulator.core.later import later
from emulator.core.scope import scope
from emulator.services.ses import suppression
from emulator.services.ses.identities import sending_identity

Event = tuple[str, Mapping[str, Any]]

SUBJECT = "Amazon SES Email Event Notification"
_AFTER = 1.0
#: The test file for virus scanners (eicar.org), in two halves so that none finds it here.
_VIRUS = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_SIMULATED = {
    "bounce": "bounce", "complaint": "complaint", "suppressionlist": "suppressed", "success": "delivery", "ooto": "delivery",
}  # fmt: skip
OUTCOMES = ("delivery", "bounce", "soft-bounce", "complaint", "suppressed", "silence")
_MTA = "a1-1.smtp-out.amazonses.com"
_UNKNOWN_USER = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
_LISTED = {
    "action": "failed",
    "status": "5.1.1",
    "diagnosticCode": "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
}
_mailboxes = AccountRegionScopedDict()


def set_outcome(address: str, outcome: str) -> Mapping[str, str]:
    """Set the outcome of mails to an address; a ValueError names the possible outcomes."""
    if outcome not in OUTCOMES:
        raise ValueError(f"no such outcome: {outcome}; there is: {', '.join(OUTCOMES)}")
    _mailboxes[address.lower()] = outcome
    return {"address": address, "outcome": outcome}


def publish_later(clock: EmulatorClock, record: dict[str, Any]) -> None:
    """Publish the events of a new mail, in its order; its record keeps their kinds."""
    events, mail = list(_events(clock, record)), _mail(clock, record)
    topics = _topics(record.get("ConfigurationSetName", ""))
    record["Events"] = [kind for kind, _ in events]

    def publish() -> None:
        for kind, detail in events:
            document = {"eventType": kind, "mail": mail, **detail}
            for topic in topics.get(kind.upper(), ()):
                _publish(topic, document, record["ConfigurationSetName"])

    if topics:
        later(clock, _AFTER, publish)


def _publish(topic: str, document: Mapping[str, Any], configuration_set: str) -> None:
    account, region = scope()
    source = f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
    if sns.topic_policy_allows(topic, "ses.amazonaws.com", source, account):
        sns.publish_internal(topic, json.dumps(document), SUBJECT)


def _topics(configuration_set: str) -> Mapping[str, list[str]]:
    """The topics by the kind of event published to them."""
    found: dict[str, list[str]] = {}
    destinations = (ses_v2._config_sets.get(configuration_set) or {}).get("EventDestinations") or {}
    for destination in destinations.values():
        topic = (destination.get("SnsDestination") or {}).get("TopicArn")
        if topic and destination["Enabled"]:
            for kind in destination["MatchingEventTypes"]:
                found.setdefault(kind, []).append(topic)
    return found


def _events(clock: EmulatorClock, record: Mapping[str, Any]) -> Sequence[Event]:
    now = _instant(clock.now())
    if _VIRUS in f"{record['BodyText']}{record['BodyHtml']}":
        return [("Reject", {"reject": {"reason": "Bad content"}})]
    events: list[Event] = [("Send", {"send": {}})]
    for address in _recipients(record):
        events += _of(clock, address, record.get("ConfigurationSetName", ""), now)
    return events


def _of(clock: EmulatorClock, address: str, configuration_set: str, now: str) -> list[Event]:
    delivery = ("Delivery", {"delivery": _delivery(address, now)})
    match suppression.reason_of(address, configuration_set):
        case "BOUNCE":
            return [_bounce(address, now, "OnAccountSuppressionList", _LISTED)]
        case "COMPLAINT":
            return [_complaint(address, now, "OnAccountSuppressionList")]
    local, _, domain = address.lower().partition("@")
    simulated = domain == ses._SIMULATOR_DOMAIN
    outcome = _SIMULATED.get(local.split("+")[0]) if simulated else _mailboxes.get(address.lower())
    if (
        not simulated
        and outcome in ("bounce", "complaint")
        and outcome.upper() in suppression.reasons(configuration_set)
    ):
        suppression.add(clock, address, outcome.upper())
    match outcome:
        case "bounce":
            return [_bounce(address, now, "General", _UNKNOWN_USER)]
        case "soft-bounce":
            return [_bounce(address, now, "MailboxFull", {"action": "failed", "status": "4.2.2"}, "Transient")]
        case "suppressed":
            return [_bounce(address, now, "Suppressed", {"action": "failed", "status": "5.1.1"})]
        case "complaint":
            return [delivery, _complaint(address, now, None)]
        case "silence":
            return []
    return [delivery]


def _delivery(address: str, now: str) -> Mapping[str, Any]:
    return {
        "timestamp": now,
        "processingTimeMillis": 478,
        "recipients": [address],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": _MTA,
    }


def _bounce(address: str, now: str, sub_type: str, why: Mapping[str, str], kind: str = "Permanent") -> Event:
    detail = {
        "bounceType": kind,
        "bounceSubType": sub_type,
        "bouncedRecipients": [{"emailAddress": address, **why}],
        "timestamp": now,
        "feedbackId": str(uuid.uuid4()),
        "reportingMTA": f"dns; {_MTA}",
    }
    return "Bounce", {"bounce": detail}


def _complaint(address: str, now: str, sub_type: str | None) -> Event:
    detail = {
        "complainedRecipients": [{"emailAddress": address}],
        "complaintSubType": sub_type,
        "timestamp": now,
        "feedbackId": str(uuid.uuid4()),
        "complaintFeedbackType": "abuse",
        "arrivalDate": now,
    }
    return "Complaint", {"complaint": detail}


def _mail(clock: EmulatorClock, record: Mapping[str, Any]) -> Mapping[str, Any]:
    account, region = scope()
    sender, recipients, now = record["Source"], list(_recipients(record)), _instant(clock.now())
    headers = {"From": sender, "To": ", ".join(record["To"]), "Subject": record["Subject"], "MIME-Version": "1.0"}
    tags = {each["Name"]: [each["Value"]] for each in record["EmailTags"]} | {
        "ses:configuration-set": [record.get("ConfigurationSetName", "")],
        "ses:from-domain": [parseaddr(sender)[1].rpartition("@")[2]],
        "ses:caller-identity": [record["Caller"]],
    }
    return {
        "timestamp": now,
        "source": sender,
        "sourceArn": f"arn:aws:ses:{region}:{account}:identity/{sending_identity(sender)}",
        "sendingAccountId": account,
        "messageId": record["MessageId"],
        "destination": recipients,
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()]
        + [{"name": each["Name"], "value": each["Value"]} for each in record["Headers"]],
        "commonHeaders": {
            "from": [sender],
            "to": record["To"],
            "messageId": record["MessageId"],
            "subject": record["Subject"],
        },
        "tags": tags,
    }


def _recipients(record: Mapping[str, Any]) -> list[str]:
    return [parseaddr(each)[1] for each in (*record["To"], *record["CC"], *record["BCC"])]


def _instant(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
