"""Posts: messages that a workflow stores and a later run sends, so that each reader gets one mail a run and none is lost.

Workflows write posts (`workflows/shared/posts.py`). The hourly and the five-minute run send pending ones
(`workflows/night/send.py`); if a run dies, the next one sends them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, english_body


@dataclass(frozen=True)
class Post:
    """`messages`: one for each possible reader, in the order in which they are tried, without bodies. One of them is sent.

    `nightly`: the curfew run sends it; once a mail of it was refused or bounced, the five-minute run may. `lab_id`: the lab whose
    history records it. `recipient`, `mail`: to whom it is being sent or was sent, and the record of the mail; `sending_until`: no
    other run sends it before. `told_at`: when it was sent, or was found to reach nobody. `unheard`: recipients whose mail bounced
    or was refused, with the reason. `version` counts saves.
    """

    id: str
    messages: tuple[Message, ...]
    posted_at: datetime
    nightly: bool = False
    lab_id: str = ""
    recipient: str = ""
    mail: str = ""
    sending_until: datetime | None = None
    told_at: datetime | None = None
    unheard: tuple[tuple[str, str], ...] = ()
    version: int = 0

    @property
    def awaits_curfew_run(self) -> bool:
        """Whether only the curfew run sends it."""
        return self.nightly and not self.unheard

    def is_free(self, now: datetime) -> bool:
        """Whether it is pending, and no run is sending it."""
        return self.told_at is None and (self.sending_until is None or self.sending_until <= now)


@dataclass(frozen=True)
class Waiting:
    """Pending posts, oldest first, and the ids of those that this version can't read."""

    posts: tuple[Post, ...] = ()
    unreadable: tuple[str, ...] = ()


def post_of(messages: tuple[Message, ...], once: str, now: datetime, nightly: bool = False, lab_id: str = "") -> Post:
    """A post of at least one message. The same kind and `once` are the same post, which is sent once."""
    kept = tuple(replace(each, body="") if each.letter else each for each in messages)
    return Post(f"{messages[0].kind} {once}", kept, now, nightly, lab_id)


def messages_of(post: Post) -> tuple[Message, ...]:
    """Its messages with their bodies."""
    return tuple(replace(each, body=english_body(each.letter)) if each.letter else each for each in post.messages)


def taken_up(post: Post, recipient: str, mail: str, now: datetime, until: datetime) -> Post:
    """The post while a run sends it to a recipient; unchanged if another run is sending it, or it was sent."""
    return replace(post, recipient=recipient, mail=mail, sending_until=until) if post.is_free(now) else post


def told(post: Post, at: datetime) -> Post:
    """The post after it was sent. It keeps its messages only if a mail carried it: if that bounces, the next reader gets one."""
    return replace(post, told_at=at, messages=post.messages if post.mail else ())


def given_up(post: Post) -> Post:
    """The post after its mail was not sent: it waits for another try. Unchanged if it was sent meanwhile."""
    return replace(post, mail="", sending_until=None) if post.told_at is None else post


def passed_on(post: Post, why: str) -> Post:
    """The post after its mail was refused: it waits for the next reader. Unchanged if it was sent meanwhile."""
    if post.told_at is not None:
        return post
    return replace(given_up(post), unheard=(*post.unheard, (post.recipient, why)))


def taken_back(post: Post, mail: str, why: str) -> Post:
    """The post after its mail bounced: it waits for the next reader. Unchanged if another mail carries it."""
    return passed_on(replace(post, told_at=None), why) if post.mail == mail else post
