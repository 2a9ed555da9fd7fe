"""The curfew run's promises, checked on the records of any nights: plans, statuses, histories, mails, and started workflows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.curfew.plan import Basis, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode, allowance
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import next_curfew
from chalicelib.domain.labs.steps import Event
from tests.workflows.night.nights import Nights, names

DONE = frozenset({EntryOutcome.ACTING, EntryOutcome.ENDED, EntryOutcome.HIBERNATED})


def is_warning(event: Event) -> bool:
    """Whether it only reports a warning, which is no reason for the result."""
    return event.message.startswith("A warning")


def acts(nights: Nights) -> list[tuple[Entry, EntryStatus]]:
    """Every entry that was acted on, or is in progress."""
    kept = nights.world.curfew.store
    return [(kept.entries[key], status) for key, status in kept.statuses.items() if status.outcome in DONE]


def check_acts(nights: Nights, by_people: frozenset[str], rules: CurfewRules) -> None:
    """Every ended lab was planned, warned in time, and idle at that moment or at its lease's end; none ends twice."""
    touched = [*nights.started("teardown"), *nights.started("hibernate")]
    planned = Counter(entry.lab_id for entry, status in acts(nights) if status.outcome is not EntryOutcome.ACTING)
    for lab_id, times in Counter(touched).items():
        assert times == planned[lab_id] + (lab_id in by_people), f"{lab_id} was ended beside the plan"
    sent = dict(nights.world.watch.notifier.sent)
    for entry, status in acts(nights):
        if status.outcome is EntryOutcome.ACTING:
            continue
        at = min(at for (lab_id, _), at in nights.moved.items() if lab_id == entry.lab_id and at >= entry.at)
        assert entry.planned_at < at, "planned when it was done"
        assert entry.at <= at, "done before its time"
        assert status.warned_at is not None, "not warned"
        assert at - status.warned_at >= timedelta(minutes=rules.notice_minutes), "warned too late"
        assert sent[status.message_id or ""].recipient == status.recipient
        assert names(sent[status.message_id or ""].subject, entry.name)
        _check_why(nights, entry, at, rules)


def _check_why(nights: Nights, entry: Entry, at: datetime, rules: CurfewRules) -> None:
    lab = nights.lab(entry.lab_id)
    before = lab.id in nights.asked and nights.asked[lab.id] <= at
    assert not before or lab.protection is None or lab.protection.until <= entry.at, "protected"
    if entry.trigger is Trigger.IDLE:
        evidence = nights.world.curfew.signals.evidence[lab.id](at)
        verdict = judge(replace(lab, phase=Phase.READY), evidence, rules, at)
        assert verdict.idle, f"not idle: {verdict.sentence}"
        assert not before or lab.kept_until is None or lab.kept_until <= entry.at, "kept"
        assert at - entry.at <= timedelta(hours=rules.late_hours), "too late"
        assert lab.id not in nights.extended or not entry.planned_at < nights.extended[lab.id] <= at, "extended"
    elif entry.trigger is Trigger.LEASE:
        assert lab.lease_ends_at <= entry.at, "extended"


def check_brake(nights: Nights, most: int, rules: CurfewRules) -> None:
    """No night ends more labs by the service's judgement than allowed."""
    judged = [entry for entry, _ in acts(nights) if entry.basis is Basis.JUDGED]
    for night, taken in Counter(entry.night for entry in judged).items():
        assert taken <= allowance(rules, most), f"{night} took {taken}"


def check_reasons(nights: Nights, lab: Lab, start: datetime, end: datetime) -> None:
    """Every curfew that an idle lab has survived has a reason, in its history or with its status."""
    text = {event.facts.get("night") for event in nights.history(lab.id) if not is_warning(event)}
    text |= {entry.night.isoformat() for entry, status in nights.lines(lab.id) if status.reason}
    ended = nights.ended.get(lab.id, end)
    curfew = next_curfew(lab.spec.schedule, start, nights.world.deps.curfew.holidays)
    while curfew is not None and curfew.at < min(ended, end):
        exempt = nights.spared.get(lab.id)
        if exempt is None or curfew.at >= exempt:
            assert curfew.day.isoformat() in text, f"{lab.id} lived through {curfew.day} for no reason"
        curfew = next_curfew(lab.spec.schedule, curfew.at, nights.world.deps.curfew.holidays)


def check_silence(nights: Nights, rules: CurfewRules) -> None:
    """Switched off, or in a dry run, nothing is started and no warning is sent."""
    assert rules.mode is not Mode.ON
    assert nights.world.workflows.started == []
    assert {message.kind for message in nights.world.watch.notifier.messages} <= {"curfew-report"}
