"""A lab in Seoul in the evening, and its verdicts: shared by the tests of the judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Sign, Signal, Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import Schedule
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.evidence_builders import a_nodegroup_use, quiet_evidence

#: 21:00 in Seoul, an hour before curfew.
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEOUL = Schedule(time_zone="Asia/Seoul", curfew=time(22))
RULES = CurfewRules()


def a_seoul_lab(**changes: Any) -> Lab:
    """Ready, ten days old."""
    lab = a_lab(phase=Phase.READY, created_at=NOW - timedelta(days=10), spec=a_spec(schedule=SEOUL))
    return replace(lab, **changes)


def verdict_on(evidence: Evidence | None = None, **changes: Any) -> Verdict:
    """The verdict on a quiet cluster with `changes`."""
    return judge(a_seoul_lab(), replace(evidence or quiet_evidence(NOW), **changes), RULES, NOW)


def nodes(**changes: Any) -> dict[str, Any]:
    """One node group with `changes`."""
    return {"nodegroups": (a_nodegroup_use(NOW, **changes),)}


def signal(verdict: Verdict, name: str) -> Signal:
    """The signal of that name."""
    (found,) = [each for each in verdict.signals if each.name == name]
    return found


def sign(verdict: Verdict, name: str) -> Sign:
    """The signal of that name."""
    return signal(verdict, name).sign


def seoul(hour: int, days_ago: int = 0) -> datetime:
    """An hour of today's clock in Seoul, or of an earlier day's."""
    return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour - 9) - timedelta(days=days_ago)
