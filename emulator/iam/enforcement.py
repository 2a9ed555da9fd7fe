"""IAM where the emulator is laxer than AWS: a request's resources, AWS's further checks, tags of OIDC providers.

The parts are beside this: `resources` (a request's resources), `dependent_actions` (further checks), `context` (condition keys),
`requests` (a record of all that roles requested).
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import iam

from emulator.ec2.actions import Params, param
from emulator.eks.http.iam_actions import resource_for
from emulator.eks.http.routing import find_route
from emulator.iam import context, dependent_actions
from emulator.iam.resources import refined_resource

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]


def install() -> None:
    """Tighten the IAM of this process's emulator: call it last, when every service's handler is in its place."""
    emulated_resource = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        if service == "eks":
            _, labels = find_route(method, path) or ("", {})
            context.principal_in_path.set(labels.get("principalArn", ""))
            return resource_for(method, path, get_region(), get_account_id())
        known = str(emulated_resource(service, method, path, headers, body, *more))
        return refined_resource(service, path, more[0], get_region(), get_account_id(), known)

    iam_actions.extract_resource_arn = extract_resource_arn
    context.install()
    iam._IAM_HANDLERS["ListOpenIDConnectProviderTags"] = _list_oidc_provider_tags
    for service, also in (
        ("eks", dependent_actions.of_eks),
        ("ec2", dependent_actions.of_ec2),
        ("cloudformation", dependent_actions.of_stacks),
    ):
        app.SERVICE_HANDLERS[service] = _checked(service, also, app.SERVICE_HANDLERS[service])


def _checked(service: str, also: dependent_actions.Asked, handle: Handler) -> Handler:
    async def handle_checked(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if app.AUTH and method == "POST":
            for action, resource, keys in also(method, path, body):
                denied = iam_evaluator.enforce(
                    extract_access_key_id(headers, query),
                    action,
                    action.partition(":")[0],
                    get_region(),
                    resource_arn=resource,
                    service_context=dict(keys),
                )
                if denied:
                    who, request_id = denied.principal_arn, str(uuid.uuid4())
                    return iam_actions.access_denied_response(
                        service, action, who, request_id, headers=headers, resource_arn=resource
                    )
        return await handle(method, path, headers, body, query)

    return handle_checked


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
