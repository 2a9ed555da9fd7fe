"""Conflicts between a spec and the account: facts in, findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.labs.aws_states import ClusterState, HostedZone, SubnetFacts
from chalicelib.domain.labs.spec import (
    AddonSpec,
    ExistingNetwork,
    ExternalDnsSpec,
    LabSpec,
    NewNetwork,
    SshSpec,
    WorkHostSpec,
)
from chalicelib.domain.requests.preflight import (
    check_addons,
    check_architectures,
    check_instances,
    check_key_pair,
    check_name,
    check_region,
    check_zone,
    with_addons,
)
from chalicelib.domain.requests.subnets import check_dns, check_subnets, with_subnets
from tests.fakes.builders import a_network, a_nodegroup, a_spec

A = SubnetFacts("subnet-a", "vpc-1", "ap-northeast-2a", "10.0.0.0/24", 200, True, True)
B = SubnetFacts("subnet-b", "vpc-1", "ap-northeast-2c", "10.0.1.0/24", 200, True, True)
P = SubnetFacts("subnet-p", "vpc-1", "ap-northeast-2a", "10.0.2.0/24", 200, False, False)
ZONE = HostedZone("Z1", "example.com", private=False)


def guest(*private: str, vpc_id: str | None = None) -> LabSpec:
    network = ExistingNetwork(vpc_id, ("subnet-a", "subnet-b"), private)
    return a_spec(network=network, nodegroups=(a_nodegroup(),))


def text(spec: LabSpec, *facts: SubnetFacts) -> dict[str, str]:
    return {f.path: f.code for f in check_subnets(spec, facts)}


def test_good_subnets_and_new_networks_are_no_findings() -> None:
    assert text(guest("subnet-p"), A, B, P) == {}
    assert text(a_spec(network=a_network())) == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"public": False}, "subnet-not-public"),
        ({"maps_public_ip": False}, "no-public-addresses"),
        ({"free_addresses": 5}, "subnet-full"),
        ({"cidr": "10.0.1.0/29", "free_addresses": 3}, "subnet-too-small"),
    ],
)
def test_a_subnet_that_does_not_fit_is_told_by_its_own_path(changes: dict[str, Any], code: str) -> None:
    assert text(guest(), A, replace(B, **changes)) == {"network.publicSubnetIds[1]": code}


def test_subnets_are_there_in_two_zones_of_one_vpc_the_one_that_was_named() -> None:
    assert text(guest(), A)["network.publicSubnetIds[1]"] == "subnet-missing"
    assert text(guest(), A, replace(B, zone=A.zone)) == {"network": "one-zone"}
    assert text(guest(), A, replace(B, vpc_id="vpc-2")) == {"network": "several-vpcs"}
    assert text(guest(vpc_id="vpc-9"), A, B) == {"network.vpcId": "other-vpc"}


def test_a_private_subnet_that_is_public_is_a_warning() -> None:
    (finding,) = check_subnets(guest("subnet-p"), (A, B, replace(P, public=True)))
    assert (finding.path, finding.severity) == ("network.privateSubnetIds[0]", "warning")


def test_a_vpc_without_dns_is_refused_before_anything_is_made_in_it() -> None:
    [finding] = check_dns(guest(vpc_id="vpc-1"), {"vpc-1": "DNS host names"})
    assert (finding.path, finding.code, finding.severity) == ("network.vpcId", "vpc-without-dns", "error")
    assert "DNS host names" in finding.message
    assert tuple(check_dns(a_spec(network=a_network()), {"vpc-1": "DNS support"})) == ()


def test_the_vpc_is_learnt_from_the_subnets() -> None:
    network = with_subnets(guest(), (A, B)).network
    assert isinstance(network, ExistingNetwork)
    assert network.vpc_id == "vpc-1"


def test_a_key_pair_by_name_must_be_there() -> None:
    spec = a_spec(ssh=SshSpec("k", None, ("15.230.39.7/32",)))
    assert [f.path for f in check_key_pair(spec, False)] == ["ssh.keyName"]
    assert tuple(check_key_pair(spec, True)) == ()
    assert tuple(check_key_pair(a_spec(ssh=None), False)) == ()


@pytest.mark.parametrize(
    ("asked", "zone", "expected"),
    [
        (ExternalDnsSpec("Z1", ""), ZONE, {}),
        (ExternalDnsSpec("Z1", "lab.example.com"), ZONE, {}),
        (ExternalDnsSpec("Z1", "lab.example.org"), ZONE, {"externalDns.domain": "zone-mismatch"}),
        (ExternalDnsSpec("Z1", "badexample.com"), ZONE, {"externalDns.domain": "zone-mismatch"}),
        (ExternalDnsSpec("Z1", ""), None, {"externalDns.hostedZoneId": "zone-missing"}),
        (ExternalDnsSpec("", "example.com"), None, {"externalDns.domain": "zone-missing"}),
        (ExternalDnsSpec("Z1", ""), replace(ZONE, private=True), {"externalDns.hostedZoneId": "private-zone"}),
    ],
)
def test_the_hosted_zone_is_there_and_holds_the_domain(
    asked: ExternalDnsSpec, zone: HostedZone | None, expected: dict[str, str]
) -> None:
    assert {f.path: f.code for f in check_zone(a_spec(external_dns=asked), zone)} == expected


VERSIONS = ("v1.20.5-eksbuild.9", "v1.21.1-eksbuild.3", "v1.20.5-eksbuild.10")


def test_addons_that_eks_does_not_offer_are_told() -> None:
    spec = a_spec(addons=(AddonSpec("vpc-cni"), AddonSpec("metrics")))
    assert [f.path for f in check_addons(spec, {"vpc-cni": VERSIONS, "metrics": ()})] == ["addons[1].name"]


def test_a_usual_addon_that_eks_does_not_offer_is_left_out_with_a_warning() -> None:
    spec = a_spec(addons=(AddonSpec("vpc-cni"), AddonSpec("metrics-server")))
    offered = {"vpc-cni": VERSIONS, "metrics-server": ()}
    [finding] = check_addons(spec, offered)
    assert (finding.severity, finding.code) == ("warning", "addon-left-out")
    assert [addon.name for addon in with_addons(spec, offered).addons] == ["vpc-cni"]


@pytest.mark.parametrize(
    ("asked", "whole"),
    [
        ("latest", "v1.21.1-eksbuild.3"),
        ("1.20.5", "v1.20.5-eksbuild.10"),
        ("v1.20", "v1.20.5-eksbuild.10"),
        ("v1.20.5-eksbuild.9", "v1.20.5-eksbuild.9"),
    ],
)
def test_a_partial_version_of_an_addon_is_the_newest_that_has_it(asked: str, whole: str) -> None:
    spec = a_spec(addons=(AddonSpec("vpc-cni", asked),))
    assert tuple(check_addons(spec, {"vpc-cni": VERSIONS})) == ()
    assert with_addons(spec, {"vpc-cni": VERSIONS}).addons == (AddonSpec("vpc-cni", whole),)


def test_a_version_of_an_addon_that_eks_has_not_is_told_with_those_it_has() -> None:
    spec = a_spec(addons=(AddonSpec("vpc-cni", "v9.9.9"),))
    [finding] = check_addons(spec, {"vpc-cni": VERSIONS})
    assert finding.path == "addons[0].version"
    assert "v1.21.1-eksbuild.3" in finding.message


def judged(spec: LabSpec, offers: set[tuple[str, str]], *facts: SubnetFacts) -> dict[str, str]:
    return {finding.path: finding.message for finding in check_instances(spec, offers, facts)}


def test_an_instance_type_that_the_region_lacks_is_told_by_its_path() -> None:
    spec = a_spec(
        nodegroups=(a_nodegroup(instance_types=("t3.medium", "t3.mega")),), work_host=WorkHostSpec("zz.large")
    )
    found = judged(spec, {("ap-northeast-2a", "t3.medium"), (f"{spec.region}c", "t3.medium")})
    assert list(found) == ["nodegroups[0].instanceTypes[1]", "workHost.instanceType"]
    assert found["workHost.instanceType"] == "ap-northeast-2 has no instance type zz.large."


def test_an_instance_type_that_the_labs_zones_lack_is_told_with_those_that_have_it() -> None:
    offers = {("ap-northeast-2b", "t3.medium"), ("ap-northeast-2d", "t3.medium")}
    [message] = judged(guest(), offers, A, B).values()
    assert message == (
        "t3.medium is not offered in ap-northeast-2a, ap-northeast-2c; it is in ap-northeast-2b, ap-northeast-2d."
    )
    assert judged(a_spec(network=NewNetwork()), offers) == {}, "zones that are left open are chosen to suit"


def test_a_zone_that_does_not_exist_is_told_by_its_path_with_those_that_do() -> None:
    offers = {(f"ap-northeast-2{letter}", "t3.medium") for letter in "abc"}
    spec = a_spec(network=NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2z")), nodegroups=(a_nodegroup(),))
    [finding] = check_instances(spec, offers, ())
    assert (finding.path, finding.code, str(finding.severity)) == ("network.zones[1]", "zone-not-offered", "error")
    assert finding.message == (
        "ap-northeast-2 has no zone ap-northeast-2z where t3.medium is offered; "
        "there are ap-northeast-2a, ap-northeast-2b, ap-northeast-2c."
    )
    nowhere = replace(spec, network=NewNetwork(zones=("ap-northeast-2y", "ap-northeast-2z")))
    assert list(judged(nowhere, offers)) == ["network.zones[0]", "network.zones[1]"]
    assert judged(replace(spec, nodegroups=()), set()) == {}, "without instances nothing is known of zones"


def test_a_type_that_one_of_the_zones_lacks_is_a_warning() -> None:
    spec = a_spec(
        network=NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2b")),
        nodegroups=(a_nodegroup(instance_types=("t3.medium", "m8.large")),),
    )
    offers = {("ap-northeast-2a", "t3.medium"), ("ap-northeast-2b", "t3.medium"), ("ap-northeast-2a", "m8.large")}
    [finding] = check_instances(spec, offers, ())
    assert (finding.path, str(finding.severity)) == ("nodegroups[0].instanceTypes[1]", "warning")
    assert finding.message == "m8.large is not offered in ap-northeast-2b: only ap-northeast-2a can have it."


def test_the_name_of_a_cluster_that_is_no_labs_is_refused() -> None:
    theirs = ClusterState("myeks", "arn:aws:eks:ap-northeast-2:111122223333:cluster/myeks", "ACTIVE", "1.36")
    assert [finding.code for finding in check_name(a_spec(), theirs)] == ["cluster-exists"]
    assert tuple(check_name(a_spec(), replace(theirs, tags={"ekslab:lab-id": "lab-2"}))) == ()
    assert tuple(check_name(a_spec(), None)) == ()


def test_an_instance_type_whose_processor_its_image_does_not_fit_is_refused() -> None:
    spec = a_spec(
        nodegroups=(a_nodegroup(instance_types=("mac2.metal", "t3.medium")),), work_host=WorkHostSpec("t4g.small")
    )
    known = {"mac2.metal": ("arm64_mac",), "t3.medium": ("x86_64", "i386"), "t4g.small": ("arm64",)}
    [finding] = check_architectures(spec, known)
    assert (finding.path, finding.code) == ("nodegroups[0].instanceTypes[0]", "image-mismatch")
    assert "mac2.metal has arm64_mac: the image AL2023_x86_64_STANDARD, for x86_64" in finding.message
    assert tuple(check_architectures(spec, {})) == (), "types that EC2 does not tell of are not judged"


@pytest.mark.parametrize(
    ("region", "code"),
    [("us-east-1", None), ("ap-east-1", None), ("me-south-1", "region-not-enabled"), ("us-east-9", "region-unknown")],
)
def test_a_region_is_there_and_enabled_or_refused(region: str, code: str | None) -> None:
    states = {"us-east-1": "opt-in-not-required", "ap-east-1": "opted-in", "me-south-1": "not-opted-in"}
    assert [finding.code for finding in check_region(region, "111122223333", states)] == ([code] if code else [])
    assert tuple(check_region(region, "111122223333", {})) == (), "not known is not refused"
