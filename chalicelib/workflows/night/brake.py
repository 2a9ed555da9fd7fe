"""Lists the entries that are due, with the reason for those that the brake or the guard holds (domain/curfew/brake.py).

Administrators get one message a night; the next hourly run acts on entries that they released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.domain.core.sentence import Sentence, to_kept
from chalicelib.domain.curfew.brake import BrakeDecision, decide_brake
from chalicelib.domain.curfew.messages.brake import brake_message, broken_plan_message, guard_message
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Plan, plan_hash
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import ENDING, OVER
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.act import complete, is_under_way
from chalicelib.workflows.night.outcomes import rules_of, skip_entry
from chalicelib.workflows.night.sending import may_tell
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.night.warn import administrators
from chalicelib.workflows.shared.mailing import tell

_NO_PLAN = Sentence("There is no plan of that night.")


def due_items(deps: Deps, due: Iterable[Mapping[str, str]], now: datetime, summary: RunSummary) -> list[dict[str, Any]]:
    """The entries to act on, each with the reason why it is `held`, if it is. `due`: lab_id, night and entry_id of each."""
    by_night: dict[str, list[Mapping[str, str]]] = {}
    for one in due:
        by_night.setdefault(one["night"], []).append(one)
    items: list[dict[str, Any]] = []
    for night, entries in sorted(by_night.items()):
        with summary.around(f"the plan of {night}"):
            items += _items_of(deps, date.fromisoformat(night), entries, now, summary)
    return items


def _items_of(
    deps: Deps, night: date, due: Iterable[Mapping[str, str]], now: datetime, summary: RunSummary
) -> list[dict[str, Any]]:
    plan = deps.curfew.store.plan(night)
    if plan is None:
        return [{**one, "held": to_kept(_NO_PLAN), "suspect": to_kept(_NO_PLAN), "free_at": ""} for one in due]
    plan, braking = _decided(deps, plan, now, summary)
    entries = {entry.id: entry for entry, _ in plan.lines}
    free_at = braking.free_at.isoformat() if braking.free_at else ""
    return [
        {**one, "held": to_kept(braking.holds(entry)), "suspect": to_kept(braking.suspects(entry)), "free_at": free_at}
        for one in due
        if (entry := entries.get(one["entry_id"])) is not None
    ]


def _decided(deps: Deps, plan: Plan, now: datetime, summary: RunSummary) -> tuple[Plan, BrakeDecision]:
    """Decide what holds the night, and tell administrators. A plan that would end too many labs is settled first."""
    rules, alive, night = rules_of(deps), deps.curfew.store.alive_count(), plan.header.night
    braking = decide_brake(plan, rules, alive, now)
    if braking.braked or braking.guarded:
        plan = settled_plan(deps, night, now, summary) or plan
        alive += _gone_tonight(deps, plan)
        braking = decide_brake(plan, rules, alive, now)
    if braking.guarded and plan.header.guarded_at is None:
        header = deps.curfew.store.change_header(
            night, lambda stored: replace(stored, guarded_at=stored.guarded_at or now)
        )
        plan = replace(plan, header=header)
        braking = decide_brake(plan, rules, alive, now)
    if braking.held:
        summary.counts["held_nights"] += 1
        with summary.around("telling administrators"):
            _send(deps, plan, braking, rules, alive, now)
    return plan, braking


def _gone_tonight(deps: Deps, plan: Plan) -> int:
    """How many labs the night has ended so far: the brake's percentage counts the labs alive at its beginning."""
    ended = [entry.lab_id for entry, status in plan.lines if status.outcome is EntryOutcome.ENDED]
    return sum(deps.store.load_lab(lab_id).phase in OVER for lab_id in ended)


def _send(deps: Deps, plan: Plan, braking: BrakeDecision, rules: CurfewRules, alive: int, now: datetime) -> None:
    night, to = plan.header.night, administrators(deps)
    if plan.header.brake_notified_at is not None or rules.mode is not Mode.ON:
        return
    if not may_tell(deps, night, lambda header: header.brake_notified_at is None):
        return
    if braking.broken:
        found = plan_hash(entry for entry, _ in plan.lines)
        message = broken_plan_message(night, plan.header.hash, found, to)
    elif braking.guarded:
        message = guard_message(plan, braking, alive, to)
    else:
        message = brake_message(plan.header, braking.counted, alive, rules, to)
    tell(deps, message, f"{night}")
    deps.curfew.store.change_header(night, lambda header: replace(header, brake_notified_at=now, sending_until=None))


def settled_plan(deps: Deps, night: date, now: datetime, summary: RunSummary) -> Plan | None:
    """The night's plan, after settling the entries of labs that ended or were planned again by other means."""
    plan = deps.curfew.store.plan(night)
    open_lines = [line for line in plan.lines if line[1].outcome not in SETTLED] if plan else []
    for entry, status in open_lines:
        with summary.around(entry.lab_id):
            _settle_moved_on(deps, entry, status, now)
    return deps.curfew.store.plan(night) if open_lines else plan


def _settle_moved_on(deps: Deps, entry: Entry, status: EntryStatus, now: datetime) -> None:
    lab = deps.store.load_lab(entry.lab_id)
    if is_under_way(lab, entry, status):
        complete(deps, lab, entry, now)
    elif lab.phase in ENDING or lab.phase in OVER:
        skip_entry(deps, lab, entry, Sentence("It was deleted in another way."), rules_of(deps), now)
    elif lab.planned is None or lab.planned.entry_id != entry.id:
        skip_entry(deps, lab, entry, Sentence("It was planned anew, or changed meanwhile."), rules_of(deps), now)
