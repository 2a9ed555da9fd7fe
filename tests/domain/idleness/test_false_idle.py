"""Clusters that look idle and are not: each known case, and that each would be idle without its signal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.idleness.evidence import Series
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Sign
from chalicelib.domain.labs.lab import Phase
from tests.domain.idleness.world import NOW, RULES, a_seoul_lab, nodes, seoul, sign, verdict_on
from tests.fakes.evidence_builders import (
    MEGABYTE,
    a_kubernetes_use,
    a_nodegroup_use,
    a_series,
    an_hourly_series,
    quiet_evidence,
    with_values,
)


def placed_at(*instants: datetime) -> Series:
    """An hourly series of pods scheduled, one at each instant."""
    return an_hourly_series(NOW, lambda hour: float(any(hour <= at < hour + timedelta(hours=1) for at in instants)))


def test_the_quiet_cluster_that_every_case_starts_from_is_idle() -> None:
    assert verdict_on().idle
    assert verdict_on(kubernetes=a_kubernetes_use()).idle


def test_a_cronjob_that_is_not_suspended_is_work_to_come() -> None:
    verdict = verdict_on(kubernetes=a_kubernetes_use(cron_jobs=("shop/nightly-report",)))
    assert not verdict.idle
    assert verdict.sentence == "busy: CronJob not suspended: shop/nightly-report"


@pytest.mark.parametrize(
    "instants",
    [
        pytest.param((seoul(26, 1),), id="last night at 02:00"),
        pytest.param((seoul(23, 1),), id="last night at 23:00"),
        pytest.param((seoul(27, 7),), id="a week ago at 03:00"),
        pytest.param((seoul(25, 3), seoul(25, 5)), id="twice at 01:00"),
    ],
)
def test_a_cronjob_shows_in_the_pods_of_earlier_nights_where_kubernetes_is_out_of_reach(
    instants: tuple[datetime, ...],
) -> None:
    verdict = verdict_on(scheduled_before=placed_at(*instants))
    assert not verdict.idle
    assert sign(verdict, "nights") is Sign.BUSY
    assert "in earlier nights, as nightly work is" in verdict.sentence


@pytest.mark.parametrize(
    "instants",
    [
        pytest.param((seoul(15, 1), seoul(15, 2), seoul(15, 3)), id="every afternoon"),
        pytest.param((seoul(25, 3),), id="one night at 01:00, as people do"),
        pytest.param((seoul(23, 3), seoul(26, 5)), id="two nights at different hours"),
        pytest.param((seoul(8),), id="this morning"),
    ],
)
def test_people_who_placed_pods_on_other_days_are_no_cronjob(instants: tuple[datetime, ...]) -> None:
    assert verdict_on(scheduled_before=placed_at(*instants)).idle


def test_row_1_pods_of_earlier_nights_count_whoever_placed_them_and_whether_kubernetes_answers_or_not() -> None:
    every_night = placed_at(*(seoul(25, days) for days in range(1, 8)))
    for kubernetes in (None, a_kubernetes_use()):
        verdict = verdict_on(scheduled_before=every_night, kubernetes=kubernetes)
        assert (
            verdict.sentence
            == "busy: pods were scheduled around 01:00 (Asia/Seoul) in earlier nights, as nightly work is"
        )


def test_a_night_is_told_by_the_labs_clock_and_not_by_utc() -> None:
    in_seoul = seoul(26, 1)
    assert in_seoul.hour == 17
    assert "around 02:00 (Asia/Seoul)" in verdict_on(scheduled_before=placed_at(in_seoul)).sentence


def test_a_cronjob_that_ran_in_the_window_has_scheduled_its_pod() -> None:
    verdict = verdict_on(scheduled=with_values(a_series(NOW), {5: 1.0}))
    assert verdict.sentence == "busy: 1 pod scheduled in 3 h"


def test_a_running_job_is_work() -> None:
    verdict = verdict_on(kubernetes=a_kubernetes_use(running_jobs=("ml/train",)))
    assert verdict.sentence == "busy: Job running: ml/train"


@pytest.mark.parametrize(
    "kind", ["g5.xlarge", "p4d.24xlarge", "inf2.xlarge", "trn1.2xlarge", "g6e.xlarge", "dl1.24xlarge"]
)
def test_low_cpu_proves_nothing_where_gpus_work(kind: str) -> None:
    verdict = verdict_on(**nodes(instance_types=(kind,)))
    assert not verdict.idle
    assert sign(verdict, "cpu") is Sign.QUIET
    assert sign(verdict, "unseen") is Sign.MISSING
    assert kind in verdict.sentence


def test_gpu_nodes_with_user_pods_are_at_work() -> None:
    verdict = verdict_on(**nodes(instance_types=("g5.xlarge",)), kubernetes=a_kubernetes_use(user_pods=1))
    assert verdict.sentence == "busy: 1 user pod, and GPU nodes (g5.xlarge), whose work no metric shows"


def test_gpu_nodes_without_user_pods_may_be_idle() -> None:
    assert verdict_on(**nodes(instance_types=("g5.xlarge",)), kubernetes=a_kubernetes_use(user_pods=0)).idle


def test_ordinary_graviton_nodes_are_no_gpu_nodes() -> None:
    assert verdict_on(**nodes(instance_types=("m6gd.large", "c7gn.xlarge", "t4g.medium"))).idle


def test_a_gpu_group_scaled_to_no_nodes_hides_nothing() -> None:
    gpus = a_nodegroup_use(NOW, name="gpus", nodes=0, instance_types=("g5.xlarge",), cpu=Series(300))
    assert verdict_on(nodegroups=(a_nodegroup_use(NOW), gpus)).idle


def test_a_queue_consumer_with_low_cpu_shows_in_its_steady_network() -> None:
    verdict = verdict_on(**nodes(network_in=a_series(NOW, 60 * MEGABYTE)))
    assert not verdict.idle
    assert sign(verdict, "cpu") is Sign.QUIET
    assert sign(verdict, "network") is Sign.BUSY


def test_what_comes_in_and_what_goes_out_count_together() -> None:
    one_way = nodes(network_in=a_series(NOW, 25 * MEGABYTE))
    both = nodes(network_in=a_series(NOW, 25 * MEGABYTE), network_out=a_series(NOW, 25 * MEGABYTE))
    assert (verdict_on(**one_way).idle, verdict_on(**both).idle) == (True, False)


def test_a_queue_consumer_is_not_excused_by_having_worked_the_whole_week() -> None:
    always = verdict_on(**nodes(cpu_before=an_hourly_series(NOW, 60.0), cpu=a_series(NOW, 60.0)))
    assert sign(always, "cpu") is Sign.BUSY


def test_one_busy_machine_is_not_hidden_by_the_mean_of_many() -> None:
    assert sign(verdict_on(**nodes(nodes=10, cpu=a_series(NOW, 7.0))), "cpu") is Sign.BUSY
    assert sign(verdict_on(**nodes(nodes=2, cpu=a_series(NOW, 7.0), cpu_before=Series(3600))), "cpu") is Sign.QUIET


def test_a_busy_node_group_is_not_hidden_by_a_resting_one() -> None:
    busy = a_nodegroup_use(NOW, name="workers", cpu=a_series(NOW, 64.0))
    verdict = verdict_on(nodegroups=(a_nodegroup_use(NOW), busy))
    assert verdict.sentence == "busy: CPU up to 64 % in workers, 2.6 of 4 cores (baseline 3 %)"


def test_a_workload_scaled_to_zero_waits_for_work() -> None:
    verdict = verdict_on(kubernetes=a_kubernetes_use(user_pods=0, scaled_to_zero=("shop/thumbnails",)))
    assert verdict.sentence == "busy: scaled to zero until work comes: shop/thumbnails"


def test_a_cluster_kept_for_tomorrows_class_says_so_and_leaves_the_decision_to_the_keeping() -> None:
    lab = a_seoul_lab(kept_until=seoul(22, -1))
    verdict = judge(lab, quiet_evidence(NOW), RULES, NOW)
    assert verdict.idle
    assert verdict.sentence.endswith("(kept until Tue 24 Nov 22:00)")
    over = judge(a_seoul_lab(kept_until=NOW), quiet_evidence(NOW), RULES, NOW)
    assert "kept" not in over.sentence


@pytest.mark.parametrize("outside", [{"instances_outside": 2}, {"fargate_profiles": 1}])
def test_nodes_outside_the_node_groups_are_seen_by_kubernetes_alone(outside: dict[str, int]) -> None:
    unknown = verdict_on(**outside)
    assert not unknown.idle
    assert sign(unknown, "unseen") is Sign.MISSING
    assert not verdict_on(**outside, kubernetes=a_kubernetes_use(user_pods=1)).idle
    assert verdict_on(**outside, kubernetes=a_kubernetes_use(user_pods=0)).idle


@pytest.mark.parametrize(("age", "idle"), [(timedelta(hours=23, minutes=59), False), (timedelta(hours=24), True)])
def test_a_cluster_younger_than_a_day_is_busy(age: timedelta, idle: bool) -> None:
    verdict = judge(a_seoul_lab(created_at=NOW - age), quiet_evidence(NOW), RULES, NOW)
    assert verdict.idle is idle
    assert ("the lab is 24 h old, and judged from 24 h on" in verdict.sentence) is not idle


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING"])
def test_a_changing_node_group_is_busy(status: str) -> None:
    assert verdict_on(**nodes(status=status)).sentence == f"busy: node group myeks-nodegroup is {status}"


@pytest.mark.parametrize("status", ["DEGRADED", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_node_group_that_stays_broken_is_judged_by_its_use(status: str) -> None:
    assert verdict_on(**nodes(status=status)).idle
    assert not verdict_on(**nodes(status=status, cpu=a_series(NOW, 50.0))).idle


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "PENDING", "DELETING"])
def test_a_changing_cluster_is_busy(status: str) -> None:
    assert verdict_on(cluster_status=status).sentence == f"busy: the cluster is {status}"


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.READY}))
def test_only_a_ready_lab_is_judged_idle(phase: Phase) -> None:
    verdict = judge(a_seoul_lab(phase=phase), quiet_evidence(NOW), RULES, NOW)
    assert verdict.sentence == f"busy: the lab is {phase}"


def test_an_earlier_cluster_of_the_same_name_lends_no_baseline_and_no_rest() -> None:
    young = a_seoul_lab(created_at=NOW - timedelta(hours=30))
    loud = an_hourly_series(NOW, lambda at: 60 * (900.0 if at < young.created_at else 400.0))
    followed = quiet_evidence(NOW, requests_before=loud)
    assert judge(young, followed, RULES, NOW).since == young.created_at
    assert not judge(young, replace(followed, requests=a_series(NOW, 5 * 700.0)), RULES, NOW).idle
