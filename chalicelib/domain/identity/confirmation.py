"""The confirmation of a mail address: one pending per address, by a link that its reader presses, once.

Asked for by `PUT /me` or an administrator's roster. The link is signed as a keep-link is (`curfew/keep_link.py`). Who asks too
often, or for an address whose reader said no, is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AddressPending, AddressRefused, AskedTooOften

#: How long a link is good: for who asks themself, and for who is in a roster and may be on leave.
LASTS, LASTS_FROM_ROSTER = timedelta(days=1), timedelta(days=7)
#: Mails that an address gets in a day, and addresses that somebody may ask for in a day: a person, and the sessions of one role.
MOST_MAILS, MOST_ASKED, MOST_ASKED_BY_ROLE = 3, 5, 50
A_DAY = timedelta(days=1)
#: Asking again so soon sends no second mail.
SOON = timedelta(minutes=2)
#: How long it is remembered that a reader said no.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class Confirmation:
    """What is pending, or was settled, for one address. `person`: by id; `identity`: who asked, as the reader is shown.

    `mails`: when mails went out, of late; `sent`: one of them is this one's.
    `refused`: ids of people whom its reader rejected.
    """

    address: str
    person: str
    identity: str
    nonce: str
    asked_at: datetime
    expires_at: datetime
    mails: tuple[datetime, ...] = ()
    sent: bool = False
    used_at: datetime | None = None
    refused: tuple[str, ...] = ()
    version: int = 0

    def is_pending(self, now: datetime) -> bool:
        """Whether its link would still do something."""
        return self.used_at is None and self.person not in self.refused and now < self.expires_at

    @property
    def forgotten_at(self) -> datetime:
        """When nothing of it matters any more."""
        return self.expires_at + (REMEMBERED if self.refused else A_DAY)


@dataclass(frozen=True)
class Asking:
    """Somebody asks for an address. `lasts`: how long the link is to be good; `nonce`: that of a new link."""

    address: str
    person: str
    identity: str
    nonce: str
    lasts: timedelta = LASTS


def asked(kept: Confirmation | None, asking: Asking, now: datetime) -> Confirmation:
    """The confirmation with this asking in it. Raises AddressPending, AddressRefused, AskedTooOften."""
    new = Confirmation(asking.address, asking.person, asking.identity, asking.nonce, now, now + asking.lasts)
    if kept is None:
        return new
    if asking.person in kept.refused:
        raise AddressRefused(asking.address)
    pending = kept.is_pending(now)
    if pending and kept.person != asking.person:
        raise AddressPending(asking.address, kept.expires_at)
    mails = tuple(at for at in kept.mails if now - at < A_DAY)
    if pending and kept.sent and mails and now - mails[-1] < SOON:
        return kept
    if len(mails) >= MOST_MAILS:
        raise AskedTooOften(
            Sentence(
                "{address} has had {number} mails of this kind within a day.",
                address=asking.address,
                number=MOST_MAILS,
            )
        )
    nonce = kept.nonce if pending else new.nonce
    return replace(new, nonce=nonce, mails=mails, refused=kept.refused, version=kept.version)


def is_mail_due(kept: Confirmation, now: datetime) -> bool:
    """Whether its mail has not gone out: asking again soon after one sends no other."""
    return kept.is_pending(now) and not kept.sent


def mailed(kept: Confirmation, nonce: str, now: datetime) -> Confirmation:
    """The same with one mail more, if it is still the one that the mail was about."""
    return replace(kept, mails=(*kept.mails, now), sent=True) if kept.nonce == nonce else kept


def address_digest(address: str) -> str:
    """Where an address's confirmation is kept, short enough for a link."""
    return hashlib.sha256(address.lower().encode()).hexdigest()[:32]
