"""Gets messages to one person: by mail where they confirmed an address, else by the topic that they may be subscribed to.

A mail is asked for once. Its record says so before, and SES's events settle what a run that died could not note.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import recipient_of
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.person import topic_of
from chalicelib.ports.deps import Deps

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee, EntryRef, Mail, NoticeRef


#: How long the link in a mail's List-Unsubscribe is good, as long as its key is.
_UNSUBSCRIBABLE = timedelta(days=30)


@dataclass(frozen=True)
class Route:
    """How a recipient is reached: `addressee` by mail, else by the topic, unless `why` says that nobody takes it there.

    `came_back`: nobody takes it because mail to them came back.
    """

    addressee: Addressee | None = None
    why: str | None = None
    came_back: bool = False


def route_to(deps: Deps, recipient: str, message: Message | None = None) -> Route:
    """By mail, unless mail to their address came back for good: then by the topic, if they listen there."""
    addressee = deps.mail.addressee_of(_named(recipient, message)) if deps.mail is not None else None
    if deps.mail is None or addressee is None:
        return Route(why=deps.curfew.reach.undeliverable_reason(recipient, message))
    if message is not None and not hears(addressee, message):
        return Route(
            why=Sentence(
                "{recipient} switched off mails of this kind ({topic}).",
                recipient=recipient,
                topic=topic_of(message.kind) or message.kind,
            )
        )
    came_back = deps.mail.store.bounced_address(addressee.address)
    if came_back is None:
        return Route(addressee)
    if deps.curfew.reach.undeliverable_reason(recipient, message) is None:
        return Route()
    return Route(why=came_back_to(recipient, came_back), came_back=True)


def hears(addressee: Addressee, message: Message) -> bool:
    """Whether a person wants such messages; a warning before a deletion nobody can switch off."""
    return hears_of(addressee, message.kind)


def hears_of(addressee: Addressee, kind: str) -> bool:
    """Whether a person wants messages of this kind."""
    return topic_of(kind) is None or str(topic_of(kind)) not in addressee.muted


def came_back_to(recipient: str, why: str) -> str:
    """That mail to somebody does not reach them, as a sentence."""
    return Sentence("Mail to {recipient} came back: {why}.", recipient=recipient, why=why)


def _named(recipient: str, message: Message | None) -> str:
    """An owner by their whole identity, of which the recipient is a part; anybody else as they are written."""
    owner = message.owner if message is not None else ""
    return owner if owner and recipient_of(owner).casefold() == recipient.casefold() else recipient


def tell(deps: Deps, message: Message, once: str) -> str:
    """Send one message, also if no route leads to its recipient; return its id. The same `once` for a recipient is the same mail.

    Programs may listen where no person does, so it is published all the same; the id is empty where nobody takes it for its
    recipient: then it must not count as told. What SES refuses goes to the topic. Raises AwsUnavailable while nobody knows whether
    SES has taken it.
    """
    route = route_to(deps, message.recipient, message)
    message_id = tell_by(deps, route.addressee, message, once)
    return message_id if route.why is None else ""


def tell_by(deps: Deps, addressee: Addressee | None, message: Message, once: str) -> str:
    """As `tell`, by mail to an addressee whose route is known, else by the topic."""
    if addressee is None or deps.mail is None:
        return deps.watch.notifier.send(message)
    try:
        mail = send_mail(deps, addressee, [message], f"{message.kind} {once}")
    except AwsRefused:
        if deps.curfew.reach.undeliverable_reason(message.recipient, message) is not None:
            return ""
        return deps.watch.notifier.send(message)
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {message.recipient} was taken is not known yet.")
    return mail.message_id


def send_mail(
    deps: Deps,
    addressee: Addressee,
    messages: Sequence[Message],
    once: str,
    entries: Sequence[EntryRef] = (),
    notices: Sequence[NoticeRef] = (),
) -> Mail | None:
    """Send messages as one mail. None where it was asked for before, and nobody knows yet whether SES has taken it.

    Raises Throttled and AwsRefused where SES did not take it, AwsUnavailable where it did not say.
    """
    from chalicelib.domain.notices.mail_once import new_mail, send_once

    if deps.mail is None:
        raise AwsRefused("ses:SendEmail", "NoSender", "This installation sends no mail of its own.")
    fresh = new_mail(addressee.address, messages, once, deps.clock.now(), entries, notices)
    return send_once(deps.mail.store, lambda mail: _ask(deps, mail, addressee, messages), fresh, deps.clock.now)


def _ask(deps: Deps, mail: Mail, addressee: Addressee, messages: Sequence[Message]) -> str:
    from chalicelib.domain.notices.mail import worst_first
    from chalicelib.ports.mail import Letterhead

    if deps.mail is None:
        raise AwsRefused("ses:SendEmail", "NoSender", "This installation sends no mail of its own.")
    mine = deps.mail.render(worst_first(messages), addressee.language)
    link = _unsubscribing(deps, addressee, messages)
    return deps.mail.mailer.send(Letterhead(mail.id, mail.address, mine.subject, mine.text, mine.html, link))


def _unsubscribing(deps: Deps, addressee: Addressee, messages: Sequence[Message]) -> str:
    """The link that switches off what a mail is about; empty where a part of it always comes."""
    topics = {topic_of(message.kind) for message in messages}
    topic = topics.pop() if len(topics) == 1 else None
    if topic is None or not addressee.person or not deps.watch.api_url:
        return ""
    from chalicelib.domain.curfew.confirmation_link import sign_unsubscribing

    until = deps.clock.now() + _UNSUBSCRIBABLE
    token = sign_unsubscribing(addressee.person, str(topic), until, deps.curfew.signing_key())
    return f"{deps.watch.api_url}/unsubscribe/{token}"


#: A claim outlasts the longest run of a function: if a run dies between its claim and its mail, a later run sends the mail.
_CLAIMED_FOR = timedelta(minutes=5)


def claims(deps: Deps, what: str, now: datetime, by: str = "") -> bool:
    """Whether this run, of concurrent ones, sends the mail `what`. `by`: an execution; its retries keep its claims."""
    return deps.store.claim(what, by or deps.new_id(), now, now + _CLAIMED_FOR)
