"""The IAM action and the resource of each EKS request, from the model's routes.

For an emulator that enforces policies. Resources follow AWS's service authorization reference: operations that create or list
parts of a cluster have the cluster's ARN, operations on one part have the part's ARN. Where an ARN ends in an id the request does
not carry, it ends in "*" here, so a policy should do the same.
"""

from __future__ import annotations

from emulator.eks.http.routing import find_route

_OF_NO_CLUSTER = (
    "CreateCluster",
    "DescribeAddonVersions",
    "DescribeAddonConfiguration",
    "DescribeClusterVersions",
    "ListAccessPolicies",
)
_KINDS = {"nodegroupName": "nodegroup", "addonName": "addon", "fargateProfileName": "fargateprofile"}


def action_for(method: str, path: str) -> str | None:
    """Return e.g. `eks:CreateNodegroup`, None where EKS has no such operation."""
    found = find_route(method, path)
    return f"eks:{found[0]}" if found else None


def resource_for(method: str, path: str, region: str, account: str) -> str:
    """Return the ARN of the request's resource, "*" if it has none."""
    found = find_route(method, path)
    if found is None:
        return "*"
    operation, labels = found
    if "resourceArn" in labels:
        return labels["resourceArn"]
    cluster = labels.get("name")
    if operation in _OF_NO_CLUSTER or cluster is None:
        return "*"
    return f"arn:aws:eks:{region}:{account}:{_resource_path(cluster, labels)}"


def _resource_path(cluster: str, labels: dict[str, str]) -> str:
    for label, kind in _KINDS.items():
        if label in labels:
            return f"{kind}/{cluster}/{labels[label]}/*"
    if "associationId" in labels:
        return f"podidentityassociation/{cluster}/{labels['associationId']}"
    if "principalArn" in labels:
        account, _, path = labels["principalArn"].removeprefix("arn:aws:iam::").partition(":")
        sort, _, name = path.partition("/")
        return f"access-entry/{cluster}/{sort}/{account}/{name.split('/')[-1]}/*"
    return f"cluster/{cluster}"
