"""Tells people that an announced act did not happen at its time, or that an agreed end is put off.

A called-off act is told once an entry, to the person who was warned; where no message reaches that person, to those who are
warned in an owner's place. A put-off end is told each time, to the owner and to administrators.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.decision import DecisionContext
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.called_off import Called, called_off_message
from chalicelib.domain.curfew.messages.put_off import put_off_message
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.plan import Basis, Entry, EntryOutcome, EntryStatus
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND
from chalicelib.workflows.night.sending import may_send
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.night.warn import administrators, listeners, tell_first
from chalicelib.workflows.shared.claims import claims


def call_off_now(deps: Deps, context: DecisionContext, reason: str, summary: RunSummary) -> None:
    """Tell that an entry waits past its time, and until when; not if it only waits for its notice period."""
    until = _may_happen_until(context)
    if context.now >= context.entry.at and not _is_on_time(context):
        called = Called(reason, until, released=bool(context.held))
        call_off(deps, context.lab, (context.entry, context.status), context.rules, called, context.now, summary)


def call_off_unseen(deps: Deps, lab_id: str, why: str, now: datetime, summary: RunSummary) -> None:
    """Tell that this run could not look at a lab whose entry's time has come: nothing happens before the next run."""
    lab, rules = deps.store.load_lab(lab_id), deps.curfew.store.rules(deps.curfew.usual)
    line = deps.curfew.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None
    if line is None or line[1].outcome is not EntryOutcome.STANDING or now < line[0].at:
        return
    called = Called(
        Sentence("It could not be looked at: {why}", why=why), line[0].at + timedelta(hours=rules.late_hours)
    )
    call_off(deps, lab, line, rules, called, now, summary)


def call_off(
    deps: Deps,
    lab: Lab,
    line: tuple[Entry, EntryStatus],
    rules: CurfewRules,
    called: Called,
    now: datetime,
    summary: RunSummary,
) -> None:
    """Send the message once, if somebody was warned of the entry."""
    entry, status = line
    if (
        status.warned_at is None
        or not status.recipient
        or status.called_off_at is not None
        or rules.mode is not Mode.ON
    ):
        return
    with summary.around(f"calling off what {entry.lab_id} was warned of"):
        if not may_send(deps, entry, lambda stored: stored.called_off_at is None):
            return
        owner, *others = listeners(deps, lab)

        def message(recipient: str) -> Message:
            return called_off_message(lab, entry, called, now, recipient, "" if recipient == owner else owner)

        everyone = distinct((status.recipient, owner, *others))
        hears, message_id = tell_first(deps, everyone, message, f"{entry.id} called off")
        if not message_id:
            summary.troubles.append(f"{lab.id}: nobody could be told that what was announced does not happen.")
            return
        deps.curfew.store.change_status(entry.night, entry.id, lambda stored: _marked(stored, now))
        text = Sentence("{who} was told that it does not happen as announced.", who=hears)
        deps.store.add_event(lab.id, Event(now, KIND, text, {"message": message_id, "entry": entry.id}))
        summary.counts["called_off"] += 1


def tell_put_off(deps: Deps, lab: Lab, faces: NextEvent, shield: str, rules: CurfewRules, now: datetime) -> None:
    """One message to the owner (or a team of theirs, if nobody hears for them), one to administrators, and a line of history."""
    last = longest_life(lab, rules)
    message = Sentence(
        "The lab is not on the plan for its end of {at}: {why}",
        at=format_local(lab.spec.schedule, faces.at),
        why=shield,
    )
    deps.store.add_event(lab.id, Event(now, KIND, message, {"night": faces.night.isoformat()}))
    if rules.mode is Mode.ON and claims(deps, f"put-off#{lab.id}", deps.clock.now()):
        owner_or_team = tuple(name for name in listeners(deps, lab) if name != administrators(deps))
        for audience in (owner_or_team, (administrators(deps),)):
            once = f"{lab.id} put off at {now.isoformat()}"
            tell_first(deps, audience, lambda recipient: put_off_message(lab, faces.at, shield, last, recipient), once)


def _marked(status: EntryStatus, now: datetime) -> EntryStatus:
    return replace(status, called_off_at=status.called_off_at or now, sending_until=None)


def _is_on_time(context: DecisionContext) -> bool:
    """Whether the entry only waits for its notice period."""
    warned_at, notice = context.status.warned_at, timedelta(minutes=context.rules.notice_minutes)
    return warned_at is not None and context.now - warned_at < notice and not context.held


def _may_happen_until(context: DecisionContext) -> datetime:
    """When the entry is dropped as too late, by what is known now."""
    late = timedelta(hours=context.rules.late_hours)
    agreed = context.entry.basis is Basis.AGREED
    return (context.free_at if agreed and context.free_at else context.entry.at) + late
