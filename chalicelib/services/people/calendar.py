"""A person's calendar at a secret address: their labs' ends, sleeps and wakes, and the deadlines of their clusters.

Read-only, unsigned: calendar programs can't sign. Everyone with the address can read it, until its owner renews it. Identities
that only a roster put together see nothing of each other: their calendar is empty until a reader confirms the address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.icalendar import document
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Sentence, Words
from chalicelib.domain.curfew.lab_calendar import lab_events
from chalicelib.domain.errors.tree import LinkInvalid
from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.identity.person import Person, identity_key, lookup_keys
from chalicelib.domain.identity.sessions import is_token
from chalicelib.domain.labs.lab import ALIVE, Lab
from chalicelib.domain.notices.calendar_feed import deadline_events
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.services.people.me import person_of_calendar
from chalicelib.services.support.queries import each_watched

_SUFFIX = ".ics"


def calendar_by_file(deps: Deps, file: str, now: datetime, words_of: Callable[[Language], Words]) -> str:
    """The calendar of `<token>.ics`, in its person's language. Raises LinkInvalid, LinkBusy."""
    token = file.removesuffix(_SUFFIX)
    person = person_of_calendar(deps, token) if file.endswith(_SUFFIX) and is_token(token) else None
    if person is None:
        raise LinkInvalid
    deps.curfew.link_uses.spend(token, now)
    rules, holidays, words = deps.curfew.rules(), deps.curfew.holidays, words_of(person.reads(deps.language))
    keys = person.keys if person.is_proved else frozenset()
    events = [event for lab in _labs(deps, keys, person, now) for event in lab_events(lab, rules, holidays, now, words)]
    answered = [watched for watched in each_watched(deps) if _answers_for(watched, keys, deps.watch.home)]
    return document(Sentence("EKS labs"), [*events, *deadline_events(answered, now, words)], words)


def _labs(deps: Deps, keys: frozenset[str], person: Person, now: datetime) -> Iterator[Lab]:
    """The living labs of the person with these keys, by any name.

    The sums of this month and the last name everybody who owns labs, in one read: a roster names no permission set and no path of
    an IAM user.
    """
    today = now.astimezone(ZoneInfo(deps.curfew.zone))
    months = [f"{each:%Y-%m}" for each in (today.replace(day=1) - timedelta(days=1), today)]
    sums = (one for people in deps.store.month_people(months).values() for one in people)
    named = (identity for one in sums for identity in one.identities)
    owners = dict.fromkeys(identity_of(one) for one in (*person.identities, *named) if identity_key(one) in keys)
    for owner in owners:
        yield from deps.store.all_labs(owner, ALIVE)


def _answers_for(watched: Watched, keys: frozenset[str], home: str) -> bool:
    owners = (watched.owner, *watched.other_owners)
    return any(key in keys for owner in owners if owner for key in lookup_keys(owner, home))
