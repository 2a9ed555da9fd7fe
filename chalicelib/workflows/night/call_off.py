"""Tells people that an announced act did not happen at its time, or that an agreed end is put off.

A called-off act is told once per entry, to the person who was warned; if no message reaches that person, to the next audience
of warnings. A put-off end is told each time, to the owner and to administrators. `outbox.py` sends both.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.decision import DecisionContext
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.called_off import KIND as KIND_OF_POST
from chalicelib.domain.curfew.messages.called_off import Called, called_off_message
from chalicelib.domain.curfew.messages.put_off import put_off_message
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.plan import Basis, Entry, EntryOutcome, EntryStatus, PlanLine
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.workflows.night.outcomes import KIND, conclude, leave_to_next_run, line_of, settle
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import administrators, listeners
from chalicelib.workflows.shared.outbox import drop_post, post

OLD = Sentence("This run is too old to act: what people did since was not seen.")


def call_off_now(run: NightRun, context: DecisionContext, reason: str) -> None:
    """Tell that an entry waits past its time, and until when; not if it only waits for its notice period."""
    if context.now >= context.entry.at and not _is_on_time(context):
        called = Called(reason, _may_happen_until(context), released=bool(context.held))
        call_off(run, context.lab, PlanLine(context.entry, context.status), called)


def call_off_unseen(run: NightRun, lab_id: str, why: str) -> None:
    """Tell that this run could not look at a lab whose entry is due: nothing happens before the next run."""
    lab = run.deps.store.load_lab(lab_id)
    line = line_of(run, lab)
    if line is None or line.status.outcome is not EntryOutcome.STANDING or run.now < line.entry.at:
        return
    reason = Sentence("It could not be looked at: {why}", why=why)
    call_off(run, lab, line, Called(reason, line.entry.at + timedelta(hours=run.rules.late_hours)))


def leave_as_old(run: NightRun, lab_id: str) -> None:
    """Leave a lab to the next run, since this one is too old to look at it, and tell the person who was warned."""
    leave_to_next_run(run, lab_id, OLD)
    call_off_unseen(run, lab_id, OLD)
    run.troubles.append(Sentence("{what}: {reason}", what=lab_id, reason=OLD))


def call_off(run: NightRun, lab: Lab, line: PlanLine, called: Called) -> None:
    """Write the post once, if somebody was warned of the entry."""
    if not _is_owed(run, line.status):
        return
    with run.around(Sentence("calling off what {lab} was warned of", lab=lab.id)):
        _post(run, lab, line, called)
        run.store.change_status(line.entry.night, line.entry.id, lambda stored: _marked(stored, run.now))


def spare(run: NightRun, lab: Lab, line: PlanLine, reason: str) -> Lab:
    """Skip an entry for no wish of its owner, and call it off if somebody was warned; return the lab.

    The status is settled first: "nothing happens without a new warning" must be true before anybody reads it.
    """
    entry, status = line
    called_off_at = run.now if _is_owed(run, status) else None
    return close(
        run, lab, PlanLine(entry, settle(run, entry, EntryOutcome.SKIPPED, reason, called_off_at=called_off_at))
    )


def close(run: NightRun, lab: Lab, line: PlanLine) -> Lab:
    """Conclude a settled entry, with the post of one that is called off; return the lab. Safe to repeat."""
    if line.status.outcome is EntryOutcome.SKIPPED and line.status.called_off_at is not None:
        _post(run, lab, line, Called(line.status.reason))
    return conclude(run, lab, line)


def drop_call_off(run: NightRun, entry: Entry) -> None:
    """Have nobody told any more that the act did not happen: it begins."""
    drop_post(run.deps, KIND_OF_POST, entry.id)


def _is_owed(run: NightRun, status: EntryStatus) -> bool:
    """Whether somebody was warned and has not been told otherwise."""
    warned = status.warned_at is not None and bool(status.recipient)
    return warned and status.called_off_at is None and run.rules.mode is Mode.ON


def _post(run: NightRun, lab: Lab, line: PlanLine, called: Called) -> None:
    entry, (owner, *others) = line.entry, listeners(run.deps, lab)

    def message(recipient: str) -> Message:
        return called_off_message(lab, entry, called, run.now, recipient, "" if recipient == owner else owner)

    everyone = distinct((str(line.status.recipient), owner, *others))
    post(run.deps, [message(one) for one in everyone], entry.id, nightly=True, lab_id=lab.id)
    run.counts["called_off"] += 1


def tell_put_off(run: NightRun, lab: Lab, faces: NextEvent, shield: str) -> None:
    """Write one post to the owner (or the first reachable team), one to administrators, and a line of history."""
    deps, last = run.deps, longest_life(lab, run.rules)
    at = format_local(lab.spec.schedule, faces.at)
    message = Sentence("The lab is not on the plan for its end of {at}: {why}", at=at, why=shield)
    deps.store.add_event(lab.id, Event(run.now, KIND, message, {"night": faces.night.isoformat()}))
    if run.rules.mode is not Mode.ON:
        return
    owner_or_team = tuple(name for name in listeners(deps, lab) if name != administrators(deps))
    for whom, audience in (("owner", owner_or_team), ("administrators", (administrators(deps),))):
        messages = [put_off_message(lab, faces.at, shield, last, recipient) for recipient in audience]
        if messages:
            post(deps, messages, f"{lab.id} {run.now.date()} {whom}", nightly=True)


def _marked(status: EntryStatus, now: datetime) -> EntryStatus:
    return replace(status, called_off_at=status.called_off_at or now)


def _is_on_time(context: DecisionContext) -> bool:
    """Whether the entry only waits for its notice period."""
    warned_at, notice = context.status.warned_at, timedelta(minutes=context.rules.notice_minutes)
    return warned_at is not None and context.now - warned_at < notice and not context.held


def _may_happen_until(context: DecisionContext) -> datetime:
    """The time after which the entry is dropped as too late, by present knowledge."""
    late = timedelta(hours=context.rules.late_hours)
    agreed = context.entry.basis is Basis.AGREED
    return (context.free_at if agreed and context.free_at else context.entry.at) + late
