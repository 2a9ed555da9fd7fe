"""Simulated activity in the sandbox's clusters shows in the same AWS services as real activity, and is reproducible."""

from __future__ import annotations

import itertools
import json
import urllib.error
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.core.clock import EmulatorClock
from emulator.process import Sandbox
from sandbox.activity import call_eks, set_activity, use_kubectl
from sandbox.scenarios.fleet import put_clusters
from tests import versions

#: Yesterday at one: CloudWatch accepts two weeks and CloudTrail keeps 90 days, so no fixed day works.
NOW = EmulatorClock().now().replace(hour=13, minute=0, second=0, microsecond=0) - timedelta(days=1)
_numbers = itertools.count()


@pytest.fixture
def cluster(sandbox: Sandbox) -> Iterator[str]:
    """A cluster with two node groups of two nodes."""
    name = f"active-{next(_numbers)}"
    groups = [{"name": "one", "count": 2}, {"name": "two", "count": 2}]
    put_clusters(
        sandbox,
        [{"name": name, "version": versions.standard(), "nodegroups": groups, "tags": {"ekslab:lab-id": "lab-1"}}],
    )
    yield name
    sandbox.admin("POST", "faults", [])


def groups_of(sandbox: Sandbox, cluster: str) -> list[str]:
    eks = sandbox.client("eks")
    message = (eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"] for name in ("one", "two"))
    return [group["resources"]["autoScalingGroups"][0]["name"] for group in message]


def query(id: str, name: str, dimensions: dict[str, str], statistic: str = "Sum", period: int = 300) -> dict[str, Any]:
    namespace = "AWS/EKS" if "ClusterName" in dimensions else "AWS/EC2"
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def asked(sandbox: Sandbox, *queries: dict[str, Any], hours: int = 3, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = sandbox.client("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries), StartTime=NOW - timedelta(hours=hours), EndTime=NOW, **more
    )
    return answer


def values(answer: dict[str, Any]) -> dict[str, list[float]]:
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def requests_of(sandbox: Sandbox, cluster: str, hours: int = 3) -> list[float]:
    return values(asked(sandbox, query("r", "apiserver_request_total", {"ClusterName": cluster}), hours=hours))["r"]


def test_an_idle_cluster_makes_the_noise_of_its_nodes_for_a_week(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "idle")
    week = query("r", "apiserver_request_total", {"ClusterName": cluster}, period=3600)
    hourly = values(asked(sandbox, week, hours=7 * 24))["r"]
    assert len(hourly) == 168
    assert max(hourly) < 1.1 * min(hourly)
    assert len(requests_of(sandbox, cluster)) == 36
    assert sum(hourly) / 168 / 12 == pytest.approx(sum(requests_of(sandbox, cluster)) / 36, rel=0.05)


def test_the_same_question_has_the_same_answer(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "busy", NOW - timedelta(hours=5))
    first = requests_of(sandbox, cluster)
    assert first == requests_of(sandbox, cluster)
    assert len(set(first)) > 10


def test_people_show_from_when_they_came(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "idle")
    quiet = requests_of(sandbox, cluster)
    set_activity(sandbox, cluster, "busy", NOW - timedelta(hours=1))
    newest_first = requests_of(sandbox, cluster)
    assert newest_first[12:] == quiet[12:]
    assert max(newest_first[:12]) > 1.5 * max(quiet)
    set_activity(sandbox, cluster, "idle", NOW - timedelta(minutes=30))
    assert requests_of(sandbox, cluster)[:6] == quiet[:6]


def test_a_job_shows_in_the_processors_of_every_group(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "job", NOW - timedelta(hours=3))
    queries = [
        query(f"g{number}", "CPUUtilization", {"AutoScalingGroupName": name}, "Average")
        for number, name in enumerate(groups_of(sandbox, cluster))
    ]
    message = values(asked(sandbox, *queries))
    assert [len(message["g0"]), len(message["g1"])] == [36, 36]
    assert min(message["g0"] + message["g1"]) > 80


def test_silence_is_no_points_at_all(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "silent")
    assert requests_of(sandbox, cluster) == []


def test_what_was_put_is_told_beside_what_is_made_up(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "idle")
    datum = {
        "MetricName": "apiserver_request_total",
        "Dimensions": [{"Name": "ClusterName", "Value": "another"}],
        "Timestamp": NOW - timedelta(minutes=10),
        "Value": 7.0,
    }
    sandbox.client("cloudwatch").put_metric_data(Namespace="AWS/EKS", MetricData=[datum])
    message = values(
        asked(
            sandbox,
            query("other", "apiserver_request_total", {"ClusterName": "another"}),
            query("ours", "apiserver_request_total", {"ClusterName": cluster}),
        )
    )
    assert (message["other"], len(message["ours"])) == ([7.0], 36)
    assert list(message) == ["other", "ours"]


def test_a_long_answer_comes_in_pages_and_says_what_is_partial(sandbox: Sandbox, cluster: str) -> None:
    set_activity(sandbox, cluster, "idle")
    queries = [
        query("a", "apiserver_request_total", {"ClusterName": cluster}),
        query("b", "scheduler_schedule_attempts_SCHEDULED", {"ClusterName": cluster}),
    ]
    whole, statuses, token = values(asked(sandbox, *queries)), [], None
    pages: dict[str, list[float]] = {"a": [], "b": []}
    for _ in range(3):
        page = asked(sandbox, *queries, MaxDatapoints=25, **({"NextToken": token} if token else {}))
        statuses.append({result["Id"]: result["StatusCode"] for result in page["MetricDataResults"]})
        for id, message in values(page).items():
            pages[id] += message
        token = page.get("NextToken")
    assert (pages, token) == (whole, None)
    assert statuses == [{"a": "PartialData"}, {"a": "Complete", "b": "PartialData"}, {"b": "Complete"}]


@pytest.mark.parametrize(
    ("ids", "period"),
    [([f"q{n}" for n in range(501)], 300), (["same", "same"], 300), (["Upper"], 300), (["q"], 90)],
)
def test_it_is_as_strict_as_cloudwatch(sandbox: Sandbox, cluster: str, ids: list[str], period: int) -> None:
    set_activity(sandbox, cluster, "idle")
    with pytest.raises(ClientError, match="ValidationError"):
        asked(sandbox, *(query(id, "CPUUtilization", {"ClusterName": cluster}, period=period) for id in ids))


def test_it_can_be_made_to_refuse(sandbox: Sandbox, cluster: str) -> None:
    fault = {
        "operation": "GetMetricData",
        "times": 1,
        "error": {"code": "ThrottlingException", "message": "Rate exceeded"},
    }
    sandbox.admin("POST", "faults", [fault])
    with pytest.raises(ClientError, match="ThrottlingException"):
        requests_of(sandbox, cluster)
    requests_of(sandbox, cluster)


def test_calls_and_requests_of_people_are_in_their_logs(sandbox: Sandbox, cluster: str) -> None:
    learner = "arn:aws:iam::111122223333:user/learner"
    call_eks(sandbox, cluster, learner, NOW)
    mine = [{"AttributeKey": "Username", "AttributeValue": "learner"}]
    window = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(minutes=1)}
    events = sandbox.client("cloudtrail").lookup_events(LookupAttributes=mine, **window)["Events"]
    message = [json.loads(event["CloudTrailEvent"]) for event in events]
    assert {(event["userIdentity"]["arn"], event["requestParameters"]["name"]) for event in message} >= {
        (learner, cluster)
    }
    group = f"/aws/eks/{cluster}/cluster"
    sandbox.client("logs").create_log_group(logGroupName=group)
    use_kubectl(sandbox, cluster, learner, NOW)
    use_kubectl(sandbox, cluster, "system:apiserver", NOW)
    found = sandbox.client("logs").filter_log_events(logGroupName=group, logStreamNamePrefix="kube-apiserver-audit")
    assert [json.loads(event["message"])["user"]["username"] for event in found["events"]] == [
        learner,
        "system:apiserver",
    ]


def test_the_tagging_api_lists_clusters_with_the_labs_tag(sandbox: Sandbox, cluster: str) -> None:
    listed = sandbox.client("resourcegroupstaggingapi").get_resources(
        ResourceTypeFilters=["eks:cluster"], TagFilters=[{"Key": "ekslab:lab-id"}]
    )
    assert f"cluster/{cluster}" in {each["ResourceARN"].rpartition(":")[2] for each in listed["ResourceTagMappingList"]}


@pytest.mark.parametrize("message", [{"cluster": "c", "profile": "asleep"}, {"profile": "idle"}, None])
def test_nonsense_is_refused(sandbox: Sandbox, message: Any) -> None:
    with pytest.raises(urllib.error.HTTPError):
        sandbox.admin("POST", "activity", message)
