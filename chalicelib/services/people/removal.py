"""Use cases of administrators about a person who leaves: no more messages, and no record after their labs end.

Living labs go on, with their owner's name: their warnings go to the next audience, as the owner has no address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.recipients import distinct, same_recipient
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.confirmation import address_digest
from chalicelib.domain.identity.person import Person, identity_key, lookup_keys
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.ports.deps import Deps

#: Labs whose records one request changes: each takes a second, and API Gateway waits half a minute.
MOST = 10
ERASED = "erased"


@dataclass(frozen=True)
class Removal:
    """The number of people named, the numbers of records of labs changed and left, and the living labs."""

    people: int
    labs: int
    left: int
    alive: tuple[str, ...]


def remove_person(deps: Deps, caller: Caller, name: str) -> Removal:
    """Forget everyone with a name, with all identities, in all records of their labs. Repeat it until nothing is left.

    `name`: of their user or session, as in messages. Raises NotYours, InvalidRequest, StaleLab.
    """
    if not caller.is_admin:
        raise NotYours("Who is forgotten here is for administrators to say.")
    erasure = _Erasure(deps, name)
    return until_saved(name, erasure.attempt)


class _Erasure:
    """One request. Where others save or join a person in between, all are looked up again, with their labs."""

    def __init__(self, deps: Deps, name: str) -> None:
        self._deps, self._name = deps, name
        self._late = dict[str, Person]()
        self._forgotten = set[str]()
        self._labs = 0

    def attempt(self) -> Removal | None:
        """Erase what can be erased; None if others saved a person in between."""
        first = _erased(self._deps, self._name)
        people = self._named()
        others = [one for one in _names_of(people) if one.casefold() != self._name.casefold()]
        done = [first, *(_erased(self._deps, one) for one in others if len(one) > 1)]
        alive = tuple(dict.fromkeys(lab for one in done for lab in one.alive))
        left = sum(one.left for one in done)
        self._labs += sum(one.labs for one in done)
        self._late = {one.id: one for one in people if not _forget(self._deps, one, whole=not alive and not left)}
        self._forgotten |= {one.id for one in people} - set(self._late)
        return None if self._late else Removal(len(self._forgotten), self._labs, left, alive)

    def _named(self) -> list[Person]:
        """Both people if a bare name is two people's: erasing a name erases it everywhere.

        Also the person to whom somebody of the last attempt was joined: nothing else may lead to them.
        """
        people = self._deps.people
        joined = [one for one in self._late.values() if people.person(one.id) is None]
        mine = [identity_key(identity) for one in joined for identity in one.identities]
        keys = dict.fromkeys((*lookup_keys(self._name, self._deps.watch.home), *mine))
        found = [people.person(self._name), *map(people.person_by_key, keys)]
        return list({person.id: person for person in found if person is not None}.values())


def _names_of(people: list[Person]) -> tuple[str, ...]:
    addresses = [address for person in people for address in (person.address, person.asked) if address]
    return distinct([*(identity for person in people for identity in person.identities), *addresses])


def _forget(deps: Deps, person: Person, whole: bool) -> bool:
    """Delete the person wholly; or all but their identities, until their labs are over. A pending link stops working.

    False: they were saved by others since they were read.
    """
    silent = replace(person, address=None, asked=None, invite_at=None, calendar=None)
    is_saved = deps.people.save_people([person], [] if whole else [silent])
    for address in {one.lower() for one in (person.address, person.asked) if one}:
        deps.people.forget_confirmation(address_digest(address))
        if deps.mail is not None:
            deps.mail.store.forget_address(address)
    return is_saved


def _erased(deps: Deps, name: str) -> Removal:
    """Take a name out of the records of ended labs, which become anonymous. Living labs keep it: it names their owner."""
    if len(name) < 2 or name == ERASED:
        raise InvalidRequest([error("name", "invalid-name", Sentence("Give the name of a user or of a session."))])
    theirs = list(_labs_of(deps, name))
    over = [lab for lab in theirs if lab.phase in OVER]
    for lab in over[:MOST]:
        deps.store.rewrite(lab.id, without(name))
    done = len(over[:MOST])
    return Removal(0, done, len(over) - done, tuple(lab.name for lab in theirs if lab.phase not in OVER))


def _labs_of(deps: Deps, name: str) -> Iterator[Lab]:
    """The labs of all their roles and permission sets; oldest last."""
    every = deps.store.all_labs(None, ())
    return (lab for lab in every if any(same_recipient(who, name) for who in (lab.owner, lab.counted_as)))


def without(name: str) -> Callable[[str], str]:
    """Replaces the name in a text, in upper and lower case, where it stands alone.

    That is also at the end of an ARN, of an access entry's path, or of an address; never within a longer name.
    """
    alone = re.compile(rf"(?<![\w.@+-]){re.escape(name)}(?![\w@+-]|[.,=]\w)", re.IGNORECASE)
    return lambda text: alone.sub(ERASED, text)
