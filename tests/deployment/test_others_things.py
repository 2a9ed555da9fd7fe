"""The rights of a lab's roles to others' resources, with AWS's published managed policies and the shipped boundary.

A lab's owner is administrator of its cluster, so each role is tested as a hostNetwork pod or a service account would use it.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import parliament
import pytest
from ministack.core import iam_evaluator

from tests.deployment import bounds
from tests.deployment.test_boundary import BOUNDARY, MANAGED
from tests.domain.stack.test_template import LABS, resources

LAB = replace(LABS["everything"], installation="prod")
ACCOUNT, REGION = "111122223333", "ap-northeast-2"
#: AWS's values for policy variables: the role's own tag, and Pod Identity's session tag.
PRINCIPAL = {"ekslab:lab-id": LAB.id, "eks-cluster-name": LAB.name}
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
MINE = {"aws:resourcetag/ekslab:lab-id": LAB.id, "aws:resourcetag/ebs.csi.aws.com/cluster-name": LAB.name}
ANOTHER_LABS = {
    "aws:resourcetag/ekslab:lab-id": "lab-other",
    "aws:resourcetag/ebs.csi.aws.com/cluster-name": "other",
    "aws:resourcetag/ebs.csi.aws.com/cluster": "true",
}
NOBODYS: Mapping[str, str] = {}
ZONE = "arn:aws:route53:::hostedzone/Z0123456789"
DOMAIN = LAB.spec.external_dns.domain if LAB.spec.external_dns else ""
NAMES, TYPES = (f"route53:changeresourcerecordsets{what}" for what in ("normalizedrecordnames", "recordtypes"))
ROLES = ("ClusterRole", "NodeRole", "WorkHostRole", "ExternalDnsRole", "EbsCsiRole", "CniRole")
VPC = "vpc-0ab12cd34ef56ab78"


def allowed(role: str, action: str, resource: str, context: Mapping[str, Any] = NOBODYS) -> bool:
    """IAM's decision for this role of the lab: its own policies within the boundary."""
    made = resources(LAB)[role]["Properties"]
    names = [str(arn).rpartition("policy/")[2].strip("'}") for arn in made.get("ManagedPolicyArns", [])]
    documents = [MANAGED[name.rpartition("/")[2]]["Document"] for name in names]
    documents += [policy["PolicyDocument"] for policy in made.get("Policies", [])]
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        service_context={**context, **{key.replace("aws:", "ec2:", 1): value for key, value in context.items()}},
    )
    policies, boundary = [parsed(document) for document in documents], [parsed(BOUNDARY["PolicyDocument"])]
    return bool(iam_evaluator.evaluate(asked, policies, boundary).decision == "Allow")


def parsed(document: Any) -> list[Any]:
    text = json.dumps(_plain(document)).replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", ACCOUNT)
    text = text.replace("${AWS::Region}", REGION).replace("${Vpc}", VPC)
    for key, value in PRINCIPAL.items():
        text = text.replace(f"${{aws:PrincipalTag/{key}}}", value)
    found: list[Any] = iam_evaluator.parse_policy_document(json.loads(text))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value["Fn::Sub"] if set(value) == {"Fn::Sub"} else {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"])
def test_no_role_reads_a_parameter_of_the_account(role: str, action: str) -> None:
    """Issue 11, row 3."""
    for name in ("prod/database/password", "aws/reference/secretsmanager/prod"):
        assert not allowed(role, action, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}")


@pytest.mark.parametrize("thing", [ANOTHER_LABS, NOBODYS], ids=["another lab's", "nobody's"])
@pytest.mark.parametrize(
    ("action", "sort"),
    [
        ("ec2:AttachVolume", "volume"),
        ("ec2:CreateSnapshot", "volume"),
        ("ec2:CopyVolumes", "volume"),
        ("ec2:DeleteSnapshot", "snapshot"),
        ("ec2:DeleteVolume", "volume"),
        ("ec2:DetachVolume", "volume"),
        ("ec2:ModifyVolume", "volume"),
    ],
)
def test_the_csi_role_touches_no_volume_or_snapshot_of_others(action: str, sort: str, thing: Mapping[str, str]) -> None:
    """Issue 11, row 3: a pod read others' data by a snapshot or a clone."""
    assert not allowed("EbsCsiRole", action, f"{EC2}:{sort}/{sort[:4]}-1", thing)


def test_the_csi_role_does_its_work_on_the_labs_own() -> None:
    for action in ("ec2:CreateSnapshot", "ec2:DeleteVolume", "ec2:ModifyVolume", "ec2:AttachVolume"):
        assert allowed("EbsCsiRole", action, f"{EC2}:volume/vol-1", MINE), action


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("action", "sort"),
    [
        ("ec2:DeleteNetworkInterface", "network-interface"),
        ("ec2:DetachNetworkInterface", "network-interface"),
        ("ec2:ModifyNetworkInterfaceAttribute", "network-interface"),
        ("ec2:CreateTags", "network-interface"),
        ("ec2:DeleteVolume", "volume"),
        ("ec2:DetachVolume", "volume"),
        ("ec2:DeleteSecurityGroup", "security-group"),
    ],
)
def test_no_role_changes_what_carries_another_labs_tag(role: str, action: str, sort: str) -> None:
    assert not allowed(role, action, f"{EC2}:{sort}/x-1", ANOTHER_LABS)


