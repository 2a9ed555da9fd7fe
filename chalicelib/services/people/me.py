"""One's own settings: mail address, language and zone, optional topics, calendar."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.signed_links import sign_confirmation
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import (
    AskedTooOften,
    AwsRefused,
    AwsUnavailable,
    InvalidRequest,
)
from chalicelib.domain.identity.callers import Caller, shared_role
from chalicelib.domain.identity.confirmation import (
    A_DAY,
    LASTS,
    MOST_ASKED,
    MOST_ASKED_BY_ROLE,
    Asking,
    Confirmation,
    address_digest,
    asked,
)
from chalicelib.domain.identity.invitation import invite
from chalicelib.domain.identity.person import Choices, Language, Person, Topic, calendar_key, identity_key, same_address
from chalicelib.domain.identity.sessions import session_key
from chalicelib.ports.deps import Deps

#: How long the request itself sends the mail; afterwards the five-minute run does, in case the request died.
_OUR_TURN = timedelta(minutes=5)


@dataclass(frozen=True)
class AboutMe:
    """The fields of `PUT /me`; None: not given. `no_address`: no mail address. `zone` "" is the installation's."""

    address: str | None = None
    no_address: bool = False
    language: Language | None = None
    zone: str | None = None
    muted: tuple[Topic, ...] | None = None

    def is_for_others(self, group: Person) -> bool:
        """Whether it gives the caller another address than a roster gave the whole group, or none."""
        return self.no_address or (self.address is not None and not same_address(self.address, group.asked))


@dataclass(frozen=True)
class PersonView:
    """A person with the pending confirmation, if any. `came_back`: why mail to their address bounces, if it does."""

    person: Person
    pending: Confirmation | None = None
    came_back: str = ""


def get_me(deps: Deps, caller: Caller, now: datetime) -> PersonView:
    """The caller's record; a caller without one has the default settings."""
    person = deps.people.person_by_key(identity_key(caller.identity)) or _stranger(caller, now)
    return _view(deps, person.seen_by(caller.identity), now)


def set_me(deps: Deps, caller: Caller, about: AboutMe, url: str, now: datetime) -> PersonView:
    """Store the settings; an address waits for its confirmation, and the mail for it is sent now.

    Raises AddressPending, AddressRefused, AskedTooOften: then nothing was stored; InvalidRequest: the mail is tried again.
    """
    before = get_me(deps, caller, now).person
    if about.address and not same_address(about.address, before.address):
        _may_ask(deps, caller, before, about.address, now)
    person = change_me(deps, caller, lambda kept: _told(kept, caller.identity, about, now), now, about.is_for_others)
    if about.language is not None:
        for whose in {identity_key(one) for one in (person.identities if person.is_proved else (caller.identity,))}:
            deps.store.speak_in_sessions(whose, about.language, now)
    if about.address is None or person.asked is None:
        return _view(deps, person.seen_by(caller.identity), now)
    pending = send_confirmation(deps, person.seen_by(caller.identity), caller.identity, url, now)
    person = change_me(deps, caller, lambda kept: _mailed(kept, about.address), now)
    return PersonView(person.seen_by(caller.identity), pending)


def send_confirmation(deps: Deps, person: Person, identity: str, url: str, now: datetime) -> Confirmation:
    """Mail the link to the address that a person requested."""

    def link(kept: Confirmation) -> str | None:
        key = deps.curfew.signing_key()
        token = sign_confirmation(address_digest(kept.address), kept.nonce, kept.expires_at, key)
        return f"{url}/confirm/{token}" if url else None

    def send(message: Message, once: str) -> str:
        return send_to_address(deps, message, person, once)

    asking = Asking(person.asked or "", person.id, identity, _nonce(), LASTS)
    return invite(deps.people, send, asking, link, now)


def change_me(
    deps: Deps,
    caller: Caller,
    change: Callable[[Person], Person],
    now: datetime,
    leaves: Callable[[Person], bool] = lambda _: False,
) -> Person:
    """Change the caller's person, created if there is none. Raises StaleLab.

    `leaves`: whether the caller leaves an unproved group, whose other identities keep what a roster said of them.
    """

    def attempt() -> Person | None:
        kept = deps.people.person_by_key(identity_key(caller.identity))
        before = [] if kept is None else [kept]
        rest, own = _apart(kept, caller, now) if kept is not None and leaves(kept) else ([], _own(kept, caller, now))
        changed = change(own)
        if kept is not None and not rest and changed == kept:
            return kept
        is_saved = deps.people.save_people(before, [*rest, changed])
        return replace(changed, version=1 if rest or kept is None else kept.version + 1) if is_saved else None

    return until_saved(caller.identity, attempt)


def new_calendar(deps: Deps, caller: Caller, now: datetime) -> str:
    """A new token of the caller's calendar; the previous one stops working."""
    token = secrets.token_urlsafe(32)
    change_me(deps, caller, lambda person: replace(person, calendar=session_key(token)), now)
    return token


