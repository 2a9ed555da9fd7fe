"""Who is asking: read from what API Gateway's IAM authorizer put into the request, never from what the caller wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice.app import ForbiddenError, Request

from chalicelib.domain.lab import Caller


def caller_of(request: Request, is_admin: Callable[[str], bool]) -> Caller:
    """The caller. Raises ForbiddenError for a request that no IAM authorizer has seen."""
    identity: dict[str, Any] = request.context.get("identity") or {}
    arn, account = identity.get("userArn"), identity.get("accountId")
    if not arn or not account:
        raise ForbiddenError("Sign the request with AWS Signature Version 4.")
    return Caller(arn, account, identity.get("sourceIp"), is_admin(arn))
