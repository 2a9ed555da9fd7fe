"""Settles the fates of labs that have moved on without the sweep: deleted by people, planned anew, or left by a run that died.

Before the brake counts a night and before its report is sent: a lab that is gone already is not one that is still to go.
"""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.domain.curfew.plan import SETTLED, Entry, Fate, Plan
from chalicelib.domain.labs.lab import ENDING, OVER
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.act import complete, is_under_way
from chalicelib.workflows.night.outcomes import live_on, rules_of
from chalicelib.workflows.night.tally import Tally


def settled_plan(deps: Deps, night: date, now: datetime, tally: Tally) -> Plan | None:
    """The night's plan, with the fates settled of labs that have moved on without the sweep."""
    plan = deps.curfew.store.plan(night)
    open_lines = [line for line in plan.lines if line[1].outcome not in SETTLED] if plan else []
    for entry, fate in open_lines:
        with tally.around(entry.lab_id):
            _settle_moved_on(deps, entry, fate, now)
    return deps.curfew.store.plan(night) if open_lines else plan


def _settle_moved_on(deps: Deps, entry: Entry, fate: Fate, now: datetime) -> None:
    lab = deps.store.load_lab(entry.lab_id)
    if is_under_way(lab, entry, fate):
        complete(deps, lab, entry, now)
    elif lab.phase in ENDING or lab.phase in OVER:
        live_on(deps, lab, entry, "It was deleted in another way.", rules_of(deps), now)
    elif lab.planned is None or lab.planned.entry_id != entry.id:
        live_on(deps, lab, entry, "It was planned anew, or changed meanwhile.", rules_of(deps), now)
