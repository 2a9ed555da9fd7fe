"""EKS's checks of IAM roles: the role exists, and trusts the service that assumes it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from emulator.eks.http.call import Caller
from emulator.eks.http.errors import invalid_parameter
from emulator.eks.state.world import World


def require_role(world: World, caller: Caller, arn: str, trusted: str | None = None) -> None:
    """Raise InvalidParameterException unless the role exists and its trust policy names the service `trusted`, if any."""
    found = re.fullmatch(r"arn:aws[\w-]*:iam::(\d{12}):role/(.+)", arn)
    if not found:
        raise invalid_parameter(f"{arn} is not the ARN of an IAM role")
    if found.group(1) != caller.account:
        raise invalid_parameter("Cross-account pass role is not allowed.")
    try:
        role = world.aws.client("iam", caller.account, caller.region).get_role(RoleName=found.group(2).split("/")[-1])
    except ClientError as refused:
        raise invalid_parameter(_wrong(arn)) from refused
    is_right = role["Role"]["Arn"] == arn
    if not is_right or (trusted and not _trusts(role["Role"]["AssumeRolePolicyDocument"], trusted)):
        raise invalid_parameter(_wrong(arn))


def _wrong(arn: str) -> str:
    """EKS's messages for a missing role and for one with another trust policy (terraform-aws-eks#2406, pulumi-eks#758)."""
    return f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"


def has_policy(iam: Any, role_arn: str, prefix: str) -> bool:
    """Tell whether the role exists and has a managed policy whose name has this prefix."""
    try:
        attached = iam.list_attached_role_policies(RoleName=role_arn.split("/")[-1])["AttachedPolicies"]
    except iam.exceptions.NoSuchEntityException:
        return False
    return any(policy["PolicyName"].startswith(prefix) for policy in attached)


def _trusts(document: Any, service: str) -> bool:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in ([named] if isinstance(named, str) else named):
            return True
    return False
