"""Clusters start slowly, and refuse requests and leave resources behind as in EKS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.eks.conftest import Bench, code_of, make_role


def test_a_new_cluster_is_creating_and_has_no_endpoint_yet(bench: Bench) -> None:
    cluster = bench.create_cluster()
    assert cluster["status"] == "CREATING"
    assert "endpoint" not in cluster
    assert cluster["upgradePolicy"] == {"supportType": "EXTENDED"}
    assert cluster["accessConfig"]["authenticationMode"] == "CONFIG_MAP"


def test_an_active_cluster_has_everything_a_client_needs(bench: Bench) -> None:
    cluster = bench.active_cluster(tags={"lab": "one"})
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"].startswith("https://")
    assert cluster["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.ap-northeast-2.amazonaws.com/id/")
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]
    assert cluster["resourcesVpcConfig"]["vpcId"] == bench.vpc
    assert cluster["tags"] == {"lab": "one"}


def test_eks_makes_a_group_and_interfaces_for_the_control_plane_and_takes_them_away(bench: Bench) -> None:
    group_id = bench.active_cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    ec2 = bench.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    assert group["GroupName"].startswith("eks-cluster-sg-myeks-")
    assert {"Key": "aws:eks:cluster-name", "Value": "myeks"} in group["Tags"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group_id
    assert len(control_plane_interfaces(bench, group_id)) == 2
    delete_and_wait(bench)
    assert control_plane_interfaces(bench, group_id) == []
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        ec2.describe_security_groups(GroupIds=[group_id])


def test_the_group_stays_behind_when_an_interface_still_uses_it(bench: Bench) -> None:
    group_id = bench.active_cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    ec2 = bench.client("ec2")
    made = ec2.create_network_interface(SubnetId=bench.public[0], Groups=[group_id])["NetworkInterface"]
    delete_and_wait(bench)
    assert ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    ec2.delete_security_group(GroupId=group_id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": "1.28"}, "InvalidParameterException"),
        ({"version": "9.99"}, "InvalidParameterException"),
        ({"name": "under_score-is-fine-but-dot.is-not"}, "InvalidParameterException"),
        ({"roleArn": "arn:aws:iam::111122223333:role/nobody"}, "InvalidParameterException"),
        ({"resourcesVpcConfig": {"subnetIds": ["subnet-00000000000000000"]}}, "InvalidParameterException"),
    ],
)
def test_what_eks_refuses_at_creation(bench: Bench, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        bench.create_cluster(**{"name": "myeks", **change})
    assert code_of(refused) == code
    assert bench.client("eks").list_clusters()["clusters"] == []


def test_addresses_of_documentation_are_no_public_access(bench: Bench) -> None:
    asked = {"subnetIds": [*bench.public], "publicAccessCidrs": ["52.94.76.0/24", "203.0.113.0/24"]}
    with pytest.raises(ClientError, match=r"not allowed in publicAccessCidrs: \[203\.0\.113\.0/24\]"):
        bench.create_cluster(name="myeks", resourcesVpcConfig=asked)


def test_subnets_of_one_zone_are_refused(bench: Bench) -> None:
    one_zone = [bench.public[0], bench.private[0]]
    with pytest.raises(ClientError, match="two different AZs"):
        bench.create_cluster(resourcesVpcConfig={"subnetIds": one_zone})


def test_a_role_that_does_not_trust_eks_is_refused(bench: Bench) -> None:
    wrong = make_role(bench, "trusts-lambda", "lambda.amazonaws.com")
    with pytest.raises(ClientError, match="the trusted entity is not correct"):
        bench.create_cluster(roleArn=wrong)
    bench.client("iam").delete_role(RoleName="trusts-lambda")


def test_the_same_token_gives_the_same_cluster_and_another_request_is_refused(bench: Bench) -> None:
    first = bench.create_cluster(clientRequestToken="once")
    assert bench.create_cluster(clientRequestToken="once")["arn"] == first["arn"]
    with pytest.raises(ClientError) as refused:
        bench.create_cluster(clientRequestToken="once", tags={"other": "request"})
    assert code_of(refused) == "InvalidParameterException"
    with pytest.raises(ClientError) as taken:
        bench.create_cluster(clientRequestToken="twice")
    assert code_of(taken) == "ResourceInUseException"
    assert taken.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_a_name_and_its_token_are_free_again_after_deletion(bench: Bench) -> None:
    bench.active_cluster(clientRequestToken="once")
    delete_and_wait(bench)
    assert bench.create_cluster(clientRequestToken="once")["status"] == "CREATING"


def test_a_protected_cluster_is_not_deleted(bench: Bench) -> None:
    bench.active_cluster(deletionProtection=True)
    with pytest.raises(ClientError) as refused:
        bench.client("eks").delete_cluster(name="myeks")
    assert code_of(refused) == "InvalidRequestException"


def test_a_subnet_that_goes_while_the_cluster_is_made_fails_it(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    made = ec2.create_subnet(VpcId=bench.vpc, CidrBlock="192.168.9.0/24", AvailabilityZone="ap-northeast-2c")["Subnet"]
    bench.clock.scale = 0.002
    bench.create_cluster(resourcesVpcConfig={"subnetIds": [bench.public[0], made["SubnetId"]]})
    ec2.delete_subnet(SubnetId=made["SubnetId"])
    cluster = bench.until(bench.describe, lambda seen: seen["status"] != "CREATING")
    assert cluster["status"] == "FAILED"
    assert cluster["health"]["issues"][0]["code"] == "Ec2SubnetNotFound"
    delete_and_wait(bench)


def test_clusters_are_listed_in_pages(bench: Bench) -> None:
    for name in ("c", "a", "b"):
        bench.create_cluster(name)
    pages = bench.client("eks").get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    assert [page["clusters"] for page in pages] == [["a", "b"], ["c"]]


def test_accounts_do_not_see_each_other(bench: Bench) -> None:
    bench.create_cluster()
    stranger = Bench(bench.url, bench.eks, bench.clock, account="999988887777")
    assert stranger.client("eks").list_clusters()["clusters"] == []


def test_a_deleted_log_group_comes_back_once(bench: Bench) -> None:
    bench.active_cluster(logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]})
    bench.clock.scale = 0.003
    delete_and_wait(bench)
    logs = bench.client("logs")
    assert log_groups(bench) == ["/aws/eks/myeks/cluster"]
    logs.delete_log_group(logGroupName="/aws/eks/myeks/cluster")
    bench.until(lambda: log_groups(bench), bool)
    logs.delete_log_group(logGroupName="/aws/eks/myeks/cluster")
    with pytest.raises(AssertionError):
        bench.until(lambda: log_groups(bench), bool, seconds=1)


def test_an_operation_nobody_wrote_says_so(bench: Bench) -> None:
    with pytest.raises(ClientError, match="ListCapabilities"):
        bench.client("eks").list_capabilities(clusterName="myeks")


def delete_and_wait(bench: Bench) -> None:
    bench.client("eks").delete_cluster(name="myeks")
    bench.until(lambda: bench.client("eks").list_clusters()["clusters"], lambda names: not names)


def control_plane_interfaces(bench: Bench, group_id: str) -> list[str]:
    found = bench.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    ours = [each for each in found if any(group["GroupId"] == group_id for group in each["Groups"])]
    return [each["NetworkInterfaceId"] for each in ours if each["Description"] == "Amazon EKS myeks"]


def log_groups(bench: Bench) -> list[str]:
    groups = bench.client("logs").describe_log_groups(logGroupNamePrefix="/aws/eks/")["logGroups"]
    return [group["logGroupName"] for group in groups]
