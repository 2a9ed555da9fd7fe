"""Carries out one planned act, or records why the lab lives on: every condition is checked again at that moment.

The entry's status is `acting` before the lab changes and settled after. If a run dies in between, its retry, the next run or
the night's report completes the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.core.sentence import Sentence, from_kept
from chalicelib.domain.costs import saved
from chalicelib.domain.curfew.decision import DecisionContext, EntryDecision, NextAction, decide_entry, shield_of
from chalicelib.domain.curfew.messages.called_off import Called
from chalicelib.domain.curfew.next_event import SOON
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, next_wake
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.ports.deps import Deps
from chalicelib.workflows.costs.limit import limits_that_sleep
from chalicelib.workflows.night.call_off import call_off, call_off_now
from chalicelib.workflows.night.outcomes import (
    KIND,
    as_sentence,
    change_unless_changed,
    conclude,
    leave_to_next_run,
    look_again,
    rules_of,
    settle,
    skip_entry,
)
from chalicelib.workflows.night.region import Region
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.shared.records import WATCH

#: A run acts at most this long after its `now`: events come late, executions are redriven, and labs change meanwhile.
_AS_SEEN = timedelta(minutes=75)
_OLD = Sentence("This run is too old to act: what people did since was not seen.")
_WORKFLOW = {Phase.RELEASING: "teardown", Phase.HIBERNATING: "hibernate"}


def act_on(deps: Deps, item: Mapping[str, Any], now: datetime, summary: RunSummary) -> None:
    """Act on one due entry. `item`: lab_id, night, entry_id, and `held`, `suspect` and `free_at` from `brake`."""
    if deps.clock.now() - now > _AS_SEEN:
        leave_to_next_run(deps, item["lab_id"], _OLD, now)
        summary.troubles.append(f"{item['lab_id']}: {_OLD}")
        return
    lab = deps.store.load_lab(item["lab_id"])
    line = deps.curfew.store.line(date.fromisoformat(item["night"]), item["entry_id"])
    if line is None:
        return
    entry, status = line
    if status.outcome in SETTLED:
        conclude(deps, lab, entry, status, rules_of(deps), now)
    elif is_under_way(lab, entry, status):
        complete(deps, lab, entry, now)
        summary.counts["acted"] += 1
    else:
        context = _moment(deps, lab, line, item, now)
        _carry_out(deps, context, decide_entry(context), summary)


def is_under_way(lab: Lab, entry: Entry, status: EntryStatus) -> bool:
    """Whether curfew began the act: the write that changed the lab's phase took it off the plan."""
    asleep = lab.phase is Phase.HIBERNATED and entry.act is AtCurfew.HIBERNATE
    return status.outcome is EntryOutcome.ACTING and lab.planned is None and (lab.phase not in RESTING or asleep)


def complete(deps: Deps, lab: Lab, entry: Entry, now: datetime) -> None:
    """Write the history, start the workflow of the lab's new phase, and settle the entry. Safe to repeat."""
    facts = {"night": entry.night.isoformat(), "entry": entry.id, "trigger": str(entry.trigger)}
    deps.store.add_event(lab.id, Event(lab.phase_since, KIND, f"{_done(entry)} {as_sentence(entry.reason)}", facts))
    workflow = _WORKFLOW.get(lab.phase)
    if workflow is not None:
        payload = {"lab_id": lab.id, "time": now.isoformat()}
        deps.workflows.start(workflow, execution_name(lab, workflow), payload)
    asleep = entry.act is AtCurfew.HIBERNATE
    wakes_at = next_wake(lab.spec.schedule, now, deps.curfew.holidays) if asleep else None
    usd = saved(entry.saved_hourly_usd, now, wakes_at)
    settle(deps, entry, EntryOutcome.HIBERNATED if asleep else EntryOutcome.ENDED, entry.reason, now, usd)


def _moment(
    deps: Deps, lab: Lab, line: tuple[Entry, EntryStatus], item: Mapping[str, Any], now: datetime
) -> DecisionContext:
    entry, status = line
    cluster = Region(deps, lab.place).cluster_of(lab)
    idle = entry.trigger is Trigger.IDLE
    return DecisionContext(
        entry=entry,
        status=status,
        lab=lab,
        rules=rules_of(deps),
        now=now,
        held=from_kept(item["held"]),
        suspect=from_kept(item["suspect"]),
        free_at=datetime.fromisoformat(item["free_at"]) if item["free_at"] else None,
        shield=shield_of(cluster.tags, cluster.deletion_protection) if cluster else "",
        gone=cluster is None,
        verdict=deps.curfew.store.verdict(lab.id) if idle else None,
        at_limit=entry.trigger is Trigger.LIMIT and lab.counted_as in limits_that_sleep(deps, now),
        holidays=deps.curfew.holidays,
    )


def _carry_out(deps: Deps, context: DecisionContext, decision: EntryDecision, summary: RunSummary) -> None:
    lab, entry, now = context.lab, context.entry, context.now
    match decision.then:
        case NextAction.LIVE:
            skip_entry(deps, lab, entry, decision.reason, context.rules, now)
            summary.counts["skipped"] += 1
            if not decision.by_people:
                called = Called(decision.reason)
                call_off(deps, lab, (entry, context.status), context.rules, called, now, summary)
        case NextAction.WAIT:
            _wait(deps, context, decision.reason)
            summary.counts["waiting"] += 1
            call_off_now(deps, context, decision.reason, summary)
        case NextAction.ACT:
            _act(deps, context, summary)


def _wait(deps: Deps, context: DecisionContext, reason: str) -> None:
    """Record on the status why the entry waits; the next run looks again."""
    braked_at = context.now if reason == context.held else None

    def waiting(status: EntryStatus) -> EntryStatus:
        if status.outcome in SETTLED:
            return status
        return replace(status, outcome=EntryOutcome.STANDING, reason=reason, braked_at=status.braked_at or braked_at)

    deps.curfew.store.change_status(context.entry.night, context.entry.id, waiting)
    look_again(deps, context.lab, max(context.now + SOON, context.entry.at))


def _act(deps: Deps, context: DecisionContext, summary: RunSummary) -> None:
    lab, entry, now = context.lab, context.entry, context.now
    store = deps.curfew.store
    store.change_status(
        entry.night,
        entry.id,
        lambda status: status if status.outcome in SETTLED else replace(status, outcome=EntryOutcome.ACTING),
    )
    try:
        changed = change_unless_changed(deps, lab, lambda stored: _moved(stored, entry, now))
    except Superseded:
        reason = Sentence("Somebody changed it at that very moment.")
        skip_entry(deps, deps.store.load_lab(lab.id), entry, reason, context.rules, now)
        summary.counts["skipped"] += 1
        return
    complete(deps, changed, entry, now)
    summary.counts["acted"] += 1


def _moved(stored: Lab, entry: Entry, now: datetime) -> Lab:
    """The lab off the plan, in the phase of its act; the five-minute run watches it."""
    phase = Phase.HIBERNATING if entry.act is AtCurfew.HIBERNATE else Phase.RELEASING
    moved = stored.moved_to(phase, now, entry.reason)
    return replace(moved, run=stored.run + 1, due_at=now + WATCH, change=None, planned=None)


def _done(entry: Entry) -> str:
    if entry.act is AtCurfew.HIBERNATE:
        return "Curfew: the lab is put to sleep."
    return "Curfew: the lab is ended." if entry.trigger is Trigger.IDLE else "The lab is ended as planned."