#: The CNI's requests, each with every resource that AWS checks and its context values (amazon-vpc-cni-k8s, awsutils.go).
_ASKED = {"aws:requesttag/ekslab:lab-id": LAB.id}
_WITHIN = {"ec2:vpc": f"{EC2}:vpc/{VPC}"}
CNI_ASKS: Mapping[str, tuple[str, Mapping[str, Mapping[str, str]]]] = {
    "makes an interface": (
        "ec2:CreateNetworkInterface",
        {"network-interface/*": _ASKED, "subnet/subnet-1": _WITHIN, "security-group/sg-1": _WITHIN},
    ),
    "tags it as it makes it": (
        "ec2:CreateTags",
        {"network-interface/*": {**_ASKED, "ec2:createaction": "CreateNetworkInterface"}},
    ),
    "tags a node's first one": (
        "ec2:CreateTags",
        {"network-interface/eni-1": {**MINE, "aws:requesttag/node.k8s.amazonaws.com/instance_id": "i-1"}},
    ),
    "attaches": ("ec2:AttachNetworkInterface", {"network-interface/eni-1": MINE, "instance/i-1": MINE}),
    "lets it go with the node": (
        "ec2:ModifyNetworkInterfaceAttribute",
        {"network-interface/eni-1": MINE, "instance/i-1": MINE},
    ),
    "changes its groups": (
        "ec2:ModifyNetworkInterfaceAttribute",
        {"network-interface/eni-1": MINE, "security-group/sg-1": _WITHIN},
    ),
    "takes an address": ("ec2:AssignPrivateIpAddresses", {"network-interface/eni-1": MINE}),
    "gives one back": ("ec2:UnassignPrivateIpAddresses", {"network-interface/eni-1": MINE}),
    "detaches": ("ec2:DetachNetworkInterface", {"network-interface/eni-1": MINE, "instance/i-1": MINE}),
    "deletes": ("ec2:DeleteNetworkInterface", {"network-interface/eni-1": MINE}),
}


@pytest.mark.parametrize("what", CNI_ASKS)
def test_the_cni_role_does_its_work_in_its_own_lab_and_nowhere_else(what: str) -> None:
    action, things = CNI_ASKS[what]
    for thing, context in things.items():
        assert allowed("CniRole", action, f"{EC2}:{thing}", context), thing
        assert not allowed("NodeRole", action, f"{EC2}:{thing}", context), thing
    elsewhere = {"ec2:vpc": f"{EC2}:vpc/vpc-others", "ec2:createaction": "RunInstances"}
    for others in ({}, ANOTHER_LABS, {"aws:requesttag/ekslab:lab-id": "lab-other"}, elsewhere):
        for thing in things:
            assert not allowed("CniRole", action, f"{EC2}:{thing}", others), (thing, others)


def test_the_cni_role_gives_no_interface_of_its_lab_another_labs_tag() -> None:
    another = {**MINE, "aws:requesttag/ekslab:lab-id": "lab-other"}
    assert not allowed("CniRole", "ec2:CreateTags", f"{EC2}:network-interface/eni-1", another)


def test_the_cni_looks_at_what_it_needs() -> None:
    kinds = ("Instances", "InstanceTypes", "NetworkInterfaces", "SecurityGroups", "Subnets", "Tags")
    assert all(allowed("CniRole", f"ec2:Describe{kind}", "*") for kind in kinds)


@pytest.mark.parametrize(
    "names",
    [
        ["www.example.com"],
        [DOMAIN],
        [f"_acme-challenge.{DOMAIN.partition('.')[2]}"],
        [f"a.{DOMAIN}", "www.example.com"],
    ],
)
def test_external_dns_writes_no_name_but_below_its_labs_own(names: list[str]) -> None:
    """Issue 11, row 1: it changed www, MX and ACME records of the whole zone."""
    change = "route53:ChangeResourceRecordSets"
    assert not allowed("ExternalDnsRole", change, ZONE, {NAMES: names, TYPES: ["A"] * len(names)})
    assert allowed("ExternalDnsRole", change, ZONE, {NAMES: [f"web.{DOMAIN}"], TYPES: ["A"]})
    assert not allowed("ExternalDnsRole", change, ZONE, {NAMES: [f"web.{DOMAIN}"], TYPES: ["MX"]})
    assert not allowed("ExternalDnsRole", change, ZONE, {})


