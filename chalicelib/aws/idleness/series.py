"""The metrics of a lab's use, and their places in its evidence.

AWS/EKS has them by cluster, once a minute and free of charge; only their sum is valid. AWS/EC2 has them by Auto Scaling group,
every five minutes. Load balancers publish requests only if there were any. The same calls read all labs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import fmean
from typing import Any

from chalicelib.aws.idleness.ec2 import dimension_of
from chalicelib.aws.idleness.evidence import GroupSeen, MetricWindow, Reading
from chalicelib.aws.idleness.metrics import MetricQuery, Unread, read_metrics
from chalicelib.domain.idleness.evidence import BalancerUse, Series, Source

PERIOD, PERIOD_BEFORE = 300, 3600
BEFORE = timedelta(days=7)
_REQUESTS, _SCHEDULED, _PENDING = (
    "apiserver_request_total",
    "scheduler_schedule_attempts_SCHEDULED",
    "scheduler_pending_pods",
)
_CPU = "CPUUtilization"
#: kind of balancer -> namespace, dimension, metric and statistic of each use. A gateway balancer is no way into a cluster.
_TRAFFIC: Mapping[str, tuple[str, str, Mapping[str, tuple[str, str]]]] = {
    "application": (
        "AWS/ApplicationELB",
        "LoadBalancer",
        {
            "traffic": ("RequestCount", "Sum"),
            "lasting": ("ActiveConnectionCount", "Sum"),
            "opened": ("NewConnectionCount", "Sum"),
        },
    ),
    "network": (
        "AWS/NetworkELB",
        "LoadBalancer",
        {
            "traffic": ("ActiveFlowCount", "Maximum"),
            "lasting": ("ActiveFlowCount", "Minimum"),
            "opened": ("NewFlowCount", "Sum"),
        },
    ),
    # The metrics it would have as an application load balancer: a classic one's only numbers of open connections.
    "classic": (
        "AWS/ELB",
        "LoadBalancerName",
        {
            "traffic": ("RequestCount", "Sum"),
            "lasting": ("EstimatedALBActiveConnectionCount", "Sum"),
            "opened": ("EstimatedALBNewConnectionCount", "Sum"),
        },
    ),
}

Read = Mapping[MetricQuery, Series | Unread]


def read_series(cloudwatch: Any, readings: Sequence[Reading], window: MetricWindow) -> None:
    """Fill in every series of these labs: the window in five-minute periods, the week before it in hours.

    The last hour is the one in which the window begins, so that there is no gap between the two.
    """
    hour = (window.start + timedelta(hours=1) - timedelta(seconds=PERIOD)).replace(minute=0)
    now = [metric for reading in readings for metric in _in_window(reading)]
    before = [metric for reading in readings for metric in _in_week(reading)]
    seen = read_metrics(cloudwatch, now, window.start, window.end, PERIOD)
    seen_before = read_metrics(cloudwatch, before, hour - BEFORE, hour, PERIOD_BEFORE)
    for reading in readings:
        _fill_cluster(reading, seen, seen_before)
        reading.groups = [_filled(reading, group, seen, seen_before) for group in reading.groups]
        reading.balancers = [_with_traffic(reading, each, seen) for each in reading.balancers]


def _with_traffic(reading: Reading, balancer: BalancerUse, seen: Read) -> BalancerUse:
    def series(use: str) -> Series:
        return _series(reading, Source.BALANCERS, _of_balancer(balancer, use), seen)

    return replace(balancer, traffic=series("traffic"), lasting=series("lasting"), opened=series("opened"))


def _in_window(reading: Reading) -> list[MetricQuery]:
    cluster = [_of_cluster(reading, name) for name in (_REQUESTS, _SCHEDULED)]
    groups = [metric for group in reading.groups for kind in _OF_GROUP for metric in _of_group(group, kind)]
    return [*cluster, _pending(reading), *groups, *_of_balancers(reading)]


def _in_week(reading: Reading) -> list[MetricQuery]:
    processors = [metric for group in reading.groups for metric in _of_group(group, _CPU)]
    return [*(_of_cluster(reading, name) for name in (_REQUESTS, _SCHEDULED)), *processors]


def _fill_cluster(reading: Reading, seen: Read, before: Read) -> None:
    source = Source.CLUSTER_METRICS
    reading.series = {
        "requests": _series(reading, source, [_of_cluster(reading, _REQUESTS)], seen),
        "scheduled": _series(reading, source, [_of_cluster(reading, _SCHEDULED)], seen),
        "pending": _series(reading, source, [_pending(reading)], seen),
        "requests_before": _series(reading, source, [_of_cluster(reading, _REQUESTS)], before, PERIOD_BEFORE),
        "scheduled_before": _series(reading, source, [_of_cluster(reading, _SCHEDULED)], before, PERIOD_BEFORE),
    }


def _filled(reading: Reading, group: GroupSeen, seen: Read, before: Read) -> GroupSeen:
    source = Source.NODE_METRICS
    found = {kind: _series(reading, source, _of_group(group, kind), seen) for kind in _OF_GROUP}
    return replace(
        group,
        use=replace(
            group.use,
            cpu=found[_CPU],
            cpu_before=_series(reading, source, _of_group(group, _CPU), before, PERIOD_BEFORE),
            network_in=found["NetworkIn"],
            network_out=found["NetworkOut"],
        ),
    )


def _series(reading: Reading, source: str, metrics: Iterable[MetricQuery], seen: Read, period: int = PERIOD) -> Series:
    """The metrics' series in one: means of means, sums of sums. An unread metric is recorded, and leaves no points."""
    found: list[Series] = []
    statistic = ""
    for metric in metrics:
        read = seen[metric]
        if isinstance(read, Unread):
            reading.miss(source, read.why)
            return Series(period)
        found.append(read)
        statistic = metric.statistic
    if len(found) == 1:
        return found[0]
    instants = sorted({at for series in found for at, _ in series.points})
    values = {at: [value for series in found for when, value in series.points if when == at] for at in instants}
    together = fmean if statistic == "Average" else sum
    return Series(period, tuple((at, float(together(values[at]))) for at in instants))


#: metric -> statistic
_OF_GROUP = {_CPU: "Average", "NetworkIn": "Sum", "NetworkOut": "Sum"}


def _of_cluster(reading: Reading, name: str) -> MetricQuery:
    return MetricQuery("AWS/EKS", name, "ClusterName", reading.lab.name)


def _pending(reading: Reading) -> MetricQuery:
    """The sum of a count taken once a minute: divided by the minutes, it is the number of waiting pods."""
    return replace(_of_cluster(reading, _PENDING), per=PERIOD / 60)


def _of_group(group: GroupSeen, kind: str) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/EC2", kind, "AutoScalingGroupName", name, _OF_GROUP[kind])
        for name in group.auto_scaling_groups
    ]


def _of_balancers(reading: Reading) -> list[MetricQuery]:
    return [
        metric
        for each in reading.balancers
        for use in ("traffic", "lasting", "opened")
        for metric in _of_balancer(each, use)
    ]


def _of_balancer(balancer: BalancerUse, use: str) -> list[MetricQuery]:
    """A sum of a count taken once a minute is divided by the minutes."""
    namespace, dimension, metrics = _TRAFFIC[balancer.kind]
    name, statistic = metrics[use]
    per = PERIOD / 60 if name.endswith("ActiveConnectionCount") else 1.0
    return [MetricQuery(namespace, name, dimension, dimension_of(balancer.arn), statistic, per)]
