"""AWS's further permission checks of a request; the emulator makes one.

They are about passed and created roles, tags at creation, each resource that an instance uses, and the parameter that names its
image. Without them, a policy that lacks one of these permissions would work here and fail on AWS.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from emulator.ec2.actions import Params, param
from emulator.eks.http.iam_actions import resource_for
from emulator.eks.http.routing import find_route


class Question(NamedTuple):
    """An action, the ARN of its resource, and condition keys."""

    action: str
    resource: str
    context: Mapping[str, Any] = {}


Asked = Callable[[str, str, bytes], Iterator[Question]]
"""The further questions of a request: method, path, body."""

_BORN_TAGGED = {
    "CreateCluster": ("cluster/{name}", "name"),
    "CreateNodegroup": ("nodegroup/{cluster}/{name}/*", "nodegroupName"),
    "CreateAddon": ("addon/{cluster}/{name}/*", "addonName"),
    "CreateAccessEntry": ("access-entry/{cluster}/*", "principalArn"),
    "CreatePodIdentityAssociation": ("podidentityassociation/{cluster}/*", "serviceAccount"),
}
_PASSED_TO_EKS = (
    ("roleArn", "eks.amazonaws.com"),
    ("nodeRole", "eks.amazonaws.com"),
    ("serviceAccountRoleArn", "eks.amazonaws.com"),
    ("podExecutionRoleArn", "eks-fargate-pods.amazonaws.com"),
)
#: Service-linked roles that EKS makes in an account for the first of these. The emulator has no such roles: here each is the
#: first. IAM knows a missing role by its name alone: EKS looks for one without a path, then for the one it made.
_LINKED_ROLES = {
    "CreateCluster": ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    "CreateNodegroup": ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
}
#: Permissions for an account's first cluster, as callers found (aws/aws-cdk#9027).
_LOOKED_AT_IN_A_NETWORK = ("Subnets", "Vpcs", "DhcpOptions", "NetworkInterfaces", "SecurityGroups", "RouteTables")
_PARAMETER = "resolve:ssm:"
#: Resources that RunInstances checks, beside the instance: by field, the type in the ARN.
_INSTANCE_PARTS = (
    ("NetworkInterface.1.SubnetId", "subnet"),
    ("NetworkInterface.1.SecurityGroupId.1", "security-group"),
    ("KeyName", "key-pair"),
)


def of_eks(method: str, path: str, body: bytes) -> Iterator[Question]:
    """The roles that a request passes, the tags of its resources, and the right to launch its launch template."""
    given = _json(body)
    for name, to in _PASSED_TO_EKS:
        if isinstance(given.get(name), str):
            yield _passed(given[name], "pods.eks.amazonaws.com" if "serviceAccount" in given else to)
    operation, labels = find_route(method, path) or ("", {})
    yield from _looked_at(operation, given)
    if operation in _LINKED_ROLES:
        service, name = _LINKED_ROLES[operation]
        role = f"arn:aws:iam::{get_account_id()}:role/aws-service-role/{service}/{name}"
        yield Question("iam:GetRole", f"arn:aws:iam::{get_account_id()}:role/{name}")
        yield Question("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": service})
        yield Question("iam:GetRole", role)
    if operation in _BORN_TAGGED and given.get("tags"):
        pattern, field = _BORN_TAGGED[operation]
        thing = pattern.format(cluster=labels.get("name", ""), name=given.get(field, ""))
        context = {f"aws:RequestTag/{key}": value for key, value in given["tags"].items()}
        yield Question("eks:TagResource", f"arn:aws:eks:{get_region()}:{get_account_id()}:{thing}", context)
    if operation == "CreateAddon" and given.get("podIdentityAssociations"):
        yield Question("eks:CreatePodIdentityAssociation", resource_for(method, path, get_region(), get_account_id()))
        yield from _of_addon_identities(labels.get("name", ""), given)
    if operation == "CreateNodegroup" and given.get("launchTemplate"):
        yield from _launched(given["launchTemplate"])


def _of_addon_identities(cluster: str, given: Mapping[str, Any]) -> Iterator[Question]:
    tags = {f"aws:RequestTag/{key}": value for key, value in given.get("tags", {}).items()}
    associations = f"arn:aws:eks:{get_region()}:{get_account_id()}:podidentityassociation/{cluster}/*"
    yield Question("eks:CreateAddon", associations, tags)
    for each in given["podIdentityAssociations"]:
        yield _passed(each["roleArn"], "pods.eks.amazonaws.com")


def of_ec2(_method: str, _path: str, body: bytes) -> Iterator[Question]:
    """The tags of a request's resources, the parts of an instance, its image, and its role."""
    params = _form(body)
    action = param(params, "Action")
    for number in range(1, 10):
        if kind := param(params, f"TagSpecification.{number}.ResourceType"):
            yield Question("ec2:CreateTags", _ec2(f"{kind}/*"), {"ec2:CreateAction": action})
    if action == "CreateSnapshot":
        yield Question("ec2:CreateSnapshot", _ec2("snapshot/*"), _born_with(params, "snapshot"))
    if action == "RunInstances":
        yield from _parts(params)
        yield from _image(params)
        yield from _passed_to_ec2(params)


