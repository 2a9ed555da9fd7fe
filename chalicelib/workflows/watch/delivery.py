"""Gets decided notices out: messages to each recipient, an event for each notice, and then the mark that they are sent.

Called by `watch_support.deliver_notices`. A crash before the mark repeats a message and loses none. The bus never holds
up a mail: events that fail are counted and left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.notices.bus_events import detail_of
from chalicelib.domain.notices.digest import compose
from chalicelib.domain.notices.escalation import next_audience
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.support.observation import WHOLE_PLACE, troubled_place
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.workflows.watch.places import registration_of, who_answers_for

Told = tuple[Notice, Watched]


def by_recipient(notices: Iterable[Notice]) -> dict[str, list[Notice]]:
    """Notices of each recipient, by the address without case, in a fixed order: one person gets one digest."""
    sorted_out: dict[str, list[Notice]] = {}
    for notice in notices:
        sorted_out.setdefault(notice.recipient.casefold(), []).append(notice)
    return {recipient: sorted_out[recipient] for recipient in sorted(sorted_out)}


def send_digest(deps: Deps, recipient: str, notices: Sequence[Notice], now: datetime) -> bool:
    """Send one recipient everything there is to say; False if nobody takes messages for them. Raises what the topic answers.

    What nobody takes is not sent: it is tried again daily, and goes to the next audience at once.
    """
    kept, store = _kept(deps, {notice.key for notice in notices}), deps.watch.store
    pairs = [(notice, kept[notice.key]) for notice in notices if notice.key in kept]
    store.mark_sent([(each.key, each.id) for each in notices if each.key not in kept], "nothing-to-say", now)
    for notice, watched in pairs:
        if notice.state is NoticeState.PENDING:
            _publish_event(deps, notice, watched, now)
    messages = compose(recipient, pairs, now) if pairs else ()
    why = deps.curfew.reach.undeliverable_reason(recipient, messages[0]) if messages else None
    if why is not None:
        rules = deps.watch.rules
        store.add_notices([later for notice, watched in pairs for later in next_audience(watched, notice, rules)])
        store.mark_unheard([(notice.key, notice.id) for notice, _ in pairs], why)
        return False
    for message in messages:
        store.mark_sent(message.notice_ids, deps.watch.notifier.send(message), now)
    return True


def _publish_event(deps: Deps, notice: Notice, watched: Watched, now: datetime) -> bool:
    try:
        deps.watch.notifier.publish_event(*detail_of(notice, watched, now))
    except EkslabError:
        return False
    return True


def _kept(deps: Deps, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
    """What is kept of these clusters; a place that can be read again by now has nothing to say any more."""
    found = {key: _place(deps, key) if key.name == WHOLE_PLACE else deps.watch.store.watched(key) for key in keys}
    return {key: watched for key, watched in found.items() if watched is not None}


def _place(deps: Deps, key: ClusterKey) -> Watched | None:
    place = Place(key.account, key.region)
    trouble = deps.watch.store.place_trouble(place)
    if trouble is None:
        return None
    return troubled_place(place, trouble, who_answers_for(registration_of(deps, key.account)))
