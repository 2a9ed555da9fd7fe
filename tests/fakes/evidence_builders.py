"""Builders of evidence: a quiet cluster with every signal recorded; keyword arguments replace the fields that a test cares
about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.idleness.evidence import BalancerUse, Evidence, KubernetesUse, NodegroupUse, Series

FIVE_MINUTES = 300
HOUR = 3600
#: API server requests per minute in a cluster with two idle nodes.
NOISE = 400.0
MEGABYTE = 1_000_000.0


def a_series(now: datetime, value: float | Callable[[datetime], float] = 0.0, hours: float = 3) -> Series:
    """Five-minute periods up to `now`, all with one value or with a function of their start."""
    return _series(FIVE_MINUTES, now - timedelta(hours=hours), now, value)


def an_hourly_series(now: datetime, value: float | Callable[[datetime], float] = 0.0, days: float = 7) -> Series:
    """Hours of the `days` before the window of three hours that ends at `now`."""
    until = now - timedelta(hours=3)
    return _series(HOUR, until - timedelta(days=days), until, value)


def with_values(series: Series, changed: dict[int, float]) -> Series:
    """The series with other values at some indexes; -1 is the last."""
    points = list(series.points)
    for place, value in changed.items():
        points[place] = (points[place][0], value)
    return replace(series, points=tuple(points))


def without(series: Series, first: int, last: int) -> Series:
    """The series without the periods from index `first` up to before `last`."""
    return replace(series, points=series.points[:first] + series.points[last:])


def a_nodegroup_use(now: datetime, **changes: Any) -> NodegroupUse:
    """Two idle t3.medium: constant CPU of 3 %, and two megabytes in five minutes each way."""
    group = NodegroupUse(
        name="myeks-nodegroup",
        status="ACTIVE",
        nodes=2,
        instance_types=("t3.medium",),
        vcpus=changes.get("nodes", 2) * 2,
        cpu=a_series(now, 3.0),
        network_in=a_series(now, 2 * MEGABYTE),
        network_out=a_series(now, 2 * MEGABYTE),
        cpu_before=an_hourly_series(now, 3.0),
    )
    return replace(group, **changes)


def a_balancer_use(now: datetime, **changes: Any) -> BalancerUse:
    """An ALB without requests: CloudWatch has no data points of it."""
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/app/k8s-default-web/50dc6c495c0c9188"
    return replace(BalancerUse(arn, "application", Series(FIVE_MINUTES)), **changes)


def a_kubernetes_use(**changes: Any) -> KubernetesUse:
    """The Kubernetes API answered: two forgotten user pods, and no work."""
    return replace(KubernetesUse(user_pods=2), **changes)


def quiet_evidence(now: datetime, lab_id: str = "lab-7f3k2m9x", **changes: Any) -> Evidence:
    """A cluster idle for a week, read at `now`; its Kubernetes API is unreachable, its audit log is off."""
    evidence = Evidence(
        lab_id=lab_id,
        read_at=now,
        window_from=now - timedelta(hours=3),
        cluster_status="ACTIVE",
        cluster_tags={"ekslab:lab-id": lab_id},
        requests=a_series(now, 5 * NOISE),
        requests_before=an_hourly_series(now, 60 * NOISE),
        scheduled=a_series(now),
        scheduled_before=an_hourly_series(now),
        pending=a_series(now),
        nodegroups=(a_nodegroup_use(now),),
        balancers=(a_balancer_use(now),),
        volumes=0,
        kubernetes_problem="the endpoint is private",
    )
    return replace(evidence, **changes)


def _series(period: int, start: datetime, end: datetime, value: float | Callable[[datetime], float]) -> Series:
    steps = int((end - start) / timedelta(seconds=period))
    times = [start + timedelta(seconds=period * step) for step in range(steps)]
    return Series(period, tuple((at, value(at) if callable(value) else value) for at in times))
