"""Computes the next event of a lab at rest: its curfew or the end of its lease, whichever is first; and its next look.

A lease that is already over ends the lab after the notice period.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import AT_CURFEW, Entry, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, Night, local_date, next_curfew

#: A lab that is due this long after `now` waits for the next run, since `now` is the same throughout a run.
SOON = timedelta(seconds=1)
DAY = timedelta(days=1)
#: A lab kept or protected until a curfew is not exempt from that curfew: the exemption ends just before.
_TICK = timedelta(microseconds=1)
#: The most missed nights that the history names after a long outage.
_MOST_MISSED = 14


@dataclass(frozen=True)
class NextEvent:
    """The next event of a lab: its local day (`night`), its time, the act, and the trigger."""

    night: date
    at: datetime
    act: AtCurfew
    trigger: Trigger

    def look_at(self, rules: CurfewRules) -> datetime:
        """When the run must look at the lab to publish the plan `lead_hours` ahead."""
        return self.at - timedelta(hours=rules.lead_hours)


def next_event(
    lab: Lab, rules: CurfewRules, now: datetime, holidays: Holidays, after: datetime | None = None
) -> NextEvent:
    """The nearest event; at the same instant the lease's end. `after`: ignore curfews up to this time."""
    ends, curfew = lease_end_event(lab, rules, now), curfew_to_come(lab, after or now, holidays)
    if curfew is None or ends.at <= curfew.at:
        return ends
    return NextEvent(curfew.day, curfew.at, lab.spec.schedule.at_curfew, Trigger.IDLE)


def event_after(lab: Lab, entry: Entry, rules: CurfewRules, now: datetime, holidays: Holidays) -> NextEvent:
    """The next event of a lab whose entry was skipped: not the curfew of that entry again."""
    return next_event(lab, rules, now, holidays, max(now, entry.at) if entry.trigger in AT_CURFEW else now)


def next_look(lab: Lab, entry: Entry, rules: CurfewRules, now: datetime, holidays: Holidays) -> datetime:
    """When to look again at a lab whose entry was skipped. The next run looks at a hibernated lab, to compute its waking."""
    if lab.phase is Phase.HIBERNATED:
        return now + SOON
    return max(now + SOON, replanning_at(lab, entry, rules, now, holidays))


def replanning_at(lab: Lab, entry: Entry, rules: CurfewRules, now: datetime, holidays: Holidays) -> datetime:
    """From when the next event of a lab whose entry was skipped may be planned; this may have passed.

    An end of a lease that was not carried out is planned again a day later, so that its owner is not warned every few hours.
    """
    at = event_after(lab, entry, rules, now, holidays).look_at(rules)
    if entry.trigger not in AT_CURFEW and lab.lasts_until <= entry.at:
        at = max(at, entry.at + DAY - timedelta(hours=rules.lead_hours))
    return at


def lease_end_event(lab: Lab, rules: CurfewRules, now: datetime) -> NextEvent:
    """The end of the lab by its lease: not before its protection ends, nor before the notice period is over."""
    trigger = Trigger.ADOPTED if lab.adopted else Trigger.LEASE
    return _ending(lab, max(lab.lasts_until, _noticed(rules, now)), trigger)


def closing(lab: Lab, rules: CurfewRules, now: datetime) -> NextEvent:
    """The event of a lab whose cluster is gone: its leftovers are deleted after the notice period."""
    return _ending(lab, _noticed(rules, now), Trigger.GONE)


def curfew_to_come(lab: Lab, after: datetime, holidays: Holidays) -> Night | None:
    """The first curfew later than `after` that may end or hibernate the lab for idleness: not while it is kept or protected."""
    exemption = [after]
    exemption += [lab.kept_until - _TICK] if lab.kept_until else []
    exemption += [lab.protection.until - _TICK] if lab.protection else []
    return next_curfew(lab.spec.schedule, max(exemption), holidays)


def missed_curfews(lab: Lab, now: datetime, holidays: Holidays) -> tuple[Night, ...]:
    """Curfews that passed since a lab without an entry became due: no run looked at the lab in time."""
    nights: list[Night] = []
    night = curfew_to_come(lab, lab.due_at, holidays) if lab.due_at is not None else None
    while night is not None and night.at <= now and len(nights) < _MOST_MISSED:
        nights.append(night)
        night = curfew_to_come(lab, night.at, holidays)
    return tuple(nights)


def _ending(lab: Lab, at: datetime, trigger: Trigger) -> NextEvent:
    return NextEvent(local_date(lab.spec.schedule, at), at, AtCurfew.END, trigger)


def _noticed(rules: CurfewRules, now: datetime) -> datetime:
    return now + timedelta(minutes=rules.notice_minutes)
