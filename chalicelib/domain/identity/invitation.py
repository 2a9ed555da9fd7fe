"""Sends the mail that asks for a confirmation: for a request, and for the five-minute run after a roster.

Its dependencies are arguments. A crash between the mail and its mark sends the mail once more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from chalicelib.domain.core.message import Block, Link, Message, Severity, letter_of, message_of, para
from chalicelib.domain.core.recipients import recipient_of
from chalicelib.domain.core.sentence import Moment, Sentence, Style
from chalicelib.domain.identity.callers import directory_person, shared_role
from chalicelib.domain.identity.confirmation import (
    Asking,
    Confirmation,
    address_digest,
    asked,
    is_mail_due,
    mailed,
)

KIND = "address-confirmation"


class KeepsConfirmations(Protocol):
    """The methods of the store of people that this module needs."""

    def change_confirmation(self, digest: str, change: Callable[[Confirmation | None], Confirmation]) -> Confirmation:
        """Load, change, save; repeat if somebody saved in between."""


def invite(
    store: KeepsConfirmations,
    send: Callable[[Message, str], str],
    asking: Asking,
    link: Callable[[Confirmation], str | None],
    now: datetime,
) -> Confirmation:
    """Record the request and send its mail, unless one went out just now. Raises the errors of `asked` and `send`.

    `send`: takes a message, and the name that makes a repeated mail the same one.
    """
    digest = address_digest(asking.address)
    pending = store.change_confirmation(digest, lambda kept: asked(kept, asking, now))
    if not is_mail_due(pending, now):
        return pending
    send(confirmation_message(pending, link(pending)), f"{pending.nonce} {len(pending.mails)}")
    return store.change_confirmation(digest, lambda kept: mailed(kept or pending, pending.nonce, now))


def confirmation_message(kept: Confirmation, link: str | None) -> Message:
    """The mail to an address that is not yet confirmed as anybody's."""
    asks = Sentence(
        "Mails about the EKS labs of this person are to come to this address: {who}.",
        who=describe_identity(kept.identity),
    )
    way: list[Block] = (
        [para(Sentence("If that is you, open this page and press the button:")), Link(link, Sentence("This is me"))]
        if link
        else [para(Sentence("If that is you: the address of this service is not set up; tell its administrators."))]
    )
    until = Sentence(
        "The link is good until {at}, and works once. If it is not you, press the other button there, or do nothing: nothing "
        "else is sent here.",
        at=Moment(kept.expires_at, "UTC", Style.MINUTE),
    )
    letter = letter_of(Sentence("Confirm your address for EKS labs"), [para(asks), *way, para(until)])
    return message_of(letter, kept.address, KIND, Severity.INFO, owner=kept.identity)


def describe_identity(identity: str) -> str:
    """The requester in words: the name from IAM or the directory, and the account."""
    name, account = recipient_of(identity), identity.split(":")[4] if identity.count(":") >= 5 else ""
    if directory_person(identity) is not None or ":directory/" in identity:
        return Sentence("The user {name} of IAM Identity Center (account {account})", name=name, account=account)
    if (role := shared_role(identity)) is not None:
        return Sentence(
            "The session {name} of the role {role} (account {account})",
            name=name,
            role=recipient_of(role),
            account=account,
        )
    if ":user/" in identity:
        return Sentence("The IAM user {name} (account {account})", name=name, account=account)
    return Sentence("The login {name}", name=name)
