"""IAM where the emulator is laxer than AWS: what an EKS request is about, whose role is passed, tags of OIDC providers.

Passing a role to a service needs iam:PassRole on that role. The emulator does not ask, so a policy that lacks it
would be proved sufficient here and fail on AWS.
"""

import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import iam

from sandbox.ec2.actions import Params, param
from sandbox.eks.call import principal_arn
from sandbox.eks.iam_actions import resource_for
from sandbox.iam_resources import refined_resource

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]
PassedRole = tuple[str, str]
"""The ARN of a role that a request hands over, and the service principal that gets it."""


def install() -> None:
    """Tighten the IAM of this process's emulator: call it last, when every service's handler is in its place."""
    emulated_resource = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        if service == "eks":
            return resource_for(method, path, get_region(), get_account_id())
        known = str(emulated_resource(service, method, path, headers, body, *more))
        return refined_resource(service, path, more[0], get_region(), get_account_id(), known)

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator._resolve_condition_key = _as_on_aws(iam_evaluator._resolve_condition_key)
    iam._IAM_HANDLERS["ListOpenIDConnectProviderTags"] = _list_oidc_provider_tags
    for service, passed in (("eks", _passed_to_eks), ("ec2", _passed_to_ec2), ("cloudformation", _passed_to_stacks)):
        ministack.SERVICE_HANDLERS[service] = _checked(service, passed, ministack.SERVICE_HANDLERS[service])


def _as_on_aws(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """In a condition, aws:PrincipalArn of a role's session is the role's ARN; what comes over loopback counts as TLS."""

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:securetransport":
            return "true"
        value = resolve(key, context)
        return principal_arn(str(value)) if key.lower() == "aws:principalarn" and value else value

    return resolve_condition_key


def _checked(service: str, passed: Callable[[bytes], Iterator[PassedRole]], handle: Handler) -> Handler:
    async def handle_checked(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if ministack.AUTH and method == "POST":
            for role, to in passed(body):
                denied = iam_evaluator.enforce(
                    extract_access_key_id(headers, query),
                    "iam:PassRole",
                    "iam",
                    get_region(),
                    resource_arn=role,
                    service_context={"iam:PassedToService": to},
                )
                if denied:
                    who, request_id = denied.principal_arn, str(uuid.uuid4())
                    return iam_actions.access_denied_response(
                        service, "iam:PassRole", who, request_id, headers=headers, resource_arn=role
                    )
        return await handle(method, path, headers, body, query)

    return handle_checked


def _passed_to_eks(body: bytes) -> Iterator[PassedRole]:
    given = _json(body)
    for name, to in (
        ("roleArn", "eks.amazonaws.com"),
        ("nodeRole", "eks.amazonaws.com"),
        ("serviceAccountRoleArn", "eks.amazonaws.com"),
        ("podExecutionRoleArn", "eks-fargate-pods.amazonaws.com"),
    ):
        if isinstance(given.get(name), str):
            yield given[name], to


def _passed_to_ec2(body: bytes) -> Iterator[PassedRole]:
    params = _form(body)
    if param(params, "Action") != "RunInstances":
        return
    name = param(params, "IamInstanceProfile.Name") or param(params, "IamInstanceProfile.Arn").rpartition("/")[2]
    for role in iam._instance_profiles.get(name, {}).get("Roles", []):
        record = iam._roles.get(role) if isinstance(role, str) else role
        if record:
            yield record["Arn"], "ec2.amazonaws.com"


def _passed_to_stacks(body: bytes) -> Iterator[PassedRole]:
    if role := param(_form(body), "RoleARN"):
        yield role, "cloudformation.amazonaws.com"


def _list_oidc_provider_tags(params: Params) -> Any:
    arn = param(params, "OpenIDConnectProviderArn")
    provider = iam._oidc_providers.get(arn)
    if provider is None:
        return iam._error(404, "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", ns="iam")
    tags = "".join(
        f"<member><Key>{tag['Key']}</Key><Value>{tag['Value']}</Value></member>" for tag in provider.get("Tags") or []
    )
    inner = f"<Tags>{tags}</Tags><IsTruncated>false</IsTruncated>"
    action = "ListOpenIDConnectProviderTags"
    return iam._xml(200, f"{action}Response", f"<{action}Result>{inner}</{action}Result>", ns="iam")


def _form(body: bytes) -> Params:
    return dict(parse_qs(body.decode(errors="replace")))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
