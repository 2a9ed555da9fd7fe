"""Sends messages to one person: by mail to a confirmed address, else by the topic, to which people and programs subscribe.

A mail is requested once. Its record is written before, and SES's events complete the record if the run dies.
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

#: A claim outlasts the longest run of a function: if a run dies between its claim and its mail, a later run sends the mail.
CLAIMED_FOR = timedelta(minutes=5)
#: How long a mail's List-Unsubscribe link works, as long as its key does.
_UNSUBSCRIBABLE = timedelta(days=30)


@dataclass(frozen=True)
class Route:
    """How a recipient is reached: by mail to `addressee`, else by the topic, unless `why` says that nobody receives it there.

    `came_back`: nobody receives it because mail to the address bounced.
    """

    addressee: Addressee | None = None
    why: str | None = None
    came_back: bool = False


def route_to(deps: Deps, recipient: str, message: Message | None = None) -> Route:
    """By mail, unless mail to the address bounced for good: then by the topic, if the recipient subscribed."""
    addressee = deps.mail.addressee_of(lookup_name(recipient, message)) if deps.mail is not None else None
    if deps.mail is None or addressee is None:
        return Route(why=deps.curfew.reach.undeliverable_reason(recipient, message))
    if message is not None and not wants(addressee, message.kind):
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


def wants(addressee: Addressee, kind: str) -> bool:
    """Whether a person wants messages of this kind; warnings before a deletion can't be switched off."""
    return topic_of(kind) is None or str(topic_of(kind)) not in addressee.muted


def came_back_to(recipient: str, why: str) -> str:
    """A sentence that says that mail to this recipient bounces."""
    return Sentence("Mail to {recipient} came back: {why}.", recipient=recipient, why=why)


def lookup_name(recipient: str, message: Message | None) -> str:
    """The name by which a recipient's address is found: an owner's whole identity, of which the recipient is a part."""
    owner = message.owner if message is not None else ""
    return owner if owner and recipient_of(owner).casefold() == recipient.casefold() else recipient


def tell(deps: Deps, message: Message, once: str) -> str:
    """Send one message; return its id, empty if no person receives it; it is published for programs all the same.

    `once`: its name; a repeated name is the same mail. A mail that SES refuses goes to the topic. Raises AwsUnavailable while it
    is unknown whether SES accepted the mail.
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
    except AwsRefused as refusal:
        from chalicelib.domain.notices.mail import is_by_ses

        if not is_by_ses(refusal):
            raise
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
    posts: Sequence[str] = (),
) -> Mail | None:
    """Send messages as one mail. None if it was requested before and it is unknown whether SES accepted it.

    Raises Throttled and AwsRefused if SES refused it, AwsUnavailable if SES did not answer.
    """
    from chalicelib.domain.notices.mail import new_mail

    if deps.mail is None:
        raise AwsRefused("ses:SendEmail", "NoSender", "This installation sends no mail of its own.")
    fresh = new_mail(addressee.address, messages, once, deps.clock.now(), entries, notices, posts)
    return deps.mail.send(fresh, addressee, messages, deps.clock.now, _unsubscribing(deps, addressee, messages))


def _unsubscribing(deps: Deps, addressee: Addressee, messages: Sequence[Message]) -> str:
    """The link that switches off the topics of a mail; empty if one of them can't be switched off."""
    topics = {topic_of(message.kind) for message in messages}
    if None in topics or not addressee.person or not deps.watch.api_url:
        return ""
    from chalicelib.domain.curfew.signed_links import sign_unsubscribing

    until = deps.clock.now() + _UNSUBSCRIBABLE
    token = sign_unsubscribing(addressee.person, sorted(filter(None, topics)), until, deps.curfew.signing_key())
    return f"{deps.watch.api_url}/unsubscribe/{token}"


def claims(deps: Deps, what: str, now: datetime, by: str = "") -> bool:
    """Whether this run, of concurrent ones, sends the mail `what`. `by`: an execution; its retries keep its claims."""
    return deps.store.claim(what, by or deps.new_id(), now, now + CLAIMED_FOR)
