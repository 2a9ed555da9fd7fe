"""The region's listings and GetMetricData on a second emulator, so that no emulator's habit is taken for AWS's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.idleness.ec2 import count_volumes, find_balancers, find_machines
from chalicelib.aws.idleness.evidence import GroupSeen, Reading
from chalicelib.aws.idleness.series import MetricQuery, read_metrics
from chalicelib.domain.idleness.evidence import NodegroupUse, Series
from tests.fakes.builders import a_lab, a_spec

REGION = "ap-northeast-2"


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def tags(**more: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in more.items()]


def owned(cluster: str, **more: str) -> list[dict[str, str]]:
    return tags(**{f"kubernetes.io/cluster/{cluster}": "owned"}, **more)


def readings(*names: str) -> list[Reading]:
    return [Reading(a_lab(id=f"lab-{name}", spec=a_spec(name=name))) for name in names]


def test_instances_and_volumes_are_told_apart_by_cluster() -> None:
    ec2, [one, two] = client("ec2"), readings("one", "two")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for cluster, more in (("one", {}), ("one", {"aws:autoscaling:groupName": "eks-nodes"}), ("one-more", {})):
        specified = [{"ResourceType": "instance", "Tags": owned(cluster, **more)}]
        ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=specified)
    for cluster in ("two", "two", "one-more"):
        specified = [
            {"ResourceType": "volume", "Tags": owned(cluster, **{"kubernetes.io/created-for/pvc/name": "data"})}
        ]
        ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=specified)
    one.groups.append(GroupSeen(NodegroupUse("nodes", "ACTIVE", 1, ()), ("eks-nodes",)))
    find_machines(ec2, [one, two])
    use = one.groups[0].use
    assert (use.instance_types, len(one.measured_hosts)) == (("m1.small",), 1)
    count_volumes(ec2, [one, two])
    assert [(each.instances_outside, each.volumes) for each in (one, two)] == [(1, 0), (0, 2)]


def test_balancers_are_found_by_their_tags_and_known_by_their_kind() -> None:
    """moto's tagging API does not list classic ones; the sandbox's does."""
    ec2, elbv2 = client("ec2"), client("elbv2")
    [one] = readings("one")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    for name, kind in (("a", "application"), ("n", "network")):
        elbv2.create_load_balancer(Name=name, Type=kind, Subnets=subnets, Tags=tags(**{"elbv2.k8s.aws/cluster": "one"}))
    elbv2.create_load_balancer(Name="other", Subnets=subnets, Tags=tags(**{"elbv2.k8s.aws/cluster": "two"}))
    find_balancers(client("resourcegroupstaggingapi"), elbv2, client("elb"), [one])
    assert sorted(each.kind for each in one.balancers) == ["application", "network"]


def test_metrics_are_read_by_their_dimension_in_periods() -> None:
    cloudwatch = client("cloudwatch")
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    for name, minutes, value in (("one", 0, 1.0), ("one", 2, 2.0), ("one", 5, 7.0), ("two", 0, 100.0)):
        datum = {
            "MetricName": "apiserver_request_total",
            "Dimensions": [{"Name": "ClusterName", "Value": name}],
            "Timestamp": start + timedelta(minutes=minutes),
            "Value": value,
        }
        cloudwatch.put_metric_data(Namespace="AWS/EKS", MetricData=[datum])
    asked = MetricQuery("AWS/EKS", "apiserver_request_total", "ClusterName", "one")
    found = read_metrics(cloudwatch, [asked], start, start + timedelta(minutes=15), 300)
    assert found[asked] == Series(300, ((start, 3.0), (start + timedelta(minutes=5), 7.0)))
