"""A night's plan for people: owners see their own labs' lines and the number of others, administrators all; and the rules of
curfew, which administrators change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.brake import BrakeDecision, decide_brake
from chalicelib.domain.curfew.plan import PlanHeader, PlanLine, PlanPage
from chalicelib.domain.curfew.rules import CurfewRules, Mode, judge_rules, rules_with
from chalicelib.domain.errors.tree import InvalidRequest, NoPlan, NotYours, PlanChanged
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.commands import seen_lab

#: Phases with a cluster and nodes, whose use can be judged.
_SEEN = frozenset({Phase.READY, Phase.UPDATING})


@dataclass(frozen=True)
class PlanView:
    """A night's plan for a caller. `header` None: no plan so far. `others`: the number of other people's lines."""

    night: date
    rules: CurfewRules
    alive: int
    header: PlanHeader | None = None
    whole: bool = True
    braking: BrakeDecision | None = None
    lines: tuple[PlanLine, ...] = ()
    others: int = 0


def tonight(deps: Deps, caller: Caller, now: datetime) -> PlanView:
    """The plan of today in the installation's zone, empty if there is none so far."""
    return _view(deps, caller, now.astimezone(ZoneInfo(deps.curfew.zone)).date(), now)


def plan_of(deps: Deps, caller: Caller, night: date, now: datetime) -> PlanView:
    """The plan of a night. Raises NoPlan."""
    view = _view(deps, caller, night, now)
    if view.header is None:
        raise NoPlan(
            Sentence(
                "Nothing was planned for the night of {night}. Plans are kept for some time, not for ever.",
                night=str(night),
            )
        )
    return view


@dataclass(frozen=True)
class PlanLines:
    """Lines of a night's plan, without the brake's decision: for a page, which reads the table twice. `page` None: no plan so
    far. `rules` None: this continues a page that had them."""

    night: date
    rules: CurfewRules | None
    page: PlanPage | None


def lines_of(deps: Deps, caller: Caller, night: date, limit: int, after: str | None) -> PlanLines:
    """The lines of a night's plan that the caller may see, after the entry `after`."""
    seen = None if caller.sees_all else caller.may_see
    whose = None if caller.sees_all or caller.teams else caller.identity
    page = deps.curfew.store.plan_page(night, seen, whose, limit, after)
    return PlanLines(night, None if after else deps.curfew.rules(), page)


def release_plan(deps: Deps, caller: Caller, night: date, plan_hash: str, now: datetime) -> PlanView:
    """Release all published entries of a night's plan from brake and guard. Raises NotYours, NoPlan, PlanChanged.

    Entries published later are not released. Repeating a release gives the same answer.
    """
    if not caller.is_admin:
        raise NotYours(Sentence("A night's plan is released by administrators."))
    plan = deps.curfew.store.plan(night)
    if plan is None:
        raise NoPlan(Sentence("Nothing was planned for the night of {night}.", night=str(night)))
    released = tuple(entry.id for entry, _ in plan.lines)

    def changed(header: PlanHeader) -> PlanHeader:
        if not (plan.is_whole and header.hash == plan.header.hash == plan_hash):
            raise PlanChanged(night, header.hash, broken=not plan.is_whole)
        if header.released == released:
            return header
        return replace(header, released_at=now, released_by=caller.arn, released=released)

    deps.curfew.store.change_header(night, changed)
    return _view(deps, caller, night, now)


def _view(deps: Deps, caller: Caller, night: date, now: datetime) -> PlanView:
    plan, rules, alive = deps.curfew.store.plan(night), deps.curfew.rules(), deps.curfew.store.alive_count()
    if plan is None:
        return PlanView(night, rules, alive)
    mine = tuple(line for line in plan.lines if caller.may_see(line[0].owner))
    others = len(plan.lines) - len(mine)
    braking = decide_brake(plan, rules, alive, now)
    return PlanView(night, rules, alive, plan.header, plan.is_whole, braking, mine, others)


@dataclass(frozen=True)
class VerdictView:
    """`live` and `evidence` are None if there is nothing to judge; `kept` None: no run has judged it yet."""

    lab: Lab
    rules: CurfewRules
    live: Verdict | None
    evidence: Evidence | None
    kept: Verdict | None


def verdict_of(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> VerdictView:
    """Judge a lab's use over the window that ends now; nothing is stored. Raises LabNotFound."""
    lab, rules = seen_lab(deps, caller, lab_id), deps.curfew.rules()
    kept = deps.curfew.store.verdict(lab_id)
    if lab.phase not in _SEEN:
        return VerdictView(lab, rules, None, None, kept)
    evidence = deps.curfew.signals(lab.place).read([lab], now, timedelta(hours=rules.window_hours))[lab_id]
    return VerdictView(lab, rules, judge(lab, evidence, rules, now), evidence, kept)


def set_rules(
    deps: Deps, caller: Caller, numbers: Mapping[str, int], mode: Mode | None, names: Mapping[str, str], now: datetime
) -> CurfewRules:
    """Change some rules, at once. `names`: each rule's name for the caller. Raises NotYours, InvalidRequest, StaleLab."""
    if not caller.is_admin:
        raise NotYours(Sentence("How curfew works is for administrators to say."))

    def changed(rules: CurfewRules) -> CurfewRules:
        wanted = rules_with(rules, numbers, mode, caller.arn, now)
        if findings := tuple(judge_rules(wanted, names)):
            raise InvalidRequest(findings)
        return wanted

    return deps.curfew.store.change_rules(deps.curfew.usual, changed)
