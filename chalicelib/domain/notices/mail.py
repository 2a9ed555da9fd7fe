"""A mail to one person as it is kept: what it tells of, whether SES has taken it, and what became of it.

The record is written before SES is asked. Its id goes with the mail as a tag, so that SES's events find it: a run that dies
between SES's answer and its own note is made up for by the Send event, and no later run sends the mail again.
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

#: Longer than a function lives, and than an event of SES takes: a mail of which nothing was heard by then was not taken.
UNHEARD_OF = timedelta(minutes=15)
#: Of a mail's kind or of any recipient's name only these signs may stand in a tag.
_ID = pattern(r"[0-9a-f]{32}")
_SEVERITIES = list(Severity)


class MailState(StrEnum):
    """SENDING: SES is being asked. ACCEPTED: it has taken it. DELIVERED: the reader's mail server has. BOUNCED: nobody has it."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"


class MailEventKind(StrEnum):
    """What SES tells of a mail. REFUSED: a bounce for good, a complaint, a reject, a suppressed address."""

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
    """`entries` and `notices`: what it tells of. `sending_until`: nobody else asks SES before. `why`: of a bounce, in words.

    `recipient`: the name that the address was found by. `version` counts saves.
    """

    id: str
    recipient: str
    address: str
    subject: str
    begun_at: datetime
    sending_until: datetime
    entries: tuple[EntryRef, ...] = ()
    notices: tuple[NoticeRef, ...] = ()
    state: MailState = MailState.SENDING
    message_id: str = ""
    accepted_at: datetime | None = None
    why: str = ""
    for_good: bool = True
    version: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether SES has it, and nothing came back."""
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
    """The same for one address and one occasion, such as a run: there is one mail of it."""
    return hashlib.sha256(f"{address.casefold()}\n{once}".encode()).hexdigest()[:32]


def is_mail_id(text: str) -> bool:
    """Whether a tag can be an id at all."""
    return _ID.fullmatch(text) is not None


def begun(mail: Mail, stored: Mail | None, now: datetime) -> Mail | None:
    """The record with which SES may be asked now; None if it was asked already, or somebody is at it."""
    if stored is None:
        return mail
    if stored.state is MailState.SENDING and stored.sending_until <= now:
        return replace(mail, version=stored.version)
    return None


def accepted(mail: Mail, message_id: str, at: datetime) -> Mail:
    """SES has given it an id. Its events may have come before the answer."""
    if mail.state is not MailState.SENDING:
        return replace(mail, message_id=mail.message_id or message_id, accepted_at=mail.accepted_at or at)
    return replace(mail, state=MailState.ACCEPTED, message_id=message_id, accepted_at=at)


def given_back(mail: Mail, now: datetime) -> Mail:
    """SES said that it did not take it: the next one may ask again at once."""
    return replace(mail, sending_until=now) if mail.state is MailState.SENDING else mail


def after(mail: Mail, event: MailEvent) -> Mail:
    """The mail after an event. Order and repetition of events do not change the result.

    What came back for good stays so. A delivery outweighs a server that gave up for now: it is an answer of another one, or an
    automatic reply. An event about another address is not about this mail.
    """
    if event.addresses and mail.address.casefold() not in {each.casefold() for each in event.addresses}:
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


def worst_first(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The gravest first, of two alike the one that was before."""
    return tuple(sorted(messages, key=lambda message: -_SEVERITIES.index(message.severity)))


def subject_of(messages: Sequence[Message]) -> str:
    """That of the gravest, and how many more there are."""
    first, *others = worst_first(messages)
    return f"{first.subject} (and {len(others)} more)" if others else first.subject
