"""Computes how far a lease can be extended: `max_ahead_hours` from now, and never beyond the lab's last end.

Requests (services/labs/lease.py) and the keep-link (domain/curfew/keep.py) call it. A lease can't be shortened.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_second
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.labs.lab import Lab


@dataclass(frozen=True)
class ExtensionDecision:
    """The lease's new end. `clamped`: earlier than requested, because the allowance ends there."""

    ends_at: datetime
    clamped: bool


@dataclass(frozen=True)
class ExtensionRequest:
    """The requested end: an instant, or hours to add to the lease."""

    until: datetime | None = None
    hours: int | None = None

    @property
    def field(self) -> str:
        """The field of the request."""
        return "until" if self.until is not None else "hours"


def latest_end(lab: Lab, rules: CurfewRules, now: datetime) -> datetime:
    """The latest end of the lease that is allowed at `now`, in whole seconds; it may be in the past, or before the present end."""
    return min(now + timedelta(hours=rules.max_ahead_hours), last_end(lab, rules)).replace(microsecond=0)


def last_end(lab: Lab, rules: CurfewRules) -> datetime:
    """The latest end of any lease of this lab."""
    return lab.ends_by or lab.created_at + timedelta(hours=rules.max_total_hours)


def longest_life(lab: Lab, rules: CurfewRules) -> datetime:
    """The time after which only an administrator can keep the lab: `ends_by`, or the greatest age by today's rules if earlier."""
    by_age = lab.created_at + timedelta(hours=rules.max_total_hours)
    return min(lab.ends_by or by_age, by_age)


def extend(lab: Lab, wish: ExtensionRequest, rules: CurfewRules, now: datetime) -> ExtensionDecision:
    """The lease's new end. Asking for the present end changes nothing. Raises InvalidRequest on the wish's field."""
    until = _wanted(lab, wish, now)
    present, latest = lab.lease_ends_at.replace(microsecond=0), latest_end(lab, rules, now)
    if until == present:
        return ExtensionDecision(lab.lease_ends_at, clamped=False)
    if until < present or until <= now:
        raise _refused(
            wish,
            "not-later",
            Sentence("The lease ends at {at}: extending it can't make it end earlier.", at=format_second(present)),
        )
    if latest <= max(present, now):
        raise _refused(wish, "allowance-used-up", _used_up(lab, rules, present))
    return ExtensionDecision(min(until, latest), clamped=until > latest)


def _wanted(lab: Lab, wish: ExtensionRequest, now: datetime) -> datetime:
    if wish.until is not None:
        return wish.until
    return (max(lab.lease_ends_at, now) + timedelta(hours=wish.hours or 0)).replace(microsecond=0)


def _used_up(lab: Lab, rules: CurfewRules, present: datetime) -> str:
    last = last_end(lab, rules).replace(microsecond=0)
    if present >= last:
        return Sentence(
            "The lease ends at {at}, and {last} is the latest that this lab may last: ask for a new one.",
            at=format_second(present),
            last=format_second(last),
        )
    return Sentence(
        "The lease ends at {at} already, and a lease ends at most {hours} hours "
        "from now. It can be extended later, at the latest to {last}.",
        at=format_second(present),
        hours=rules.max_ahead_hours,
        last=format_second(last),
    )


def _refused(wish: ExtensionRequest, code: str, message: str) -> InvalidRequest:
    return InvalidRequest([error(wish.field, code, message)])
