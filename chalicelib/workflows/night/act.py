"""Carries out one planned act, or records why the lab lives on. `domain/curfew/decision.py` decides from the present facts.

The entry's status is `acting` before the lab changes, and settled afterwards. If a run dies in between, its retry, the next run or
the night's report completes the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.domain.core.sentence import Sentence, from_kept, joined, opening
from chalicelib.domain.costs import saved
from chalicelib.domain.curfew.decision import DecisionContext, EntryDecision, NextAction, decide_entry, shield_of
from chalicelib.domain.curfew.next_event import SOON
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, PlanLine, Trigger
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, next_wake
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.workflows.night.call_off import call_off_now, close_entry, drop_call_off, leave_as_old, skip
from chalicelib.workflows.night.outcomes import KIND, change_unless_changed, settle
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.records import WATCH

_WORKFLOW = {Phase.RELEASING: "teardown", Phase.HIBERNATING: "hibernate"}


def act_on(run: NightRun, item: Mapping[str, Any]) -> None:
    """Act on one due entry. `item`: lab_id, night, entry_id, and `held`, `suspect` and `free_at` from `brake`."""
    if run.is_old:
        leave_as_old(run, item["lab_id"])
        return
    try:
        _act_once(run, item)
    except Superseded:
        # Somebody changed the lab since it was loaded: load it and decide again.
        _act_once(run, item)


def _act_once(run: NightRun, item: Mapping[str, Any]) -> None:
    lab = run.deps.store.load_lab(item["lab_id"])
    line = run.store.line(date.fromisoformat(item["night"]), item["entry_id"])
    if line is None:
        return
    if line.status.outcome in SETTLED:
        close_entry(run, lab, line)
    elif is_under_way(lab, line):
        complete(run, lab, line.entry)
        run.counts["acted"] += 1
    else:
        context = _context(run, lab, line, item)
        _carry_out(run, context, decide_entry(context))


def is_under_way(lab: Lab, line: PlanLine) -> bool:
    """Whether curfew began the act: one write changed the lab's phase and took it off the plan."""
    asleep = lab.phase is Phase.HIBERNATED and line.entry.act is AtCurfew.HIBERNATE
    return line.status.outcome is EntryOutcome.ACTING and lab.planned is None and (lab.phase not in RESTING or asleep)


def complete(run: NightRun, lab: Lab, entry: Entry) -> None:
    """Write the history, start the workflow of the lab's new phase, and settle the entry. Safe to repeat."""
    facts = {"night": entry.night.isoformat(), "entry": entry.id, "trigger": str(entry.trigger)}
    message = joined((_done(entry), opening(entry.reason)))
    run.deps.store.add_event(lab.id, Event(lab.phase_since, KIND, message, facts))
    workflow = _WORKFLOW.get(lab.phase)
    if workflow is not None:
        payload = {"lab_id": lab.id, "time": run.now.isoformat()}
        run.deps.workflows.start(workflow, execution_name(lab, workflow), payload)
    drop_call_off(run, entry)
    asleep = entry.act is AtCurfew.HIBERNATE
    wakes_at = next_wake(lab.spec.schedule, run.now, run.deps.curfew.holidays) if asleep else None
    usd = saved(entry.saved_hourly_usd, run.now, wakes_at)
    settle(run, entry, EntryOutcome.HIBERNATED if asleep else EntryOutcome.ENDED, entry.reason, usd)


def _context(run: NightRun, lab: Lab, line: PlanLine, item: Mapping[str, Any]) -> DecisionContext:
    entry, status = line
    cluster = own_cluster(run.deps, lab)
    return DecisionContext(
        entry=entry,
        status=status,
        lab=lab,
        rules=run.rules,
        now=run.now,
        held=from_kept(item["held"]),
        suspect=from_kept(item["suspect"]),
        free_at=datetime.fromisoformat(item["free_at"]) if item["free_at"] else None,
        shield=shield_of(cluster.tags, cluster.deletion_protection) if cluster else "",
        gone=cluster is None,
        verdict=run.store.verdict(lab.id) if entry.trigger is Trigger.IDLE else None,
        at_limit=entry.trigger is Trigger.LIMIT and run.limit_of(lab) is not None,
        holidays=run.deps.curfew.holidays,
    )


def _carry_out(run: NightRun, context: DecisionContext, decision: EntryDecision) -> None:
    lab, entry = context.lab, context.entry
    match decision.then:
        case NextAction.LIVE:
            skip(run, lab, PlanLine(entry, context.status), decision.reason, decision.by_people)
        case NextAction.WAIT:
            _wait(run, context, decision.reason)
            run.counts["waiting"] += 1
            call_off_now(run, context, decision.reason)
        case NextAction.ACT:
            _act(run, lab, entry)


def _wait(run: NightRun, context: DecisionContext, reason: str) -> None:
    """Record on the status why the entry waits; the next run looks again."""
    entry, braked_at = context.entry, run.now if reason == context.held else None

    def waiting(status: EntryStatus) -> EntryStatus:
        if status.outcome in SETTLED:
            return status
        return replace(status, outcome=EntryOutcome.STANDING, reason=reason, braked_at=status.braked_at or braked_at)

    run.store.change_status(entry.night, entry.id, waiting)
    due_at = max(run.now + SOON, entry.at)
    change_unless_changed(run, context.lab, lambda stored: replace(stored, due_at=due_at))


def _act(run: NightRun, lab: Lab, entry: Entry) -> None:
    """Mark the entry as `acting`, change the lab, and complete the rest."""

    def acting(status: EntryStatus) -> EntryStatus:
        return status if status.outcome in SETTLED else replace(status, outcome=EntryOutcome.ACTING)

    run.store.change_status(entry.night, entry.id, acting)
    changed = change_unless_changed(run, lab, lambda stored: _moved(stored, entry, run.now))
    complete(run, changed, entry)
    run.counts["acted"] += 1


def _moved(stored: Lab, entry: Entry, now: datetime) -> Lab:
    """The lab off the plan, in the phase of its act; the five-minute run watches it."""
    phase = Phase.HIBERNATING if entry.act is AtCurfew.HIBERNATE else Phase.RELEASING
    moved = stored.moved_to(phase, now, entry.reason)
    return replace(moved, run=stored.run + 1, due_at=now + WATCH, change=None, planned=None)


def _done(entry: Entry) -> str:
    if entry.act is AtCurfew.HIBERNATE:
        return Sentence("Curfew: the lab is put to sleep.")
    return (
        Sentence("Curfew: the lab is ended.")
        if entry.trigger is Trigger.IDLE
        else Sentence("The lab is ended as planned.")
    )
