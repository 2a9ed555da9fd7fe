"""The resource of a request, where the emulator's IAM only knows `*` or a role without its path.

A policy that names resources is tested only if the emulator checks the resource that AWS would check. EC2's, IAM's,
classic Elastic Load Balancing's and EFS's calls that delete things are completed here.
"""

import re

from ministack.services import iam

from emulator.ec2.actions import Params, param, records

_EC2_FIELDS = (
    ("KeyPairId", "key-pair"),
    ("LaunchTemplateId", "launch-template"),
    ("VpcEndpointId.1", "vpc-endpoint"),
    ("NetworkInterfaceId", "network-interface"),
    ("SnapshotId", "snapshot"),
)
_NEW_IN_EC2 = {
    "ImportKeyPair": "key-pair/*",
    "CreateSecurityGroup": "security-group/*",
    "RunInstances": "instance/*",
}
_MOUNT_TARGET = re.compile(r"/mount-targets/(fsmt-[0-9a-f]+)$")


def refined_resource(service: str, path: str, params: Params, region: str, account: str, known: str) -> str:
    """The ARN AWS would check, or `known`, the emulator's own answer, where that is right."""
    match service:
        case "ec2" if param(params, "Action").startswith("Describe"):
            return "*"
        case "ec2":
            return _of_ec2(params, region, account, known)
        case "iam":
            return _of_iam(params, known)
        case "elasticloadbalancing" if known == "*" and param(params, "LoadBalancerName"):
            return f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{param(params, 'LoadBalancerName')}"
        case "elasticfilesystem" if _MOUNT_TARGET.search(path):
            return f"arn:aws:elasticfilesystem:{region}:{account}:file-system/*"
        case _:
            return known


def _of_ec2(params: Params, region: str, account: str, known: str) -> str:
    place = f"arn:aws:ec2:{region}:{account}"
    if known.startswith(f"{place}:snapshot/"):
        return known.replace(f":{account}:", "::")  # A snapshot's ARN has no account in it.
    new = _NEW_IN_EC2.get(param(params, "Action"))
    if new:
        return f"{place}:{new}"
    if param(params, "Action") == "DeleteKeyPair" and (name := param(params, "KeyName")):
        # Its tags are stored here by its id.
        return next(
            (f"{place}:key-pair/{key['KeyPairId']}" for key in records("key_pairs") if key["KeyName"] == name), known
        )
    for field, kind in _EC2_FIELDS:
        if known == "*" and param(params, field):
            return f"{place}:{kind}/{param(params, field)}"
    return known


def _of_iam(params: Params, known: str) -> str:
    """Roles and instance profiles have a path, which requests omit and IAM looks up."""
    profile, role = param(params, "InstanceProfileName"), param(params, "RoleName")
    if profile:
        return str(iam._instance_profiles.get(profile, {}).get("Arn", known))
    if role:
        return str((iam._roles.get(role) or {}).get("Arn", known))
    return param(params, "OpenIDConnectProviderArn") or known
