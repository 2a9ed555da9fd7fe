"""Clusters in use, each by one signal alone: people, traffic, pods, requests."""

from __future__ import annotations

from chalicelib.domain.idleness.evidence import Sighting
from tests.domain.idleness.world import NOW, seoul, verdict_on
from tests.fakes.evidence_builders import a_balancer_use, a_kubernetes_use, a_series, quiet_evidence, with_values


def test_a_person_in_the_audit_log_is_a_person() -> None:
    seen = Sighting("shop@example.com", seoul(19))
    verdict = verdict_on(audit_on=True, audit_human=seen)
    assert verdict.sentence == "busy: shop@example.com asked the cluster at 19:00"
    assert not verdict_on(audit_on=False, audit_human=seen).idle


def test_the_owners_calls_of_the_eks_api_are_use() -> None:
    assert verdict_on(owner_call=Sighting("learner", seoul(20))).sentence == "busy: learner called the EKS API at 20:00"


def test_people_seen_before_the_window_do_not_count() -> None:
    verdict = verdict_on(
        owner_call=Sighting("learner", seoul(12)), audit_on=True, audit_human=Sighting("learner", seoul(13))
    )
    assert verdict.idle
    assert verdict.since == seoul(13)


def test_requests_through_a_load_balancer_are_use() -> None:
    busy = a_balancer_use(NOW, traffic=a_series(NOW, 30.0))
    assert verdict_on(balancers=(a_balancer_use(NOW), busy)).sentence == (
        "busy: 1080 requests through the load balancer k8s-default-web in 3 h"
    )


def test_a_trickle_of_requests_over_the_whole_window_is_use() -> None:
    assert not verdict_on(balancers=(a_balancer_use(NOW, traffic=a_series(NOW, 2.0)),)).idle


def test_flows_through_a_network_load_balancer_are_use() -> None:
    busy = a_balancer_use(NOW, kind="network", traffic=a_series(NOW, 12.0))
    assert (
        verdict_on(balancers=(busy,)).sentence
        == "busy: up to 12 flows through the network load balancer k8s-default-web"
    )


def test_pods_that_wait_for_a_place_are_somebodys() -> None:
    assert verdict_on(pending=with_values(a_series(NOW), {-1: 1.0})).sentence == "busy: pods wait to be scheduled"
    asked = verdict_on(kubernetes=a_kubernetes_use(pending_pods=1))
    assert asked.sentence == "busy: user pods wait to be scheduled"


def test_people_who_come_in_bursts_stand_out_of_the_api_servers_noise() -> None:
    usual = quiet_evidence(NOW).requests
    verdict = verdict_on(requests=with_values(usual, {7: 3500.0, 20: 4000.0}))
    assert verdict.sentence == "busy: up to 800 API-server requests a minute (baseline 400)"
