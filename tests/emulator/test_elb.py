"""Load balancers with AWS's rules: idempotent creations, protected deletions, ARNs by type. moto runs the same cases where it
can.

Sources: API reference of CreateLoadBalancer, CreateTargetGroup and DeleteLoadBalancer; the refusals' words as quoted in
kubernetes-sigs/aws-load-balancer-controller#3173, fortinet/fortigate-terraform-deploy#21 and aws-cloudformation/rain#187.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from emulator.process import Sandbox


class Balancers:
    """A network and a client, of the emulator or of moto."""

    def __init__(self, ec2: Any, elb: Any) -> None:
        self.elb = elb
        self.vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        zones = enumerate(("ap-northeast-2a", "ap-northeast-2c"))
        subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone) for n, zone in zones
        ]
        self.subnets = [made["Subnet"]["SubnetId"] for made in subnets]

    def create(self, name: str, **more: Any) -> dict[str, Any]:
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets, **more)["LoadBalancers"][0]
        return dict(made)

    def target_group(self, name: str, port: int = 80, **more: Any) -> dict[str, Any]:
        request = {"Name": name, "Protocol": "HTTP", "Port": port, "VpcId": self.vpc}
        return dict(self.elb.create_target_group(**request, **more)["TargetGroups"][0])


@pytest.fixture(scope="module")
def ours(sandbox: Sandbox) -> Balancers:
    return Balancers(sandbox.client("ec2"), sandbox.client("elbv2"))


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Balancers]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        region = "ap-northeast-2"
        yield Balancers(boto3.client("ec2", region_name=region), boto3.client("elbv2", region_name=region))


@pytest.fixture(params=["ours", "moto"])
def balancers(request: pytest.FixtureRequest) -> Balancers:
    found: Balancers = request.getfixturevalue(request.param)
    return found


def refusal(call: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    return dict(refused.value.response["Error"])


def test_a_protected_balancer_is_not_deleted_until_it_is_released(ours: Balancers) -> None:
    balancers = ours  # moto deletes it all the same.
    arn = balancers.create("protected")["LoadBalancerArn"]
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    balancers.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    error = refusal(lambda: balancers.elb.delete_load_balancer(LoadBalancerArn=arn))
    assert error["Code"] == "OperationNotPermitted"
    assert "deletion protection is enabled" in error["Message"]
    protect[0]["Value"] = "false"
    balancers.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    balancers.elb.delete_load_balancer(LoadBalancerArn=arn)
    gone = refusal(lambda: balancers.elb.describe_load_balancers(LoadBalancerArns=[arn]))
    assert gone["Code"] == "LoadBalancerNotFound"


def test_the_refusal_names_the_balancer_in_aws_s_words(ours: Balancers) -> None:
    arn = ours.create("worded")["LoadBalancerArn"]
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    ours.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    error = refusal(lambda: ours.elb.delete_load_balancer(LoadBalancerArn=arn))
    assert error["Message"] == f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"


def test_the_arn_says_the_type(ours: Balancers) -> None:
    balancers = ours  # moto knows `app` alone.
    assert ":loadbalancer/app/a/" in balancers.create("a")["LoadBalancerArn"]
    network = balancers.create("n", Type="network")
    assert ":loadbalancer/net/n/" in network["LoadBalancerArn"]
    [found] = balancers.elb.describe_load_balancers(LoadBalancerArns=[network["LoadBalancerArn"]])["LoadBalancers"]
    assert found["Type"] == "network"


def test_the_same_balancer_asked_for_again_is_the_one_that_is_there(ours: Balancers) -> None:
    first = ours.create("same", Scheme="internal", Tags=[{"Key": "whose", "Value": "theirs"}])["LoadBalancerArn"]
    again = ours.create("same", Scheme="internal", Tags=[{"Key": "whose", "Value": "mine"}])["LoadBalancerArn"]
    assert again == first
    [described] = ours.elb.describe_tags(ResourceArns=[first])["TagDescriptions"]
    assert described["Tags"] == [{"Key": "whose", "Value": "theirs"}]
    error = refusal(lambda: ours.create("same", Scheme="internet-facing"))
    message = "A load balancer with the same name 'same' exists, but with different settings"
    assert (error["Code"], error["Message"]) == ("DuplicateLoadBalancerName", message)


def test_the_same_target_group_asked_for_again_is_the_one_that_is_there(ours: Balancers) -> None:
    first = ours.target_group("same")["TargetGroupArn"]
    assert ours.target_group("same", Tags=[{"Key": "a", "Value": "b"}])["TargetGroupArn"] == first
    error = refusal(lambda: ours.target_group("same", port=81))
    message = "A target group with the same name 'same' exists, but with different settings"
    assert (error["Code"], error["Message"]) == ("DuplicateTargetGroupName", message)


def test_other_settings_under_a_taken_name_are_refused(balancers: Balancers) -> None:
    balancers.target_group("taken")
    assert refusal(lambda: balancers.target_group("taken", port=8080))["Code"] == "DuplicateTargetGroupName"


def test_an_application_load_balancer_is_in_two_zones(ours: Balancers) -> None:
    one = ours.subnets[:1]
    error = refusal(lambda: ours.elb.create_load_balancer(Name="one-zone", Subnets=one))
    message = "At least two subnets in two different Availability Zones must be specified"
    assert (error["Code"], error["Message"]) == ("ValidationError", message)
    ours.elb.create_load_balancer(Name="one-zone", Subnets=one, Type="network")


def test_names_have_32_characters(balancers: Balancers, request: pytest.FixtureRequest) -> None:
    error = refusal(lambda: balancers.target_group("x" * 33))
    message = f"Target group name '{'x' * 33}' cannot be longer than '32' characters"
    assert (error["Code"], error["Message"]) == ("ValidationError", message)
    if "ours" in request.node.name:  # moto accepts it.
        error = refusal(lambda: balancers.create("x" * 33))
        assert error["Message"] == f"The load balancer name '{'x' * 33}' cannot be longer than '32' characters"
    balancers.target_group("x" * 32)
