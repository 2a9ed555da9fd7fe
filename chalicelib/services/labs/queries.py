"""Use cases that read: labs, their history, kubeconfig and receipts, and the available versions; and labs for a page, which
reads the table twice at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_instant
from chalicelib.domain.core.names import REGION
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import EntryState, LedgerEntry
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.messages.outlook import upcoming_events, why_not_as_planned
from chalicelib.domain.curfew.plan import Entry
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest, LabNotFound, NoReceiptYet, WrongPhase
from chalicelib.domain.identity.callers import Caller, identity_of
from chalicelib.domain.labs.access_role import access_role_arn
from chalicelib.domain.labs.kubeconfig import kubeconfig
from chalicelib.domain.labs.lab import ALIVE, ENDING, OVER, Lab, Phase, phase_said
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.schedule import Night, next_curfew
from chalicelib.domain.labs.spending import spent, to_lease_end
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.teardown.causes import why_left
from chalicelib.domain.teardown.receipt import Receipt, verdict
from chalicelib.domain.teardown.unproven import FoundCost, found_costs, is_found
from chalicelib.ports.deps import Deps, Page
from chalicelib.services.labs.commands import LONGEST_ID, seen_lab
from chalicelib.services.labs.preflight import refuse_unusable_region

#: Characters; an IAM user's ARN has at most 600, and every index limits its keys.
_LONGEST_OWNER = 1024


@dataclass(frozen=True)
class LabView:
    """A lab with its steps and its future, for its owner. `next_curfew` None: it ends, or has none.

    `exemption`: why the lab is not ended, or put to sleep, as planned; empty if it is, or is on no plan. `found`: the resources
    that Kubernetes made, as far as the inventory found them.
    """

    lab: Lab
    steps: tuple[Step, ...]
    next: tuple[str, ...]
    next_curfew: Night | None = None
    exemption: str = ""
    found: tuple[FoundCost, ...] = ()


@dataclass(frozen=True)
class ReceiptView:
    """All looks and their verdict."""

    lab: Lab
    receipts: tuple[Receipt, ...]
    verdict: str


def get_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> LabView:
    """One lab. Raises LabNotFound."""
    lab = seen_lab(deps, caller, lab_id)
    steps = deps.store.steps(lab_id)
    entry, holidays = _entry_of(deps, lab), deps.curfew.holidays
    message, night = upcoming_events(lab, steps, now, entry, holidays), _next_curfew(deps, lab, now)
    return LabView(lab, steps, message, night, why_not_as_planned(lab, entry, holidays), _found(deps, lab, now))


def _entry_of(deps: Deps, lab: Lab) -> Entry | None:
    """The lab's line on a plan, if it is planned."""
    planned = deps.curfew.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None
    return planned.entry if planned else None


def _next_curfew(deps: Deps, lab: Lab, now: datetime) -> Night | None:
    return None if lab.phase in ENDING | OVER else next_curfew(lab.spec.schedule, now, deps.curfew.holidays)


def _found(deps: Deps, lab: Lab, now: datetime) -> tuple[FoundCost, ...]:
    """Reads prices only if there is something to price."""
    found = [] if lab.phase in OVER else [entry for entry in deps.store.ledger(lab.id) if is_found(entry)]
    return tuple(found_costs(found, deps.curfew.prices(lab.region), now)) if found else ()


def list_labs(
    deps: Deps, caller: Caller, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None
) -> Page[Lab]:
    """Newest first. `owner`: `me` (or None), an ARN, or `*` for everyone's. Raises InvalidRequest, also for a learner's `*`."""
    whose = caller.identity if owner in (None, "me") else identity_of(owner or "")
    if not (caller.sees_all if whose == "*" else caller.may_see(whose)):
        message = Sentence("Only administrators and viewers see everyone's labs, and a team its own people's.")
        raise InvalidRequest([error("owner", "not-yours", message)])
    if len(whose) > _LONGEST_OWNER:
        raise InvalidRequest(
            [error("owner", "too-long", "No owner has more than {most} characters.", most=_LONGEST_OWNER)]
        )
    return deps.store.list_labs(None if whose == "*" else whose, phases, limit, cursor)


