"""Posts the night's report to administrators: settles open entries, posts one message, then marks the night as reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.domain.core.sentence import Moment, Sentence, Style, clause
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.report import Concerns, is_settled, nights_to_report, report_message
from chalicelib.domain.curfew.plan import Plan, PlanHeader, PlanLine
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.labs.lab import ENDING, OVER, Lab, Phase, phase_said
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.brake import settled_plan
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import administrators
from chalicelib.workflows.shared.posts import post

#: Phases of labs without a teardown; the report lists blocked labs apart.
_ALIVE = tuple(phase for phase in Phase if phase not in OVER | ENDING)
#: How long after its time an end is no delay: a run carries it out within an hour, and may wait for the notice period.
_GRACE = timedelta(hours=2)
#: Blocked labs in one report.
_BLOCKED = 100


def unreported_nights(deps: Deps, now: datetime) -> list[date]:
    """The nights whose report is due and not posted, newest first; older nights only if they have a plan.

    A night is reported again if its plan grew after the report: other time zones reach that evening later.
    """
    newest, *older = nights_to_report(now, deps.curfew.zone, deps.curfew.report_hour)
    header = deps.curfew.store.header(newest)
    due = [newest] if header is None or _is_news(header) else []
    headers = [(night, deps.curfew.store.header(night)) for night in older]
    return due + [night for night, header in headers if header is not None and _is_news(header)]


def report(run: NightRun, orphans: Sequence[str], troubles: Sequence[str]) -> list[str]:
    """Post the reports that are due; return their nights. The newest night's report waits up to a day for open entries."""
    newest = nights_to_report(run.now, run.deps.curfew.zone, run.deps.curfew.report_hour)[0]
    sent: list[str] = []
    for night in unreported_nights(run.deps, run.now):
        with run.around(Sentence("the report of {night}", night=str(night))):
            plan = settled_plan(run, night)
            if night == newest and plan is not None and not is_settled(plan):
                continue
            _send(run, night, plan, Concerns(orphans=orphans, troubles=troubles) if not sent else Concerns())
            sent.append(night.isoformat())
    return sent


def _send(run: NightRun, night: date, plan: Plan | None, concerns: Concerns) -> None:
    deps, store, rules = run.deps, run.store, run.rules
    concerns = replace(concerns, blocked=store.blocked(_BLOCKED))
    header = plan.header if plan is not None else store.publish(night, [], run.now)
    concerns = replace(concerns, overdue=overdue(deps, rules, run.now))
    message = report_message(night, plan, rules, concerns, administrators(deps))
    post(deps, [message], f"{night}, revision {header.revision}", nightly=True)
    store.change_header(night, lambda header: replace(header, reported_at=run.now))


def overdue(deps: Deps, rules: CurfewRules, now: datetime) -> list[str]:
    """A sentence for each lab that exists past its last end, with the reason."""
    labs = deps.store.all_labs(None, _ALIVE)
    return [_kept_by(deps, lab, rules, now) for lab in labs if _last_end(lab, rules) + _GRACE <= now]


def _last_end(lab: Lab, rules: CurfewRules) -> datetime:
    """The later of the maximum lifetime (today's rules) and the lease's end: earlier rules may have allowed a longer lease."""
    return max(longest_life(lab, rules), lab.lease_until)


def _kept_by(deps: Deps, lab: Lab, rules: CurfewRules, now: datetime) -> str:
    line = deps.curfew.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None
    return Sentence(
        "{name} ({id}, {owner}), by {at}: {why}",
        name=lab.name,
        id=lab.id,
        owner=lab.owner.rpartition("/")[2],
        at=_minute(_last_end(lab, rules)),
        why=_why_there(lab, rules, line, now),
    )


def _why_there(lab: Lab, rules: CurfewRules, line: PlanLine | None, now: datetime) -> str:
    if rules.mode is Mode.OFF:
        return Sentence("curfew's mode is off")
    if rules.mode is Mode.DRY_RUN:
        return Sentence("curfew's mode is dry-run")
    if lab.protection is not None and lab.protection.until > now:
        return Sentence("{who} protected it until {at}", who=lab.protection.by, at=_minute(lab.protection.until))
    if line is None:
        return Sentence("it is {phase}, and its end is not planned yet", phase=phase_said(lab.phase))
    if line.status.reason:
        return clause(line.status.reason)
    return Sentence("its end is planned for {at}", at=_minute(line.entry.at))


def _minute(at: datetime) -> Moment:
    return Moment(at, "UTC", Style.MINUTE)


def _is_news(header: PlanHeader) -> bool:
    return header.reported_at is None or header.published_at > header.reported_at
