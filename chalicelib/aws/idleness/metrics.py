"""Reads many CloudWatch metrics in few GetMetricData calls: 500 metrics a call, across clusters.

An answer comes in pages, and one metric's points may be spread over them: the last page's status counts. A metric
with an incomplete answer, or in a refused call, is an Unread; a metric without points is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.calls import first_pages
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.idleness.evidence import Series

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
