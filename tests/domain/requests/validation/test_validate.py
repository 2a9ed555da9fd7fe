"""The rules of a request, one table each: refusals and warnings, and their paths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.core.instance_types import ami_type
from chalicelib.domain.core.names import as_tag_value, nearest, principal_of, same_principal
from chalicelib.domain.errors.findings import Level
from chalicelib.domain.labs.spec import (
    AccessPolicySpec,
    AccessSpec,
    AddonSpec,
    EndpointAccess,
    LabSpec,
    Limits,
    NatMode,
    Placement,
    PodIdentitySpec,
    Taint,
    WorkHostSpec,
)
from chalicelib.domain.requests.defaults import DEFAULT_ADDONS, ValidationContext
from chalicelib.domain.requests.draft import Draft, ExternalDnsDraft, NetworkDraft, NodegroupDraft, SshDraft
from chalicelib.domain.requests.validation.validate import complete
from chalicelib.domain.stack.addon_roles import ADDON_ROLES
from tests.fakes.builders import ACCOUNT, a_calendar, a_caller

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE, TWO = "subnet-0b2512f8c6ae9bf30", "subnet-08cb9a2ed60394ce3"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/student"
VIEW = AccessPolicySpec("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy")


def judged(limits: Limits | None = None, **fields: Any) -> tuple[LabSpec | None, dict[str, str], dict[str, str]]:
    """The spec, errors and warnings as path -> code."""
    draft = Draft(**{"name": "a", **fields})
    spec, findings = complete(ValidationContext(draft, a_calendar(), a_caller(), limits or Limits(), NOW))
    errors = {f.path: f.code for f in findings if f.severity is Level.ERROR}
    return spec, errors, {f.path: f.code for f in findings if f.severity is Level.WARNING}


def errors_of(limits: Limits | None = None, **fields: Any) -> dict[str, str]:
    spec, errors, _ = judged(limits, **fields)
    assert (spec is None) == bool(errors)
    return errors


def group(**fields: Any) -> dict[str, Any]:
    return {"nodegroups": (NodegroupDraft(**fields),)}


@pytest.mark.parametrize("name", ["a", "A-1_b", "0" * 100])
def test_names_that_eks_takes_are_taken(name: str) -> None:
    assert errors_of(name=name) == {}


@pytest.mark.parametrize("name", ["-a", "_a", "a b", "a.b", "0" * 101, "ä", "a\n"])
def test_names_that_eks_refuses_are_refused(name: str) -> None:
    assert errors_of(name=name) == {"name": "invalid-name"}


def test_a_region_must_look_like_one_and_be_offered() -> None:
    assert errors_of(region="us-gov-west-1") == {}
    assert errors_of(region="seoul") == {"region": "invalid-region"}
    assert errors_of(Limits(regions=("us-east-1",)), region="eu-west-1") == {"region": "region-not-allowed"}


@pytest.mark.parametrize("hours", [0, -1, 73, 10**12])
def test_a_lease_is_within_bounds(hours: int) -> None:
    assert errors_of(lease_hours=hours) == {"leaseHours": "lease-out-of-range"}


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.0.0/16", None),
        ("192.168.4.0/22", None),
        ("100.64.0.0/16", None),
        ("10.0.0.0/15", "cidr-too-large"),
        ("10.0.0.0/23", "cidr-too-small"),
        ("10.0.0.1/16", "invalid-cidr"),
        ("10.0.0.0", "invalid-cidr"),
        ("10.0.0/16", "invalid-cidr"),
        ("2001:db8::/56", "invalid-cidr"),
        ("8.8.0.0/16", "cidr-not-private"),
        ("10.100.4.0/22", "cidr-overlaps"),
        ("172.20.0.0/16", "cidr-overlaps"),
    ],
)
def test_a_new_networks_range_is_big_enough_private_and_overlaps_nothing(cidr: str, code: str | None) -> None:
    assert errors_of(network=NetworkDraft(cidr=cidr)) == ({"network.cidr": code} if code else {})


def test_dockers_bridge_is_only_a_warning_and_only_with_a_work_host() -> None:
    network = NetworkDraft(cidr="172.17.0.0/16")
    assert judged(network=network)[2] == {}
    assert judged(network=network, work_host=WorkHostSpec())[2] == {"network.cidr": "cidr-overlaps"}


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        (("ap-northeast-2a", "ap-northeast-2c"), {}),
        (("ap-northeast-2a",), {"network.zones": "two-zones"}),
        (("ap-northeast-2a", "ap-northeast-2a"), {"network.zones": "two-zones"}),
        (("ap-northeast-2a", "us-east-1a"), {"network.zones[1]": "invalid-zone"}),
        (("ap-northeast-2a", "ap-northeast-2-sel-1a"), {"network.zones[1]": "invalid-zone"}),
    ],
)
def test_zones_are_two_of_the_region(zones: tuple[str, ...], expected: dict[str, str]) -> None:
    assert errors_of(network=NetworkDraft(zones=zones)) == expected


def test_private_nodes_of_a_new_network_get_one_nat_gateway_and_may_not_do_without() -> None:
    private = group(placement=Placement.PRIVATE)
    spec, _, warnings = judged(**private)
    assert spec is not None
    assert getattr(spec.network, "nat", None) is NatMode.SINGLE
    assert warnings == {"nodegroups[0].placement": "nat-added"}
    assert errors_of(network=NetworkDraft(nat=NatMode.NONE), **private) == {"network.nat": "no-nat"}


def test_existing_subnets_are_two_at_least_and_each_named_once() -> None:
    assert errors_of(network=NetworkDraft(public_subnet_ids=(ONE, TWO))) == {}
    assert errors_of(network=NetworkDraft(public_subnet_ids=(ONE,))) == {"network": "too-few-subnets"}
    twice = NetworkDraft(public_subnet_ids=(ONE, TWO), private_subnet_ids=(ONE,))
    assert errors_of(network=twice) == {"network.privateSubnetIds[0]": "duplicate"}
    odd = NetworkDraft(vpc_id="vpc", public_subnet_ids=(ONE, "subnet-x"))
    assert errors_of(network=odd) == {"network.vpcId": "invalid-id", "network.publicSubnetIds[1]": "invalid-id"}
    both = NetworkDraft(cidr="10.0.0.0/16", public_subnet_ids=(ONE, TWO))
    assert errors_of(network=both) == {"network": "two-networks"}


def test_nodes_and_the_work_host_need_subnets_that_suit_them() -> None:
    public, private = NetworkDraft(public_subnet_ids=(ONE, TWO)), NetworkDraft(private_subnet_ids=(ONE, TWO))
    place = "nodegroups[0].placement"
    assert errors_of(network=public, **group(placement=Placement.PRIVATE)) == {place: "no-private-subnets"}
    assert errors_of(network=private, **group(placement=Placement.PUBLIC)) == {place: "no-public-subnets"}
    assert errors_of(network=private, work_host=WorkHostSpec()) == {"workHost": "no-public-subnets"}
    spec, _, warnings = judged(network=private)
    assert spec is not None
    assert spec.nodegroups[0].placement is Placement.PRIVATE
    assert warnings == {place: "made-private"}


@pytest.mark.parametrize(
    ("cidrs", "errors", "warnings"),
    [
        (("52.94.76.0/24", "15.230.39.7/32"), {}, {}),
        (("0.0.0.0/0",), {}, {0: "open-to-the-world"}),
        (("10.0.0.0/8", "15.230.39.7/32"), {0: "private-address"}, {}),
        (("203.0.113.0/24", "192.0.2.7/32", "198.51.100.128/25"), dict.fromkeys(range(3), "reserved-address"), {}),
        (("52.94.76.0/24", "52.94.76.9/32"), {1: "cidr-overlaps"}, {}),
        (("52.94.76.7/24", "x", "::/0"), {0: "invalid-cidr", 1: "invalid-cidr", 2: "invalid-cidr"}, {}),
    ],
)
def test_allow_lists_are_blocks_that_do_not_overlap(
    cidrs: tuple[str, ...], errors: dict[int, str], warnings: dict[int, str]
) -> None:
    _, wrong, message = judged(allowed_cidrs=cidrs)
    assert wrong == {f"endpoint.allowedCidrs[{i}]": code for i, code in errors.items()}
    assert message == {f"endpoint.allowedCidrs[{i}]": code for i, code in warnings.items()}


def test_an_allow_list_is_neither_empty_nor_longer_than_eks_takes() -> None:
    assert errors_of(allowed_cidrs=()) == {"endpoint.allowedCidrs": "empty"}
    many = tuple(f"203.0.{i}.0/24" for i in range(41))
    assert errors_of(allowed_cidrs=many) == {"endpoint.allowedCidrs": "too-many"}


def test_a_private_endpoint_has_no_allow_list_and_needs_a_way_in() -> None:
    spec, _, warnings = judged(endpoint_access=EndpointAccess.PRIVATE, allowed_cidrs=("52.94.76.0/24",))
    assert spec is not None
    assert spec.endpoint.allowed_cidrs == ()
    assert warnings == {"endpoint.allowedCidrs": "not-honoured", "endpoint.access": "no-way-in"}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"desired": 3}, {}),
        ({"min": 5}, {}),
        ({"max": 1}, {}),
        ({"min": 0, "desired": 0, "max": 1}, {}),
        ({"min": 3, "max": 2}, {"min": "sizes-out-of-order"}),
        ({"min": 3, "desired": 2, "max": 1}, {"min": "sizes-out-of-order"}),
        ({"min": 2, "desired": 1, "max": 3}, {"desired": "sizes-out-of-order"}),
        ({"min": 1, "desired": 5, "max": 3}, {"desired": "sizes-out-of-order"}),
        ({"min": 0, "desired": 0, "max": 0}, {"max": "too-few-nodes"}),
        ({"min": -1, "desired": 1, "max": 2}, {"min": "too-few-nodes"}),
        ({"desired": -1}, {"desired": "too-few-nodes"}),
    ],
)
def test_sizes_are_in_order_and_the_finding_names_the_one_that_is_not(
    sizes: dict[str, int], expected: dict[str, str]
) -> None:
    assert errors_of(**group(**sizes)) == {f"nodegroups[0].{field}": code for field, code in expected.items()}


def test_a_lab_has_no_more_nodes_than_the_limit_counted_at_their_maximum() -> None:
    groups = (NodegroupDraft("a", max=6), NodegroupDraft("b", max=5))
    assert errors_of(nodegroups=groups) == {"nodegroups": "too-many-nodes"}
    assert errors_of(Limits(max_nodes=11), nodegroups=groups) == {}


def test_a_lab_without_nodes_is_allowed_with_a_warning() -> None:
    spec, _, warnings = judged(nodegroups=())
    assert spec is not None
    assert warnings == {"nodegroups": "no-nodes"}


@pytest.mark.parametrize("size", [19, 16385, -1])
def test_volumes_hold_the_image_and_are_no_larger_than_gp3_goes(size: int) -> None:
    assert errors_of(**group(volume_gib=size)) == {"nodegroups[0].volumeGib": "volume-out-of-range"}


def test_instance_types_of_a_group_are_types_of_one_architecture() -> None:
    assert errors_of(**group(instance_types=("t4g.medium", "m6gd.large"))) == {}
    mixed = group(instance_types=("t3.medium", "t4g.medium", "medium"))
    assert errors_of(**mixed) == {
        "nodegroups[0].instanceTypes[1]": "mixed-architectures",
        "nodegroups[0].instanceTypes[2]": "invalid-instance-type",
    }


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("t3.medium", "AL2023_x86_64_STANDARD"),
        ("g4dn.xlarge", "AL2023_x86_64_NVIDIA"),
        ("g5g.xlarge", "AL2023_ARM_64_NVIDIA"),
        ("c7gn.large", "AL2023_ARM_64_STANDARD"),
        ("a1.large", "AL2023_ARM_64_STANDARD"),
        ("inf2.xlarge", "AL2023_x86_64_NEURON"),
        ("u-6tb1.metal", "AL2023_x86_64_STANDARD"),
    ],
)
def test_the_image_follows_the_instance_type(name: str, image: str) -> None:
    assert ami_type(name) == image


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("team", "red", None),
        ("example.com/team", "red", None),
        ("node.kubernetes.io/role", "x", None),
        ("team", "", "invalid-label"),
        ("team", "-red", "invalid-label"),
        ("team", "r" * 64, "invalid-label"),
        ("-team", "red", "invalid-key"),
        ("a" * 64, "red", "invalid-key"),
        ("kubernetes.io/role", "x", "reserved"),
        ("node-role.kubernetes.io/x", "x", "reserved"),
        ("eks.amazonaws.com/nodegroup", "x", "reserved"),
    ],
)
def test_labels_follow_kubernetes_and_leave_its_own_alone(key: str, value: str, code: str | None) -> None:
    errors = errors_of(**group(labels={key: value}))
    assert list(errors.values()) == ([code] if code else [])


def test_taints_are_keys_and_values_each_effect_once() -> None:
    taints = (Taint("k", "v", "NO_SCHEDULE"), Taint("k", "w", "NO_SCHEDULE"), Taint("-", "v v", "NO_EXECUTE"))
    assert errors_of(**group(taints=taints)) == {
        "nodegroups[0].taints[1]": "duplicate",
        "nodegroups[0].taints[2].key": "invalid-key",
        "nodegroups[0].taints[2].value": "invalid-taint",
    }


def test_tags_that_decide_whose_a_thing_is_can_not_be_forged() -> None:
    tags = {"aws:x": "1", "AWS:y": "1", "ekslab:lab-id": "x", "kubernetes.io/cluster/other": "owned", "fine": "yes"}
    assert list(errors_of(tags=tags).values()) == ["reserved"] * 4
    assert errors_of(**group(tags={"ekslab:lab-id": "x"})) == {"nodegroups[0].tags.ekslab:lab-id": "reserved"}
    assert errors_of(tags={"karpenter.sh/discovery": "x"}) == {}


def test_tags_are_as_many_and_as_long_as_aws_takes() -> None:
    assert errors_of(tags={f"k{i}": "" for i in range(41)})["tags"] == "too-many"
    half = {f"k{i}": "v" for i in range(30)}
    own = {f"g{i}": "" for i in range(30)}
    assert errors_of(tags=half, **group(tags=own)) == {"nodegroups[0].tags": "too-many"}
    assert errors_of(tags={"k" * 129: "v", "a": "v" * 257, "b": "<>"}) == {
        "tags." + "k" * 129: "invalid-tag",
        "tags.a": "invalid-tag",
        "tags.b": "invalid-tag",
    }


def test_tags_that_only_some_services_would_take_are_refused_at_once() -> None:
    assert errors_of(tags={"course": ""}) == {"tags.course": "invalid-tag"}
    assert errors_of(**group(tags={"course": ""})) == {}
    assert errors_of(tags={"Team": "a", "team": "b"}) == {"tags.team": "duplicate-tag"}


@pytest.mark.parametrize(
    ("session", "warned"),
    [
        ("botocore-session-1795512345", True),
        ("1795512345678901234", True),
        ("data2@example.com", False),
        ("GitHubActions", False),
        ("class-of-2026", False),
        ("i-0123456789abcdef0", False),
    ],
)
def test_who_comes_as_a_session_that_will_not_come_again_is_warned(session: str, warned: bool) -> None:
    caller = a_caller(arn=f"arn:aws:sts::111122223333:assumed-role/Learners/{session}")
    spec, findings = complete(ValidationContext(Draft(name="a"), a_calendar(), caller, Limits(), NOW))
    assert spec is not None
    assert [finding.code for finding in findings] == [*(["passing-session"] if warned else []), "shared-principal"]


def test_only_a_principal_that_others_may_share_is_warned_about() -> None:
    sso = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/jane@example.com"
    for arn in (sso, "arn:aws:iam::111122223333:user/jane"):
        _, findings = complete(ValidationContext(Draft(name="a"), a_calendar(), a_caller(arn=arn), Limits(), NOW))
        assert "shared-principal" not in [finding.code for finding in findings]


SSO_ROLE = "arn:aws:iam::111122223333:role/AWSReservedSSO_Labs_0123456789abcdef"


@pytest.mark.parametrize(
    ("draft", "by_role", "listed", "codes"),
    [
        ({}, True, (), []),
        ({"requester_too": True, "access": (AccessSpec(ROLE, (VIEW,)),)}, True, (ROLE,), []),
        ({"access": (AccessSpec(ROLE, (VIEW,)),)}, False, (ROLE,), ["not-yourself"]),
        ({"access": (AccessSpec(ROLE, (VIEW,)),), "access_role": True}, True, (ROLE,), []),
        ({"access": (AccessSpec(SSO_ROLE, (VIEW,)),)}, False, (SSO_ROLE,), ["shared-principal"]),
        ({"access_role": False}, False, (SSO_ROLE,), ["shared-principal"]),
    ],
)
def test_a_person_of_the_directory_gets_in_by_a_role_of_the_labs_own(
    draft: dict[str, Any], by_role: bool, listed: tuple[str, ...], codes: list[str]
) -> None:
    caller = a_caller(arn="arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/1234567890")
    spec, findings = complete(ValidationContext(Draft(name="a", **draft), a_calendar(), caller, Limits(), NOW))
    assert spec is not None
    assert (spec.access_role, tuple(entry.principal_arn for entry in spec.access)) == (by_role, listed)
    assert [finding.code for finding in findings] == codes


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:user/jane",
        "arn:aws:sts::111122223333:assumed-role/Learners/jane@example.com",
    ],
)
def test_nobody_else_gets_a_role_of_their_own(arn: str) -> None:
    caller = a_caller(arn=arn)
    spec, _ = complete(ValidationContext(Draft(name="a"), a_calendar(), caller, Limits(), NOW))
    assert spec is not None
    assert not spec.access_role
    _, findings = complete(ValidationContext(Draft(name="a", access_role=True), a_calendar(), caller, Limits(), NOW))
    assert ("accessRole", "not-in-directory") in {(finding.path, finding.code) for finding in findings}


def test_a_look_alike_gets_in_as_its_role_and_is_told_that_others_do() -> None:
    sso = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/jane@example.com"
    spec, findings = complete(
        ValidationContext(Draft(name="a"), a_calendar(), a_caller(arn=sso, in_directory=False), Limits(), NOW)
    )
    assert spec is not None
    assert (spec.access_role, [finding.code for finding in findings]) == (False, ["shared-principal"])


def test_an_owner_of_any_name_makes_a_tag_that_every_service_takes() -> None:
    owner = "arn:aws:sts::111122223333:assumed-role/students/learner, one=x@example.com"
    assert as_tag_value(owner) == owner.replace(",", "_")
    assert (
        as_tag_value(f"arn:aws:iam::111122223333:user/{'p' * 500}/learner")
        == f"arn:aws:iam::111122223333:user/{'p' * 225}"
    )


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0kYk5Y2nXl0VfK6cXv3l6mB7v0Zq9y0uW4r8s1t2u3 me@here"


@pytest.mark.parametrize(
    ("ssh", "expected"),
    [
        (SshDraft("k"), {}),
        (SshDraft(None, KEY), {}),
        (SshDraft(), {"ssh": "one-key"}),
        (SshDraft("k", KEY), {"ssh": "one-key"}),
        (SshDraft(None, "-----BEGIN OPENSSH PRIVATE KEY-----"), {"ssh.publicKey": "private-key"}),
        (SshDraft(None, "ssh-dss AAAA"), {"ssh.publicKey": "invalid-key"}),
        (SshDraft("k", None, ()), {"ssh.cidrs": "no-address"}),
        (SshDraft("k", None, ("15.230.39.7",)), {"ssh.cidrs[0]": "invalid-cidr"}),
    ],
)
def test_ssh_is_one_public_key_and_somewhere_to_come_from(ssh: SshDraft, expected: dict[str, str]) -> None:
    assert errors_of(ssh=ssh) == expected


def test_external_dns_needs_a_hosted_zone_in_form() -> None:
    assert errors_of(external_dns=ExternalDnsDraft("Z0123456789ABCDEFGHIJ")) == {}
    assert errors_of(external_dns=ExternalDnsDraft(None, "lab.example.com")) == {}
    assert errors_of(external_dns=ExternalDnsDraft()) == {"externalDns": "no-hosted-zone"}
    odd = ExternalDnsDraft("zone", "not a domain")
    assert errors_of(external_dns=odd) == {
        "externalDns.hostedZoneId": "invalid-id",
        "externalDns.domain": "invalid-domain",
    }
    assert errors_of(addons=(AddonSpec("external-dns"),)) == {"addons[0].name": "no-hosted-zone"}


def test_addons_asked_for_come_beside_the_usual_ones_or_in_their_place() -> None:
    spec, _, warnings = judged(addons=(AddonSpec("coredns", "v1"), AddonSpec("aws-ebs-csi-driver")))
    assert spec is not None
    assert warnings == {}
    names = [addon.name for addon in spec.addons]
    assert sorted(names) == sorted({*DEFAULT_ADDONS, "aws-ebs-csi-driver"})
    assert spec.addons[0].version == "v1"
    assert judged(default_addons=False)[2] == {"addons": "vital-addons"}


def test_addons_are_named_once_and_their_configuration_is_an_object() -> None:
    addons = (AddonSpec("coredns"), AddonSpec("coredns", None, "[1]"), AddonSpec("a b", None, "{"))
    assert errors_of(addons=addons) == {
        "addons[1].name": "duplicate",
        "addons[1].configuration": "invalid-configuration",
        "addons[2].name": "invalid-name",
        "addons[2].configuration": "invalid-configuration",
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (AccessSpec(ROLE, (VIEW,)), {}),
        (AccessSpec(ROLE, (), ("team",)), {}),
        (AccessSpec(ROLE, (), (), "EC2_LINUX"), {}),
        (
            AccessSpec("arn:aws:sts::111122223333:assumed-role/r/s", (VIEW,)),
            {"access[0].principalArn": "invalid-principal"},
        ),
        (AccessSpec("*", (VIEW,)), {"access[0].principalArn": "invalid-principal"}),
        (AccessSpec(ROLE, (), ("system:masters",)), {"access[0].groups[0]": "reserved"}),
        (AccessSpec(ROLE, (VIEW,), (), "EC2_LINUX"), {"access[0].type": "node-entry"}),
        (AccessSpec(ROLE, (VIEW,), (), "ADMIN"), {"access[0].type": "unknown-type"}),
        (
            AccessSpec(ROLE, (AccessPolicySpec("arn:aws:iam::aws:policy/AdministratorAccess"),)),
            {"access[0].policies[0].policyArn": "invalid-policy"},
        ),
        (
            AccessSpec(ROLE, (AccessPolicySpec(VIEW.policy_arn, ("dev-*", "No")),)),
            {"access[0].policies[0].namespaces[1]": "invalid-name"},
        ),
    ],
)
def test_access_entries_are_what_eks_takes(entry: AccessSpec, expected: dict[str, str]) -> None:
    assert errors_of(access=(entry,)) == expected


def test_a_principal_is_listed_once_and_leaving_yourself_out_is_told() -> None:
    twice = (AccessSpec(ROLE, (VIEW,)), AccessSpec(ROLE, (VIEW,)))
    assert errors_of(access=twice) == {"access[1].principalArn": "duplicate"}
    assert judged(access=twice[:1])[2] == {"access": "not-yourself"}
    assert judged(access=twice[:1], requester_too=True)[2] == {}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/ekslab/reader", True),
        (f"arn:aws:iam::{ACCOUNT}:role/reader", False),
        (f"arn:aws:iam::{ACCOUNT}:role/other/ekslab/reader", False),
        ("arn:aws:iam::999999999999:role/ekslab/reader", False),
    ],
)
def test_pods_become_only_roles_kept_for_labs(role: str, allowed: bool) -> None:
    errors = errors_of(pod_identities=(PodIdentitySpec("default", "reader", role),))
    assert errors == ({} if allowed else {"podIdentities[0].roleArn": "role-not-allowed"})


@pytest.mark.parametrize(
    ("addon", "namespace", "account"),
    [
        ("vpc-cni", "kube-system", "aws-node"),
        ("aws-ebs-csi-driver", "kube-system", "ebs-csi-controller-sa"),
        ("external-dns", "external-dns", "external-dns"),
    ],
)
def test_a_service_account_that_an_add_on_of_the_lab_has_a_role_for_takes_no_other(
    addon: str, namespace: str, account: str
) -> None:
    """The creation would fail at its last step: EKS allows one association per service account."""
    own = PodIdentitySpec(namespace, account, f"arn:aws:iam::{ACCOUNT}:role/ekslab/own")
    dns = {"external_dns": ExternalDnsDraft(domain="lab.example.com")} if addon == "external-dns" else {}
    with_it: dict[str, Any] = {"addons": (AddonSpec(addon),), **dns}
    assert errors_of(pod_identities=(own,), default_addons=False, **with_it) == {"podIdentities[0]": "duplicate"}
    assert errors_of(pod_identities=(own,), default_addons=False) == {}


def test_the_agent_comes_with_whatever_gets_its_role_from_it() -> None:
    """Issue 11: it can't be switched off beside the CNI, whose nodes would have no addresses for pods."""
    for addon in ADDON_ROLES:
        dns = ExternalDnsDraft(domain="lab.example.com") if addon == "external-dns" else None
        spec = judged(addons=(AddonSpec(addon),), default_addons=False, external_dns=dns)[0]
        assert spec is not None
        assert "eks-pod-identity-agent" in {each.name for each in spec.addons}, addon
    none = judged(default_addons=False)[0]
    assert none is not None
    assert none.addons == ()


