"""Missing data is never idle: a requested signal without data keeps the lab alive, and the sentence names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.idleness.evidence import Series, Source
from chalicelib.domain.idleness.judge import agree, judge
from chalicelib.domain.idleness.verdict import Sign, Signal
from tests.domain.idleness.world import NOW, RULES, a_seoul_lab, nodes, seoul, sign, verdict_on
from tests.fakes.curfew import unread
from tests.fakes.evidence_builders import a_nodegroup_use, a_series, an_hourly_series, quiet_evidence, without

EMPTY = Series(300)
NO_HOURS = Series(3600)
SOURCES = [value for name, value in vars(Source).items() if name.isupper()]


@pytest.mark.parametrize("name", ["requests", "scheduled", "pending"])
@pytest.mark.parametrize("hole", [(0, 36), (0, 6), (10, 16), (30, 36)])
def test_a_cluster_metric_with_a_hole_in_the_window_is_missing(name: str, hole: tuple[int, int]) -> None:
    whole = getattr(quiet_evidence(NOW), name)
    verdict = verdict_on(**{name: without(whole, *hole)})
    assert not verdict.idle
    assert sign(verdict, name) is Sign.MISSING
    assert verdict.sentence.startswith("not known to be idle: ")
    assert "no data" in verdict.sentence


@pytest.mark.parametrize("name", ["cpu", "network_in", "network_out"])
@pytest.mark.parametrize("hole", [(0, 36), (0, 6), (10, 16), (30, 36)])
def test_a_node_metric_with_a_hole_in_the_window_is_missing(name: str, hole: tuple[int, int]) -> None:
    whole = getattr(a_nodegroup_use(NOW), name)
    verdict = verdict_on(**nodes(**{name: without(whole, *hole)}))
    assert not verdict.idle
    assert "of myeks-nodegroup: no data" in verdict.sentence


@pytest.mark.parametrize("hole", [(10, 12), (33, 36), (0, 2)])
def test_a_period_or_two_that_cloudwatch_is_late_with_are_no_hole(hole: tuple[int, int]) -> None:
    quiet = quiet_evidence(NOW)
    group = a_nodegroup_use(NOW, cpu=without(a_series(NOW, 3.0), *hole))
    assert verdict_on(requests=without(quiet.requests, *hole), nodegroups=(group,)).idle


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("why", ["", ": ThrottlingException: Rate exceeded"])
def test_a_source_that_could_not_be_read_makes_the_lab_live(source: str, why: str) -> None:
    verdict = verdict_on(unread=(source + why,))
    assert not verdict.idle
    assert not verdict.gone
    assert source in verdict.sentence
    assert Sign.MISSING in {each.sign for each in verdict.signals}


def test_a_source_nobody_has_heard_of_counts_as_well() -> None:
    assert "the oracle: asleep" in verdict_on(unread=("the oracle: asleep",)).sentence


def test_an_unread_source_takes_the_quiet_from_its_signals_but_not_what_is_busy() -> None:
    lost = verdict_on(unread=(Source.NODE_METRICS,), **nodes(network_in=a_series(NOW, 1e9)))
    assert sign(lost, "cpu") is Sign.MISSING
    assert sign(lost, "network") is Sign.BUSY
    assert sign(verdict_on(unread=(Source.BALANCERS,), balancers=()), "balancers") is Sign.MISSING
    assert sign(verdict_on(unread=(Source.AUDIT,)), "audit") is Sign.MISSING


def test_evidence_of_which_nothing_could_be_read_is_not_idle() -> None:
    verdict = judge(a_seoul_lab(), unread("lab-7f3k2m9x", NOW), RULES, NOW)
    assert not verdict.idle
    assert "AWS/EKS metrics: not there" in verdict.sentence


def test_a_cluster_that_eks_does_not_know_is_gone_and_not_idle() -> None:
    verdict = verdict_on(cluster_status=None)
    assert verdict.gone
    assert not verdict.idle
    assert verdict.sentence == "gone: EKS knows no cluster myeks that carries this lab's tag"


def test_a_cluster_that_eks_could_not_be_asked_about_is_unknown_and_not_gone() -> None:
    verdict = verdict_on(cluster_status=None, unread=("EKS cluster: ThrottlingException: slow down",))
    assert not verdict.gone
    assert not verdict.idle
    assert "EKS cluster: ThrottlingException" in verdict.sentence


def test_requests_above_the_floor_without_a_baseline_are_not_known_to_be_noise() -> None:
    assert sign(verdict_on(requests_before=NO_HOURS), "requests") is Sign.MISSING
    assert sign(verdict_on(requests_before=an_hourly_series(NOW, 24000.0, days=0.2)), "requests") is Sign.MISSING
    assert sign(verdict_on(requests_before=NO_HOURS, requests=a_series(NOW, 5 * 100.0)), "requests") is Sign.QUIET


def test_a_last_night_without_a_record_hides_cronjobs_where_kubernetes_is_out_of_reach() -> None:
    whole = an_hourly_series(NOW)
    blind = replace(whole, points=tuple(point for point in whole.points if point[0] < seoul(22, 1)))
    verdict = verdict_on(scheduled_before=blind)
    assert verdict.sentence == "not known to be idle: pods scheduled last night: no data"
    young = judge(a_seoul_lab(created_at=seoul(23, 1)), quiet_evidence(NOW, scheduled_before=blind), RULES, seoul(21))
    assert sign(young, "nights") is Sign.ABSENT


def test_evidence_of_a_shorter_window_than_the_rules_ask_for_proves_nothing() -> None:
    verdict = verdict_on(window_from=NOW - timedelta(hours=1))
    assert verdict.sentence == "not known to be idle: only 1.0 h of the last 3 h were looked at"
    longer = replace(RULES, window_hours=5)
    assert not judge(a_seoul_lab(), quiet_evidence(NOW), longer, NOW).idle
    assert judge(a_seoul_lab(), quiet_evidence(NOW), replace(RULES, window_hours=2), NOW).idle


def test_evidence_read_long_ago_proves_nothing() -> None:
    later = NOW + timedelta(minutes=31)
    assert sign(judge(a_seoul_lab(), quiet_evidence(NOW), RULES, later), "look") is Sign.MISSING


@pytest.mark.parametrize(
    ("signs", "idle"),
    [
        ([Sign.QUIET] * 2, False),
        ([Sign.QUIET] * 2 + [Sign.ABSENT] * 9, False),
        ([Sign.QUIET] * 3 + [Sign.ABSENT] * 9, True),
        ([Sign.QUIET] * 9 + [Sign.MISSING], False),
        ([Sign.QUIET] * 9 + [Sign.BUSY], False),
    ],
)
def test_three_signals_must_be_quiet_and_none_otherwise(signs: list[Sign], idle: bool) -> None:
    assert agree([Signal(str(number), each, "") for number, each in enumerate(signs)]) is idle


def test_one_node_group_without_data_is_not_made_good_by_another() -> None:
    resting, lost = a_nodegroup_use(NOW), a_nodegroup_use(NOW, name="lost", cpu=EMPTY)
    verdict = verdict_on(nodegroups=(resting, lost))
    assert verdict.sentence == "not known to be idle: CPU of lost: no data"
    busy = a_nodegroup_use(NOW, cpu=a_series(NOW, 64.0))
    assert sign(verdict_on(nodegroups=(busy, lost)), "cpu") is Sign.BUSY


def test_a_node_group_that_shrank_to_nothing_has_no_data_to_miss() -> None:
    shrunk = a_nodegroup_use(NOW, nodes=0, cpu=without(a_series(NOW, 3.0), 12, 36))
    assert verdict_on(nodegroups=(shrunk,)).idle
    worked = a_nodegroup_use(NOW, nodes=0, cpu=without(a_series(NOW, 90.0), 12, 36))
    assert not verdict_on(nodegroups=(worked,)).idle


def test_a_node_group_whose_nodes_came_within_the_window_is_not_known() -> None:
    fresh = without(a_series(NOW, 3.0), 0, 20)
    assert not verdict_on(**nodes(cpu=fresh)).idle
