"""Applies the support calendar to one cluster: its phase, its deadlines, and dates that moved.

Called by the scan, the API and the notices. Only dates decide: a stored status word of EKS becomes outdated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.support.calendar import Calendar, SupportStatus, VersionSupport
from chalicelib.domain.support.deadlines import (
    EXTENDED_PER_MONTH,
    Deadline,
    DeadlineKind,
    Support,
    SupportPhase,
    deadlines_of,
)

STANDARD, EXTENDED = "STANDARD", "EXTENDED"
#: A lab that outlives its lease by more than this is stuck: its deadlines concern people again.
LEASE_GRACE = timedelta(days=1)


def decide_support(
    version: str, support_type: str | None, calendar: Calendar, now: datetime, lease_ends_at: datetime | None = None
) -> Support:
    """A cluster's support at `now`; a policy that EKS does not return is EXTENDED. Raises ValueError on naive instants."""
    at = utc(now)
    entry = calendar.get(version)
    if entry is None:
        return Support(SupportPhase.UNKNOWN, (), billed_extended=False, reason=_unlisted(version, calendar))
    if (support_type or EXTENDED).upper() == STANDARD:
        return _on_standard(entry, calendar, at, lease_ends_at)
    return _on_extended(entry, calendar, at, lease_ends_at)


def moved(before: Support, after: Support) -> tuple[Deadline, Deadline] | None:
    """The nearest deadline whose date AWS moved, before and after; None after an upgrade or a change of policy."""
    was, now_is = _by_kind(before), _by_kind(after)
    if was.keys() != now_is.keys():
        return None
    for kind, deadline in now_is.items():
        if deadline.version == was[kind].version and deadline.id != was[kind].id:
            return was[kind], deadline
    return None


def delisted(before: Support, now: datetime) -> Support:
    """The support of a version that the calendar no longer lists: it keeps the dates already announced."""
    reason = Sentence("The calendar lists this version no more; its dates are those told before.")
    return replace(continued(before, now), reason=reason)


def continued(before: Support, now: datetime) -> Support:
    """The support by the dates already announced, at a later time."""
    at = utc(now)
    billing = [d for d in before.deadlines if d.kind is DeadlineKind.EXTENDED_BILLING and d.at <= at]
    deadlines = tuple(deadline for deadline in before.deadlines if deadline not in billing)
    begun = billing[0] if billing else before.begun
    phase = SupportPhase.EXTENDED if begun else SupportPhase.STANDARD
    if any(d.kind is DeadlineKind.FORCED_UPGRADE and d.at <= at for d in deadlines):
        phase = SupportPhase.PAST_END
    return replace(before, phase=phase, deadlines=deadlines, begun=begun, billed_extended=begun is not None)


def days_left(deadline: Deadline, now: datetime) -> int:
    """Days from today to the deadline's day, both UTC; 0 on the day, negative after it."""
    return (utc(deadline.at).date() - utc(now).date()).days


def describe_effect(deadline: Deadline, now: datetime) -> str:
    """The effect of the deadline, in the future or past tense, as half a sentence."""
    past = utc(now) >= utc(deadline.at)
    if deadline.kind is DeadlineKind.EXTENDED_BILLING:
        if past:
            return Sentence("extended billing has begun: +${amount} a month", amount=EXTENDED_PER_MONTH)
        return Sentence("extended billing begins: +${amount} a month", amount=EXTENDED_PER_MONTH)
    target = deadline.target or Sentence("the next version")
    if past:
        return Sentence(
            "AWS may upgrade the control plane to {version} at any time now, without notice; nodes stay behind",
            version=target,
        )
    return Sentence(
        "AWS upgrades the control plane to {version}, at any time from then on, without notice; nodes stay behind",
        version=target,
    )


def minor(version: str) -> tuple[int, ...]:
    """A version's numeric order (1.9 before 1.10); empty for a text that is not a version."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _on_standard(entry: VersionSupport, calendar: Calendar, now: datetime, lease_ends_at: datetime | None) -> Support:
    forced = _forced(entry.version, entry.end_of_standard, calendar, lambda v: v.end_of_standard)
    past = now >= forced.at
    phase = SupportPhase.PAST_END if past else SupportPhase.STANDARD
    at = _day(forced.at)
    reason = (
        Sentence(
            "Its policy is STANDARD and standard support ended on {at}: AWS upgrades it instead of charging for extended support.",
            at=at,
        )
        if past
        else Sentence(
            "Its policy is STANDARD and standard support ends on {at}: AWS upgrades it instead of charging for extended support.",
            at=at,
        )
    )
    return Support(phase, (forced,), False, _lease_first(forced, now, lease_ends_at), reason)


def _on_extended(entry: VersionSupport, calendar: Calendar, now: datetime, lease_ends_at: datetime | None) -> Support:
    begins = utc(entry.end_of_standard)
    billing = Deadline(DeadlineKind.EXTENDED_BILLING, entry.version, begins, calendar.source, utc(calendar.as_of))
    forced = _forced(entry.version, entry.end_of_extended, calendar, lambda v: v.end_of_extended)
    if now < billing.at:
        deadlines = tuple(sorted((billing, forced), key=lambda deadline: deadline.at))
        reason = Sentence(
            "Standard support ends on {standard}; extended support, which is billed, on {extended}.",
            standard=_day(billing.at),
            extended=_day(forced.at),
        )
        return Support(SupportPhase.STANDARD, deadlines, False, _lease_first(deadlines[0], now, lease_ends_at), reason)
    past = now >= forced.at
    phase = SupportPhase.PAST_END if past else SupportPhase.EXTENDED
    days = {"standard": _day(billing.at), "extended": _day(forced.at)}
    reason = (
        Sentence("Standard support ended on {standard}; extended support ended on {extended}.", **days)
        if past
        else Sentence("Standard support ended on {standard}; extended support ends on {extended}.", **days)
    )
    return Support(phase, (forced,), True, _lease_first(forced, now, lease_ends_at), reason, begun=billing)


def _forced(
    version: str, ends_at: datetime, calendar: Calendar, end_of: Callable[[VersionSupport], datetime]
) -> Deadline:
    at = utc(ends_at)
    newer = sorted((v for v in calendar.versions if minor(v.version) > minor(version)), key=lambda v: minor(v.version))
    supported = [v for v in newer if end_of(v) > at and (v.released_at is None or v.released_at <= at)]
    target = next(iter(supported or newer), None)
    return Deadline(
        DeadlineKind.FORCED_UPGRADE,
        version,
        at,
        calendar.source,
        utc(calendar.as_of),
        target.version if target else None,
    )


def _lease_first(deadline: Deadline, now: datetime, lease_ends_at: datetime | None) -> bool:
    return lease_ends_at is not None and now - LEASE_GRACE <= lease_ends_at < deadline.at


def _unlisted(version: str, calendar: Calendar) -> str:
    known = [v for v in calendar.versions if v.status_at(calendar.as_of) is not SupportStatus.UNSUPPORTED]
    if minor(version) and known and minor(version) < min(minor(v.version) for v in known):
        return Sentence(
            "{version} is older than every supported version and no calendar dates it: AWS may upgrade it at any time.",
            version=version,
        )
    return Sentence(
        "The calendar ({source}) does not list {version}: its dates are not known.",
        source=calendar.source,
        version=version,
    )


def _by_kind(support: Support) -> dict[DeadlineKind, Deadline]:
    return {deadline.kind: deadline for deadline in deadlines_of(support)}


def _day(at: datetime) -> str:
    return f"{utc(at):%Y-%m-%d}"