def end_calendar(deps: Deps, caller: Caller, now: datetime) -> None:
    """Their calendar's address stops working; absent is fine."""
    if deps.people.person_by_key(identity_key(caller.identity)) is not None:
        change_me(deps, caller, lambda person: replace(person, calendar=None), now)


def person_of_calendar(deps: Deps, token: str) -> Person | None:
    """The person of a calendar."""
    return deps.people.person_by_key(calendar_key(session_key(token)))


def _own(kept: Person | None, caller: Caller, now: datetime) -> Person:
    """The caller's person, with the identity of this request."""
    return _stranger(caller, now) if kept is None else kept.known_as(caller.identity)


def _apart(kept: Person, caller: Caller, now: datetime) -> tuple[list[Person], Person]:
    """The others of an unproved group, and the caller's own person."""
    if kept.is_proved:
        return [], _own(kept, caller, now)
    mine = identity_key(caller.identity)
    others = tuple(one for one in kept.identities if identity_key(one) != mine)
    seen = kept.seen_by(caller.identity)
    own = replace(_stranger(caller, now), language=seen.language, zone=seen.zone, muted=seen.muted)
    rest = tuple(one for one in kept.own if one.of != mine)
    return [replace(kept, identities=others, calendar=None, own=rest)], own


def _mailed(person: Person, address: str | None) -> Person:
    return replace(person, invite_at=None) if same_address(person.asked, address) else person


def _told(person: Person, identity: str, about: AboutMe, now: datetime) -> Person:
    seen = person.seen_by(identity)
    chose = Choices(
        identity_key(identity),
        about.language or seen.language,
        seen.zone if about.zone is None else about.zone or None,
        seen.muted if about.muted is None else about.muted,
    )
    told = person.choosing(chose)
    if about.no_address:
        return replace(told, address=None, asked=None, invite_at=None)
    if about.address is None:
        return told
    if same_address(about.address, told.address):
        return replace(told, asked=None, invite_at=None)
    return replace(told, asked=about.address, invite_at=now + _OUR_TURN)


def _may_ask(deps: Deps, caller: Caller, person: Person, address: str, now: datetime) -> None:
    """Raise the errors of the address's confirmation, and AskedTooOften for more addresses than a day allows."""
    kept = deps.people.confirmation(address_digest(address))
    before = asked(kept, Asking(address, person.id, caller.identity, _nonce()), now)
    if kept is not None and before == kept:
        return
    role = shared_role(caller.identity)
    who, most = (role, MOST_ASKED_BY_ROLE) if role else (identity_key(caller.identity), MOST_ASKED)
    if not deps.people.spend(f"addresses/{who}/{now:%Y-%m-%d}", most, now + 2 * A_DAY):
        raise AskedTooOften("{most} addresses may be asked for in a day.", most=most)


def _view(deps: Deps, person: Person, now: datetime) -> PersonView:
    kept = deps.people.confirmation(address_digest(person.asked)) if person.asked else None
    pending = kept is not None and kept.person == person.id and kept.is_pending(now)
    address = person.asked if pending else person.address
    came_back = deps.mail.store.bounced_address(address) if deps.mail is not None and address else None
    return PersonView(person, kept if pending else None, came_back or "")


def _stranger(caller: Caller, now: datetime) -> Person:
    return Person(new_person_id(), (caller.identity,), now)


def new_person_id() -> str:
    """A fresh id."""
    return f"person-{secrets.token_hex(6)}"


def _nonce() -> str:
    return secrets.token_hex(8)


def send_to_address(deps: Deps, message: Message, reader: Person, once: str) -> str:
    """Send it to the address that is its recipient; return its id. The same `once` again sends nothing.

    A link that SES refuses is published to no topic: every subscriber could press its button. Raises InvalidRequest if SES refuses
    it, Throttled, AwsUnavailable.
    """
    if deps.mail is None:
        return deps.watch.notifier.send(message)
    from chalicelib.domain.notices.mail import Addressee, is_by_ses, new_mail

    addressee = Addressee(message.recipient, str(reader.reads(deps.language)), zone=reader.zone or deps.curfew.zone)
    fresh = new_mail(addressee.address, [message], f"{message.kind} {once}", deps.clock.now())
    try:
        mail = deps.mail.send(fresh, addressee, [message], deps.clock.now)
    except AwsRefused as refusal:
        if not is_by_ses(refusal):
            raise
        raise InvalidRequest([_refusal(message.recipient, refusal)]) from refusal
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {addressee.address} was taken is not known yet.")
    return mail.message_id


def _refusal(address: str, refusal: AwsRefused) -> Finding:
    return error(
        "address",
        "mail-refused",
        "Amazon SES refused the mail to {address}: {why}. Nobody received it. It is tried again within an hour, then daily.",
        address=address,
        why=refusal.message.rstrip("."),
    )
