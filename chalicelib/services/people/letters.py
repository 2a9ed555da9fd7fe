"""Sends one message to a mail address, confirmed or not: through SES where the installation sends mail, else by the topic."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.message import Message
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, Throttled
from chalicelib.ports.deps import Deps
from chalicelib.ports.mail import Letterhead, Mailing


def send_to_address(deps: Deps, message: Message, language: str, once: str, now: datetime) -> str:
    """Send it to the address that is its recipient; return its id. The same `once` again sends nothing.

    What SES refuses goes to the topic. Raises Throttled, AwsUnavailable.
    """
    if deps.mail is None:
        return deps.watch.notifier.send(message)
    try:
        return _mail(deps.mail, message, language, once, now)
    except AwsRefused:
        return deps.watch.notifier.send(message)


def _mail(mailing: Mailing, message: Message, language: str, once: str, now: datetime) -> str:
    from chalicelib.domain.notices.mail import UNHEARD_OF, Mail, MailState, accepted, given_back, mail_id

    address = message.recipient
    fresh = Mail(mail_id(address, f"{message.kind} {once}"), address, address, message.subject, now, now + UNHEARD_OF)
    mail, is_mine = mailing.store.begin_mail(fresh, now)
    if not is_mine and mail.state is MailState.SENDING:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {address} was taken is not known yet.")
    if not is_mine:
        return mail.message_id
    mine = mailing.render([message], language)
    try:
        message_id = mailing.mailer.send(Letterhead(mail.id, address, mine.subject, mine.text, mine.html))
    except (Throttled, AwsRefused):
        mailing.store.change_mail(mail.id, lambda stored: given_back(stored, now))
        raise
    mailing.store.change_mail(mail.id, lambda stored: accepted(stored, message_id, now))
    return message_id
