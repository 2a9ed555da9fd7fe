"""Ok means that every part ran recently and completely; anything else is degraded, with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.core.service_health import EXPECTED, HealthStatus, Run, judge_health

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WELL = tuple(Run(workflow, NOW - most, "done") for workflow, most in EXPECTED.items())


def test_a_service_whose_runs_are_as_old_as_they_may_be_is_well() -> None:
    health = judge_health(WELL, (), NOW)
    assert (health.status, health.reasons, health.runs) == (HealthStatus.OK, (), WELL)


@pytest.mark.parametrize("workflow", EXPECTED)
def test_a_run_that_is_late_not_whole_or_never_was_is_a_reason(workflow: str) -> None:
    run = next(run for run in WELL if run.workflow == workflow)
    others = tuple(other for other in WELL if other is not run)
    for seen, word in (
        ((replace(run, at=run.at - timedelta(seconds=1)),), "ran last at"),
        ((replace(run, outcome="stuck"),), "not whole"),
        ((), "not come to an end"),
    ):
        health = judge_health((*others, *seen), (), NOW)
        assert health.status is HealthStatus.DEGRADED
        [reason] = health.reasons
        assert workflow in reason
        assert word in reason


def test_what_does_not_answer_is_a_reason_and_runs_nobody_could_read_are_not_told_as_late() -> None:
    health = judge_health(None, ("The table can't be read: Throttled.",), NOW)
    assert (health.status, health.reasons) == (HealthStatus.DEGRADED, ("The table can't be read: Throttled.",))


def test_runs_that_nobody_expects_any_more_say_nothing() -> None:
    assert (
        judge_health((*WELL, Run("gone_since", NOW - timedelta(days=99), "stuck")), (), NOW).status is HealthStatus.OK
    )
