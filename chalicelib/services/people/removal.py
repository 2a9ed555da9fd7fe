"""Use cases of administrators about a person who leaves: no more messages, and no record after their labs end.

Living labs go on, with their owner's name: their warnings go to the next audience, as the owner has no address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.recipients import distinct, same_recipient
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest, NotYours, StaleLab
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.confirmation import address_digest
from chalicelib.domain.identity.erasure import ERASED, without
from chalicelib.domain.identity.person import Person, lookup_keys
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.ports.deps import Deps

_ATTEMPTS = 8
#: Labs whose records one request changes: each takes a second, and API Gateway waits half a minute.
MOST = 10


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
    first = _erased(deps, name)
    people = _named(deps, name)
    others = [one for one in _names_of(people) if one.casefold() != name.casefold()]
    done = [first, *(_erased(deps, one) for one in others if len(one) > 1)]
    alive = tuple(dict.fromkeys(lab for one in done for lab in one.alive))
    left = sum(one.left for one in done)
    for person in people:
        _forget(deps, person, whole=not alive and not left)
    return Removal(len(people), sum(one.labs for one in done), left, alive)


def _named(deps: Deps, name: str) -> list[Person]:
    """Both people if a bare name is two people's: erasing a name erases it everywhere."""
    keys = lookup_keys(name, deps.watch.home)
    found = [deps.people.person(name), *map(deps.people.person_by_key, keys)]
    return list({person.id: person for person in found if person is not None}.values())


def _names_of(people: list[Person]) -> tuple[str, ...]:
    addresses = [address for person in people for address in (person.address, person.asked) if address]
    return distinct([*(identity for person in people for identity in person.identities), *addresses])


def _forget(deps: Deps, person: Person, whole: bool) -> None:
    """Delete the person wholly; or all but their identities, until their labs are over. A pending link stops working."""
    for _ in range(_ATTEMPTS):
        silent = replace(person, address=None, asked=None, invite_at=None, calendar=None)
        if deps.people.save_people([person], [] if whole else [silent]):
            break
        now = deps.people.person(person.id)
        if now is None:
            break
        person = now
    else:
        raise StaleLab(f"{person.id} was saved by others {_ATTEMPTS} times in a row.")
    for address in {one.lower() for one in (person.address, person.asked) if one}:
        deps.people.forget_confirmation(address_digest(address))
        if deps.mail is not None:
            deps.mail.store.forget_address(address)


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
