"""Two installations in one account: neither has a right to delete or change resources with the other's name.

Issue 11, row 12. Resources of Kubernetes' controllers in a cluster have no tag of the service: those rights are listed, and
require the rule of proof (docs/explanation/what-is-deleted.md).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployment import bounds, rights
from tests.deployment.test_bounds import FOREIGN

DELETING = ("Delete", "Terminate", "Release", "Remove", "Detach", "Disassociate", "Revoke")
LAB, INSTALLATION = "aws:ResourceTag/ekslab:lab-id", "aws:ResourceTag/ekslab:installation"
#: Resources with the installation's name in another form, or that can't have it.
OTHERWISE = {
    "labs-table": "the installation's own table",
    "delete-lab-stacks": "only with the installation's own LabStackRole",
    "delete-nodegroups": "unbound.json",
    "terminate-karpenters": "Karpenter's instances bear its tags",
    "terminate-self-managed": "instances of Auto Scaling groups that people made",
    "delete-node-groups-groups": "EKS tags the groups of node groups",
    "sweep-load-balancers": "the load balancer controller's tag",
    "sweep-service-balancers": "the cloud provider's tag",
    "sweep-karpenters": "Karpenter's tags",
    "sweep-karpenter-templates": "Karpenter's tags",
    "sweep-node-group-templates": "EKS's tag",
    "sweep-interfaces": "the VPC CNI's tag",
    "sweep-cluster-group-rules": "EKS's tag",
    "sweep-guard-duty": "GuardDuty's tag",
    "sweep-security-groups": "unbound.json",
    "sweep-volumes": "the EBS CSI driver's tag",
    "sweep-log-groups": "unbound.json",
    "sweep-instance-profiles": "unbound.json",
    "sweep-oidc-providers": "unbound.json",
    "StateMachineRole/LogDeliveries": "unbound.json",
    "LabStackRole/LogsOfLabs": "unbound.json",
    "LabStackRole/RolesOfLabs": "the path of labs' roles, and CloudFormation deletes only what its stack made",
}


def test_every_right_to_delete_names_the_installation_or_is_on_the_list() -> None:
    without = {name for name, said in bounds.everything_said() if _deletes(said) and not _is_of_installation(said)}
    assert without == set(OTHERWISE)


def test_whatever_wants_a_labs_tag_wants_the_installations_too() -> None:
    wanting = [said for _, said in bounds.everything_said() if LAB in said.get("Condition", {}).get("Null", {})]
    assert len(wanting) > 10
    assert all(_is_of_installation(said) for said in wanting)


#: Rights to delete a resource with a lab's tag and no installation's: users and controllers tag proved resources this way.
UNNAMED_TOO = {"terminate-own", "sweep-own", "release-own-addresses"}


def test_only_the_sweeps_reach_what_bears_no_installations_name_and_no_other_ones() -> None:
    loosely = {
        name for name, said in bounds.everything_said() if INSTALLATION in _condition(said, "StringLikeIfExists")
    }
    assert loosely == UNNAMED_TOO


@pytest.mark.parametrize(
    ("action", "sort"),
    [
        ("ec2:DeleteVolume", "volume/vol-1"),
        ("ec2:ReleaseAddress", "elastic-ip/eipalloc-1"),
        ("ec2:TerminateInstances", "instance/i-1"),
    ],
)
@pytest.mark.parametrize(("installation", "in_reach"), [(None, True), ("ekslab", True), ("ekslab-other", False)])
def test_what_bears_a_labs_tag_alone_is_in_reach_of_its_sweeps(
    action: str, sort: str, installation: str | None, in_reach: bool
) -> None:
    """Proof is required before: without this a lab's own tagged resources would block its end."""
    tags = {LAB.lower(): "lab-1"} | ({INSTALLATION.lower(): installation} if installation else {})
    resource = f"arn:aws:ec2:ap-northeast-2:111122223333:{sort}"
    asked = rights.Question("verify_deletion_remove_leftovers", action, resource, "ap-northeast-2", tags)
    assert rights.is_allowed(asked, rights.policy_of(asked.function)) is in_reach


@pytest.mark.parametrize(("action", "resource"), FOREIGN)
def test_what_is_another_installations_is_out_of_every_functions_reach(action: str, resource: str) -> None:
    theirs = {LAB.lower(): "lab-1", INSTALLATION.lower(): "ekslab-other"}
    asked = [
        rights.Question(name, action, resource, "ap-northeast-2", theirs) for name in rights.functions_with_rights()
    ]
    assert [each.function for each in asked if rights.is_allowed(each, rights.policy_of(each.function))] == []


@pytest.mark.parametrize(
    ("action", "sort"),
    [("ec2:DeleteVolume", "volume/vol-1"), ("ec2:DeleteNetworkInterface", "network-interface/eni-1")],
)
def test_it_can_fail_its_own_labs_things_are_in_reach(action: str, sort: str) -> None:
    ours = {LAB.lower(): "lab-1", INSTALLATION.lower(): "ekslab"}
    resource = f"arn:aws:ec2:ap-northeast-2:111122223333:{sort}"
    asked = rights.Question("teardown_sweep_leftovers", action, resource, "ap-northeast-2", ours)
    assert rights.is_allowed(asked, rights.policy_of(asked.function))


def _deletes(said: dict[str, Any]) -> bool:
    return any(action.partition(":")[2].startswith(DELETING) for action in bounds.several(said["Action"]))


def _is_of_installation(said: dict[str, Any]) -> bool:
    named = {**_condition(said, "StringLikeIfExists"), **_condition(said, "StringEquals")}.get(INSTALLATION)
    return json.dumps(named) == '{"Fn::Sub": "${AWS::StackName}"}'


def _condition(said: dict[str, Any], operator: str) -> dict[str, Any]:
    keys: dict[str, Any] = said.get("Condition", {}).get(operator, {})
    return keys
