"""Sends decided notices: messages to each recipient, an event for each notice; then marks them as sent.

Called by `watch_support.deliver_notices`. A crash before the mark repeats a message and loses none. The bus never
delays a mail: failed events are dropped, and the run's answer says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.core.message import Block, Message
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, EkslabError
from chalicelib.domain.notices.bus_events import detail_of
from chalicelib.domain.notices.decision import next_audience
from chalicelib.domain.notices.digest import Buttons, compose
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.support.observation import WHOLE_PLACE, troubled_place
from chalicelib.domain.support.watched import Watched
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import came_back_to, claims, route_to, send_mail, wants
from chalicelib.workflows.watch.places import registration_of, who_answers_for

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee, Mail
    from chalicelib.domain.support.deadlines import Deadline

#: A notice, and the record of its cluster.
Pair = tuple[Notice, Watched]
#: The notices of a person, by their names.
ByName = Mapping[str, Sequence[Pair]]
#: Pending notices read per run, and in one mail: its record, which names them, is one item of the table (400 KB).
_NOTICES, A_MAIL = 20_000, 500
_PENDING = NoticeState.PENDING


def by_recipient(notices: Iterable[Notice]) -> dict[str, list[Notice]]:
    """Notices of each recipient, by the case-folded address, in a fixed order: one person gets one digest."""
    sorted_out: dict[str, list[Notice]] = {}
    for notice in notices:
        sorted_out.setdefault(notice.recipient.casefold(), []).append(notice)
    return {recipient: sorted_out[recipient] for recipient in sorted(sorted_out)}


def claimed(deps: Deps, notices: Iterable[Notice], by: str = "") -> list[Notice]:
    """The notices that this run sends: of concurrent runs one sends a notice.

    `by`: an execution, whose retries keep its claims.
    """
    now, by = deps.clock.now(), by or deps.new_id()
    return [each for each in notices if claims(deps, f"notice#{each.key}#{each.id}", now, by)]


def by_reader(deps: Deps, notices: Iterable[Notice]) -> dict[str, list[Notice]]:
    """Notices of each reader, in a fixed order: by their address, whichever name leads to it, or by a name without one."""
    found: dict[str, list[Notice]] = {}
    named = by_recipient(notices)
    names = [theirs[0].recipient for theirs in named.values()]
    addressees = deps.mail.addressees_of(names) if deps.mail is not None and names else {}
    for recipient, theirs in named.items():
        addressee = addressees.get(theirs[0].recipient)
        found.setdefault(addressee.address if addressee is not None else recipient, []).extend(theirs)
    return {reader: found[reader] for reader in sorted(found)}


def send_digest(
    deps: Deps, notices: Sequence[Notice], now: datetime, once: str = "", dropped: list[str] | None = None
) -> bool:
    """Send one reader all pending notices; return False if nobody receives messages for them. Raises errors of SES and SNS.

    A person with an address gets one mail. `once`: the mail's name; empty for the run's own digest. `dropped` takes why events
    did not get onto the bus.

    A notice that reaches nobody counts as unsent: it is tried again daily, and goes to the next audience at once.
    """
    kept, store = _kept(deps, {notice.key for notice in notices}), deps.watch.store
    store.mark_sent([(each.key, each.id) for each in notices if each.key not in kept], "nothing-to-say", now)
    pending = [(each, kept[each.key]) for each in notices if each.key in kept and each.state is _PENDING]
    _publish(deps, pending, now, dropped)
    mailed: dict[Addressee, dict[str, list[Pair]]] = {}
    heard = True
    for recipient, theirs in by_recipient(each for each in notices if each.key in kept).items():
        pairs = [(notice, kept[notice.key]) for notice in theirs]
        for message in compose(theirs[0].recipient, pairs, now):
            route, told = route_to(deps, theirs[0].recipient, message), _told_of(message, pairs)
            if route.addressee is not None:
                mailed.setdefault(route.addressee, {}).setdefault(recipient, []).extend(told)
            else:
                heard = _by_topic(deps, message, told, route.why, now) and heard
    for addressee, by_name in mailed.items():
        heard = _mail(deps, addressee, by_name, once or f"digest {now.isoformat()}", now) and heard
    return heard


def _told_of(message: Message, pairs: Sequence[Pair]) -> list[Pair]:
    """The notices of a message."""
    return [pair for pair in pairs if (pair[0].key, pair[0].id) in message.notice_ids]


def _by_topic(deps: Deps, message: Message, pairs: Sequence[Pair], why: str | None, now: datetime) -> bool:
    """Publish to the topic; if nobody receives it there (`why`), mark it as unheard and add notices for the next audience."""
    store, rules = deps.watch.store, deps.watch.rules
    if why is None:
        store.mark_sent(message.notice_ids, deps.watch.notifier.send(message), now)
        return True
    store.add_notices([later for notice, watched in pairs for later in next_audience(watched, notice, rules)])
    store.mark_unheard(message.notice_ids, why)
    return False


def waiting_by_reader(deps: Deps) -> dict[str, list[Notice]]:
    """Pending notices by reader, read once for all mails of a run."""
    return by_reader(deps, deps.watch.store.pending_notices(_NOTICES)) if deps.mail is not None else {}


def waiting_for(
    deps: Deps, addressee: Addressee, waiting: Sequence[Notice], once: str, now: datetime
) -> tuple[Message, ...]:
    """Messages for the notices that wait for a person, to add to a mail that goes to them anyway. Publishes their events."""
    found: list[Message] = []
    for recipient, all_waiting in by_recipient(waiting).items():
        if not wants(addressee, "digest"):
            continue
        notices = claimed(deps, all_waiting, once)
        kept = _kept(deps, {notice.key for notice in notices})
        pairs = [(notice, kept[notice.key]) for notice in notices if notice.key in kept]
        _publish(deps, [pair for pair in pairs if pair[0].state is NoticeState.PENDING], now)
        found += compose(recipient, pairs, now, _buttons(deps, recipient, now)) if pairs else ()
    return tuple(message for message in found if wants(addressee, message.kind))


def _buttons(deps: Deps, recipient: str, now: datetime) -> Buttons | None:
    """Links that acknowledge and snooze deadlines, for this recipient alone, if the recipient may silence them."""
    if not deps.watch.api_url:
        return None
    from chalicelib.domain.curfew.mail_link import mail_buttons

    signing = deps.curfew.signing_key()
    rules, url = deps.watch.rules, deps.watch.api_url

    def links(watched: Watched, ahead: Deadline) -> tuple[Block, ...]:
        if not rules.may_silence(recipient, watched):
            return ()
        return mail_buttons(url, recipient, watched.cluster.key, ahead.id, now, signing)

    return links


def pass_on(deps: Deps, mail: Mail) -> list[Notice]:
    """Mark the notices of a bounced mail as unheard and pending; return the new notices for the next audience of each."""
    store, later = deps.watch.store, list[Notice]()
    for key in dict.fromkeys(each.key for each in mail.notices):
        ids = {each.id for each in mail.notices if each.key == key}
        notices = [notice for notice in store.notices_of(key) if notice.id in ids]
        store.mark_bounced(notices, mail.message_id, came_back_to(mail.recipient, mail.why))
        for watched in _kept(deps, {key}).values():
            later += [one for notice in notices for one in next_audience(watched, notice, deps.watch.rules)]
    store.add_notices(later)
    return later


def tell_others(deps: Deps, mail: Mail, later: Sequence[Notice], now: datetime) -> int:
    """Send the next audience at once the notices that no other mail contains; return the number of readers reached."""
    fresh = {(notice.key, notice.id) for notice in later}
    pending = [one for one in deps.watch.store.pending_notices(_NOTICES) if (one.key, one.id) in fresh] if fresh else []
    waiting = claimed(deps, pending, f"instead of {mail.id}")
    return sum(send_digest(deps, theirs, now, f"instead of {mail.id}") for theirs in by_reader(deps, waiting).values())


def _mail(deps: Deps, addressee: Addressee, by_name: ByName, once: str, now: datetime) -> bool:
    """Send it in mails of some notices each, and in one more if the mail `once`, sent before, lacks some notices."""
    every = [(name, pair) for name, pairs in by_name.items() for pair in pairs]
    heard = True
    for first in range(0, len(every), A_MAIL):
        some: dict[str, list[Pair]] = {}
        for name, pair in every[first : first + A_MAIL]:
            some.setdefault(name, []).append(pair)
        untold, taken = _one_mail(deps, addressee, some, once, now)
        if untold:
            named = sorted(f"{notice.key} {notice.id}" for pairs in untold.values() for notice, _ in pairs)
            digest = hashlib.sha256("\n".join(named).encode()).hexdigest()
            untold, taken = _one_mail(deps, addressee, untold, f"{once} {digest}", now)
        heard = heard and taken and not untold
    return heard


def _one_mail(
    deps: Deps, addressee: Addressee, by_name: ByName, once: str, now: datetime
) -> tuple[dict[str, list[Pair]], bool]:
    """Send one mail; return the notices that it lacks, and whether SES or a subscription took the others.

    `by_name`: the notices under each of their names. Raises AwsUnavailable while nobody knows whether SES took it.
    """
    from chalicelib.domain.notices.mail import NoticeRef, is_by_ses

    named = {pairs[0][0].recipient: pairs for pairs in by_name.values()}
    messages = [each for name, pairs in named.items() for each in compose(name, pairs, now, _buttons(deps, name, now))]
    notices = [NoticeRef(key, notice_id) for message in messages for key, notice_id in message.notice_ids]
    try:
        mail = send_mail(deps, addressee, messages, once, notices=notices)
    except AwsRefused as refusal:
        if not is_by_ses(refusal):
            raise
        return {}, _refused(deps, named, now)
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {addressee.address} was taken is not known yet.")
    told = {(each.key, each.id) for each in mail.notices}
    untold = {name: [pair for pair in pairs if (pair[0].key, pair[0].id) not in told] for name, pairs in named.items()}
    if mail.is_taken:
        ids = [each for message in messages for each in message.notice_ids if each in told]
        deps.watch.store.mark_sent(ids, mail.message_id, now)
    return {name: pairs for name, pairs in untold.items() if pairs}, mail.is_taken


def _refused(deps: Deps, named: ByName, now: datetime) -> bool:
    heard = True
    for name, pairs in named.items():
        for message in compose(name, pairs, now):
            why = deps.curfew.reach.undeliverable_reason(name, message)
            heard = _by_topic(deps, message, _told_of(message, pairs), why, now) and heard
    return heard


def _publish(deps: Deps, pairs: Iterable[Pair], now: datetime, dropped: list[str] | None = None) -> None:
    """Publish their events. Events that the bus refuses are dropped, with a line in `dropped`; people get their messages."""
    events = [detail_of(notice, watched, now) for notice, watched in pairs]
    try:
        deps.watch.notifier.publish_events(events)
    except EkslabError as error:
        logger.warning("Events were dropped.", extra={"reason": str(error)})
        if dropped is not None:
            dropped.append(str(error))


def _kept(deps: Deps, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
    """The records of these clusters; a place that has become readable again has none."""
    wanted = set(keys)
    whole = {key for key in wanted if key.name == WHOLE_PLACE}
    places = ((key, _place(deps, key)) for key in whole)
    found = deps.watch.store.watched_of(wanted - whole)
    return {**found, **{key: watched for key, watched in places if watched is not None}}


def _place(deps: Deps, key: ClusterKey) -> Watched | None:
    place = Place(key.account, key.region)
    trouble = deps.watch.store.place_trouble(place)
    if trouble is None:
        return None
    return troubled_place(place, trouble, who_answers_for(registration_of(deps, key.account)))
