"""Sends one message to a mail address, confirmed or not: through SES if the installation sends mail, else by the topic."""

from __future__ import annotations

from chalicelib.domain.core.message import Message
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.person import Person
from chalicelib.ports.deps import Deps


def send_to_address(deps: Deps, message: Message, reader: Person, once: str) -> str:
    """Send it to the address that is its recipient; return its id. The same `once` again sends nothing.

    A mail that SES refuses goes to the topic. Raises Throttled, AwsUnavailable.
    """
    if deps.mail is None:
        return deps.watch.notifier.send(message)
    from chalicelib.domain.notices.mail import Addressee, new_mail

    addressee = Addressee(message.recipient, str(reader.reads(deps.language)), zone=reader.zone or deps.curfew.zone)
    fresh = new_mail(addressee.address, [message], f"{message.kind} {once}", deps.clock.now())
    try:
        mail = deps.mail.send(fresh, addressee, [message], deps.clock.now)
    except AwsRefused:
        return deps.watch.notifier.send(message)
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {addressee.address} was taken is not known yet.")
    return mail.message_id
