"""Writes posts, and settles those that were sent. `night/send.py` sends them.

Writing a post again, as after a workflow died, changes nothing: its kind and occasion identify it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.errors.tree import EkslabError, Unreadable
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.notices.posts import Post, given_up, messages_of, passed_on, post_of, taken_back, taken_up, told
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import CLAIMED_FOR, Route, came_back_to, route_to

if TYPE_CHECKING:
    from chalicelib.domain.core.message import Message
    from chalicelib.domain.errors.tree import AwsRefused
    from chalicelib.domain.notices.mail import Addressee, Mail

KIND = "told"
#: How long a post waits for its first reader while SES refuses the account, the sender or the configuration.
_WAITS_FOR = timedelta(days=1)


def post(deps: Deps, messages: Sequence[Message], once: str, *, nightly: bool = False, lab_id: str = "") -> None:
    """Have the next run send one of these messages: the one to the first reachable recipient.

    `once`: the occasion, which is sent once. `nightly`: only the curfew run sends it. `lab_id`: the lab whose history records it.
    """
    deps.posts.add_post(post_of(tuple(messages), once, deps.clock.now(), nightly, lab_id))


def drop_post(deps: Deps, kind: str, once: str) -> None:
    """Settle a post that is no longer true: nobody gets it, and if its mail bounces, no other reader does.

    An unreadable post is left: nobody gets it either.
    """
    now = deps.clock.now()
    try:
        deps.posts.change_post(f"{kind} {once}", lambda stored: told(replace(stored, mail=""), stored.told_at or now))
    except Unreadable:
        logger.exception("A post can't be read.", extra={"post": f"{kind} {once}"})


@contextmanager
def each_alone() -> Iterator[Callable[[str], AbstractContextManager[None]]]:
    """Yield a context for each person's post: a failure in one is logged, and the last is raised after all others."""
    failures: list[EkslabError] = []

    @contextmanager
    def alone(whose: str) -> Iterator[None]:
        try:
            yield
        except EkslabError as error:
            logger.warning("A post could not be written.", extra={"person": whose, "reason": str(error)})
            failures.append(error)

    yield alone
    if failures:
        raise failures[-1]


@dataclass(frozen=True)
class PostMessage:
    """A post's message to one reader. `route`: how it is sent, or why nobody receives it."""

    deps: Deps
    post: Post
    message: Message
    route: Route

    @property
    def addressee(self) -> Addressee | None:
        """The addressee of its mail; None for the topic."""
        return self.route.addressee

    def claim(self, mail: str) -> bool:
        """Claim the post for this run. `mail`: the record of the mail that carries it; empty for the topic."""
        now, won = self.deps.clock.now(), False

        def claimed(stored: Post) -> Post:
            nonlocal won
            won = stored.is_free(now)
            return taken_up(stored, self.message.recipient, mail, now, now + CLAIMED_FOR)

        return self.deps.posts.change_post(self.post.id, claimed) is not None and won

    def refuse(self, refusal: AwsRefused) -> bool:
        """After SES refused its mail, publish it if the reader subscribed to the topic; return whether that is so.

        Else it waits: for the next reader if SES refused this mail or its reader, or after a day; else for another try.
        """
        from chalicelib.domain.notices.mail import is_about_mail

        recipient, now, address = self.message.recipient, self.deps.clock.now(), self.addressee
        if self.deps.curfew.reach.undeliverable_reason(recipient, self.message) is None:
            return replace(self, route=Route()).publish()
        gone = address is not None and is_about_mail(refusal, address.address)
        if gone or self.post.posted_at + _WAITS_FOR <= now:
            _try_next_recipient(self.deps, self.post, recipient, str(refusal), now)
        else:
            self.deps.posts.change_post(self.post.id, given_up)
        return False

    def publish(self) -> bool:
        """Publish a claimed post to the topic; return whether a person receives it there. Programs may, too."""
        heard = bool(self.deps.watch.notifier.send(self.message)) and self.route.why is None
        settle_post(self.deps, self.post.id, self.deps.clock.now(), heard)
        return heard


