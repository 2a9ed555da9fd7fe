"""Gets decided notices out: messages to each recipient, an event for each notice, and then the mark that they are sent.

Called by `watch_support.deliver_notices`. A crash before the mark repeats a message and loses none. The bus never holds
up a mail: events that fail are counted and left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import came_back_to, claims, hears, hears_of, route_to, send_mail
from chalicelib.workflows.watch.places import registration_of, who_answers_for

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee, Mail
    from chalicelib.domain.support.deadlines import Deadline

#: A notice, and the record of its cluster.
Pair = tuple[Notice, Watched]
#: Pending notices read per run.
_NOTICES = 20_000


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


def send_digest(deps: Deps, recipient: str, notices: Sequence[Notice], now: datetime, once: str = "") -> bool:
    """Send one recipient all pending notices; return False if nobody receives messages for them. Raises errors of SES and SNS.

    A person with an address gets one mail. `once`: the mail's name; empty for the run's own digest.

    A notice that reaches nobody counts as unsent: it is tried again daily, and goes to the next audience at once.
    """
    kept, store = _kept(deps, {notice.key for notice in notices}), deps.watch.store
    pairs = [(notice, kept[notice.key]) for notice in notices if notice.key in kept]
    store.mark_sent([(each.key, each.id) for each in notices if each.key not in kept], "nothing-to-say", now)
    _publish(deps, [pair for pair in pairs if pair[0].state is NoticeState.PENDING], now)
    mailed: dict[Addressee, list[Pair]] = {}
    heard = True
    for message in compose(recipient, pairs, now) if pairs else ():
        route, told = route_to(deps, recipient, message), _told_of(message, pairs)
        if route.addressee is not None:
            mailed.setdefault(route.addressee, []).extend(told)
        else:
            heard = _by_topic(deps, message, told, route.why, now) and heard
    for addressee, told in mailed.items():
        name = f"{once or f'digest {now.isoformat()}'} to {recipient.casefold()}"
        heard = _mail(deps, addressee, recipient, told, name, now) and heard
    return heard


def _told_of(message: Message, pairs: Sequence[Pair]) -> list[Pair]:
    """The notices that a message tells of."""
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


def waiting_by_address(deps: Deps) -> dict[str, list[Notice]]:
    """Pending notices by the recipient's address, read once for all mails of a run."""
    found: dict[str, list[Notice]] = {}
    for notices in by_recipient(deps.watch.store.pending_notices(_NOTICES)).values():
        addressee = deps.mail.addressee_of(notices[0].recipient) if deps.mail is not None else None
        if addressee is not None:
            found.setdefault(addressee.address, []).extend(notices)
    return found


def waiting_for(
    deps: Deps, addressee: Addressee, waiting: Sequence[Notice], once: str, now: datetime
) -> tuple[Message, ...]:
    """Messages for the notices that wait for a person, to add to a mail that goes to them anyway. Publishes their events."""
    found: list[Message] = []
    for recipient, all_waiting in by_recipient(waiting).items():
        if not hears_of(addressee, "digest"):
            continue
        notices = claimed(deps, all_waiting, once)
        kept = _kept(deps, {notice.key for notice in notices})
        pairs = [(notice, kept[notice.key]) for notice in notices if notice.key in kept]
        _publish(deps, [pair for pair in pairs if pair[0].state is NoticeState.PENDING], now)
        found += compose(recipient, pairs, now, _buttons(deps, recipient, now)) if pairs else ()
    return tuple(message for message in found if hears(addressee, message))


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


def tell_others(deps: Deps, mail: Mail, now: datetime) -> int:
    """Mark the notices of a bounced mail as unheard and tell the next audience of each at once; return how many were told."""
    store, later = deps.watch.store, list[Notice]()
    for key in dict.fromkeys(each.key for each in mail.notices):
        ids = {each.id for each in mail.notices if each.key == key}
        notices = [notice for notice in store.notices_of(key) if notice.id in ids]
        store.mark_bounced(notices, mail.message_id, came_back_to(mail.recipient, mail.why))
        for each, watched in _kept(deps, {key}).items():
            later += [
                one for notice in notices for one in next_audience(watched, notice, deps.watch.rules) if each == key
            ]
    store.add_notices(later)
    fresh = {(notice.key, notice.id) for notice in later}
    pending = [one for one in store.pending_notices(_NOTICES) if (one.key, one.id) in fresh]
    waiting = claimed(deps, pending, f"instead of {mail.id}")
    return sum(
        send_digest(deps, theirs[0].recipient, theirs, now, f"instead of {mail.id}")
        for theirs in by_recipient(waiting).values()
    )


def _mail(deps: Deps, addressee: Addressee, recipient: str, pairs: Sequence[Pair], once: str, now: datetime) -> bool:
    """Send all notices in one mail with buttons; if SES refuses it, publish them to the topic without buttons.

    Raises AwsUnavailable while it is unknown whether SES accepted the mail.
    """
    from chalicelib.domain.notices.mail import NoticeRef

    messages = compose(recipient, pairs, now, _buttons(deps, recipient, now))
    notices = [NoticeRef(key, notice_id) for message in messages for key, notice_id in message.notice_ids]
    try:
        mail = send_mail(deps, addressee, messages, once, notices=notices)
    except AwsRefused:
        reach = deps.curfew.reach
        routes = [(each, reach.undeliverable_reason(each.recipient, each)) for each in compose(recipient, pairs, now)]
        told = [_by_topic(deps, each, _told_of(each, pairs), why, now) for each, why in routes]
        return all(told)
    if mail is None:
        raise AwsUnavailable(f"ses:SendEmail: whether the mail to {addressee.address} was taken is not known yet.")
    if not mail.is_taken:
        return False
    taken = {(each.key, each.id) for each in mail.notices}
    ids = [each for message in messages for each in message.notice_ids if each in taken]
    deps.watch.store.mark_sent(ids, mail.message_id, now)
    return True


def _publish(deps: Deps, pairs: Iterable[Pair], now: datetime) -> None:
    """Publish their events. Events that the bus refuses are dropped: people are told all the same."""
    events = [detail_of(notice, watched, now) for notice, watched in pairs]
    with suppress(EkslabError):
        deps.watch.notifier.publish_events(events)


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
