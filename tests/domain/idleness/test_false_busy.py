"""Clusters that look busy and are not: background noise must not keep a forgotten lab alive."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from chalicelib.domain.idleness.evidence import Series, Sighting
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Sign
from chalicelib.domain.labs.schedule import Schedule
from tests.domain.idleness.world import NOW, RULES, a_seoul_lab, nodes, seoul, sign, verdict_on
from tests.fakes.builders import a_spec
from tests.fakes.evidence_builders import (
    MEGABYTE,
    NOISE,
    a_balancer_use,
    a_kubernetes_use,
    a_nodegroup_use,
    a_series,
    an_hourly_series,
    quiet_evidence,
    with_values,
)


def test_prometheus_scraping_for_a_week_is_the_clusters_own_noise() -> None:
    scraped = a_nodegroup_use(
        NOW,
        cpu=a_series(NOW, 9.0),
        cpu_before=an_hourly_series(NOW, 9.0),
        network_in=a_series(NOW, 12 * MEGABYTE),
        network_out=a_series(NOW, 12 * MEGABYTE),
    )
    verdict = verdict_on(
        nodegroups=(scraped,), requests=a_series(NOW, 5 * 900.0), requests_before=an_hourly_series(NOW, 60 * 900.0)
    )
    assert verdict.idle
    assert "CPU 9 % (baseline 9 %)" in verdict.sentence


def test_prometheus_installed_this_afternoon_has_become_noise_by_now() -> None:
    installed = seoul(13)
    verdict = verdict_on(
        requests=a_series(NOW, 5 * 900.0),
        requests_before=an_hourly_series(NOW, lambda at: 60 * (900.0 if at >= installed else NOISE)),
    )
    assert verdict.idle


def test_daemonsets_are_the_nodes_own_noise() -> None:
    assert verdict_on(**nodes(cpu=a_series(NOW, 6.0), cpu_before=Series(3600))).idle


def test_gitops_that_polls_all_day_is_noise() -> None:
    def polling(at: object) -> float:
        return 5 * (NOISE + 250.0)

    before = an_hourly_series(NOW, 60 * (NOISE + 250.0))
    verdict = verdict_on(requests=a_series(NOW, polling), requests_before=before, **nodes(cpu=a_series(NOW, 7.0)))
    assert verdict.idle


def test_a_crash_loop_schedules_nothing_and_is_no_work() -> None:
    verdict = verdict_on(kubernetes=a_kubernetes_use(user_pods=1, crash_looping=1))
    assert verdict.idle
    assert verdict_on(**nodes(cpu=with_values(a_series(NOW, 4.0), {9: 14.0}))).idle


@pytest.mark.parametrize("opened", [seoul(15), seoul(10), seoul(20, 1)])
def test_an_open_k9s_asks_steadily_and_is_no_person(opened: object) -> None:
    verdict = verdict_on(
        requests=a_series(NOW, 5 * (NOISE + 300.0)),
        requests_before=an_hourly_series(NOW, lambda at: 60 * (NOISE + (300.0 if at >= opened else 0.0))),
    )
    assert verdict.idle
    assert sign(verdict, "requests") is Sign.QUIET


def test_who_opens_k9s_within_the_window_has_come() -> None:
    opened = NOW - timedelta(hours=2)
    verdict = verdict_on(requests=a_series(NOW, lambda at: 5 * (NOISE + (300.0 if at >= opened else 0.0))))
    assert not verdict.idle


def test_working_days_do_not_become_the_baseline() -> None:
    """Sixteen hours a day with a break before the window: most hours have work, and none of it counts as noise."""

    def working(at: datetime) -> float:
        in_seoul = (at.hour + 9) % 24
        return 60 * (2000.0 if 7 <= in_seoul < 23 and in_seoul != 17 else NOISE)

    before = an_hourly_series(NOW, working)
    assert not verdict_on(requests=a_series(NOW, 5 * 1000.0), requests_before=before).idle
    assert not verdict_on(**nodes(cpu=a_series(NOW, 30.0), cpu_before=an_hourly_series(NOW, 30.0))).idle


def test_more_nodes_ask_more_of_the_api_server() -> None:
    def fleet(count: int) -> dict[str, object]:
        return {
            **nodes(nodes=count),
            "requests": a_series(NOW, 5 * 400.0),
            "requests_before": an_hourly_series(NOW, 100.0),
        }

    assert sign(verdict_on(**fleet(2)), "requests") is Sign.BUSY
    assert sign(verdict_on(**fleet(12)), "requests") is Sign.QUIET


def test_a_load_balancer_without_data_points_had_no_requests() -> None:
    verdict = verdict_on()
    assert quiet_evidence(NOW).balancers[0].traffic.points == ()
    assert sign(verdict, "balancers") is Sign.QUIET
    assert "no load-balancer traffic" in verdict.sentence


@pytest.mark.parametrize(
    ("kind", "traffic"), [("application", {4: 6.0, 30: 9.0}), ("network", {3: 20.0}), ("classic", {1: 10.0})]
)
def test_scanners_that_knock_at_a_balancer_are_nobody(kind: str, traffic: dict[int, float]) -> None:
    knocked = a_balancer_use(NOW, kind=kind, traffic=with_values(a_series(NOW), traffic))
    assert verdict_on(balancers=(knocked,)).idle


def test_one_small_peak_of_cpu_is_nobodys_work_and_a_high_one_is() -> None:
    assert verdict_on(**nodes(cpu=with_values(a_series(NOW, 3.0), {10: 13.0}))).idle
    assert not verdict_on(**nodes(cpu=with_values(a_series(NOW, 3.0), {10: 40.0}))).idle
    assert not verdict_on(**nodes(cpu=with_values(a_series(NOW, 3.0), {10: 13.0, 11: 13.0}))).idle


def test_a_lab_without_nodes_is_judged_by_what_it_has() -> None:
    verdict = verdict_on(nodegroups=(), balancers=(), pending=a_series(NOW, 4.0))
    assert verdict.idle
    assert {sign(verdict, name) for name in ("cpu", "network", "pending", "balancers")} == {Sign.ABSENT}


def test_system_pods_that_wait_are_not_users_where_kubernetes_says_so() -> None:
    assert verdict_on(pending=a_series(NOW, 2.0), kubernetes=a_kubernetes_use()).idle


def test_an_audit_log_that_names_nobody_is_quiet() -> None:
    verdict = verdict_on(audit_on=True)
    assert verdict.idle
    assert sign(verdict, "audit") is Sign.QUIET


def test_an_owner_last_seen_yesterday_is_not_at_work() -> None:
    assert verdict_on(owner_call=Sighting("learner", seoul(20, 1))).idle


@pytest.mark.parametrize(("wake", "idle"), [(time(6, 30), True), (None, False)])
def test_pods_that_come_back_when_a_lab_is_woken_are_no_cronjob(wake: time | None, idle: bool) -> None:
    late = Schedule(time_zone="Asia/Seoul", curfew=time(23, 30), wake=wake)
    woken = an_hourly_series(NOW, lambda hour: 9.0 if (hour.hour + 9) % 24 == 6 else 0.0)
    lab = a_seoul_lab(spec=a_spec(schedule=late))
    assert judge(lab, quiet_evidence(NOW, scheduled_before=woken), RULES, NOW).idle is idle


def test_a_lab_that_sleeps_at_night_is_compared_with_its_waking_hours() -> None:
    asleep = an_hourly_series(NOW, lambda hour: 60 * (NOISE if 9 <= (hour.hour + 9) % 24 < 22 else NOISE / 2))
    assert verdict_on(requests_before=asleep).idle
