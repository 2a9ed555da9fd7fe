"""No right to change resources reaches others' resources: each is bound, or on the list of exceptions, with its reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.teardown.causes import BY_LAB_TAG
from chalicelib.domain.teardown.evidence import LAB_TAG
from deployment.member_account import template as member_template
from tests.deployment import bounds, rights

EC2 = "arn:aws:ec2:ap-northeast-2:111122223333"
ELB = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333"
EKS = "arn:aws:eks:ap-northeast-2:111122223333"
IAM = "arn:aws:iam::111122223333"
#: Requests that a careless or stolen function would make for resources without a lab's tags.
FOREIGN = (
    ("ec2:TerminateInstances", f"{EC2}:instance/i-1"),
    ("ec2:DeleteVolume", f"{EC2}:volume/vol-1"),
    ("ec2:CreateSnapshot", f"{EC2}:volume/vol-1"),
    ("ec2:DeleteSnapshot", "arn:aws:ec2:ap-northeast-2::snapshot/snap-1"),
    ("ec2:DeleteNetworkInterface", f"{EC2}:network-interface/eni-1"),
    ("ec2:DeleteLaunchTemplate", f"{EC2}:launch-template/lt-1"),
    ("ec2:DeleteKeyPair", f"{EC2}:key-pair/key-1"),
    ("ec2:DeleteVpcEndpoints", f"{EC2}:vpc-endpoint/vpce-1"),
    ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/sg-1"),
    ("ec2:RevokeSecurityGroupIngress", f"{EC2}:security-group/sg-1"),
    ("ec2:RevokeSecurityGroupEgress", f"{EC2}:security-group/sg-1"),
    ("ec2:RunInstances", f"{EC2}:instance/*"),
    ("ec2:CreateTags", f"{EC2}:instance/i-1"),
    ("elasticloadbalancing:DeleteLoadBalancer", f"{ELB}:loadbalancer/app/shop/1"),
    ("elasticloadbalancing:DeleteLoadBalancer", f"{ELB}:loadbalancer/shop"),
    ("elasticloadbalancing:DeleteTargetGroup", f"{ELB}:targetgroup/shop/1"),
    ("elasticfilesystem:DeleteMountTarget", "arn:aws:elasticfilesystem:ap-northeast-2:111122223333:file-system/fs-1"),
    ("eks:DeleteCluster", f"{EKS}:cluster/shop"),
    ("eks:UpdateClusterConfig", f"{EKS}:cluster/shop"),
    ("eks:CreateNodegroup", f"{EKS}:cluster/shop"),
    ("eks:CreateAccessEntry", f"{EKS}:cluster/shop"),
    ("eks:DeleteAccessEntry", f"{EKS}:access-entry/shop/role/111122223333/admin/1"),
    ("eks:AssociateAccessPolicy", f"{EKS}:access-entry/shop/role/111122223333/admin/1"),
    ("iam:RemoveRoleFromInstanceProfile", f"{IAM}:instance-profile/shop"),
    ("iam:DeleteInstanceProfile", f"{IAM}:instance-profile/shop"),
    ("iam:PassRole", f"{IAM}:role/shop"),
    ("cloudformation:DeleteStack", "arn:aws:cloudformation:ap-northeast-2:111122223333:stack/shop/1"),
)


@pytest.mark.parametrize(("action", "resource"), FOREIGN)
def test_what_bears_no_mark_of_a_lab_is_out_of_every_function_s_reach(action: str, resource: str) -> None:
    asked = [rights.Question(name, action, resource, "ap-northeast-2", {}) for name in rights.functions_with_rights()]
    assert [each.function for each in asked if rights.is_allowed(each, rights.policy_of(each.function))] == []


def test_it_can_fail_the_lab_s_tag_is_what_lets_a_sweep_in() -> None:
    tagged = {"aws:resourcetag/ekslab:lab-id": "lab-1", "aws:resourcetag/ekslab:installation": "ekslab"}
    asked = rights.Question("verify_deletion_remove_leftovers", *FOREIGN[0], "ap-northeast-2", tagged)
    assert rights.is_allowed(asked, rights.policy_of(asked.function))


def test_every_right_to_change_something_is_bound_or_has_its_reason_on_the_list() -> None:
    unbound = {name for name, said in bounds.everything_said() if bounds.changes(said) and not bounds.is_bound(said)}
    assert unbound == set(bounds.unbound()), (
        "bind it, or say in .chalice/unbound.json why it can't be; drop what is bound"
    )


def test_every_reason_says_what_stands_against_harm_instead() -> None:
    assert [name for name, why in bounds.unbound().items() if len(why) < 80] == []


def test_every_right_in_a_member_account_is_bound_or_on_the_list_too() -> None:
    listed = {re.sub(r"[^A-Za-z0-9]", "", name.rpartition("/")[2].title()) for name in bounds.unbound()}
    said = [said for _, said in bounds.of_roles(member_template()["Resources"])]
    unbound = {each["Sid"] for each in said if bounds.changes(each) and not bounds.is_bound(each)}
    assert len(said) > 40
    assert {sid for sid in unbound if sid.title() not in {one.title() for one in listed}} == set()


@pytest.mark.parametrize(
    ("said", "bound"),
    [
        ({"Action": "ec2:DeleteVolume", "Resource": "*"}, False),
        ({"Action": "ec2:DeleteVolume", "Resource": "arn:aws:ec2:*:111122223333:volume/*"}, False),
        ({"Action": "eks:DeleteNodegroup", "Resource": "arn:aws:eks:*:111122223333:nodegroup/*"}, False),
        ({"Action": "iam:DeleteRole", "Resource": "arn:aws:iam::111122223333:role/*"}, False),
        ({"Action": "iam:DeleteRole", "Resource": "arn:aws:iam::111122223333:role/ekslab/*"}, True),
        ({"Action": "sns:Publish", "Resource": {"Ref": "NoticesTopic"}}, True),
    ],
)
def test_a_kind_alone_binds_nothing_and_a_name_does(said: dict[str, Any], bound: bool) -> None:
    assert bounds.is_bound(said) is bound


def test_the_tag_that_is_put_on_binds_no_right_to_tag() -> None:
    said = {"Action": "eks:TagResource", "Resource": "*", "Condition": {"Null": {"aws:RequestTag/ours": "false"}}}
    assert not bounds.is_bound(said)
    assert bounds.is_bound(said | {"Action": "eks:CreateCluster"})


def test_a_condition_that_only_leaves_some_out_binds_nothing() -> None:
    said = {"Action": "ec2:DeleteVolume", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/exemption": "true"}}}
    assert not bounds.is_bound(said)
    said["Condition"] = {"Null": {"aws:ResourceTag/ours": "false"}}
    assert bounds.is_bound(said)


def test_every_right_to_delete_by_marks_that_people_can_write_has_its_reason_on_the_list() -> None:
    forgeable = {
        name for name, said in bounds.everything_said() if bounds.deletes(said) and bounds.is_bound_by_marks_alone(said)
    }
    assert forgeable == set(bounds.written()), "want a mark of AWS's, or say in .chalice/written.json why there is none"
    assert [name for name, why in bounds.written().items() if len(why) < 80] == []


@pytest.mark.parametrize("action", ["ec2:TerminateInstances", "ec2:DeleteVolume", "ec2:DeleteNetworkInterface"])
def test_what_another_stack_made_is_out_of_reach_whatever_it_is_tagged(action: str) -> None:
    resource = next(resource for name, resource in FOREIGN if name == action)
    marks = ("ekslab:lab-id", "eks:eks-cluster-name", "ebs.csi.aws.com/cluster", "node.k8s.amazonaws.com/instance_id")
    tags = {f"aws:resourcetag/{mark}": "true" for mark in marks}
    theirs = tags | {"aws:resourcetag/aws:cloudformation:stack-name": "shop"}
    labs = tags | {"aws:resourcetag/aws:cloudformation:stack-name": "ekslab-lab-0123456789ab"}
    for context, allowed in ((theirs, False), (labs, True), (tags, True)):
        asked = rights.Question("verify_deletion_remove_leftovers", action, resource, "ap-northeast-2", context)
        assert rights.is_allowed(asked, rights.policy_of(asked.function)) is allowed


@pytest.mark.parametrize(
    ("key", "alone"),
    [
        ("aws:ResourceTag/ekslab:lab-id", True),
        ("aws:ResourceTag/aws:autoscaling:groupName", False),
        ("ec2:InstanceProfile", False),
    ],
)
def test_only_what_people_can_write_is_a_mark_of_theirs(key: str, alone: bool) -> None:
    said = {"Action": "ec2:TerminateInstances", "Resource": "*", "Condition": {"Null": {key: "false"}}}
    assert bounds.is_bound_by_marks_alone(said) is alone


#: The kinds that a call deletes. A mount target has no tags of its own, and clusters and access entries have their own calls.
DELETES = {
    "ec2:TerminateInstances": {Kind.INSTANCE},
    "ec2:DeleteKeyPair": {Kind.KEY_PAIR},
    "ec2:DeleteLaunchTemplate": {Kind.LAUNCH_TEMPLATE},
    "ec2:DeleteNetworkInterface": {Kind.NETWORK_INTERFACE},
    "ec2:DeleteVolume": {Kind.VOLUME},
    "ec2:DeleteSnapshot": {Kind.SNAPSHOT},
    "ec2:DeleteVpcEndpoints": {Kind.VPC_ENDPOINT},
    "ec2:ReleaseAddress": {Kind.ELASTIC_IP},
    "elasticloadbalancing:DeleteLoadBalancer": {Kind.LOAD_BALANCER, Kind.CLASSIC_LOAD_BALANCER},
    "elasticloadbalancing:DeleteTargetGroup": {Kind.TARGET_GROUP},
    "elasticfilesystem:DeleteMountTarget": set(),
    "eks:DeleteCluster": set(),
    "eks:DeleteAccessEntry": set(),
}


def test_what_is_told_to_be_bound_by_the_labs_tag_is_what_the_rights_bind_by_it() -> None:
    bound: set[Kind] = set()
    for name, statement in bounds.everything_said():
        of_a_role = "/" in name
        if of_a_role or statement.get("Condition", {}).get("Null", {}).get(f"aws:ResourceTag/{LAB_TAG}") != "false":
            continue
        asked = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in asked:
            if action.partition(":")[2].startswith(("Delete", "Terminate", "Release")):
                bound |= DELETES[action]
    assert bound == BY_LAB_TAG
