"""Writes a message when an announced act did not happen on time or an agreed end was postponed. `send.py` sends it.

One message calls an entry off: to the person who was warned, or to the next reachable recipient of warnings. Each delay of an
agreed end is a message to the owner and one to administrators.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.decision import DecisionContext, late_after
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.called_off import KIND as KIND_OF_POST
from chalicelib.domain.curfew.messages.called_off import Called, called_off_message
from chalicelib.domain.curfew.messages.put_off import put_off_message
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, PlanLine
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.workflows.night.outcomes import KIND, leave_to_next_run, line_of, settle, skip_entry, take_off_plan
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import administrators, listeners
from chalicelib.workflows.shared.posts import drop_post, post

#: Why a run that began too long ago looks at no lab.
OLD = Sentence("This run began too long ago: changes that people made since were not read.")


def call_off_now(run: NightRun, context: DecisionContext, reason: str) -> None:
    """Call off an entry that waits past its time, and say until when the act may still happen.

    It does nothing while the entry waits only for its notice period.
    """
    if context.now >= context.entry.at and not _is_on_time(context):
        called = Called(reason, late_after(context), released=bool(context.held))
        call_off(run, context.lab, PlanLine(context.entry, context.status), called)


def put_off_lab(run: NightRun, lab_id: str, why: str) -> None:
    """Let the next run retry a lab, and call off its due entry, because nothing will happen until then."""
    leave_to_next_run(run, lab_id, why)
    lab = run.deps.store.load_lab(lab_id)
    line = line_of(run, lab)
    if line is None or line.status.outcome is not EntryOutcome.STANDING or run.now < line.entry.at:
        return
    reason = Sentence("It could not be looked at: {why}", why=why)
    call_off(run, lab, line, Called(reason, line.entry.at + timedelta(hours=run.rules.late_hours)))


def leave_as_old(run: NightRun, lab_id: str) -> None:
    """Put a lab off because this run began too long ago to look at it."""
    put_off_lab(run, lab_id, OLD)
    run.troubles.append(Sentence("{what}: {reason}", what=lab_id, reason=OLD))


def call_off(run: NightRun, lab: Lab, line: PlanLine, called: Called) -> None:
    """Write the message that calls an entry off, once, if somebody was warned of the entry."""
    if not _is_owed(run, line.status):
        return
    with run.around(Sentence("calling off the warning of {lab}", lab=lab.id)):
        _post(run, lab, line, called)
        run.store.change_status(
            line.entry.night,
            line.entry.id,
            lambda stored: replace(stored, called_off_at=stored.called_off_at or run.now),
        )


def skip(run: NightRun, lab: Lab, line: PlanLine, reason: str, by_people: bool) -> Lab:
    """Skip an entry, and call it off if somebody was warned, unless the owner asked for it (`by_people`); return the lab.

    The status is settled first: "You are warned again before anything else happens" must be true when the message is read.
    """
    if by_people:
        freed = skip_entry(run, lab, line.entry, reason)
    else:
        entry, called_off_at = line.entry, run.now if _is_owed(run, line.status) else None
        status = settle(run, entry, EntryOutcome.SKIPPED, reason, called_off_at=called_off_at)
        freed = close_entry(run, lab, PlanLine(entry, status))
    run.counts["skipped"] += 1
    return freed


def close_entry(run: NightRun, lab: Lab, line: PlanLine) -> Lab:
    """Take a lab with a settled entry off the plan, and write the message if the entry was called off; return the lab.

    Safe to repeat.
    """
    if line.status.outcome is EntryOutcome.SKIPPED and line.status.called_off_at is not None:
        _post(run, lab, line, Called(line.status.reason))
    return take_off_plan(run, lab, line)


def drop_call_off(run: NightRun, entry: Entry) -> None:
    """Drop an unsent message that called the act off: the act begins now."""
    drop_post(run.deps, KIND_OF_POST, entry.id)


def _is_owed(run: NightRun, status: EntryStatus) -> bool:
    """Whether somebody was warned and the warning was not called off."""
    warned = status.warned_at is not None and bool(status.recipient)
    return warned and status.called_off_at is None and run.rules.mode is Mode.ON


def _post(run: NightRun, lab: Lab, line: PlanLine, called: Called) -> None:
    entry, (owner, *others) = line.entry, listeners(run.deps, lab)

    def message(recipient: str) -> Message:
        return called_off_message(lab, entry, called, run.now, recipient, "" if recipient == owner else owner)

    everyone = distinct((str(line.status.recipient), owner, *others))
    post(run.deps, [message(one) for one in everyone], entry.id, nightly=True, lab_id=lab.id)
    run.counts["called_off"] += 1


def tell_put_off(run: NightRun, lab: Lab, event: NextEvent, shield: str) -> None:
    """Tell the owner (or the first reachable team) and administrators that an agreed end is postponed; record it in the history."""
    deps, last = run.deps, longest_life(lab, run.rules)
    at = format_local(lab.spec.schedule, event.at)
    message = Sentence("The lab is not on the plan for its end of {at}: {why}", at=at, why=shield)
    deps.store.add_event(lab.id, Event(run.now, KIND, message, {"night": event.night.isoformat()}))
    if run.rules.mode is not Mode.ON:
        return
    owner_or_team = tuple(name for name in listeners(deps, lab) if name != administrators(deps))
    for whom, audience in (("owner", owner_or_team), ("administrators", (administrators(deps),))):
        messages = [put_off_message(lab, event.at, shield, last, recipient) for recipient in audience]
        if messages:
            post(deps, messages, f"{lab.id} {run.now.date()} {whom}", nightly=True)


def _is_on_time(context: DecisionContext) -> bool:
    """Whether the entry waits only for its notice period."""
    warned_at, notice = context.status.warned_at, timedelta(minutes=context.rules.notice_minutes)
    return warned_at is not None and context.now - warned_at < notice and not context.held
