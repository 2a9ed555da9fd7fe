"""Decides when a hibernated lab wakes: in its morning, or ahead of an upgrade by AWS, so that its nodes can be upgraded, too.

The hourly run calls it. A failed wake is not repeated before the next morning: its owner was told, and can request it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import Holidays, format_local, next_wake
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.deadlines import DeadlineKind

#: How long before a possible upgrade by AWS the lab wakes.
AHEAD_OF_UPGRADE = timedelta(hours=48)


@dataclass(frozen=True)
class Waking:
    """When the lab wakes next (None: only on request), and why. `by_clock`: its next scheduled morning."""

    at: datetime | None
    reason: str
    by_clock: datetime | None


def upgrade_ahead(version: str, support_type: str | None, calendar: Calendar, now: datetime) -> datetime | None:
    """The time from which AWS may upgrade the control plane; None if the calendar has no such date."""
    deadlines = decide_support(version, support_type, calendar, now).deadlines
    return next((deadline.at for deadline in deadlines if deadline.kind is DeadlineKind.FORCED_UPGRADE), None)


def decide_waking(lab: Lab, upgrade_at: datetime | None, holidays: Holidays) -> Waking:
    """The first morning after the lab hibernated, or 48 hours before the upgrade if that is earlier."""
    since = max(lab.phase_since, lab.hibernation.since) if lab.hibernation else lab.phase_since
    morning = next_wake(lab.spec.schedule, since, holidays)
    early = None if upgrade_at is None else upgrade_at - AHEAD_OF_UPGRADE
    if early is not None and (morning is None or early < morning) and early > since:
        message = format_local(lab.spec.schedule, upgrade_at or early)
        return Waking(
            early,
            Sentence("AWS may upgrade its control plane from {at} on, which would find no nodes.", at=message),
            morning,
        )
    return Waking(morning, Sentence("Its morning has come."), morning)


def stays_awake(upgrade_at: datetime | None, at: datetime) -> bool:
    """Whether a lab that would hibernate at `at` stays awake because AWS may upgrade it soon."""
    return upgrade_at is not None and upgrade_at - AHEAD_OF_UPGRADE <= at
