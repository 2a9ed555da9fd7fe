"""Sends a mail once: its record first, then SES, then the result.

Its dependencies are arguments: services and workflows use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.core.message import Message
from chalicelib.domain.errors.tree import AwsRefused, Throttled
from chalicelib.domain.notices.mail import (
    UNHEARD_OF,
    EntryRef,
    Mail,
    MailState,
    NoticeRef,
    accepted,
    given_back,
    mail_id,
    subject_of,
)


class KeepsMails(Protocol):
    """The methods of the store of mails that this module needs."""

    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        """Write the record unless SES was called already; return the stored record, and whether it is this one."""
        ...

    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        """Load, change, save; repeat if somebody saved in between."""
        ...


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


def send_once(store: KeepsMails, ask: Callable[[Mail], str], fresh: Mail, clock: Callable[[], datetime]) -> Mail | None:
    """Send a mail unless it was sent before; None while it is unknown whether SES accepted it.

    `ask` returns SES's message id. Raises Throttled and AwsRefused if SES refused it, AwsUnavailable if SES did not answer.
    """
    mail, is_mine = store.begin_mail(fresh, fresh.begun_at)
    if not is_mine:
        return None if mail.state is MailState.SENDING else mail
    try:
        message_id = ask(mail)
    except (Throttled, AwsRefused):
        store.change_mail(mail.id, lambda stored: given_back(stored, fresh.begun_at))
        raise
    sent = clock()
    return store.change_mail(mail.id, lambda stored: accepted(stored, message_id, sent)) or mail
