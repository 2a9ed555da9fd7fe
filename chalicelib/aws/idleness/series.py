"""The metrics of a lab's use, and their places in its evidence.

AWS/EKS has them by cluster, once a minute and free of charge; only their sum is valid. AWS/EC2 has them by Auto Scaling group,
every five minutes. Load balancers publish requests only if there were any. The same calls read all labs, 500 metrics a call.
An answer comes in pages, and one metric's points may be spread over them: the last page's status counts. A metric with an
incomplete answer, or in a refused call, is an Unread; a metric without points is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from chalicelib.aws.clients.calls import first_pages
from chalicelib.aws.idleness.ec2 import dimension_of
from chalicelib.aws.idleness.evidence import GroupSeen, MetricWindow, Reading
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.idleness.evidence import BalancerUse, Series, Source

#: GetMetricData's maximum.
QUERIES = 500
#: No answer to 500 queries over a week is this long; a longer one is broken.
_PAGES = 40


@dataclass(frozen=True)
class MetricQuery:
    """One metric of one resource. `statistic` in CloudWatch's words; values are divided by `per`."""

    namespace: str
    name: str
    dimension: str
    value: str
    statistic: str = "Sum"
    per: float = 1.0


@dataclass(frozen=True)
class Unread:
    """Why a metric's points are missing or incomplete."""

    why: str


@dataclass
class _Gathered:
    status: str = ""
    why: str = ""
    points: dict[datetime, float] = field(default_factory=dict)


def read_metrics(
    cloudwatch: Any, metrics: Sequence[MetricQuery], start: datetime, end: datetime, period: int
) -> dict[MetricQuery, Series | Unread]:
    """Each metric's series over `start` ≤ t < `end`, which are on whole periods. Never raises AWS's errors."""
    found: dict[MetricQuery, Series | Unread] = {}
    distinct = list(dict.fromkeys(metrics))
    for first in range(0, len(distinct), QUERIES):
        some = distinct[first : first + QUERIES]
        try:
            found |= _call(cloudwatch, some, start, end, period)
        except EkslabError as error:
            found |= dict.fromkeys(some, Unread(str(error)))
    return found


def _call(
    cloudwatch: Any, metrics: Sequence[MetricQuery], start: datetime, end: datetime, period: int
) -> dict[MetricQuery, Series | Unread]:
    by_id = {f"q{number}": metric for number, metric in enumerate(metrics)}
    gathered = {query: _Gathered() for query in by_id}
    queries = [_query(query, metric, period) for query, metric in by_id.items()]
    asked = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
    for page, _ in first_pages(cloudwatch, "cloudwatch:GetMetricData", _PAGES, **asked):
        for result in page.get("MetricDataResults", []):
            _take(gathered[result["Id"]], result)
    return {metric: _settled(gathered[query], metric, period) for query, metric in by_id.items()}


def _query(query: str, metric: MetricQuery, period: int) -> dict[str, Any]:
    dimensions = [{"Name": metric.dimension, "Value": metric.value}]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": query, "MetricStat": {"Metric": named, "Period": period, "Stat": metric.statistic}}


def _take(gathered: _Gathered, result: Mapping[str, Any]) -> None:
    gathered.status = result.get("StatusCode", "")
    messages = result.get("Messages") or []
    gathered.why = "; ".join(f"{message.get('Code')}: {message.get('Value')}" for message in messages)
    for at, value in zip(result.get("Timestamps", []), result.get("Values", []), strict=True):
        gathered.points[at.astimezone(UTC)] = float(value)


def _settled(gathered: _Gathered, metric: MetricQuery, period: int) -> Series | Unread:
    if gathered.status != "Complete":
        status = gathered.status or "NoAnswer"
        return Unread(
            Sentence(
                "cloudwatch:GetMetricData: {status}: {name} {why}",
                status=status,
                name=metric.name,
                why=gathered.why or Sentence("is not all there"),
            )
        )
    points = sorted(gathered.points.items())
    return Series(period, tuple((at, value / metric.per) for at, value in points))


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
