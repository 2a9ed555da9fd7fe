"""Lists the due entries, and marks those that the brake or the guard holds (domain/curfew/brake.py).

Administrators get one message a night about that. If they release the night, the next run acts on its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chalicelib.domain.core.sentence import Sentence, to_kept
from chalicelib.domain.curfew.brake import BrakeDecision, decide_brake
from chalicelib.domain.curfew.messages.brake import brake_message, broken_plan_message, guard_message
from chalicelib.domain.curfew.plan import SETTLED, EntryOutcome, Plan, PlanLine, plan_hash
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.labs.lab import ENDING, OVER
from chalicelib.workflows.night.act import complete, is_under_way
from chalicelib.workflows.night.outcomes import skip_entry
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import administrators
from chalicelib.workflows.shared.posts import post

_NO_PLAN = Sentence("There is no plan of that night.")


def due_items(run: NightRun, due: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The entries to act on. `due`: lab_id, night and entry_id of each. `held`: why the entry must wait; empty if it need not."""
    by_night: dict[str, list[Mapping[str, str]]] = {}
    for one in due:
        by_night.setdefault(one["night"], []).append(one)
    items: list[dict[str, Any]] = []
    for night, entries in sorted(by_night.items()):
        with run.around(Sentence("the plan of {night}", night=str(night))):
            items += _items_of(run, date.fromisoformat(night), entries)
    return items


def _items_of(run: NightRun, night: date, due: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    plan = run.store.plan(night)
    if plan is None:
        return [{**one, "held": to_kept(_NO_PLAN), "suspect": to_kept(_NO_PLAN), "free_at": ""} for one in due]
    plan, braking = _decided(run, plan)
    entries = {entry.id: entry for entry, _ in plan.lines}
    free_at = braking.free_at.isoformat() if braking.free_at else ""
    return [
        {**one, "held": to_kept(braking.holds(entry)), "suspect": to_kept(braking.suspects(entry)), "free_at": free_at}
        for one in due
        if (entry := entries.get(one["entry_id"])) is not None
    ]


def _decided(run: NightRun, plan: Plan) -> tuple[Plan, BrakeDecision]:
    """Decide whether the night is held, and tell administrators. Before a night is held, its outdated entries are settled."""
    alive, night = run.store.alive_count(), plan.header.night
    braking = decide_brake(plan, run.rules, alive, run.now)
    if braking.braked or braking.guarded:
        plan = settled_plan(run, night) or plan
        alive += _gone_tonight(run, plan)
        braking = decide_brake(plan, run.rules, alive, run.now)
    if braking.guarded and plan.header.guarded_at is None:
        header = run.store.change_header(night, lambda stored: replace(stored, guarded_at=stored.guarded_at or run.now))
        plan = replace(plan, header=header)
        braking = decide_brake(plan, run.rules, alive, run.now)
    if braking.held:
        run.counts["held_nights"] += 1
        with run.around(Sentence("telling administrators")):
            _send(run, plan, braking, alive)
    return plan, braking


def _gone_tonight(run: NightRun, plan: Plan) -> int:
    """How many labs the night has ended so far: the brake takes its percentage of the labs alive at the night's beginning."""
    ended = [entry.lab_id for entry, status in plan.lines if status.outcome is EntryOutcome.ENDED]
    return sum(run.deps.store.load_lab(lab_id).phase in OVER for lab_id in ended)


def _send(run: NightRun, plan: Plan, braking: BrakeDecision, alive: int) -> None:
    night, to = plan.header.night, administrators(run.deps)
    if plan.header.brake_notified_at is not None or run.rules.mode is not Mode.ON:
        return
    if braking.broken:
        found = plan_hash(entry for entry, _ in plan.lines)
        message = broken_plan_message(night, plan.header.hash, found, to)
    elif braking.guarded:
        message = guard_message(plan, braking, alive, to)
    else:
        message = brake_message(plan.header, braking.counted, alive, run.rules, to)
    post(run.deps, [message], f"{night}", nightly=True)
    run.store.change_header(night, lambda header: replace(header, brake_notified_at=run.now))


def settled_plan(run: NightRun, night: date) -> Plan | None:
    """The night's plan, after settling the entries of labs that were deleted, planned again or changed outside this run."""
    plan = run.store.plan(night)
    open_lines = [line for line in plan.lines if line.status.outcome not in SETTLED] if plan else []
    for line in open_lines:
        with run.around(line.entry.lab_id):
            _settle_moved_on(run, line)
    return run.store.plan(night) if open_lines else plan


def _settle_moved_on(run: NightRun, line: PlanLine) -> None:
    entry, lab = line.entry, run.deps.store.load_lab(line.entry.lab_id)
    if is_under_way(lab, line):
        complete(run, lab, entry)
    elif lab.phase in ENDING or lab.phase in OVER:
        skip_entry(run, lab, entry, Sentence("It was deleted in another way."))
    elif lab.planned is None or lab.planned.entry_id != entry.id:
        skip_entry(run, lab, entry, Sentence("It was planned anew, or changed meanwhile."))
