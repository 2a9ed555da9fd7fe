"""The text of a verdict: one sentence with numbers, times by the lab's clock, and the start of the idle time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from chalicelib.domain.idleness.evidence import Sighting
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Sign
from chalicelib.domain.labs.schedule import Schedule
from tests.domain.idleness.world import NOW, RULES, a_seoul_lab, nodes, seoul, signal, verdict_on
from tests.fakes.builders import a_spec
from tests.fakes.evidence_builders import a_balancer_use, a_kubernetes_use, a_series, an_hourly_series, quiet_evidence


def worked_until(end: datetime) -> dict[str, object]:
    """Pods were placed by day until `end`; hours start on the full hour."""
    return {
        "scheduled_before": an_hourly_series(NOW, lambda hour: 3.0 if end - timedelta(hours=5) <= hour < end else 0.0)
    }


def test_the_sentence_of_an_idle_cluster_is_the_one_people_were_promised() -> None:
    verdict = verdict_on(**worked_until(seoul(16)))
    assert verdict.idle
    assert verdict.sentence == (
        "idle since 16:00: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), no load-balancer traffic"
    )
    assert verdict.since == seoul(16)


def test_since_is_told_by_the_labs_own_clock() -> None:
    berlin = a_seoul_lab(spec=a_spec(schedule=Schedule(time_zone="Europe/Berlin", curfew=time(9))))
    verdict = judge(berlin, quiet_evidence(NOW, kubernetes=a_kubernetes_use(), **worked_until(seoul(16))), RULES, NOW)
    assert verdict.sentence.startswith("idle since 08:00: ")


def test_a_cluster_quiet_for_days_says_the_day() -> None:
    verdict = verdict_on(**worked_until(seoul(19, 2)))
    assert verdict.sentence.startswith("idle since Sat 21 Nov 19:00: no user pods scheduled in 2 d, ")


def test_since_is_when_the_last_signal_fell_quiet() -> None:
    busy_until = seoul(17)
    verdict = verdict_on(
        requests_before=an_hourly_series(NOW, lambda at: 60_000.0 if seoul(14) <= at < busy_until else 24_000.0),
        **worked_until(seoul(14)),
    )
    assert verdict.since == busy_until


def test_a_hole_in_the_hours_before_ends_what_is_known_to_be_quiet() -> None:
    whole = an_hourly_series(NOW)
    holed = replace(whole, points=tuple(p for p in whole.points if not seoul(8) <= p[0] < seoul(12)))
    assert verdict_on(scheduled_before=holed).since == seoul(12)


def test_hours_that_end_before_the_window_begins_leave_room_for_work_unseen() -> None:
    whole = an_hourly_series(NOW)
    assert verdict_on(scheduled_before=replace(whole, points=whole.points[:-1])).since == NOW - timedelta(hours=3)


def test_the_hour_in_which_the_window_begins_closes_the_way_back() -> None:
    later = timedelta(minutes=20)
    quiet = quiet_evidence(NOW + later)
    verdict = judge(
        a_seoul_lab(), replace(quiet, scheduled_before=an_hourly_series(NOW + timedelta(hours=1))), RULES, NOW + later
    )
    assert verdict.idle
    assert signal(verdict, "scheduled").quiet_since == NOW + timedelta(hours=-2, days=-7)


def test_idle_for_as_long_as_anybody_looked_counts_from_there() -> None:
    assert verdict_on().since == NOW - timedelta(hours=3, days=7)


def test_busy_names_at_most_three_reasons_and_the_clearest_first() -> None:
    verdict = verdict_on(
        kubernetes=a_kubernetes_use(running_jobs=("ml/a", "ml/b", "ml/c", "ml/d")),
        owner_call=Sighting("learner", seoul(20)),
        scheduled=a_series(NOW, 1.0),
        balancers=(a_balancer_use(NOW, traffic=a_series(NOW, 100.0)),),
        **nodes(cpu=a_series(NOW, 70.0)),
    )
    assert verdict.sentence == (
        "busy: Job running: ml/a, ml/b, ml/c and 1 more; learner called the EKS API at 20:00; 36 pods scheduled in 3 h"
    )


def test_the_same_reason_is_told_once() -> None:
    assert verdict_on(unread=("AWS/EKS metrics: Throttling",)).sentence == (
        "not known to be idle: AWS/EKS metrics: Throttling (not read)"
    )


def test_a_signal_keeps_its_numbers() -> None:
    verdict = verdict_on(**nodes(cpu=a_series(NOW, 64.0)))
    assert signal(verdict, "cpu").numbers == {
        "mean": 64.0,
        "highest": 64.0,
        "cores": pytest.approx(2.56),
        "limit": pytest.approx(0.28),
        "baseline": 3.0,
    }
    assert signal(verdict, "requests").numbers["baseline"] == 400.0


def test_lines_and_lengths_of_what_others_say_do_not_break_the_sentence() -> None:
    verdict = verdict_on(unread=("EKS cluster: a\nstory\twithout end " + "x" * 2000,))
    assert "\n" not in verdict.sentence
    assert len(verdict.sentence) == 500


def test_a_verdict_names_its_window() -> None:
    verdict = verdict_on()
    assert (verdict.at, verdict.window_from, verdict.lab_id) == (NOW, NOW - timedelta(hours=3), "lab-7f3k2m9x")


def test_only_an_idle_verdict_has_a_beginning() -> None:
    assert verdict_on(**nodes(cpu=a_series(NOW, 64.0))).since is None
    assert {each.sign for each in verdict_on().signals} == {Sign.QUIET, Sign.ABSENT}
