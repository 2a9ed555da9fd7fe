"""The five-minute run's part for people: mails people of a new roster, and people whose first mail failed.

Each person gets one mail, also from concurrent runs; a run that dies between a mail and its mark repeats that mail. What can't be
mailed now is put off: addresses that nobody mails would otherwise be first in the queue at every run. A link that SES refuses is
published to no topic: every subscriber could press its button.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.signed_links import sign_confirmation
from chalicelib.domain.errors.tree import (
    AddressPending,
    AddressRefused,
    AskedTooOften,
    AwsRefused,
    AwsUnavailable,
    EkslabError,
)
from chalicelib.domain.identity.confirmation import A_DAY, LASTS_FROM_ROSTER, Asking, Confirmation, address_digest
from chalicelib.domain.identity.invitation import invite
from chalicelib.domain.identity.person import Person
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import claims, send_mail

#: People mailed by one run; the next run mails the others.
_AT_ONCE = 100
#: The next try after a mail that nobody took, once.
_SOON = timedelta(hours=1)


def send_invitations(deps: Deps, now: datetime) -> list[dict[str, str]]:
    """Mail the people who are due; return the failures. An address whose reader refused the person gets none."""
    failed = []
    for due in deps.people.to_invite(_AT_ONCE):
        try:
            _invite(deps, due.id, now)
        except EkslabError as error:
            failed.append({"person": due.id, "error": type(error).__name__, "message": str(error)})
            logger.warning("A person could not be invited.", extra={"person": due.id, "error": type(error).__name__})
    return failed


def _invite(deps: Deps, person_id: str, now: datetime) -> None:
    person = deps.people.person(person_id)
    if person is None or person.invite_at is None or person.invite_at > now:
        return
    if not claims(deps, f"invitation#{person_id}", deps.clock.now()):
        return
    try:
        if person.asked is not None:
            _send(deps, person, person.asked, now)
    except AwsRefused:
        _put_off(deps, person, now)
        raise
    except (AddressPending, AddressRefused, AskedTooOften) as refused:
        logger.info("A person is not invited.", extra={"person": person_id, "reason": str(refused)})
        _settle(deps, person, partial(_after, refused, now=now))
    else:
        _settle(deps, person, lambda kept: replace(kept, invite_at=None))


def _settle(deps: Deps, person: Person, change: Callable[[Person], Person]) -> None:
    """Save the result of a mail, also if others saved the person meanwhile, unless another address is asked for now."""
    deps.people.change_person(person.id, lambda kept: change(kept) if kept.asked == person.asked else kept)


def _after(refused: AddressPending | AddressRefused | AskedTooOften, person: Person, now: datetime) -> Person:
    """The person after a request that came too early: they are invited later. A reader's refusal ends the request."""
    match refused:
        case AddressPending():
            return replace(person, invite_at=refused.until)
        case AskedTooOften():
            return replace(person, invite_at=now + A_DAY)
        case AddressRefused():
            return replace(person, asked=None, invite_at=None)


def _put_off(deps: Deps, person: Person, now: datetime) -> None:
    """The next try after a mail that nobody takes: in an hour, and a day after any further one."""
    is_first = deps.people.spend(f"invitations/{person.id}", 1, now + LASTS_FROM_ROSTER)
    _settle(deps, person, lambda kept: replace(kept, invite_at=now + (_SOON if is_first else A_DAY)))


def _send(deps: Deps, person: Person, address: str, now: datetime) -> None:
    from chalicelib.domain.notices.mail import Addressee

    def link(kept: Confirmation) -> str | None:
        if not deps.watch.api_url:
            return None
        key = deps.curfew.signing_key()
        return f"{deps.watch.api_url}/confirm/{sign_confirmation(address_digest(address), kept.nonce, kept.expires_at, key)}"

    def send(message: Message, once: str) -> str:
        if deps.mail is None:
            return deps.watch.notifier.send(message)
        addressee = Addressee(address, str(person.reads(deps.language)), zone=person.zone or deps.curfew.zone)
        mail = send_mail(deps, addressee, [message], f"{message.kind} {once}")
        if mail is None:
            raise AwsUnavailable(f"ses:SendEmail: whether the mail to {address} was taken is not known yet.")
        return mail.message_id

    asking = Asking(address, person.id, person.identities[0], secrets.token_hex(8), LASTS_FROM_ROSTER)
    invite(deps.people, send, asking, link, now)
