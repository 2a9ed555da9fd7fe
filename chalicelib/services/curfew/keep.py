"""Use cases of a keep-link's holder, without a login: show it, and keep the lab. One lab, one night.

Showing changes nothing: mail scanners follow links. Both give the same facts, decided from the plan's entry.
The owner may keep the lab without a link.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import keeping_cost
from chalicelib.domain.curfew.keep import Keeping, keep, keep_within_budget, keep_within_lease
from chalicelib.domain.curfew.plan import Entry
from chalicelib.domain.curfew.signed_links import read_link
from chalicelib.domain.errors.tree import LabNotFound, LinkInvalid, NotKept, OverBudget
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import RESTING, Lab
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.budget import judge_keeping
from chalicelib.services.labs.commands import own_lab


@dataclass(frozen=True)
class KeepView:
    """The effect of a link. `usd`: the cost of keeping from the entry's time on, None if unknown. `kept`: it is kept already."""

    entry: Entry
    lab: Lab
    keeping: Keeping
    usd: float | None
    kept: bool


def look_at_link(deps: Deps, token: str, now: datetime) -> KeepView:
    """The effect of the button. Raises LinkInvalid, LinkExpired, LinkBusy, NotKept."""
    entry, lab = _named(deps, token, now)
    rules, holidays = deps.curfew.rules(), deps.curfew.holidays
    keeping = keep_within_budget(lab, entry, rules, holidays, now, lambda longer: judge_keeping(deps, longer, lab))
    return _view(entry, lab, keeping, kept=keeping.lab == lab)


def keep_by_link(deps: Deps, token: str, now: datetime) -> KeepView:
    """Keep the lab; repeating it changes nothing. Raises LinkInvalid, LinkExpired, LinkBusy, NotKept, StaleLab."""
    entry, lab = _named(deps, token, now)
    return _keep(deps, entry, lab, Sentence("It was kept until {at} with the link in its warning."), now)


def keep_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> KeepView:
    """Keep a planned lab for one more night, as its owner or an administrator. Raises the errors of `own_lab`, and NotKept."""
    lab = own_lab(deps, caller, lab_id)
    line = deps.curfew.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None
    if line is None:
        raise NotKept(
            Sentence(
                "{name} is on no plan: nothing is about to happen to it. Extend its lease if it ends too soon.",
                name=lab.name,
            )
        )
    return _keep(deps, line[0], lab, Sentence("It was kept until {at} by {who}.", who=caller.arn), now)


def _keep(deps: Deps, entry: Entry, lab: Lab, how: Sentence, now: datetime) -> KeepView:
    rules, made = deps.curfew.rules(), list[Keeping]()

    def kept(stored: Lab, over: OverBudget | None = None) -> Lab:
        asked = (stored, entry, rules, deps.curfew.holidays, now)
        made.append(keep_within_lease(*asked, over) if over else keep(*asked))
        touched = made[-1].lab != stored and stored.phase in RESTING
        return replace(made[-1].lab, due_at=min(stored.due_at or now, now)) if touched else made[-1].lab

    try:
        saved = deps.store.change_lab(lab.id, kept, ceilings=judge_keeping(deps, kept(lab), lab))
    except OverBudget as refusal:
        over = refusal
        saved = deps.store.change_lab(lab.id, lambda stored: kept(stored, over))
    keeping = made[-1]
    if saved.version != lab.version:
        message = how.with_slots(at=format_local(saved.spec.schedule, keeping.until))
        deps.store.add_event(lab.id, Event(now, "kept", message, {"night": entry.night.isoformat()}))
    return _view(entry, saved, keeping, kept=True)


def _named(deps: Deps, token: str, now: datetime) -> tuple[Entry, Lab]:
    """The entry and the lab of a valid link. A missing record makes the link invalid."""
    claims = read_link(token, deps.curfew.known_keys(), now)
    deps.curfew.link_uses.spend(token, now)
    line = deps.curfew.store.line(claims.night, claims.entry_id)
    if line is None or line[0].lab_id != claims.lab_id:
        raise LinkInvalid
    try:
        return line[0], deps.store.load_lab(claims.lab_id)
    except LabNotFound as gone:
        raise NotKept(Sentence("It is too late: {name} is gone.", name=line[0].name)) from gone


def _view(entry: Entry, lab: Lab, keeping: Keeping, kept: bool) -> KeepView:
    return KeepView(entry, lab, keeping, keeping_cost(entry.hourly_usd, entry.at, keeping.until), kept)
