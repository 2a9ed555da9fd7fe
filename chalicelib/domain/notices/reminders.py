"""The reminders of one deadline: which is due, since when, its severity, and the latest snooze.

Used by `decision.py` and the API. A reminder is a number of days before the deadline; after it they go on weekly: -7, -14, ...
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Severity
from chalicelib.domain.notices.notice import Audience
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind

WEEK = timedelta(days=7)
#: The reminders that neither acknowledging nor snoozing holds back: the last week.
LAST_RUNGS = (7, 3, 1, 0)
#: The reminder from which an audience is told, if nobody acknowledged; owners from the first.
JOINS_AT = {Audience.TEAM: 30, Audience.ADMINISTRATORS: 7}
#: Days before a deadline at which people are told; after it, weekly (negative reminders: -7, -14, ...).
REMINDER_DAYS = (180, 90, 60, 30, 14, 7, 3, 1, 0)


def due_at(deadline: Deadline, reminder: int) -> datetime:
    """The instant a reminder comes due, UTC."""
    return utc(deadline.at) - timedelta(days=reminder)


def latest_due(deadline: Deadline, reminder_days: Iterable[int], now: datetime) -> int | None:
    """The last reminder that has come due at `now`; None before the first. Those before it have collapsed into it."""
    reminders = sorted(reminder_days)
    weeks = weeks_since(deadline.at, now)
    if weeks > 0 and reminders:
        return -7 * weeks
    return next((reminder for reminder in reminders if due_at(deadline, reminder) <= utc(now)), None)


def weeks_since(instant: datetime, now: datetime) -> int:
    """Whole weeks from `instant` to `now`; negative before it."""
    return (utc(now) - utc(instant)) // WEEK


def reminders_for(audience: Audience, reminder_days: Iterable[int]) -> tuple[int, ...]:
    """The reminders at which an audience is told."""
    joins = JOINS_AT.get(audience)
    return tuple(reminder for reminder in reminder_days if joins is None or reminder <= joins)


def severity_of(deadline: Deadline, reminder: int) -> Severity:
    """The severity of a reminder: it rises as the deadline nears. Billing is money: never critical, once begun not urgent."""
    billing = deadline.kind is DeadlineKind.EXTENDED_BILLING
    if reminder > 30:
        return Severity.INFO
    if reminder > 7 or (billing and reminder < 0):
        return Severity.WARNING
    if reminder > 3 or billing:
        return Severity.URGENT
    return Severity.CRITICAL


def latest_snooze(deadline: Deadline, now: datetime, reminder_days: Iterable[int] = REMINDER_DAYS) -> datetime:
    """The latest instant a deadline may be snoozed until: the next reminder of the last week, or the next weekly one when past."""
    matter = sorted((reminder for reminder in reminder_days if reminder <= LAST_RUNGS[0]), reverse=True) or list(
        LAST_RUNGS
    )
    coming = [due_at(deadline, reminder) for reminder in matter if due_at(deadline, reminder) > utc(now)]
    if coming:
        return coming[0]
    return utc(deadline.at) + WEEK * (weeks_since(deadline.at, now) + 1)
