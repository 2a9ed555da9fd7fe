"""Work that an earlier judge ended, a case of each report: idle except for its work. See docs/idleness.md."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.idleness.evidence import BalancerUse, Evidence, NodegroupUse, Series
from chalicelib.domain.idleness.verdict import Sign
from tests.domain.idleness.world import NOW, nodes, seoul, sign, verdict_on
from tests.fakes.evidence_builders import (
    a_balancer_use,
    a_kubernetes_use,
    a_nodegroup_use,
    a_series,
    an_hourly_series,
    quiet_evidence,
    without,
)

ASKED = {"kubernetes": a_kubernetes_use()}
#: The load of a scheduler that runs its work in permanent pods, on two t3.medium: an hour at 40 % of one core.
AT_WORK = an_hourly_series(NOW, lambda hour: 14.0 if hour.hour == seoul(25).hour else 3.0)
ONE_NIGHT_AT_WORK = an_hourly_series(NOW, lambda hour: 14.0 if hour == seoul(25, 2) else 3.0)
EVERY_NIGHT = an_hourly_series(NOW, lambda hour: float(hour.hour == seoul(25).hour))


def a_network_balancer(lasting: float, opened: float) -> BalancerUse:
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/net/code-server/50dc6c495c0c9188"
    return BalancerUse(arn, "network", a_series(NOW, lasting), a_series(NOW, lasting), a_series(NOW, opened))


def a_classic_balancer(lasting: float, opened: float) -> BalancerUse:
    """No request has ended, so none is counted."""
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/a1b2c3"
    return BalancerUse(arn, "classic", lasting=a_series(NOW, lasting), opened=a_series(NOW, opened))


def on_large_machines(percent: float) -> dict[str, Any]:
    """Two machines of eight CPUs, with an idle load of 1.5 %."""
    return nodes(vcpus=16, cpu=a_series(NOW, percent), cpu_before=an_hourly_series(NOW, 1.5))


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "1: pods placed at 01:00 in seven nights, Kubernetes out of reach": (
        {"scheduled_before": EVERY_NIGHT},
        "busy: pods were scheduled around 01:00 (Asia/Seoul)",
    ),
    "1: pods placed at 01:00 in seven nights, Kubernetes answers": (
        {"scheduled_before": EVERY_NIGHT, **ASKED},
        "busy: pods were scheduled around 01:00 (Asia/Seoul)",
    ),
    "1, beside it: work of every night in pods that stay (Airflow's LocalExecutor)": (
        nodes(cpu_before=AT_WORK) | ASKED,
        "busy: nodes were at work around 01:00 (Asia/Seoul) in earlier nights, as nightly work is",
    ),
    "2, beside it: a Job that Kueue holds back until there is room": (
        {"kubernetes": a_kubernetes_use(user_pods=0, waiting_jobs=("ml/train",))},
        "busy: Job not finished: ml/train",
    ),
    "2, beside it: a group of GPU nodes at zero whose pod waits for one": (
        {
            "nodegroups": (
                a_nodegroup_use(NOW),
                a_nodegroup_use(NOW, name="gpu", nodes=0, instance_types=("g5.xlarge",)),
            ),
            "kubernetes": a_kubernetes_use(pending_pods=1),
        },
        "busy: user pods wait to be scheduled",
    ),
    "2: KEDA has scaled to zero": (
        {"kubernetes": a_kubernetes_use(user_pods=0, scaled_to_zero=("ml/keda-hpa-worker",))},
        "busy: scaled to zero until work comes: ml/keda-hpa-worker",
    ),
    "3: the launch template's GPU type, seen on the machines": (
        nodes(instance_types=("g5.xlarge",)) | {"kubernetes": a_kubernetes_use(user_pods=1)},
        "busy: 1 user pod, and GPU nodes (g5.xlarge), whose work no metric shows",
    ),
    "3: no type, but an image for GPUs": (
        nodes(instance_types=(), ami_type="AL2023_x86_64_NVIDIA") | ASKED,
        "busy: 2 user pods, and GPU nodes (AL2023_x86_64_NVIDIA), whose work no metric shows",
    ),
    "3: no type and a custom image": (
        nodes(instance_types=(), ami_type="CUSTOM") | ASKED,
        "busy: 2 user pods, and nodes of unknown type (myeks-nodegroup), whose work no metric shows",
    ),
    "3: no type and nobody to ask": (
        nodes(instance_types=(), ami_type="CUSTOM"),
        "not known to be idle: what runs on nodes of unknown type (myeks-nodegroup): metrics don't show it, and Kubernetes",
    ),
    "3, beside it: a GPU machine goes on running though its group wants none (scale-in protection)": (
        nodes(nodes=0, instance_types=("g5.xlarge",), machines=("g5.xlarge",), vcpus=4)
        | {"kubernetes": a_kubernetes_use(user_pods=1)},
        "busy: 1 user pod, and GPU nodes (g5.xlarge), whose work no metric shows",
    ),
    "3, beside it: machines that nobody wants and whose CPUs nobody saw": (
        nodes(nodes=0, machines=("t3.medium",), vcpus=None),
        "not known to be idle: CPU of myeks-nodegroup: how many CPUs its machines have is not known",
    ),
    "3, beside it: Karpenter's GPU node, of no node group": (
        {"instances_outside": 1, "outside_types": ("g5.xlarge",), "kubernetes": a_kubernetes_use(user_pods=1)},
        "busy: 1 user pod, and 1 instance outside the node groups, whose work no metric shows",
    ),
    "3, beside it: an FPGA, a video transcoder, a Trainium": (
        nodes(instance_types=("f2.6xlarge", "vt1.3xlarge", "trn2.48xlarge")) | ASKED,
        "busy: 2 user pods, and GPU nodes (f2.6xlarge, trn2.48xlarge, vt1.3xlarge), whose work no metric shows",
    ),
    "3, beside it: no type, but an image for GPUs with FIPS": (
        nodes(instance_types=(), ami_type="BOTTLEROCKET_x86_64_NVIDIA_FIPS") | ASKED,
        "busy: 2 user pods, and GPU nodes (BOTTLEROCKET_x86_64_NVIDIA_FIPS), whose work no metric shows",
    ),
    "4: a pod of an Argo Workflow": (
        {"kubernetes": a_kubernetes_use(finite_pods=("ml/train-x7k2p",))},
        "busy: running until it is finished: ml/train-x7k2p",
    ),
    "4: a pod that must not be disrupted": (
        {"kubernetes": a_kubernetes_use(undisturbed_pods=("ml/notebook",))},
        "busy: not to be disturbed: ml/notebook",
    ),
    "5: one process on one of sixteen cores": (
        on_large_machines(7.8),
        "busy: CPU up to 8 % in myeks-nodegroup, 1.2 of 16 cores (baseline 2 %)",
    ),
    "5, beside it: a process on a small machine without CPU credits, at its baseline of 20 % of two CPUs": (
        nodes(nodes=1, vcpus=2, cpu=a_series(NOW, 21.0), cpu_before=an_hourly_series(NOW, 21.0)),
        "busy: CPU up to 21 % in myeks-nodegroup, 0.4 of 2 cores (baseline 21 %)",
    ),
    "5, beside it: one process on one core of Windows machines, which never rest": (
        nodes(
            vcpus=8, ami_type="WINDOWS_CORE_2022_x86_64", cpu=a_series(NOW, 16.0), cpu_before=an_hourly_series(NOW, 4.0)
        ),
        "busy: CPU up to 16 % in myeks-nodegroup, 1.3 of 8 cores (baseline 4 %)",
    ),
    "6, beside it: a websocket through the classic load balancer of a plain Service": (
        {"balancers": (a_classic_balancer(1.0, 0.0),)},
        "busy: 1 connection that lasted 3 h through the load balancer a1b2c3",
    ),
    "6, beside it: a game's UDP through a network load balancer, quiet but for its pings": (
        {"balancers": (a_network_balancer(1.0, 0.1),)},
        "busy: 1 connection that lasted 3 h through the load balancer code-server",
    ),
    "6: two long connections through a network load balancer": (
        {"balancers": (a_network_balancer(2.0, 0.0),)},
        "busy: 2 connections that lasted 3 h through the load balancer code-server",
    ),
    "6: a websocket through an application load balancer": (
        {"balancers": (a_balancer_use(NOW, lasting=a_series(NOW, 2.0)),)},
        "busy: 2 connections that lasted 3 h through the load balancer k8s-default-web",
    ),
    "coverage: a user pod on a node that is in no node group": (
        {"kubernetes": a_kubernetes_use(user_pods=1, hosts=("10.0.3.7", "10.0.0.1")), "measured_hosts": ("10.0.0.1",)},
        "busy: 1 user pod, and 1 node (10.0.3.7) in no node group, whose work no metric shows",
    ),
    "coverage: machines whose CPUs nobody saw": (
        nodes(vcpus=None),
        "not known to be idle: CPU of myeks-nodegroup: how many CPUs its machines have is not known",
    ),
    "pods waited within the window, and wait no more": (
        {
            "pending": replace(a_series(NOW), points=(*a_series(NOW, 2.0).points[:20], *a_series(NOW).points[20:])),
            **ASKED,
        },
        "busy: pods waited to be scheduled",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_work_of_each_report_is_seen(case: str) -> None:
    changes, sentence = CASES[case]
    verdict = verdict_on(**changes)
    assert not verdict.idle
    assert verdict.sentence.startswith(sentence)


QUIET: dict[str, dict[str, Any]] = {
    "scanners at a classic load balancer": {"balancers": (a_classic_balancer(1.0, 2.0),)},
    "nodes that were at work in one night": nodes(cpu_before=ONE_NIGHT_AT_WORK),
    "a group of GPU nodes at zero": {
        "nodegroups": (a_nodegroup_use(NOW), a_nodegroup_use(NOW, name="gpu", nodes=0, instance_types=("g5.xlarge",)))
    },
    "scanners open as many flows as there are": {"balancers": (a_network_balancer(2.0, 6.0),)},
    "one quiet period ends a long connection": {
        "balancers": (
            replace(
                a_network_balancer(2.0, 0.0),
                lasting=replace(a_series(NOW, 2.0), points=(*a_series(NOW, 2.0).points[:-1], a_series(NOW).points[-1])),
            ),
        )
    },
    "large machines at rest": on_large_machines(1.6),
    "pods on measured nodes": {
        "kubernetes": a_kubernetes_use(user_pods=9, hosts=("10.0.0.1",)),
        "measured_hosts": ("10.0.0.1", "10.0.0.2"),
    },
    "the system's own pods that wait for ever": {"pending": a_series(NOW, 2.0), **ASKED},
}


@pytest.mark.parametrize("case", QUIET)
def test_what_is_beside_each_report_and_no_work_is_idle(case: str) -> None:
    verdict = verdict_on(**QUIET[case])
    assert verdict.idle, verdict.sentence


@given(st.sampled_from(sorted(CASES)), st.sampled_from(sorted(QUIET)))
def test_no_source_that_answers_takes_away_what_another_told(work: str, quiet: str) -> None:
    """With any further evidence, work stays work."""
    beside = {name: value for name, value in QUIET[quiet].items() if name not in CASES[work][0]}
    assert not verdict_on(**beside, **CASES[work][0]).idle


@pytest.mark.parametrize("machines", [(2, 4), (2, 16), (3, 24), (9, 18), (4, 64), (9, 288)])
def test_one_busy_core_is_seen_in_groups_of_up_to_nine_machines_of_any_size(machines: tuple[int, int]) -> None:
    count, vcpus = machines
    resting = 0.02 * count
    at_work = 100 * (1 + resting) / vcpus
    group: NodegroupUse = a_nodegroup_use(
        NOW, nodes=count, vcpus=vcpus, cpu=a_series(NOW, at_work), cpu_before=Series(3600)
    )
    evidence: Evidence = quiet_evidence(NOW, nodegroups=(group,))
    assert sign(verdict_on(evidence), "cpu") is Sign.BUSY


@pytest.mark.parametrize("baseline", [None, 1.5, 7.8])
def test_row_5_one_process_on_one_core_of_two_machines_of_eight_is_work_whatever_went_before(
    baseline: float | None,
) -> None:
    """Issue 12, row 5: 7.8 % of sixteen CPUs. Either limit is enough: the absolute one, or the one above the baseline."""
    before = Series(3600) if baseline is None else an_hourly_series(NOW, baseline)
    verdict = verdict_on(**nodes(vcpus=16, cpu=a_series(NOW, 7.8), cpu_before=before))
    assert verdict.sentence.startswith("busy: CPU up to 8 % in myeks-nodegroup, 1.2 of 16 cores")


def test_flows_that_nobody_told_for_a_while_are_not_taken_for_none() -> None:
    """Beside row 6: a network balancer's flows are always reported; those of an application balancer only above zero."""
    balancer = a_network_balancer(2.0, 0.0)
    holed = replace(balancer, traffic=without(balancer.traffic, 10, 15), lasting=without(balancer.lasting, 10, 15))
    verdict = verdict_on(balancers=(holed,))
    assert (sign(verdict, "balancers"), verdict.idle) == (Sign.MISSING, False)
    assert verdict_on(balancers=(a_balancer_use(NOW, lasting=without(balancer.lasting, 10, 15)),)).idle
    assert verdict_on(balancers=(replace(holed, lasting=without(a_series(NOW, 0.0), 10, 15)),)).idle


def test_a_part_of_kubernetes_answer_is_work_or_not_known() -> None:
    refused = ("the API server does not let this service in (403 on GET /apis/batch/v1/jobs)",)
    part = verdict_on(kubernetes=a_kubernetes_use(untold=refused))
    assert (sign(part, "kubernetes"), part.idle) == (Sign.MISSING, False)
    assert (
        sign(verdict_on(kubernetes=a_kubernetes_use(untold=refused, finite_pods=("ml/x",))), "kubernetes") is Sign.BUSY
    )
