"""One notice as one sentence, and the half sentence that a cluster's notices come down to.

Used by `digest.py` and `digest_section.py`. What was decided earlier and no longer holds is left out, as an empty sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.core.wording import day_told, days_told
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.notices.wording import deadline_headline, short_told
from chalicelib.domain.support.assessment import days_left, effect_told
from chalicelib.domain.support.deadlines import Deadline, deadlines_of
from chalicelib.domain.support.watched import Watched


def headline(watched: Watched, notices: Iterable[Notice], now: datetime) -> str:
    """What matters most of these notices, as half a sentence with its days."""
    by_kind = {notice.kind: notice for notice in notices}
    current = deadline_told(watched, by_kind.values())
    if NoticeKind.UPGRADED_BY_AWS in by_kind:
        return _raised(by_kind[NoticeKind.UPGRADED_BY_AWS])
    if NoticeKind.SOLVED in by_kind and NoticeKind.DEADLINE not in by_kind:
        return "solved"
    if NoticeKind.LEASE_FIRST in by_kind:
        return "its lease ends first: nothing to do"
    if current is not None:
        return deadline_headline(current, now)
    if NoticeKind.UNREADABLE in by_kind:
        return "can't be read"
    return f"nodes are not on {watched.cluster.version}"


def deadline_told(watched: Watched, notices: Iterable[Notice]) -> Deadline | None:
    """The nearest deadline that these notices are about and that still holds."""
    ids = {n.deadline_id for n in notices if n.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)}
    coming = [*watched.support.deadlines, *deadlines_of(watched.support)]
    return next((deadline for deadline in coming if deadline.id in ids), None)


def sentence(watched: Watched, notice: Notice, told: Deadline | None, now: datetime) -> str:
    """What a notice says of a cluster; `told` is the deadline its rungs are about. Empty if that no longer holds."""
    match notice.kind:
        case NoticeKind.DEADLINE:
            if told is None or told.id != notice.deadline_id:
                return ""
            return f"{_when(told, now)}: {effect_told(told, now)}."
        case NoticeKind.DATE_MOVED:
            moved = next((d for d in deadlines_of(watched.support) if d.id == notice.deadline_id), None)
            new = (
                f"it is {day_told(moved.at)} ({days_told(days_left(moved, now))}) now"
                if moved
                else "it has moved on again"
            )
            return f"The date has changed: it was {_date(notice.note)}, {new}. {_effect(moved, now)}".rstrip()
        case NoticeKind.LEASE_FIRST:
            return _lease(watched)
        case NoticeKind.SOLVED:
            return f"Solved: {notice.note} You will hear no more of the deadline you were told of ({_id_told(notice)})."
        case NoticeKind.NODES_BEHIND:
            return ""
        case NoticeKind.UPGRADED_BY_AWS:
            at = f" (noticed on {_date(notice.deadline_id.rpartition('#')[2])})"
            return f"{_raised(notice)}{at}. Nodes and add-ons are yours to upgrade."
        case NoticeKind.UNREADABLE:
            return _unreadable(watched)


def _effect(deadline: Deadline | None, now: datetime) -> str:
    return f"Then: {effect_told(deadline, now)}." if deadline else ""


def _raised(upgraded: Notice) -> str:
    """Told late, it is the version AWS raised it to then, whatever it runs by now."""
    return f"AWS upgraded the control plane to {upgraded.deadline_id.split('#')[1]}"


def _lease(watched: Watched) -> str:
    ends = day_told(watched.lease_ends_at) if watched.lease_ends_at else "before that"
    following = watched.support.next
    before = f", before {short_told(following)} on {day_told(following.at)}" if following else ""
    return f"The lab's lease ends on {ends}{before}: nothing to do, and no more mails unless it is prolonged past that."


def _unreadable(watched: Watched) -> str:
    trouble = watched.trouble
    if trouble is None:
        return "It can be read again."
    known = f" What is known of it is as of {day_told(watched.read_at)}." if watched.cluster.version else ""
    return (
        f"It could not be read since {day_told(trouble.since)}: {trouble.operation}: {trouble.code}: "
        f"{trouble.message.rstrip('. ')}. While that lasts its deadlines may be missed: see that the watch's role exists in the "
        f"account and may read EKS.{known}"
    )


def _when(deadline: Deadline, now: datetime) -> str:
    days = days_left(deadline, now)
    if days < 0:
        return f"Since {day_told(deadline.at)}"
    told = days_told(days)
    return f"{told[0].upper()}{told[1:]}, on {day_told(deadline.at)}"


def _date(day: str) -> str:
    return day_told(datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def _id_told(notice: Notice) -> str:
    kind, version, day = notice.deadline_id.split("#")
    return f"{kind.replace('-', ' ')} of {version} on {_date(day)}"
