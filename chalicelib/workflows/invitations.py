"""The five-minute run's part for people: mails people of a new roster, and people whose first mail failed.

Each person gets one mail, also from concurrent runs; a run that dies between a mail and its mark repeats that mail.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.signed_links import sign_confirmation
from chalicelib.domain.errors.tree import AwsUnavailable, EkslabError, RequestRefused
from chalicelib.domain.identity.confirmation import LASTS_FROM_ROSTER, Asking, Confirmation, address_digest
from chalicelib.domain.identity.invitation import invite
from chalicelib.domain.identity.person import Person
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import claims, tell_by

#: People mailed by one run; the next run mails the others.
_AT_ONCE = 100


def send_invitations(deps: Deps, now: datetime) -> list[dict[str, str]]:
    """Mail the people who are due; return the failures. An address that its reader refused, or another person claims, gets none."""
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
    if person.asked is not None:
        try:
            _send(deps, person, person.asked, now)
        except RequestRefused as refused:
            logger.info("A person is not invited.", extra={"person": person_id, "reason": str(refused)})
    deps.people.save_people([person], [replace(person, invite_at=None)])


def _send(deps: Deps, person: Person, address: str, now: datetime) -> None:
    from chalicelib.domain.notices.mail import Addressee

    def link(kept: Confirmation) -> str | None:
        if not deps.watch.api_url:
            return None
        key = deps.curfew.signing_key()
        return f"{deps.watch.api_url}/confirm/{sign_confirmation(address_digest(address), kept.nonce, kept.expires_at, key)}"

    def send(message: Message, once: str) -> str:
        if message_id := tell_by(
            deps,
            Addressee(address, str(person.reads(deps.language)), zone=person.zone or deps.curfew.zone),
            message,
            once,
        ):
            return message_id
        raise AwsUnavailable(f"Nobody takes the mail that invites {address}.")

    asking = Asking(address, person.id, person.identities[0], secrets.token_hex(8), LASTS_FROM_ROSTER)
    invite(deps.people, send, asking, link, now)
