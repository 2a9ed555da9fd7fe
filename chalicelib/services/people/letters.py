"""Sends one message to a mail address, confirmed or not: through SES if the installation sends mail, else by the topic."""

from __future__ import annotations

from chalicelib.domain.core.message import Message
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.person import Person
from chalicelib.ports.deps import Deps
from chalicelib.ports.mail import Letterhead, Mailing


def send_to_address(deps: Deps, message: Message, reader: Person, once: str) -> str:
    """Send it to the address that is its recipient; return its id. The same `once` again sends nothing.

    A mail that SES refuses goes to the topic. Raises Throttled, AwsUnavailable.
    """
    if deps.mail is None:
        return deps.watch.notifier.send(message)
    try:
        return _mail(deps, deps.mail, message, reader, once)
    except AwsRefused:
        return deps.watch.notifier.send(message)


def _mail(deps: Deps, mailing: Mailing, message: Message, reader: Person, once: str) -> str:
    from chalicelib.domain.notices.mail_once import new_mail, send_once

    mine, address = (
        mailing.render([message], str(reader.reads(deps.language)), reader.zone or deps.curfew.zone),
        message.recipient,
    )
    fresh = new_mail(address, [message], f"{message.kind} {once}", deps.clock.now())
    mail = send_once(
        mailing.store,
        lambda kept: mailing.mailer.send(Letterhead(kept.id, address, mine.subject, mine.text, mine.html)),
        fresh,
        deps.clock.now,
    )
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {address} was taken is not known yet.")
    return mail.message_id
