"""The record of a mail to one person: its warnings and notices, whether SES accepted it, and its outcome.

The record is written before SES is called. Its id is a tag of the mail, so that SES's events find it: if a run dies
between SES's answer and its own note, the Send event completes the record, and no later run sends the mail again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.errors.tree import AwsRefused

#: Longer than a function runs and SES's first event takes: a mail without any event by then was not accepted.
UNHEARD_OF = timedelta(minutes=15)
#: The form of an id: a tag allows only some characters.
_ID = pattern(r"[0-9a-f]{32}")
_SEVERITIES = list(Severity)


class MailState(StrEnum):
    """SENDING: SES is being called. ACCEPTED: by SES. DELIVERED: by the reader's mail server. BOUNCED: by neither."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"


class MailEventKind(StrEnum):
    """The kinds of SES's events. REFUSED: a permanent bounce, a complaint, a reject, a suppressed address."""

    SENT = "sent"
    DELIVERED = "delivered"
    DELAYED_FOR_GOOD = "delayed-for-good"
    REFUSED = "refused"


@dataclass(frozen=True)
class Addressee:
    """Where mail reaches a person: a confirmed address. `person`: their id; `muted`: topics they switched off; `zone`: theirs."""

    address: str
    language: str = "en"
    person: str = ""
    muted: tuple[str, ...] = ()
    zone: str = "UTC"


@dataclass(frozen=True)
class EntryRef:
    """An entry of a night's plan."""

    night: date
    entry_id: str


@dataclass(frozen=True)
class NoticeRef:
    """A notice of a cluster."""

    key: ClusterKey
    id: str


@dataclass(frozen=True)
class Mail:
    """`entries`, `notices` and `posts` (ids): the contents. `sending_until`: no other run calls SES before.

    `why`: of a bounce, in words. `recipient`: the name for which the address was found. `version` counts saves.
    """

    id: str
    recipient: str
    address: str
    subject: str
    begun_at: datetime
    sending_until: datetime
    entries: tuple[EntryRef, ...] = ()
    notices: tuple[NoticeRef, ...] = ()
    posts: tuple[str, ...] = ()
    state: MailState = MailState.SENDING
    message_id: str = ""
    accepted_at: datetime | None = None
    why: str = ""
    for_good: bool = True
    version: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether SES accepted it, and it did not bounce."""
        return self.state in (MailState.ACCEPTED, MailState.DELIVERED)


@dataclass(frozen=True)
class MailEvent:
    """One event of SES about the mail with a tag."""

    mail_id: str
    message_id: str
    kind: MailEventKind
    addresses: tuple[str, ...]
    at: datetime
    why: str = ""


def mail_id(address: str, once: str) -> str:
    """The same id for one address and one occasion, such as a run: there is one mail for it."""
    return hashlib.sha256(f"{address.casefold()}\n{once}".encode()).hexdigest()[:32]


def new_mail(
    address: str,
    messages: Sequence[Message],
    once: str,
    now: datetime,
    entries: Sequence[EntryRef] = (),
    notices: Sequence[NoticeRef] = (),
    posts: Sequence[str] = (),
) -> Mail:
    """The record of a mail of these messages. The same `once` for an address is the same mail."""
    return Mail(
        id=mail_id(address, once),
        recipient=messages[0].recipient,
        address=address,
        subject=subject_of(messages),
        begun_at=now,
        sending_until=now + UNHEARD_OF,
        entries=tuple(entries),
        notices=tuple(notices),
        posts=tuple(posts),
    )


def is_mail_id(text: str) -> bool:
    """Whether a tag has the form of an id."""
    return _ID.fullmatch(text) is not None


def begun(mail: Mail, stored: Mail | None, now: datetime) -> Mail | None:
    """The record with which SES may be called now; None if it was called already, or another run is calling it."""
    if stored is None:
        return mail
    if stored.state is MailState.SENDING and stored.sending_until <= now:
        return replace(mail, version=stored.version)
    return None


def accepted(mail: Mail, message_id: str, at: datetime) -> Mail:
    """SES has returned an id. Its events may have come before the answer."""
    if mail.state is not MailState.SENDING:
        return replace(mail, message_id=mail.message_id or message_id, accepted_at=mail.accepted_at or at)
    return replace(mail, state=MailState.ACCEPTED, message_id=message_id, accepted_at=at)


def given_back(mail: Mail, now: datetime) -> Mail:
    """SES refused the mail: the next run may send it at once."""
    return replace(mail, sending_until=now) if mail.state is MailState.SENDING else mail


def is_about(event: MailEvent, mail: Mail) -> bool:
    """Whether an event is about a mail's address. A Send event names none."""
    return not event.addresses or mail.address.casefold() in {each.casefold() for each in event.addresses}


def after(mail: Mail, event: MailEvent) -> Mail:
    """The mail after an event. Order and repetition of events do not change the result.

    A permanent bounce stays. A delivery outweighs a temporary failure: that is another server's answer, or an
    automatic reply. An event about another address is not about this mail.
    """
    if not is_about(event, mail):
        return mail
    known = accepted(mail, event.message_id, event.at)
    match event.kind:
        case MailEventKind.SENT:
            return known
        case MailEventKind.DELIVERED:
            gone = known.state is MailState.BOUNCED and known.for_good
            return known if gone else replace(known, state=MailState.DELIVERED, why="", for_good=True)
        case MailEventKind.DELAYED_FOR_GOOD:
            if known.state in (MailState.DELIVERED, MailState.BOUNCED):
                return known
            return replace(known, state=MailState.BOUNCED, why=event.why, for_good=False)
        case MailEventKind.REFUSED:
            if known.state is MailState.BOUNCED and known.for_good:
                return replace(known, why=min(known.why, event.why))
            return replace(known, state=MailState.BOUNCED, why=event.why, for_good=True)
        case _:
            assert_never(event.kind)


def is_by_ses(refusal: AwsRefused) -> bool:
    """Whether SES refused a mail, rather than the table that keeps its record."""
    return refusal.operation.startswith("ses:")


def is_about_mail(refusal: AwsRefused, address: str) -> bool:
    """Whether SES refused this mail to this address alone, rather than the account, its sender or its configuration.

    SES names the identities that are not verified: in its sandbox the reader's, too. Source: SES v2's API reference, SendEmail.
    """
    if refusal.code not in ("MessageRejected", "BadRequestException"):
        return False
    _, names_them, identities = refusal.message.partition("failed the check in region")
    named = {each.strip().casefold() for each in identities.partition(":")[2].split(",")}
    return not names_them or named == {address.casefold()}


def worst_first(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The most severe first; messages of equal severity keep their order."""
    return tuple(sorted(messages, key=lambda message: -_SEVERITIES.index(message.severity)))


def subject_of(messages: Sequence[Message]) -> str:
    """The subject of the most severe message, and the number of the others."""
    first, *others = worst_first(messages)
    return f"{first.subject} (and {len(others)} more)" if others else first.subject
