"""One call of an EKS operation: its name, its input and its caller.

The caller is read from the emulator, which has already checked the signature and the policies when this is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal behind a call; `arn` is the role's or user's own, never an assumed-role session's."""

    account: str
    region: str
    arn: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation's name, its input by the model, and the caller."""

    operation: str
    given: dict[str, Any]
    caller: Caller

    @property
    def cluster_name(self) -> str:
        """The cluster the call is about, "" where it is about none."""
        name = self.given.get("clusterName") or self.given.get("name") or ""
        return str(name)


def caller_of(headers: Mapping[str, str], query: Mapping[str, Any]) -> Caller:
    """Return the caller of the request that the emulator is handling in this context."""
    from ministack.core.iam_evaluator import resolve_caller_identity
    from ministack.core.responses import get_account_id, get_region
    from ministack.core.router import extract_access_key_id

    account = get_account_id()
    identity = resolve_caller_identity(extract_access_key_id(headers, query))
    arn = identity["userArn"] if identity else f"arn:aws:iam::{account}:root"
    return Caller(account, get_region(), principal_arn(arn))


def principal_arn(arn: str) -> str:
    """Return the IAM role behind an assumed-role session's ARN; other ARNs as they are.

    A session's ARN does not carry the role's path, so the role is looked up where the emulator keeps it.
    """
    session = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+", arn)
    if not session:
        return arn
    from ministack.services import iam

    account, role_name = session.groups()
    role = iam._roles.get_scoped(account, None, role_name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{account}:role/{role_name}"
