"""Dropped resources exist, with their controller's tags, and are reported missing once deleted."""

import json
from typing import Any

import pytest

from emulator.process import Sandbox
from sandbox.scenarios.leftover import Kind, Leftover, still_there
from sandbox.scenarios.leftovers import Cluster, drop_all, drop_guard_duty, drop_log_group
from sandbox.scenarios.look_alikes import drop_forged, drop_look_alikes


@pytest.fixture
def cluster(sandbox: Sandbox) -> Cluster:
    ec2, iam = sandbox.client("ec2"), sandbox.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ac")
    )
    role = f"node-{vpc}"
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    zone = sandbox.client("route53").create_hosted_zone(Name="lab.example.com", CallerReference=vpc)["HostedZone"]
    issuer = f"https://oidc.eks.ap-northeast-2.amazonaws.com/id/{vpc[4:].upper()}"
    return Cluster(
        f"myeks-{vpc[-6:]}", vpc, subnets, "ekslab-1", zone["Id"].rpartition("/")[2], "lab.example.com", role, issuer
    )


def test_everything_dropped_is_there(sandbox: Sandbox, cluster: Cluster) -> None:
    mine = [*drop_all(sandbox.client, cluster), *drop_guard_duty(sandbox.client, cluster)]
    theirs = drop_look_alikes(sandbox.client, cluster)
    assert {leftover.kind for leftover in mine} == set(Kind) - {Kind.LOG_GROUP}
    assert all(still_there(sandbox.client, leftover) for leftover in mine + theirs)
    assert not set(mine) & set(theirs)


def test_what_is_deleted_is_found_missing(sandbox: Sandbox, cluster: Cluster) -> None:
    (logs,) = drop_log_group(sandbox.client, cluster)
    sandbox.client("logs").delete_log_group(logGroupName=logs.id)
    assert not still_there(sandbox.client, logs)
    for leftover in (
        Leftover(Kind.INTERFACE, "eni-00000000000000000"),
        Leftover(Kind.SECURITY_GROUP, "sg-00000000000000000"),
        Leftover(Kind.VOLUME, "vol-00000000000000000"),
        Leftover(Kind.SNAPSHOT, "snap-00000000000000000"),
        Leftover(Kind.INSTANCE, "i-00000000000000000"),
        Leftover(Kind.ENDPOINT, "vpce-00000000000000000"),
        Leftover(Kind.INSTANCE_PROFILE, "gone"),
        Leftover(Kind.CLASSIC_BALANCER, "gone"),
        Leftover(Kind.LOAD_BALANCER, "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/app/a/b"),
        Leftover(Kind.TARGET_GROUP, "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:targetgroup/a/b"),
        Leftover(Kind.OIDC_PROVIDER, "arn:aws:iam::111122223333:oidc-provider/gone.example.com"),
        Leftover(Kind.RECORD, f"{cluster.hosted_zone} gone.lab.example.com A"),
    ):
        assert not still_there(sandbox.client, leftover), leftover


def test_each_has_the_arn_that_its_service_gives_it(sandbox: Sandbox) -> None:
    def arn(kind: Kind, identifier: str) -> str:
        return Leftover(kind, identifier).arn("111122223333", "ap-northeast-2")

    assert arn(Kind.VOLUME, "vol-1") == "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-1"
    assert arn(Kind.SNAPSHOT, "snap-1") == "arn:aws:ec2:ap-northeast-2::snapshot/snap-1"
    assert arn(Kind.LOG_GROUP, "/aws/eks/a/cluster").endswith(":log-group:/aws/eks/a/cluster")
    assert arn(Kind.RECORD, "Z1 a.example.com A") == "arn:aws:route53:::hostedzone/Z1/a.example.com/A"


def test_the_labs_own_and_the_look_alikes_differ_by_their_marks(sandbox: Sandbox, cluster: Cluster) -> None:
    ec2 = sandbox.client("ec2")
    mine = drop_all(sandbox.client, cluster)
    theirs = drop_look_alikes(sandbox.client, cluster)
    owned = [{"Name": f"tag:kubernetes.io/cluster/{cluster.name}", "Values": ["owned"]}]
    found = {volume["VolumeId"] for volume in ec2.describe_volumes(Filters=owned)["Volumes"]}
    assert found >= ids(mine, Kind.VOLUME)
    assert not found & ids(theirs, Kind.VOLUME)


def test_what_is_forged_bears_the_labs_tag_and_is_a_neighbours(sandbox: Sandbox, cluster: Cluster) -> None:
    forged = drop_forged(sandbox.client, cluster, "lab-0123456789ab")
    assert all(still_there(sandbox.client, thing) for thing in forged)
    marked = [{"Name": "tag:ekslab:lab-id", "Values": ["lab-0123456789ab"]}]
    found = {volume["VolumeId"] for volume in sandbox.client("ec2").describe_volumes(Filters=marked)["Volumes"]}
    assert found == ids(forged, Kind.VOLUME)


def ids(leftovers: list[Leftover], kind: Kind) -> set[Any]:
    return {leftover.id for leftover in leftovers if leftover.kind is kind}
