"""Posts: messages of a run that are written down before they are told, so that each reader has one mail of a run and none is lost.

Workflows write posts (`workflows/shared/outbox.py`). The hourly and the five-minute run tell those that wait
(`workflows/night/outbox.py`), and so does the next one if they die.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, english_body


@dataclass(frozen=True)
class Post:
    """`messages`: one for each who may hear it, in the order in which they are tried; one of them is told, without its body.

    `nightly`: it is told by the hourly run, whose end waits for it; by the five-minute run once a mail of it was refused.
    `lab_id`: whose history says that it was told.
    `recipient`, `mail`, `sending_until`: who is told, by which mail, and until when no other run tells it. `told_at`: when somebody
    took it, or when nobody could be told. `unheard`: whose mail of it came back or was refused, and why. `version` counts saves.
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
    def is_for_the_hour(self) -> bool:
        """Whether only the hourly run sends it."""
        return self.nightly and not self.unheard

    def is_free(self, now: datetime) -> bool:
        """Whether it waits, and nobody is telling it."""
        return self.told_at is None and (self.sending_until is None or self.sending_until <= now)


@dataclass(frozen=True)
class Waiting:
    """Posts that are not told yet, oldest first, and the ids of those that this version can't read."""

    posts: tuple[Post, ...] = ()
    unreadable: tuple[str, ...] = ()


def post_of(messages: tuple[Message, ...], once: str, now: datetime, nightly: bool = False, lab_id: str = "") -> Post:
    """At least one message. The same kind and `once` are the same post, which is told once."""
    kept = tuple(replace(each, body="") if each.letter else each for each in messages)
    return Post(f"{messages[0].kind} {once}", kept, now, nightly, lab_id)


def messages_of(post: Post) -> tuple[Message, ...]:
    """Its messages with their bodies."""
    return tuple(replace(each, body=english_body(each.letter)) if each.letter else each for each in post.messages)


def taken_up(post: Post, recipient: str, mail: str, now: datetime, until: datetime) -> Post:
    """The post while it is being told to a recipient; unchanged where another run is at it, or it is told."""
    return replace(post, recipient=recipient, mail=mail, sending_until=until) if post.is_free(now) else post


def given_up(post: Post) -> Post:
    """The post after its mail was not sent: it waits for another try. Unchanged if it is told."""
    return replace(post, mail="", sending_until=None) if post.told_at is None else post


def passed_on(post: Post, why: str) -> Post:
    """The post after its mail was refused: it waits for those who come next. Unchanged if it is told."""
    if post.told_at is not None:
        return post
    return replace(given_up(post), unheard=(*post.unheard, (post.recipient, why)))


def taken_back(post: Post, mail: str, why: str) -> Post:
    """The post after its mail came back: it waits for those who come next. Unchanged if another one tells it by now."""
    return passed_on(replace(post, told_at=None), why) if post.mail == mail else post