#: The remaining rights of a role to others' resources, and why they are unavoidable.
UNBOUND: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ClusterRole": (("*",), "AWS's control plane alone assumes it: no pod, node or person gets its credentials."),
    "NodeRole, WorkHostRole": (
        ("ec2messages:*", "ssmmessages:*", "ssm:Get*", "ssm:Put*", "ssm:Update*"),
        "Session Manager's agent speaks for its own instance, which AWS knows by the credentials; parameters are denied.",
    ),
    "NodeRole": (
        ("ecr:*", "eks-auth:AssumeRoleForPodIdentity"),
        "Images are pulled from wherever a pod says, and registries have policies of their own; EKS hands out a pod's role to the "
        "nodes of its own cluster.",
    ),
}
#: Another lab's resource has its tag; these have none of the service's.
KINDS = {"another lab's": ANOTHER_LABS, "nobody's": NOBODYS}
#: Reading metadata, not contents.
_LOOKING = ("Describe", "List")


def actions_of(role: str) -> set[str]:
    """Every action of its policies, with patterns expanded by AWS's list (from the parliament package)."""
    made = resources(LAB)[role]["Properties"]
    names = [str(arn).rpartition("policy/")[2].strip("'}") for arn in made.get("ManagedPolicyArns", [])]
    documents = [MANAGED[name.rpartition("/")[2]]["Document"] for name in names]
    documents += [policy["PolicyDocument"] for policy in made.get("Policies", [])]
    said = [
        each for document in documents for each in bounds.several(document["Statement"]) if each["Effect"] == "Allow"
    ]
    patterns = {action for each in said for action in bounds.several(each["Action"])}
    return {
        name for name in _known() if any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
    }


def things_of(action: str) -> list[str]:
    """ARNs of others' resources, of each type of the action; `*` where AWS knows none."""
    service, sorts = action.partition(":")[0], _known()[action] or ("",)
    return [_arn(service, sort) for sort in sorts]


def _arn(service: str, sort: str) -> str:
    if service == "route53":
        return "arn:aws:route53:::hostedzone/ZOTHER"
    owner = "" if sort in ("image", "snapshot") and service == "ec2" else ACCOUNT
    return f"arn:aws:{service}:{REGION}:{owner}:{sort}/other-1" if sort else "*"


@cache
def _known() -> Mapping[str, tuple[str, ...]]:
    listed = json.loads((Path(parliament.__file__).parent / "iam_definition.json").read_text())
    return {
        f"{service['prefix']}:{each['privilege']}": tuple(
            sort["resource_type"].rstrip("*") for sort in each["resource_types"] if sort["resource_type"]
        )
        for service in listed
        for each in service["privileges"]
    }


def _is_excused(role: str, action: str) -> bool:
    return any(
        role in [each.strip() for each in roles.split(",")]
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns)
        for roles, (patterns, _) in UNBOUND.items()
    )


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_a_lab_reads_or_changes_anything_of_others(role: str) -> None:
    """Issue 11, row 3: each role, as a pod in its node's network or as its service account, with every allowed action."""
    found = {
        (action, kind)
        for action in actions_of(role)
        if not action.partition(":")[2].startswith(_LOOKING) and not _is_excused(role, action)
        for thing in things_of(action)
        for kind, tags in KINDS.items()
        if allowed(role, action, thing, tags)
    }
    assert found == set()


def test_what_cannot_be_bound_is_a_short_list_with_reasons_and_needed() -> None:
    for roles, (patterns, why) in UNBOUND.items():
        assert len(why) > 60
        for pattern in patterns:
            named = {
                action
                for role in roles.split(",")
                for action in actions_of(role.strip())
                if fnmatch.fnmatchcase(action, pattern)
            }
            assert named, pattern


@pytest.mark.parametrize("role", ["CniRole", "EbsCsiRole"])
def test_of_another_lab_even_what_cannot_be_bound_touches_no_interface_or_volume(role: str) -> None:
    sorts = ("network-interface", "volume", "snapshot")
    asked = {
        (action, sort)
        for action in actions_of(role)
        if action.startswith("ec2:") and not action.partition(":")[2].startswith((*_LOOKING, "Create"))
        for sort in _known()[action]
        if sort in sorts
    }
    assert asked
    assert {each for each in asked if allowed(role, each[0], _arn("ec2", each[1]), ANOTHER_LABS)} == set()