def post_message_of(deps: Deps, waiting: Post) -> PostMessage:
    """The message to the first reachable recipient, else the first message.

    Recipients whose mail bounced are skipped; if no other is reachable, a subscribed one gets it by the topic.
    """
    unheard: list[PostMessage] = []
    gone = {recipient: Route(why=came_back_to(recipient, why)) for recipient, why in waiting.unheard}
    for message in messages_of(waiting):
        route = gone.get(message.recipient) or route_to(deps, message.recipient, message)
        candidate = PostMessage(deps, waiting, message, route)
        if route.why is None:
            return candidate
        unheard.append(candidate)
    reach = deps.curfew.reach
    heard = (one for one in unheard if reach.undeliverable_reason(one.message.recipient, one.message) is None)
    subscribed = next((one for one in heard if one.message.recipient in gone), None)
    return replace(subscribed, route=Route()) if subscribed else unheard[0]


def _try_next_recipient(deps: Deps, refused: Post, recipient: str, why: str, now: datetime) -> None:
    """Let the next run send it to the next reader."""
    text = Sentence("SES refused the mail to {recipient}: {why}", recipient=recipient, why=why)
    if refused.lab_id:
        deps.store.add_event(refused.lab_id, Event(now, KIND, text, {"post": refused.id}))
    deps.posts.change_post(refused.id, lambda stored: passed_on(stored, why))


def may_send_post(deps: Deps, waiting: Post) -> bool:
    """Whether to send it now. An earlier run may have died after SES accepted its mail: an accepted mail counts as sent."""
    now = deps.clock.now()
    mail = deps.mail.store.mail(waiting.mail) if deps.mail is not None and waiting.mail else None
    if mail is None or waiting.id not in mail.posts:
        return waiting.is_free(now)
    if mail.is_taken:
        settle_post(deps, waiting.id, mail.accepted_at or mail.begun_at, mail=mail.id)
        return False
    return waiting.is_free(now) and (bool(mail.message_id) or mail.sending_until <= now)


def settle_post(deps: Deps, post_id: str, at: datetime, heard: bool = True, mail: str = "") -> None:
    """Settle a post as sent, or as received by nobody, and record it in the lab's history. Safe to repeat.

    `mail`: the record of the mail that carried it; nothing happens if another mail carries it by now, which may still bounce.
    Empty: it was published to the topic.
    """

    def settled(stored: Post) -> Post:
        mine = stored.told_at is None and mail in ("", stored.mail)
        return told(replace(stored, mail=mail), at) if mine else stored

    stored = deps.posts.post(post_id)
    if stored is None or settled(stored) == stored:
        return
    mine = next((each for each in stored.messages if each.recipient == stored.recipient), stored.messages[0])
    subject = mine.letter.subject if mine.letter else mine.subject
    if heard:
        text = Sentence("{who} was told: {subject}", who=stored.recipient, subject=subject)
    else:
        everyone = Listed([each.recipient for each in stored.messages], between=", ")
        text = Sentence("Nobody takes messages for {who}: {subject}", who=everyone, subject=subject)
        recipient = stored.messages[0].recipient
        logger.warning("Nobody takes a message.", extra={"recipient": recipient, "post": post_id})
    if stored.lab_id:
        deps.store.add_event(stored.lab_id, Event(at, KIND, text, {"post": post_id}))
    deps.posts.change_post(post_id, settled)


def take_posts_back(deps: Deps, mail: Mail, now: datetime) -> list[Post]:
    """Take back the posts of a bounced mail; return those that now wait for the next recipient. Safe to repeat."""
    found = []
    for post_id in mail.posts:
        before = deps.posts.post(post_id)
        after = deps.posts.change_post(post_id, lambda stored: taken_back(stored, mail.id, mail.why))
        if before is not None and before != after and before.lab_id:
            text = came_back_to(before.recipient, mail.why)
            deps.store.add_event(before.lab_id, Event(now, KIND, text, {"post": post_id, "message": mail.message_id}))
        if after is not None and after.told_at is None and after.unheard:
            found.append(after)
    return found
