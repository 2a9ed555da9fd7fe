"""GetMetricData against a CloudWatch with pages, broken connections, refusals and gaps: the data, and the number of calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.idleness.series import MetricQuery, Unread, read_metrics
from chalicelib.domain.idleness.evidence import Series
from tests.aws.paginators import paginator_of

END = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
START = END - timedelta(minutes=15)
INSTANTS = tuple(START + timedelta(minutes=minutes) for minutes in (0, 5, 10))

Request = Mapping[str, Any]
Page = dict[str, Any]


@dataclass
class FakeCloudWatch:
    """Answers each request with the next of `answers`, repeating the last one; an exception is raised."""

    answers: list[Callable[[Request], Page]]
    requests: list[Request] = field(default_factory=list)

    def get_paginator(self, operation: str) -> Any:
        return paginator_of("cloudwatch", operation, getattr(self, operation))

    def get_metric_data(self, **request: Any) -> Page:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def result(id: str, values: Mapping[datetime, float], status: str = "Complete", **more: Any) -> Page:
    newest_first = sorted(values.items(), reverse=True)
    points = {"Timestamps": [at for at, _ in newest_first], "Values": [value for _, value in newest_first]}
    return {"Id": id, "Label": id, "StatusCode": status, **points, **more}


def all_complete(request: Request) -> Page:
    queries = request["MetricDataQueries"]
    return {"MetricDataResults": [result(query["Id"], dict.fromkeys(INSTANTS, 1.0)) for query in queries]}


def page(*results: Page, token: str | None = None) -> Callable[[Request], Page]:
    """`token` starts the next one's, since AWS repeats none."""
    numbers = itertools.count()
    return lambda request: (
        {"MetricDataResults": list(results)} | ({"NextToken": f"{token}-{next(numbers)}"} if token else {})
    )


def refused(code: str, status: int = 400) -> Callable[[Request], Page]:
    def answer(request: Request) -> Page:
        message = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(message, "GetMetricData")

    return answer


def metrics(count: int) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/EKS", "apiserver_request_total", "ClusterName", f"lab-{number}") for number in range(count)
    ]


def read(cloudwatch: FakeCloudWatch, asked: list[MetricQuery]) -> dict[MetricQuery, Series | Unread]:
    return read_metrics(cloudwatch, asked, START, END, 300)


def test_a_call_takes_five_hundred_metrics_and_no_more() -> None:
    cloudwatch = FakeCloudWatch([all_complete])
    found = read(cloudwatch, metrics(1001))
    assert [len(request["MetricDataQueries"]) for request in cloudwatch.requests] == [500, 500, 1]
    assert len(found) == 1001
    assert all(isinstance(series, Series) for series in found.values())


def test_nothing_to_ask_is_no_call() -> None:
    cloudwatch = FakeCloudWatch([all_complete])
    assert read(cloudwatch, []) == {}
    assert cloudwatch.requests == []


def test_a_metric_asked_for_twice_is_asked_once() -> None:
    cloudwatch = FakeCloudWatch([all_complete])
    read(cloudwatch, metrics(1) * 3)
    assert len(cloudwatch.requests[0]["MetricDataQueries"]) == 1


def test_points_come_oldest_first_whatever_the_order_of_the_answer() -> None:
    [one] = metrics(1)
    values = dict(zip(INSTANTS, (1.0, 2.0, 3.0), strict=True))
    found = read(FakeCloudWatch([page(result("q0", values))]), [one])
    assert found[one] == Series(300, tuple(values.items()))


def test_a_metric_spread_over_pages_is_put_together() -> None:
    one, two = metrics(2)
    cloudwatch = FakeCloudWatch(
        [
            page(result("q0", {INSTANTS[2]: 3.0}, "PartialData"), token="more"),
            page(result("q0", {INSTANTS[1]: 2.0, INSTANTS[0]: 1.0}), result("q1", {INSTANTS[0]: 9.0})),
        ]
    )
    found = read(cloudwatch, [one, two])
    assert found[one] == Series(300, tuple(zip(INSTANTS, (1.0, 2.0, 3.0), strict=True)))
    assert found[two] == Series(300, ((INSTANTS[0], 9.0),))
    assert [request.get("NextToken") for request in cloudwatch.requests] == [None, "more-0"]


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_a_metric_that_is_not_complete_is_unread_and_the_others_are_read(status: str) -> None:
    one, two = metrics(2)
    messages = [{"Code": "Oops", "Value": "try again"}]
    broken = result("q0", {INSTANTS[0]: 1.0}, status, Messages=messages)
    found = read(FakeCloudWatch([page(broken, result("q1", {}))]), [one, two])
    message = found[one]
    assert isinstance(message, Unread)
    assert status in message.why
    assert "Oops: try again" in message.why
    assert found[two] == Series(300)


def test_no_points_are_an_answer_and_no_result_is_none() -> None:
    one, two = metrics(2)
    found = read(FakeCloudWatch([page(result("q0", {}))]), [one, two])
    assert found[one] == Series(300)
    assert isinstance(found[two], Unread)


@pytest.mark.parametrize(
    ("code", "status"), [("Throttling", 400), ("InternalServiceFault", 500), ("AccessDenied", 403)]
)
def test_a_refused_call_leaves_its_metrics_unread_and_the_next_call_goes_on(code: str, status: int) -> None:
    asked = metrics(501)
    found = read(FakeCloudWatch([refused(code, status), all_complete]), asked)
    unread = [metric for metric in asked if isinstance(found[metric], Unread)]
    assert unread == asked[:500]
    message = found[asked[0]]
    assert isinstance(message, Unread)
    assert code in message.why


def test_an_answer_refused_half_way_is_not_half_an_answer() -> None:
    one, two = metrics(2)
    cloudwatch = FakeCloudWatch([page(result("q0", {INSTANTS[0]: 1.0}), token="more"), refused("Throttling")])
    assert all(isinstance(each, Unread) for each in read(cloudwatch, [one, two]).values())


def test_an_answer_without_an_end_ends() -> None:
    [one] = metrics(1)
    cloudwatch = FakeCloudWatch([page(result("q0", {INSTANTS[0]: 1.0}, "PartialData"), token="again")])
    assert isinstance(read(cloudwatch, [one])[one], Unread)
    assert len(cloudwatch.requests) < 100


def test_a_sum_of_counts_taken_each_minute_is_told_as_their_mean() -> None:
    pending = MetricQuery("AWS/EKS", "scheduler_pending_pods", "ClusterName", "myeks", per=5)
    found = read(FakeCloudWatch([page(result("q0", {INSTANTS[0]: 15.0}))]), [pending])
    assert found[pending] == Series(300, ((INSTANTS[0], 3.0),))