def history(deps: Deps, caller: Caller, lab_id: str, limit: int, cursor: str | None) -> tuple[Lab, Page[Event]]:
    """The lab and its events, oldest first. Raises LabNotFound."""
    lab = seen_lab(deps, caller, lab_id)
    return lab, deps.store.events(lab.id, limit, cursor)


def kubeconfig_of(deps: Deps, caller: Caller, lab_id: str) -> dict[str, Any]:
    """The kubeconfig; the owner's goes through the access role.

    Raises WrongPhase while there is no endpoint, and after it is gone.
    """
    lab = seen_lab(deps, caller, lab_id)
    endpoint, authority = lab.facts.endpoint, lab.facts.certificate_authority
    if lab.phase in OVER | ENDING:
        message = Sentence("The cluster is gone or going: the lab is {phase}.", phase=phase_said(lab.phase))
        raise WrongPhase(lab.id, lab.phase, message)
    if endpoint is None or authority is None:
        message = Sentence("The cluster has no endpoint yet: the lab is {phase}.", phase=phase_said(lab.phase))
        raise WrongPhase(lab.id, lab.phase, message)
    return kubeconfig(lab, endpoint, authority, access_role_arn(lab) if caller.owns(lab.owner) else None)


def receipt(deps: Deps, caller: Caller, lab_id: str) -> ReceiptView:
    """All looks at the account after the teardown. Raises NoReceiptYet."""
    lab = seen_lab(deps, caller, lab_id)
    looks = deps.store.receipts(lab_id)
    if not looks:
        raise NoReceiptYet(lab_id, "There is no receipt yet. {when}", when=_when(lab))
    return ReceiptView(lab, looks, verdict(lab, looks, why_left(looks[-1])))


def versions(deps: Deps, region: str | None) -> Calendar:
    """The support calendar of a region, the default one if None. Raises InvalidRequest on `region`."""
    wanted = region or deps.limits.default_region
    if not REGION.fullmatch(wanted):
        raise InvalidRequest(
            [error("region", "invalid-region", "{region} is no AWS region such as ap-northeast-2.", region=wanted)]
        )
    if deps.limits.regions and wanted not in deps.limits.regions:
        offered = ", ".join(deps.limits.regions)
        raise InvalidRequest([error("region", "region-not-offered", "Labs are made in {names} only.", names=offered)])
    refuse_unusable_region(deps, deps.watch.home, wanted)
    return deps.cloud(Place(deps.watch.home, wanted)).clusters.versions()


def _when(lab: Lab) -> str:
    if lab.phase is Phase.REFUSED:
        return Sentence("There will be none: nothing was made of this lab.")
    if lab.phase in ENDING | OVER:
        return Sentence("The teardown writes the first at its end.")
    return Sentence(
        "The first is written when the lab is torn down: when released, or at {at}.", at=format_instant(lab.lasts_until)
    )


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
    everyone = whose == "team" or (whose == "all" and caller.sees_all)
    page = deps.store.look_at_labs(None if everyone else caller.identity, () if over else ALIVE, limit, cursor)
    labs = [lab for lab in page.items if whose != "team" or _is_team_s(lab, caller)]
    entries = _planned(deps, labs)
    return Page(tuple(_line(caller, lab, entries.get(lab.id), now) for lab in labs), page.cursor)


def whole_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> LabPage:
    """One lab. Raises LabNotFound, also for a lab that the caller may not see."""
    if len(lab_id) > LONGEST_ID:
        raise LabNotFound(lab_id)
    whole = deps.store.whole_lab(lab_id)
    lab = whole.lab
    if not lab.may_be_seen_by(caller):
        raise LabNotFound(lab_id)
    entry, holidays = _entry_of(deps, lab), deps.curfew.holidays
    return LabPage(
        _line(caller, lab, entry, now),
        whole.steps,
        whole.events,
        whole.receipts,
        upcoming_events(lab, whole.steps, now, entry, holidays),
        _next_curfew(deps, lab, now),
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
