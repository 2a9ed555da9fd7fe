"""People as recipients of messages: their identities, mail address, language and time zone.

A person is a group of identities that were proved to belong together. Messages go by person, permissions by identity: joining
identities grants nothing. An address counts after its reader confirmed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.language import Language as Language
from chalicelib.domain.identity.callers import counted_as, directory_person

_USER = pattern(r"arn:aws[a-z-]*:iam::(\d{12}):user/(?:.*/)?([^/]+)", re.ASCII)
_DIRECTORY = pattern(r"arn:aws[a-z-]*:sts::(\d{12}):directory/([^/]+)", re.ASCII)
#: Most identities of one person: a user, a few permission sets, a browser's login.
MOST_IDENTITIES = 16


class Topic(StrEnum):
    """The topics of mails that a person may switch off. A warning before a deletion has no topic: it can't be switched off."""

    RESULTS = "results"
    DEADLINES = "deadlines"
    REPORTS = "reports"


#: The kinds of messages of each topic. A kind without a topic is always sent.
_TOPICS: dict[Topic, frozenset[str]] = {
    Topic.RESULTS: frozenset({"wake-failed", "leftovers-unproven"}),
    Topic.DEADLINES: frozenset(
        {
            "deadline",
            "date-moved",
            "lease-ends-first",
            "solved",
            "nodes-behind",
            "upgraded-by-aws",
            "unreadable",
            "no-date",
        }
        | {"digest"}
    ),
    Topic.REPORTS: frozenset({"curfew-report", "month-costs"}),
}


def topic_of(kind: str) -> Topic | None:
    """The topic of a kind of messages; None for kinds that are always sent."""
    return next((topic for topic, kinds in _TOPICS.items() if kind in kinds), None)


@dataclass(frozen=True)
class Choices:
    """The settings that one identity of an unproved group chose. `of`: its key; the others as in `Person`."""

    of: str
    language: Language | None
    zone: str | None
    muted: tuple[Topic, ...]


@dataclass(frozen=True)
class Person:
    """A known person. `identities`: ARNs, as labs name their owners; `address`: the confirmed mail address, None without one.

    `zone`, `language`: None for the installation's. `muted`: topics that are switched off. `calendar`: the hash of the calendar's
    token. `asked`: an address that is not confirmed yet; `invite_at`: when a mail about it is due. `proved`: a press joined
    the identities, which stays so without an address, until a roster adds an identity. `own`: the settings that single
    identities chose before the press, oldest first; the last one counts for all afterwards. `version` counts saves.
    """

    id: str
    identities: tuple[str, ...]
    since: datetime
    address: str | None = None
    language: Language | None = None
    zone: str | None = None
    muted: tuple[Topic, ...] = ()
    calendar: str | None = None
    asked: str | None = None
    invite_at: datetime | None = None
    proved: bool = False
    own: tuple[Choices, ...] = ()
    version: int = 0

    def reads(self, usual: Language) -> Language:
        """The language of mails to this person. `usual`: the installation's."""
        return self.language or usual

    def wants(self, topic: Topic) -> bool:
        """Whether this person gets mails of the topic."""
        return topic not in self.muted

    def known_as(self, identity: str) -> Person:
        """The person with this identity as AWS writes it, in the place of the same name from a roster."""
        if identity in self.identities:
            return self
        mine = identity_key(identity)
        named = [
            identity if _DIRECTORY.fullmatch(one) and identity_key(one) == mine else one for one in self.identities
        ]
        return replace(self, identities=tuple(dict.fromkeys((*named, identity)))[-MOST_IDENTITIES:])

    def seen_by(self, identity: str) -> Person:
        """The person with the settings that count for this identity. For reading: it is not to be saved."""
        return self._seen_by(identity_key(identity))

    def _seen_by(self, key: str) -> Person:
        return next((_choosing(self, one) for one in self.own if one.of == key), self)

    def choosing(self, chose: Choices) -> Person:
        """The person after an identity chose: for all identities if they are proved to be one person's, else for that one."""
        if self.is_proved:
            return replace(_choosing(self, chose), own=())
        others = (one for one in self.own if one.of != chose.of)
        return self if _choosing(self, chose) == self._seen_by(chose.of) else replace(self, own=(*others, chose))

    def joined(self) -> Person:
        """The person once a reader's press proved that all identities are one person's."""
        return replace(self if not self.own else _choosing(self, self.own[-1]), own=(), proved=True)

    @property
    def is_proved(self) -> bool:
        """Whether its identities are one person's for certain: a reader confirmed the address of all, or it has one only."""
        joined = self.proved or self.address is not None
        return joined or len({identity_key(identity) for identity in self.identities}) == 1

    @property
    def keys(self) -> frozenset[str]:
        """The keys that belong to this person only."""
        named = {identity_key(identity) for identity in self.identities}
        named |= {address_key(self.address)} if self.address else set()
        return frozenset(named | ({calendar_key(self.calendar)} if self.calendar else set()))


def _choosing(person: Person, chose: Choices) -> Person:
    return replace(person, language=chose.language, zone=chose.zone, muted=chose.muted)


def identity_key(identity: str) -> str:
    """The key of an identity, the same for every spelling that AWS uses.

    A user of the directory has one key for all permission sets. Names of the directory and of IAM users ignore case. The key of a
    session of any other role is its whole ARN; a text with an @ is an address.
    """
    if person := directory_person(identity):
        return f"directory/{person.account}/{person.user_name.lower()}"
    if found := _DIRECTORY.fullmatch(identity):
        return f"directory/{found[1]}/{found[2].lower()}"
    if found := _USER.fullmatch(identity):
        return f"user/{found[1]}/{found[2].lower()}"
    return f"identity/{identity}" if identity.startswith("arn:") or "@" not in identity else address_key(identity)


def joined_name(person: Person) -> str:
    """The name that all identities of a person are counted under: the first one's. Empty if there is only one."""
    names = [counted_as(_as_sessions_are(identity)) for identity in person.identities]
    return names[0] if len(set(names)) > 1 else ""


def _as_sessions_are(identity: str) -> str:
    """A name in a roster, such as `…:directory/Kim`, in the case in which its sessions are counted."""
    return identity.lower() if _DIRECTORY.fullmatch(identity) else identity


def address_key(address: str) -> str:
    """The key of a confirmed address, which no two people share."""
    return f"address/{address.lower()}"


def same_address(one: str | None, other: str | None) -> bool:
    """Whether both are one mail address, in upper or lower case; None is no address."""
    return one is not None and other is not None and address_key(one) == address_key(other)


def calendar_key(hashed: str) -> str:
    """The key of a calendar, by the hash of its token."""
    return f"calendar/{hashed}"


def lookup_keys(name: str, home: str) -> tuple[str, ...]:
    """The keys that a recipient may be known by: an identity, an address, or the bare name from IAM or the directory.

    The first is the exact one. `home`: the account that the service runs in.
    """
    if name.startswith("arn:"):
        return (identity_key(name),)
    given = (f"directory/{home}/{name.lower()}", f"user/{home}/{name.lower()}")
    return tuple(dict.fromkeys((identity_key(name), *given)))


def person_named(name: str, home: str, by_key: Callable[[str], str | None]) -> str | None:
    """The id of the person with this name; `by_key` maps keys to people. None if bare names match two people."""
    exact, *given = lookup_keys(name, home)
    if (found := by_key(exact)) is not None:
        return found
    named = {person_id for key in given if (person_id := by_key(key)) is not None}
    return named.pop() if len(named) == 1 else None
