"""Makes calendar events of a lab: the end of its lease, its next curfew, its waking.

An event keeps its UID when its time moves, so that calendars move it; the lab's version is its sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.core.icalendar import CalendarEvent, timed_event
from chalicelib.domain.core.sentence import ENGLISH, Sentence, Words
from chalicelib.domain.curfew.next_event import curfew_to_come, lease_end_event
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import ENDING, OVER, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays


def lab_events(
    lab: Lab, rules: CurfewRules, holidays: Holidays, now: datetime, words: Words = ENGLISH
) -> Iterator[CalendarEvent]:
    """Events in a language. None for a lab that is ending, or that waits for an approver."""
    if lab.phase in OVER | ENDING or lab.phase is Phase.AWAITING_APPROVAL:
        return
    where = Sentence("Account {account}, {region}.", account=lab.account, region=lab.region)
    ends = lease_end_event(lab, rules, now).at
    lease = (
        Sentence("{name}: its lease ends", name=lab.name),
        Sentence("Everything of it is deleted. {where}", where=where),
    )
    yield _event(lab, "lease-end", ends, lease, words)
    if lab.phase is Phase.HIBERNATED and lab.hibernation is not None and lab.hibernation.wake_at is not None:
        waking = Sentence("{name} wakes", name=lab.name), Sentence("Its nodes come back. {where}", where=where)
        yield _event(lab, "wake", lab.hibernation.wake_at, waking, words)
    curfew = curfew_to_come(lab, now, holidays) if lab.phase is not Phase.HIBERNATED else None
    if curfew is not None and curfew.at < ends:
        idle = (
            Sentence("If it is idle then, it is deleted. {where}", where=where)
            if lab.spec.schedule.at_curfew is AtCurfew.END
            else Sentence("If it is idle then, it hibernates. {where}", where=where)
        )
        yield _event(lab, "curfew", curfew.at, (Sentence("{name}: curfew", name=lab.name), idle), words)


def _event(lab: Lab, kind: str, at: datetime, texts: tuple[str, str], words: Words) -> CalendarEvent:
    return timed_event(f"{kind}.{lab.id}@ekslab", at, lab.phase_since, lab.version, texts, words)
