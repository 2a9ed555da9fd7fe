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
from chalicelib.domain.identity.person import Person, address_key, identity_key, lookup_keys
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
    if len(name) < 2 or name == ERASED:
        raise InvalidRequest([error("name", "invalid-name", Sentence("Give the name of a user or of a session."))])
    erasure = _Erasure(deps, name)
    return until_saved(name, erasure.attempt)


class _Erasure:
    """One request. If others save a person in between, everybody who then has one of their identities is erased, too."""

    def __init__(self, deps: Deps, name: str) -> None:
        self._deps, self._name = deps, name
        self._seen = list[Person]()
        self._forgotten = set[str]()
        self._labs = 0

    def attempt(self) -> Removal | None:
        """Erase what can be erased; None if others saved a person in between.

        The first save changes nothing: it proves that the identities are still one person's. Labs and addresses come next, and
        the person last: if the request ends in between, a repeated one finds the person, and so the rest.
        """
        people = self._named()
        self._seen += people
        if not all(self._deps.people.save_people([one], [one]) for one in people):
            return None
        done = [_erased(self._deps, one) for one in self._names()]
        alive = tuple(dict.fromkeys(lab for one in done for lab in one.alive))
        left = sum(one.left for one in done)
        self._labs += sum(one.labs for one in done)
        _forget_addresses(self._deps, self._seen)
        saved = [replace(one, version=one.version + 1) for one in people]
        late = {one.id for one in saved if not _forget(self._deps, one, whole=not alive and not left)}
        self._forgotten |= {one.id for one in people} - late
        return None if late else Removal(len(self._forgotten), self._labs, left, alive)

    def _named(self) -> list[Person]:
        """Both people if a bare name is two people's: erasing a name erases it everywhere.

        Also everybody who has an identity of a person of earlier attempts: nothing else may lead to them. A person who is
        changed between two reads is returned as first read, so that their save fails.
        """
        people = self._deps.people
        kept = (identity_key(identity) for one in self._seen for identity in one.identities)
        keys = dict.fromkeys((*lookup_keys(self._name, self._deps.watch.home), *kept))
        found = [people.person(self._name), *map(people.person_by_key, keys)]
        return list({person.id: person for person in reversed(found) if person is not None}.values())

    def _names(self) -> list[str]:
        """The names whose labs are theirs. A requested address is not one of them: it may be somebody else's."""
        known = [identity for one in self._seen for identity in one.identities]
        names = distinct([*known, *(one.address for one in self._seen if one.address)])
        return [self._name, *(one for one in names if one.casefold() != self._name.casefold() and len(one) > 1)]


def _forget_addresses(deps: Deps, people: list[Person]) -> None:
    """Delete the confirmations and bounces of their addresses; for a requested one, only if it is nobody else's."""
    ids = {one.id for one in people}
    for address in sorted({each.lower() for one in people for each in (one.address, one.asked) if each}):
        digest = address_digest(address)
        holder, kept = deps.people.person_by_key(address_key(address)), deps.people.confirmation(digest)
        is_theirs = holder is not None and holder.id in ids
        if kept is not None and (is_theirs or kept.person in ids):
            deps.people.forget_confirmation(digest)
        if deps.mail is not None and (is_theirs or holder is None):
            deps.mail.store.forget_address(address)


def _forget(deps: Deps, person: Person, whole: bool) -> bool:
    """Delete the person wholly; or all but their identities, until their labs are over. False: others saved them since."""
    silent = replace(person, address=None, asked=None, invite_at=None, calendar=None)
    return deps.people.save_people([person], [] if whole else [silent])


def _erased(deps: Deps, name: str) -> Removal:
    """Take a name out of the records of ended labs, which become anonymous. Living labs keep it: it names their owner."""
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
