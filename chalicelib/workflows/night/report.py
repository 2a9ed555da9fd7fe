"""The night's report to administrators: what was left open is settled first, then one message goes out, then it is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from chalicelib.domain.curfew.messages.report import is_settled, nights_to_report, report_message
from chalicelib.domain.curfew.plan import Plan, PlanHeader
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.brake import settled_plan
from chalicelib.workflows.night.outcomes import rules_of
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.night.warn import administrators

#: Blocked labs that a report names at most.
_BLOCKED = 100


def unreported_nights(deps: Deps, now: datetime) -> list[date]:
    """Nights whose report is due and was not sent, newest first. Older ones only if they have a plan.

    A night that lasts longer elsewhere is reported again: its plan grew after it was reported.
    """
    newest, *older = nights_to_report(now, deps.curfew.zone, deps.curfew.report_hour)
    header = deps.curfew.store.header(newest)
    due = [newest] if header is None or _is_news(header) else []
    headers = [(night, deps.curfew.store.header(night)) for night in older]
    return due + [night for night, header in headers if header is not None and _is_news(header)]


def report(
    deps: Deps, orphans: Sequence[str], troubles: Sequence[str], now: datetime, summary: RunSummary
) -> list[str]:
    """Send the reports that are due; return their nights. The newest night's waits for what is still open, a day long."""
    newest = nights_to_report(now, deps.curfew.zone, deps.curfew.report_hour)[0]
    sent: list[str] = []
    for night in unreported_nights(deps, now):
        with summary.around(f"the report of {night}"):
            plan = settled_plan(deps, night, now, summary)
            if night == newest and plan is not None and not is_settled(plan):
                continue
            _send(deps, night, plan, (orphans, troubles) if not sent else ((), ()), now)
            sent.append(night.isoformat())
    return sent


def _send(
    deps: Deps, night: date, plan: Plan | None, message: tuple[Sequence[str], Sequence[str]], now: datetime
) -> None:
    orphans, troubles = message
    store, to, api = deps.curfew.store, administrators(deps), deps.watch.api_url
    blocked = store.blocked(_BLOCKED)
    if plan is None:
        store.publish(night, [], now)
    deps.watch.notifier.send(report_message(night, plan, rules_of(deps), blocked, orphans, troubles, to, api=api))
    store.change_header(night, lambda header: replace(header, reported_at=now))


def _is_news(header: PlanHeader) -> bool:
    return header.reported_at is None or header.published_at > header.reported_at