def test_findings_name_the_callers_own_fields() -> None:
    paths = {"nodegroups[0]": "nodeGroups[3]", "nodegroups[0].min": "nodeGroups[3].minSize"}
    errors = errors_of(paths=paths, **group(min=3, max=2, volume_gib=1))
    assert errors == {"nodeGroups[3].minSize": "sizes-out-of-order", "nodeGroups[3].volumeGib": "volume-out-of-range"}


def test_what_could_not_be_read_is_not_judged_again() -> None:
    draft = Draft(name=None, broken=frozenset({"name"}))
    assert complete(ValidationContext(draft, a_calendar(), a_caller(), Limits(), NOW))[1] == ()


def test_principals_are_found_behind_sessions_and_compared_without_their_paths() -> None:
    assert principal_of("arn:aws:sts::111122223333:assumed-role/R/me@x") == "arn:aws:iam::111122223333:role/R"
    assert principal_of("arn:aws-cn:iam::111122223333:user/a/b") == "arn:aws-cn:iam::111122223333:user/a/b"
    assert principal_of("arn:aws:iam::111122223333:root") is None
    assert principal_of("arn:aws:sts::111122223333:federated-user/x") is None
    assert same_principal("arn:aws:iam::1:role/a/b/R", "arn:aws:iam::1:role/R")
    assert not same_principal("arn:aws:iam::2:role/R", "arn:aws:iam::1:role/R")


def test_the_nearest_name_ignores_case_and_dashes_and_gives_up_on_strangers() -> None:
    assert nearest("lease-hours", ["leaseHours", "volumes"]) == "leaseHours"
    assert nearest("qqq", ["leaseHours", "volumes"]) is None