def of_stacks(_method: str, _path: str, body: bytes) -> Iterator[Question]:
    """The role that a stack is worked on with, and the stack's tags."""
    params = _form(body)
    if role := param(params, "RoleARN"):
        yield _passed(role, "cloudformation.amazonaws.com")
    if param(params, "Tags.member.1.Key"):
        name = param(params, "StackName")
        stack = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/*"
        yield Question("cloudformation:TagResource", stack)


def _passed(role_arn: str, service: str) -> Question:
    return Question("iam:PassRole", role_arn, {"iam:PassedToService": service})


def _looked_at(operation: str, given: Mapping[str, Any]) -> Iterator[Question]:
    """Reads that EKS makes with the caller's rights before it creates something."""
    role = given.get("nodeRole") or given.get("roleArn")
    if operation in ("CreateCluster", "CreateNodegroup", "CreatePodIdentityAssociation") and role:
        yield Question("iam:GetRole", role)
    if operation == "CreateNodegroup" and role:
        yield Question("iam:ListAttachedRolePolicies", role)
    if operation in ("CreateCluster", "CreateNodegroup"):
        for things in _LOOKED_AT_IN_A_NETWORK:
            yield Question(f"ec2:Describe{things}", "*")


def _launched(template: Mapping[str, str]) -> Iterator[Question]:
    """EKS checks with the caller's rights that the launch template may be launched."""
    arn = _ec2(f"launch-template/{template.get('id', '*')}")
    launched = {"ec2:LaunchTemplate": arn, "ec2:IsLaunchTemplateResource": "true"}
    yield Question("ec2:DescribeLaunchTemplates", "*")
    yield Question("ec2:DescribeLaunchTemplateVersions", "*")
    for kind in ("instance", "volume", "network-interface"):
        yield Question("ec2:RunInstances", _ec2(f"{kind}/*"), launched)
        yield Question("ec2:CreateTags", _ec2(f"{kind}/*"), {"ec2:CreateAction": "RunInstances"})


def _parts(params: Params) -> Iterator[Question]:
    for kind in ("volume", "network-interface"):
        yield Question("ec2:RunInstances", _ec2(f"{kind}/*"), _born_with(params, kind))
    # Every image that is requested by a public parameter is Amazon's.
    owner = "amazon" if param(params, "ImageId").startswith("resolve:ssm:/aws/service/") else get_account_id()
    yield Question("ec2:RunInstances", _ec2("image/*"), {"ec2:Owner": owner})
    for field, kind in _INSTANCE_PARTS:
        if name := param(params, field):
            yield Question("ec2:RunInstances", _ec2(f"{kind}/{name}"))


def _image(params: Params) -> Iterator[Question]:
    """EC2 reads a public parameter, whose ARN has no account in it, with the caller's rights."""
    image = param(params, "ImageId")
    if image.startswith(_PARAMETER):
        yield Question("ssm:GetParameters", f"arn:aws:ssm:{get_region()}::parameter{image.removeprefix(_PARAMETER)}")


def _born_with(params: Params, kind: str) -> dict[str, str]:
    """The tags that a request gives to things of this kind."""
    found: dict[str, str] = {}
    for number in range(1, 10):
        if param(params, f"TagSpecification.{number}.ResourceType") == kind:
            tag = f"TagSpecification.{number}.Tag."
            keys = {
                field: field.removesuffix("Key") for field in params if field.startswith(tag) and field.endswith(".Key")
            }
            found |= {f"aws:RequestTag/{param(params, key)}": param(params, f"{at}Value") for key, at in keys.items()}
    return found


def _passed_to_ec2(params: Params) -> Iterator[Question]:
    name = param(params, "IamInstanceProfile.Name") or param(params, "IamInstanceProfile.Arn").rpartition("/")[2]
    for role in iam._instance_profiles.get(name, {}).get("Roles", []):
        record = iam._roles.get(role) if isinstance(role, str) else role
        if record:
            yield _passed(record["Arn"], "ec2.amazonaws.com")


def _ec2(thing: str) -> str:
    owner = "" if thing.startswith(("snapshot/", "image/")) else get_account_id()  # Their ARNs have no account in them.
    return f"arn:aws:ec2:{get_region()}:{owner}:{thing}"


def _form(body: bytes) -> Params:
    return dict(parse_qs(body.decode(errors="replace")))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
