"""Faults affect the calls that they name, the given number of times, with AWS's own messages."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.eks.conftest import Bench, code_of


def test_a_call_is_throttled_so_many_times(bench: Bench) -> None:
    throttled = {"code": "ThrottlingException", "message": "Rate exceeded"}
    bench.eks.faults.add({"operation": "ListClusters", "times": 2, "after": 1, "error": throttled})
    eks = bench.client("eks")
    eks.list_clusters()
    for _ in range(2):
        with pytest.raises(ClientError, match="Rate exceeded") as refused:
            eks.list_clusters()
        assert code_of(refused) == "ThrottlingException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert eks.list_clusters()["clusters"] == []


def test_a_lost_answer_leaves_what_was_done_and_the_token_finds_it(bench: Bench) -> None:
    bench.eks.faults.add({"operation": "CreateCluster", "times": 1, "lostAnswer": True})
    with pytest.raises(ClientError) as lost:
        bench.create_cluster(clientRequestToken="once")
    assert code_of(lost) == "ServerException"
    assert bench.client("eks").list_clusters()["clusters"] == ["myeks"]
    assert bench.create_cluster(clientRequestToken="once")["name"] == "myeks"


def test_only_the_named_cluster_is_struck(bench: Bench) -> None:
    bench.eks.faults.add({"operation": "DescribeCluster", "cluster": "my*", "error": {"code": "ServerException"}})
    bench.create_cluster("other")
    assert bench.describe("other")["name"] == "other"
    with pytest.raises(ClientError):
        bench.describe("myeks")


def test_no_capacity_fails_the_node_group_with_a_health_issue(bench: Bench) -> None:
    issue = {"code": "AsgInstanceLaunchFailures", "message": "InsufficientInstanceCapacity: no t3.medium here"}
    bench.eks.faults.add({"operation": "CreateNodegroup", "outcome": {"issue": issue}})
    bench.active_cluster()
    group = bench.ready_nodegroup()
    assert group["status"] == "CREATE_FAILED"
    assert group["health"]["issues"][0]["message"] == issue["message"]
    bench.delete_nodegroup()


def test_a_control_plane_fails(bench: Bench) -> None:
    issue = {"code": "InsufficientFreeAddresses", "message": "No addresses left"}
    bench.eks.faults.add({"operation": "CreateCluster", "outcome": {"status": "FAILED", "issue": issue}})
    cluster = bench.active_cluster()
    assert cluster["status"] == "FAILED"
    assert cluster["health"]["issues"][0]["code"] == "InsufficientFreeAddresses"
    assert bench.client("eks").delete_cluster(name="myeks")["cluster"]["status"] == "DELETING"


def test_a_node_group_takes_its_time(bench: Bench) -> None:
    bench.eks.faults.add({"operation": "CreateNodegroup", "outcome": {"durationSeconds": 33 * 60}})
    bench.active_cluster()
    bench.clock.scale = 0.001
    bench.create_nodegroup()
    with pytest.raises(AssertionError):
        bench.until(bench.describe_nodegroup, lambda group: group["status"] == "ACTIVE", seconds=0.5)
    assert bench.until(bench.describe_nodegroup, lambda group: group["status"] == "ACTIVE")


def test_an_update_fails_and_changes_nothing(bench: Bench) -> None:
    error = {"errorCode": "IpNotAvailable", "errorMessage": "No free addresses"}
    bench.eks.faults.add({"operation": "UpdateClusterConfig", "outcome": {"error": error}})
    bench.active_cluster()
    update = bench.client("eks").update_cluster_config(name="myeks", deletionProtection=True)["update"]
    finished = bench.finished(update)
    assert finished["status"] == "Failed"
    assert finished["errors"][0]["errorCode"] == "IpNotAvailable"
    assert bench.describe()["deletionProtection"] is False


def test_a_zone_without_eks_is_named_with_those_that_have_it(bench: Bench) -> None:
    bench.eks.faults.add({"unsupportedZones": ["ap-northeast-2c"]})
    with pytest.raises(ClientError) as refused:
        bench.create_cluster()
    assert code_of(refused) == "UnsupportedAvailabilityZoneException"
    assert "ap-northeast-2a" in refused.value.response["validZones"]
    assert "ap-northeast-2c" not in refused.value.response["validZones"]


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "MakeCluster", "lostAnswer": True},
        {"operation": "CreateCluster"},
        {"error": {"code": "OutOfCheese"}},
        {"outcome": {"issue": {"code": "OutOfCheese"}}},
        {"lostAnswer": True, "typo": 1},
    ],
)
def test_a_rule_that_means_nothing_is_refused(bench: Bench, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"EKS|effect"):
        bench.eks.faults.add(rule)


def test_an_answer_can_take_longer_without_holding_up_others(bench: Bench) -> None:
    bench.active_cluster()
    bench.eks.faults.add({"operation": "DescribeCluster", "delaySeconds": 0.3})
    began = time.monotonic()
    with ThreadPoolExecutor(4) as askers:
        assert len(list(askers.map(lambda _: bench.describe(), range(4)))) == 4
    assert 0.3 <= time.monotonic() - began < 4 * 0.3
