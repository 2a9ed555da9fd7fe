"""The caller, read from the authorizer's part of the request, never from a header or body that the caller wrote."""

from __future__ import annotations

from typing import Any

from chalice.app import ForbiddenError, Request

from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.people import People


def caller_of(request: Request, people: People) -> Caller:
    """The caller. Raises ForbiddenError for a request that passed no IAM authorizer, and for callers of other accounts."""
    arn, account, role_id = signer_of(request)
    caller = people.caller(arn, account, source_ip(request), role_id)
    if caller is None:
        raise ForbiddenError("Callers are of the account that the service runs in.")
    return caller


def signer_of(request: Request) -> tuple[str, str, str | None]:
    """ARN, account and role id of the signer. Raises ForbiddenError for a request that passed no IAM authorizer."""
    identity: dict[str, Any] = request.context.get("identity") or {}
    arn, account = identity.get("userArn"), identity.get("accountId")
    if not arn or not account:
        raise ForbiddenError("Sign the request with AWS Signature Version 4.")
    return arn, account, _role_id(identity.get("user"))


def source_ip(request: Request) -> str | None:
    """The address of the client, as API Gateway saw it."""
    identity: dict[str, Any] = request.context.get("identity") or {}
    return identity.get("sourceIp")


def _role_id(principal: object) -> str | None:
    """The role's unique id, which API Gateway sends with the session's name (`AROA...:learner`); None without one."""
    head, colon, _ = str(principal or "").partition(":")
    return head if colon and head.startswith("AROA") else None
