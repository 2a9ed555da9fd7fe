"""Access policies: which there are, and which principal has which, for the cluster or for some namespaces."""

from __future__ import annotations

from typing import Any

from emulator.eks.access.authorization import associate
from emulator.eks.access.entries import entry_of
from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter, invalid_request, not_found
from emulator.eks.http.pages import page
from emulator.eks.state.world import Operation, World

_PREFIX = "arn:aws:eks::aws:cluster-access-policy/"
_NAMES = (
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)


def list_access_policies(_world: World, call: Call) -> dict[str, Any]:
    """Return every access policy there is."""
    return page(call, "accessPolicies", [{"name": name, "arn": _PREFIX + name} for name in _NAMES])


def associate_access_policy(world: World, call: Call) -> dict[str, Any]:
    """Give a principal an access policy, or another scope of one it has."""
    entry, policy, scope = entry_of(world, call), call.given["policyArn"], call.given["accessScope"]
    if not policy.startswith(_PREFIX) or policy.removeprefix(_PREFIX) not in _NAMES:
        raise invalid_parameter(f"The policyArn parameter {policy} is not an access policy")
    if entry.described["type"] not in ("STANDARD", "EC2"):
        raise invalid_request(f"Policies can't be associated to an access entry of type {entry.described['type']}")
    if (scope.get("type") == "namespace") != bool(scope.get("namespaces")):
        raise invalid_parameter("Namespaces are given for scope type namespace, and only for it")
    return {
        "clusterName": call.given["clusterName"],
        "principalArn": call.given["principalArn"],
        "associatedAccessPolicy": associate(world, entry, policy, scope),
    }


def disassociate_access_policy(world: World, call: Call) -> dict[str, Any]:
    """Take an access policy from a principal."""
    policies, policy = entry_of(world, call).policies, call.given["policyArn"]
    if policy not in policies:
        raise not_found(f"The policy {policy} is not associated to the access entry")
    del policies[policy]
    return {}


def list_associated_access_policies(world: World, call: Call) -> dict[str, Any]:
    """Return the policies of a principal."""
    policies = list(entry_of(world, call).policies.values())
    who = {"clusterName": call.given["clusterName"], "principalArn": call.given["principalArn"]}
    return {**who, **page(call, "associatedAccessPolicies", policies)}


OPERATIONS: dict[str, Operation] = {
    "ListAccessPolicies": list_access_policies,
    "AssociateAccessPolicy": associate_access_policy,
    "DisassociateAccessPolicy": disassociate_access_policy,
    "ListAssociatedAccessPolicies": list_associated_access_policies,
}
