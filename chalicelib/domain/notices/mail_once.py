"""The one way in which a mail is asked for: its record first, then SES, then what came of it.

What it needs of the world is handed in: the services and the workflows send by it.
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
    """The part of the store of mails that is needed here."""

    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        """Write the record unless SES was asked already; the record as it is kept, and whether it is this one."""
        ...

    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        """Load, change, save if nobody saved in between, else again."""
        ...


def new_mail(
    address: str,
    messages: Sequence[Message],
    once: str,
    now: datetime,
    entries: Sequence[EntryRef] = (),
    notices: Sequence[NoticeRef] = (),
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
    )


def send_once(store: KeepsMails, ask: Callable[[Mail], str], fresh: Mail, clock: Callable[[], datetime]) -> Mail | None:
    """Ask for a mail unless it was asked for before; None while nobody knows whether SES has taken it.

    `ask` returns SES's message id. Raises Throttled and AwsRefused where SES did not take it, AwsUnavailable where it did not say.
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
