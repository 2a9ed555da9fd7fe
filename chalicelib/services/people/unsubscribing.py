"""Unsubscribes the reader of a mail by its link, without a login: from the mail's topics, never from a deletion's warnings.

Showing changes nothing; a mail program's own button (RFC 8058) posts to the same link.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.signed_links import read_unsubscribing
from chalicelib.domain.errors.tree import LinkBusy, LinkInvalid, StaleLab
from chalicelib.domain.identity.person import Person, Topic
from chalicelib.ports.deps import Deps
from chalicelib.services.people.me import saved

_ATTEMPTS = 8


@dataclass(frozen=True)
class UnsubscribingView:
    """The topics of a link, and whether all are off."""

    topics: tuple[Topic, ...]
    done: bool


def look_at_unsubscribing(deps: Deps, token: str, now: datetime) -> UnsubscribingView:
    """The effect of the button. Raises LinkInvalid, LinkExpired, LinkBusy."""
    person, topics = _named(deps, token, now)
    return UnsubscribingView(topics, set(topics) <= set(person.muted))


def unsubscribe(deps: Deps, token: str, now: datetime) -> UnsubscribingView:
    """Switch the topics off; repeating it is the same. Raises LinkInvalid, LinkExpired, LinkBusy, StaleLab."""
    person, topics = _named(deps, token, now)
    for _ in range(_ATTEMPTS):
        muted = tuple(one for one in Topic if one in topics or one in person.muted)
        if muted == person.muted or saved(deps, [person], [replace(person, muted=muted)]):
            return UnsubscribingView(topics, done=True)
        person = _person(deps, person.id)
    raise StaleLab(f"{person.id} was saved by others {_ATTEMPTS} times in a row.")


def _named(deps: Deps, token: str, now: datetime) -> tuple[Person, tuple[Topic, ...]]:
    person_id, topics = read_unsubscribing(token, deps.curfew.known_keys(), now)
    if not deps.curfew.link_uses.spend(token, now):
        raise LinkBusy
    try:
        return _person(deps, person_id), tuple(map(Topic, topics))
    except ValueError as reason:
        raise LinkInvalid from reason


def _person(deps: Deps, person_id: str) -> Person:
    person = deps.people.person(person_id)
    if person is None:
        raise LinkInvalid
    return person
