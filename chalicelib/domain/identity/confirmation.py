"""The confirmation of a mail address: one pending per address, by a link that its reader uses once.

Requested by `PUT /me` or an administrator's roster. `curfew/signed_links.py` signs the link. Frequent requests,
and requests for an address whose reader refused, are refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import AddressPending, AddressRefused, AskedTooOften

#: The lifetime of a link: after one's own request, and after a roster, whose people may be on leave.
LASTS, LASTS_FROM_ROSTER = timedelta(days=1), timedelta(days=7)
#: Mails to an address in a day, and addresses requested in a day: by one person, and by the sessions of one role.
MOST_MAILS, MOST_ASKED, MOST_ASKED_BY_ROLE = 3, 5, 50
A_DAY = timedelta(days=1)
#: Another request within this time sends no second mail.
SOON = timedelta(minutes=2)
#: How long a reader's refusal is kept.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class Confirmation:
    """The pending or settled confirmation of one address. `person`: by id; `identity`: the requester, as shown to the reader.

    `mails`: when recent mails went out; `sent`: one of them belongs to this request.
    `refused`: ids of people whom the reader rejected.
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
        """Whether its link still works."""
        return self.used_at is None and self.person not in self.refused and now < self.expires_at

    @property
    def forgotten_at(self) -> datetime:
        """When the record is no longer needed."""
        return self.expires_at + (REMEMBERED if self.refused else A_DAY)


@dataclass(frozen=True)
class Asking:
    """A request for an address. `lasts`: the lifetime of the link; `nonce`: that of a new link."""

    address: str
    person: str
    identity: str
    nonce: str
    lasts: timedelta = LASTS


def asked(kept: Confirmation | None, asking: Asking, now: datetime) -> Confirmation:
    """The confirmation with this request in it. Raises AddressPending, AddressRefused, AskedTooOften."""
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
            "{address} has had {number} mails of this kind within a day.", address=asking.address, number=MOST_MAILS
        )
    nonce = kept.nonce if pending else new.nonce
    return replace(new, nonce=nonce, mails=mails, refused=kept.refused, version=kept.version)


def is_mail_due(kept: Confirmation, now: datetime) -> bool:
    """Whether its mail has not gone out: another request soon after one sends no second mail."""
    return kept.is_pending(now) and not kept.sent


def mailed(kept: Confirmation, nonce: str, now: datetime) -> Confirmation:
    """The same with one more mail, if it is still the one that the mail was about."""
    return replace(kept, mails=(*kept.mails, now), sent=True) if kept.nonce == nonce else kept


def address_digest(address: str) -> str:
    """The key of an address's confirmation, short enough for a link."""
    return hashlib.sha256(address.lower().encode()).hexdigest()[:32]
