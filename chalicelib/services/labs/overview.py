"""Labs for a page: a list with tonight's events, and one whole lab. Each reads the table twice at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import EntryState, LedgerEntry
from chalicelib.domain.curfew.messages.outlook import upcoming_events, why_not_as_planned
from chalicelib.domain.curfew.plan import Entry
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.identity.callers import Caller, identity_of
from chalicelib.domain.labs.lab import ENDING, OVER, Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.schedule import Night, next_curfew
from chalicelib.domain.labs.spending import spent, to_lease_end
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.domain.teardown.receipt import Receipt
from chalicelib.ports.deps import Deps, Page

ALIVE = tuple(phase for phase in Phase if phase not in OVER)
_LONGEST_ID = 64


@dataclass(frozen=True)
class LabLine:
    """A lab in a list. `entry`: its line on the plan, if that plan was read. USD are None for a lab that was never priced.

    `at_least`: an instance type without a known price is in no amount.
    """

    lab: Lab
    entry: Entry | None
    usd_hour: float | None
    usd_so_far: float | None
    usd_to_end: float | None
    at_least: bool
    may_change: bool


@dataclass(frozen=True)
class LabPage:
    """A whole lab. `next`: its coming events, in sentences. `exemption`: why not as planned; empty if as planned.

    `work_host`: its instance's id while it has one.
    """

    line: LabLine
    steps: tuple[Step, ...]
    events: tuple[Event, ...]
    receipts: tuple[Receipt, ...]
    next: tuple[str, ...]
    next_curfew: Night | None
    exemption: str
    work_host: str | None


def list_lines(
    deps: Deps, caller: Caller, whose: str, over: bool, limit: int, cursor: str | None, now: datetime
) -> Page[LabLine]:
    """Newest first; a page may be short. `whose`: `me`, `team`, or `all`, for callers who see all. Raises InvalidRequest."""
    phases: Sequence[Phase] = () if over else ALIVE
    if whose == "team":
        page = deps.store.look_at_labs(None, phases, limit, cursor)
        page = Page(tuple(lab for lab in page.items if _is_team_s(lab, caller)), page.cursor)
    else:
        page = deps.store.look_at_labs(
            None if whose == "all" and caller.sees_all else caller.identity, phases, limit, cursor
        )
    entries = _planned(deps, page.items)
    return Page(tuple(_line(caller, lab, entries.get(lab.id), now) for lab in page.items), page.cursor)


def whole_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> LabPage:
    """One lab. Raises LabNotFound, also for a lab that the caller may not see."""
    if len(lab_id) > _LONGEST_ID:
        raise LabNotFound(lab_id)
    whole = deps.store.whole_lab(lab_id)
    lab = whole.lab
    if not lab.may_be_seen_by(caller):
        raise LabNotFound(lab_id)
    planned = deps.curfew.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None
    entry = planned[0] if planned else None
    holidays = deps.curfew.holidays
    return LabPage(
        _line(caller, lab, entry, now),
        whole.steps,
        whole.events,
        whole.receipts,
        upcoming_events(lab, whole.steps, now, entry, holidays),
        None if lab.phase in ENDING | OVER else next_curfew(lab.spec.schedule, now, holidays),
        why_not_as_planned(lab, entry, holidays),
        _work_host(lab, whole.instances),
    )


def usual_minutes(phase: Phase) -> int | None:
    """The usual duration of a phase in which a workflow runs, by the durations of labs/polling.py; else None."""
    return _USUAL.get(phase)


#: Creating a control plane takes 8 to 14 minutes and node groups 2 to 4; deleting them takes 3 to 4 and 4 to 8.
_USUAL = {
    Phase.REQUESTED: 1,
    Phase.PROVISIONING: 18,
    Phase.UPDATING: 8,
    Phase.HIBERNATING: 5,
    Phase.WAKING: 4,
    Phase.RELEASING: 15,
    Phase.ROLLING_BACK: 15,
}


def _work_host(lab: Lab, instances: Sequence[LedgerEntry]) -> str | None:
    """The instance that this service requested, as in the inventory."""
    asked_for = (e for e in instances if e.how.startswith("asked for") and e.state is not EntryState.DELETED)
    found = next(asked_for, None) if lab.spec.work_host else None
    return found.resource.id if found else None


def _is_team_s(lab: Lab, caller: Caller) -> bool:
    """Whether somebody in the caller's teams owns it, the caller included."""
    return caller.owns(lab.owner) or any(team.has(identity_of(lab.owner)) for team in caller.teams)


def _planned(deps: Deps, labs: Sequence[Lab]) -> dict[str, Entry]:
    """These labs' lines of their planned nights: one read, also of long plans."""
    wanted = [(lab.planned.night, lab.planned.entry_id) for lab in labs if lab.planned]
    return {entry.lab_id: entry for entry, _ in deps.curfew.store.lines(wanted)} if wanted else {}


def _line(caller: Caller, lab: Lab, entry: Entry | None, now: datetime) -> LabLine:
    may_change, meter = lab.may_be_changed_by(caller), lab.meter
    if meter is None:
        return LabLine(lab, entry, None, None, None, False, may_change)
    begun = bool(meter.spans) or lab.phase in OVER
    hour = meter.hour_at(now) if begun else meter.awake(lab.node_counts)
    so_far, to_end = spent(lab, now) / MICRO, to_lease_end(lab, now) / MICRO
    return LabLine(lab, entry, hour / MICRO, so_far, to_end, bool(meter.unknown), may_change)
