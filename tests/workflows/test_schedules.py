"""Workflows started by events: one run a day however often the schedule fires, and AWS Health's events on their clusters."""

from __future__ import annotations

from typing import Any

from chalicelib.workflows.schedules import start_curfew, start_watch_support, take_health_event
from tests.fakes import NOW, make_deps
from tests.fakes.fleet_builders import a_key, a_watched

EVENT_ARN = "arn:aws:health:ap-northeast-2::event/EKS/AWS_EKS_PLANNED_LIFECYCLE_EVENT/1"


def health_event(name: str, status: str = "PENDING", code: str = "open", **detail: Any) -> dict[str, Any]:
    key = a_key(name)
    arn = f"arn:aws:eks:{key.region}:{key.account}:cluster/{name}"
    message = {
        "eventArn": EVENT_ARN,
        "service": "EKS",
        "eventTypeCode": "AWS_EKS_PLANNED_LIFECYCLE_EVENT",
        "statusCode": code,
        "affectedEntities": [{"entityValue": arn, "status": status}],
    }
    return {
        "source": "aws.health",
        "detail-type": "AWS Health Event",
        "account": key.account,
        "detail": message | detail,
    }


def test_a_schedule_event_that_comes_twice_starts_one_run_with_its_own_time() -> None:
    world = make_deps()
    for _ in range(2):
        start_watch_support(world.deps, "2026-12-01T06:00:00Z")
    start_watch_support(world.deps, "2026-12-02T06:00:00Z")
    assert world.workflows.started == [
        ("watch_support", "watch-2026-12-01", {"time": "2026-12-01T06:00:00+00:00"}),
        ("watch_support", "watch-2026-12-02", {"time": "2026-12-02T06:00:00+00:00"}),
    ]


def test_an_hour_has_one_sweep_with_its_own_time() -> None:
    world = make_deps()
    for time in ("2026-12-01T06:00:10Z", "2026-12-01T06:00:40Z", "2026-12-01T16:01:00+09:00"):
        start_curfew(world.deps, time)
    assert world.workflows.started == [
        ("curfew", "curfew-2026-12-01T06", {"time": "2026-12-01T06:00:10+00:00"}),
        ("curfew", "curfew-2026-12-01T07", {"time": "2026-12-01T07:01:00+00:00"}),
    ]


def test_the_day_of_a_run_is_the_day_in_utc() -> None:
    world = make_deps()
    start_watch_support(world.deps, "2026-12-01T20:00:00-08:00")
    assert world.workflows.names("watch_support") == ["watch-2026-12-02"]


def test_without_a_time_the_clock_tells_it() -> None:
    world = make_deps()
    assert start_watch_support(world.deps)["time"] == NOW.isoformat()


def test_what_aws_health_says_is_kept_with_the_cluster_and_makes_no_notice() -> None:
    world = make_deps()
    world.watch.store.put(a_watched("orders"))
    event = health_event("orders")
    assert take_health_event(world.deps, event) == {"taken": True, "clusters": 1, "unknown": 0}
    take_health_event(world.deps, event)
    assert world.watch.store.kept[a_key("orders")].health_event_arn == EVENT_ARN
    assert world.watch.store.notices == {}
    take_health_event(world.deps, health_event("orders", status="RESOLVED"))
    assert world.watch.store.kept[a_key("orders")].health_event_arn is None


def test_other_events_and_clusters_nobody_watches_change_nothing() -> None:
    world = make_deps()
    other = take_health_event(world.deps, health_event("orders", eventTypeCode="AWS_EKS_OPERATIONAL_ISSUE"))
    assert other["taken"] is False
    assert take_health_event(world.deps, health_event("orders"))["unknown"] == 1
    assert world.watch.store.kept == {}
