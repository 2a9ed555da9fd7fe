"""Use cases of a mail's reader, without a login: answer a confirmation once, and unsubscribe from topics.

Showing changes nothing: mail scanners follow links. A yes gives the person the address; if it is somebody's already, the two
are joined. Warnings of a deletion can't be unsubscribed; a mail program's own button (RFC 8058) posts to the same link.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.signed_links import read_confirmation, read_unsubscribing
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import LinkInvalid
from chalicelib.domain.identity.confirmation import Confirmation, address_digest
from chalicelib.domain.identity.person import MOST_IDENTITIES, Person, Topic, address_key, identity_key, same_address
from chalicelib.ports.deps import Deps


@dataclass(frozen=True)
class ConfirmationView:
    """A link's subject. `identities`: the requester's; `joins`: those of the address's present holder. `done`: answered before."""

    confirmation: Confirmation
    identities: tuple[str, ...]
    joins: tuple[str, ...] = ()
    done: bool = False
    refused: bool = False


def look_at_confirmation(deps: Deps, token: str, now: datetime) -> ConfirmationView:
    """The effect of the buttons; changes nothing. Raises LinkInvalid, LinkExpired, LinkBusy."""
    return _view(deps, _named(deps, token, now))


def confirm(deps: Deps, token: str, now: datetime) -> ConfirmationView:
    """The reader says yes; repeating it is the same. Raises LinkInvalid, LinkExpired, LinkBusy, StaleLab."""
    kept = _named(deps, token, now)
    view = _view(deps, kept)
    if view.done:
        return view
    _join(deps, kept)
    if deps.mail is not None:
        deps.mail.store.forgive_address(kept.address, now)
    digest = address_digest(kept.address)
    used = deps.people.change_confirmation(digest, lambda stored: replace(stored or kept, used_at=now))
    return ConfirmationView(used, view.identities, view.joins, done=True)


def refuse_address(deps: Deps, token: str, now: datetime) -> ConfirmationView:
    """The reader says no: the requester can't request this address again. Raises LinkInvalid, LinkExpired, LinkBusy."""
    kept = _named(deps, token, now)
    if kept.used_at is not None or kept.person in kept.refused:
        return _view(deps, kept)

    def refused(stored: Confirmation | None) -> Confirmation:
        known = stored or kept
        return replace(known, refused=tuple(sorted({*known.refused, kept.person})))

    said = deps.people.change_confirmation(address_digest(kept.address), refused)

    def silenced(person: Person) -> Person:
        if not same_address(person.asked, kept.address):
            return person
        return replace(person, asked=None, invite_at=None)

    person = deps.people.change_person(kept.person, silenced)
    return ConfirmationView(said, person.identities if person else (), done=True, refused=True)


def _join(deps: Deps, kept: Confirmation) -> None:
    def attempt() -> bool | None:
        found, reader = _both(deps, kept)
        if reader is not None and _is_joined(kept, reader):
            return True
        person = _asking(kept, found)
        if reader is None or reader.id == person.id:
            proved = replace(person.joined(), address=kept.address, asked=None, invite_at=None)
            return deps.people.save_people([person], [proved]) or None
        return deps.people.save_people([reader, person], [_joined(reader, person)]) or None

    until_saved(kept.person, attempt)


def _joined(reader: Person, person: Person) -> Person:
    """Both identities are the reader's, whose own choices stay."""
    identities = tuple(dict.fromkeys((*reader.identities, *person.identities)))
    if len(identities) > MOST_IDENTITIES:
        raise LinkInvalid
    return replace(reader, identities=identities, calendar=reader.calendar or person.calendar, proved=True)


def _named(deps: Deps, token: str, now: datetime) -> Confirmation:
    """The confirmation of a valid link."""
    digest, nonce = read_confirmation(token, deps.curfew.known_keys(), now)
    deps.curfew.link_uses.spend(token, now)
    kept = deps.people.confirmation(digest)
    if kept is None or kept.nonce != nonce:
        raise LinkInvalid
    return kept


def _view(deps: Deps, kept: Confirmation) -> ConfirmationView:
    if kept.used_at is not None or kept.person in kept.refused:
        return ConfirmationView(kept, (kept.identity,), done=True, refused=kept.person in kept.refused)
    found, reader = _both(deps, kept)
    if reader is not None and _is_joined(kept, reader):
        return ConfirmationView(kept, reader.identities, done=True)
    person = _asking(kept, found)
    joins = reader.identities if reader is not None and reader.id != person.id else ()
    return ConfirmationView(kept, person.identities, joins)


def _both(deps: Deps, kept: Confirmation) -> tuple[Person | None, Person | None]:
    """The requester, and the address's holder. In this order: a press that joins them in between shows in the holder."""
    person = deps.people.person(kept.person)
    return person, deps.people.person_by_key(address_key(kept.address))


def _is_joined(kept: Confirmation, reader: Person) -> bool:
    """Whether an earlier press joined the requester to the address's holder."""
    return reader.id != kept.person and identity_key(kept.identity) in reader.keys


def _asking(kept: Confirmation, person: Person | None) -> Person:
    """The requester, if they still want this address. Raises LinkInvalid."""
    if person is None or not any(same_address(one, kept.address) for one in (person.asked, person.address)):
        raise LinkInvalid
    return person


@dataclass(frozen=True)
class UnsubscribingView:
    """The topics of a link, and whether all are off."""

    topics: tuple[Topic, ...]
    done: bool


def look_at_unsubscribing(deps: Deps, token: str, now: datetime) -> UnsubscribingView:
    """The effect of the button. Raises LinkInvalid, LinkExpired, LinkBusy."""
    person_id, topics = _subscribed(deps, token, now)
    person = deps.people.person(person_id)
    if person is None:
        raise LinkInvalid
    return UnsubscribingView(topics, set(topics) <= set(person.muted))


def unsubscribe(deps: Deps, token: str, now: datetime) -> UnsubscribingView:
    """Switch the topics off; repeating it is the same. Raises LinkInvalid, LinkExpired, LinkBusy, StaleLab."""
    person_id, topics = _subscribed(deps, token, now)

    def muted(person: Person) -> Person:
        return replace(person, muted=tuple(one for one in Topic if one in topics or one in person.muted))

    if deps.people.change_person(person_id, muted) is None:
        raise LinkInvalid
    return UnsubscribingView(topics, done=True)


def _subscribed(deps: Deps, token: str, now: datetime) -> tuple[str, tuple[Topic, ...]]:
    person_id, topics = read_unsubscribing(token, deps.curfew.known_keys(), now)
    deps.curfew.link_uses.spend(token, now)
    try:
        return person_id, tuple(map(Topic, topics))
    except ValueError as reason:
        raise LinkInvalid from reason
