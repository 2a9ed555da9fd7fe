"""The sandbox's additions to the emulator are active: EKS behind IAM, tags for all services, quotas, image parameters."""

import json
import urllib.error
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Credentials, Sandbox

Allow = Callable[..., Credentials]


@pytest.fixture
def user_who_may(sandbox: Sandbox) -> Iterator[Allow]:
    """Make a user with one statement's permission."""
    iam = sandbox.client("iam")
    made: list[str] = []

    def make(*actions: str, resource: str = "*") -> Credentials:
        name = f"user-{len(made)}"
        made.append(name)
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
        return sandbox.credentials_for(name)

    yield make
    for name in made:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="only")
        iam.delete_user(UserName=name)


@pytest.fixture
def cluster_request(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    ec2, iam = sandbox.client("ec2"), sandbox.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="cluster", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    yield {
        "name": "mounted",
        "roleArn": role,
        "resourcesVpcConfig": {"subnetIds": [subnet["SubnetId"] for subnet in subnets]},
        "tags": {"ekslab:lab": "lab-1"},
    }
    iam.delete_role(RoleName="cluster")


def test_versions_are_denied_to_whom_they_are_not_allowed(sandbox: Sandbox, user_who_may: Allow) -> None:
    allowed = sandbox.client("eks", credentials=user_who_may("eks:DescribeClusterVersions"))
    assert allowed.describe_cluster_versions()["clusterVersions"]
    assert denied(sandbox.client("eks", credentials=user_who_may("eks:ListClusters")).describe_cluster_versions)


def test_a_node_group_is_a_resource_of_its_own(sandbox: Sandbox, user_who_may: Allow) -> None:
    clusters_only = user_who_may("eks:*", resource=f"arn:aws:eks:*:{sandbox.account}:cluster/*")
    eks = sandbox.client("eks", credentials=clusters_only)
    assert denied(eks.delete_nodegroup, clusterName="myeks", nodegroupName="nodes")
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.list_nodegroups(clusterName="myeks")


def test_a_cluster_needs_the_right_to_pass_its_role(
    sandbox: Sandbox, user_who_may: Allow, cluster_request: dict[str, Any]
) -> None:
    without = sandbox.client("eks", credentials=user_who_may("eks:*"))
    assert "iam:PassRole" in denied(without.create_cluster, **cluster_request)


def test_the_tagging_api_sees_clusters_networks_and_balancers(
    sandbox: Sandbox, cluster_request: dict[str, Any]
) -> None:
    ec2, eks = sandbox.client("ec2"), sandbox.client("eks")
    arns = {eks.create_cluster(**cluster_request)["cluster"]["arn"]}
    tags = [{"Key": "ekslab:lab", "Value": "lab-1"}]
    subnets = cluster_request["resourcesVpcConfig"]["subnetIds"]
    ec2.create_tags(Resources=subnets, Tags=tags)
    arns |= {f"arn:aws:ec2:ap-northeast-2:{sandbox.account}:subnet/{subnet}" for subnet in subnets}
    elbv2, elb = sandbox.client("elbv2"), sandbox.client("elb")
    balancer = elbv2.create_load_balancer(Name="tagged", Subnets=subnets, Tags=tags)["LoadBalancers"][0]
    arns.add(balancer["LoadBalancerArn"])
    listeners = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}]
    elb.create_load_balancer(LoadBalancerName="classic", Listeners=listeners, Subnets=subnets, Tags=tags)
    arns.add(f"arn:aws:elasticloadbalancing:ap-northeast-2:{sandbox.account}:loadbalancer/classic")
    sandbox.client("logs").create_log_group(logGroupName="/tagged", tags={"ekslab:lab": "lab-1"})
    arns.add(f"arn:aws:logs:ap-northeast-2:{sandbox.account}:log-group:/tagged")

    def found() -> set[str]:
        filters = [{"Key": "ekslab:lab", "Values": ["lab-1"]}]
        listed = sandbox.client("resourcegroupstaggingapi").get_resources(TagFilters=filters)
        return {each["ResourceARN"] for each in listed["ResourceTagMappingList"]}

    assert found() == arns
    elb.delete_load_balancer(LoadBalancerName="classic")
    elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    assert {arn for arn in found() if "loadbalancer" in arn} == set()


def test_an_oidc_providers_tags_can_be_listed(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    url, tags = "https://oidc.example.com/id/1", [{"Key": "a", "Value": "b"}]
    arn = iam.create_open_id_connect_provider(Url=url, Tags=tags)["OpenIDConnectProviderArn"]
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == tags
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)


def test_ekss_machine_images_have_parameters(sandbox: Sandbox) -> None:
    base = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id"
    ssm = sandbox.client("ssm")
    assert ssm.get_parameter(Name=base)["Parameter"]["Value"].startswith("ami-")
    linux = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert ssm.get_parameter(Name=linux)["Parameter"]["Value"].startswith("ami-")


def test_quotas_are_told_and_can_be_lowered(sandbox: Sandbox, user_who_may: Allow) -> None:
    quotas = sandbox.client("service-quotas")
    asked_for = {"ServiceCode": "eks", "QuotaCode": "L-1194D53C"}
    assert quotas.get_service_quota(**asked_for)["Quota"]["Value"] == 100
    sandbox.admin("POST", "quotas", {"eks/L-1194D53C": 1})
    assert quotas.get_service_quota(**asked_for)["Quota"]["Value"] == 1
    sandbox.admin("POST", "quotas", {"eks/L-1194D53C": 100})
    assert {quota["ServiceCode"] for quota in quotas.list_service_quotas(ServiceCode="vpc")["Quotas"]} == {"vpc"}
    assert denied(sandbox.client("service-quotas", credentials=user_who_may("eks:*")).get_service_quota, **asked_for)


def test_the_calendar_moves_by_command(sandbox: Sandbox) -> None:
    def status() -> str:
        versions = sandbox.client("eks").describe_cluster_versions(clusterVersions=["1.31"])["clusterVersions"]
        return str(versions[0]["versionStatus"])

    sandbox.admin("POST", "clock", {"now": "2026-11-23T12:00:00Z"})
    assert status() == "EXTENDED_SUPPORT"
    sandbox.admin("POST", "clock", {"advance": 4 * 86400})
    assert status() == "UNSUPPORTED"
    sandbox.admin("POST", "clock", {"now": "2026-11-23T12:00:00Z"})
    with pytest.raises(urllib.error.HTTPError):
        sandbox.admin("POST", "clock", {"tomorrow": True})


def test_faults_are_set_by_command(sandbox: Sandbox) -> None:
    error = {"code": "ThrottlingException", "message": "Rate exceeded"}
    sandbox.admin("POST", "faults", [{"operation": "ListClusters", "times": 1, "error": error}])
    with pytest.raises(ClientError, match="ThrottlingException"):
        sandbox.client("eks").list_clusters()
    sandbox.client("eks").list_clusters()
    sandbox.admin("PATCH", "faults", [{"operation": "ListNodegroups", "error": error}])
    sandbox.admin("PATCH", "faults", [{"operation": "DescribeCluster", "error": error}])
    for call in (sandbox.client("eks").list_nodegroups, sandbox.client("eks").describe_cluster):
        with pytest.raises(ClientError, match="ThrottlingException"):
            call(**{"clusterName" if call.__name__ == "list_nodegroups" else "name": "any"})
    sandbox.admin("POST", "faults", [])


def denied(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(error.value.response["Error"]["Message"])
