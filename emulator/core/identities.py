"""The caller of a request, as CloudTrail, IAM and EC2's own fields name them: root, a user, or a session of a role."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core.iam_evaluator import resolve_caller_identity
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id
from ministack.services import iam

from emulator.core.actors import HEADER, Actor, actor_from


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal.

    `id` is its unique id: an account, `AIDA…`, or `AROA…:session`; `role_arn` is of a session's role, path included;
    `service` the one that calls, if it is AWS's; `provider` the web identity's, if it came by one.
    """

    account: str
    arn: str
    id: str
    access_key: str = ""
    role_arn: str = ""
    service: str = ""
    provider: str = ""
    since: datetime | None = None

    @property
    def name(self) -> str:
        """CloudTrail's name of the user: a user's name, a session's name, or `root`."""
        return self.arn.rpartition("/")[2] if "/" in self.arn else "root"


_current: ContextVar[Identity | None] = ContextVar("who the request is from", default=None)


def identify(headers: Mapping[str, str], query: Mapping[str, Any]) -> Identity:
    """Find the caller of a request, for this request's context."""
    account, actor = str(get_account_id()), actor_from(headers.get(HEADER))
    identity = of_actor(actor, account) if actor else _of_key(extract_access_key_id(dict(headers), query), account)
    _current.set(identity)
    return identity


def current() -> Identity:
    """The caller of this context's request; the account's root outside of one."""
    account = str(get_account_id())
    return _current.get() or Identity(account, f"arn:aws:iam::{account}:root", account)


def of_actor(actor: Actor, account: str) -> Identity:
    """The identity of AWS's own session, or of a role's."""
    arn = f"arn:aws:sts::{account}:assumed-role/{actor.role}/{actor.session}"
    if actor.service:
        role_arn = f"arn:aws:iam::{account}:role/aws-service-role/{actor.service}/{actor.role}"
        role_id = _linked_role_id(role_arn)
    else:
        role = iam._roles.get_scoped(account, None, actor.role) or {}
        role_arn = role.get("Arn", f"arn:aws:iam::{account}:role/{actor.role}")
        role_id = role.get("RoleId") or _linked_role_id(role_arn)
    key = f"ASIA{role_id[4:20]}"
    now = datetime.now(UTC)
    return Identity(account, arn, f"{role_id}:{actor.session}", key, role_arn, actor.service, since=now)


def _of_key(key: str, account: str) -> Identity:
    found = resolve_caller_identity(key)
    if found is None:
        return Identity(account, f"arn:aws:iam::{account}:root", account, key)
    session, arn = found["session"] or {}, str(found["userArn"])
    role_arn = _role_arn(arn) if ":assumed-role/" in arn else ""
    since = datetime.fromtimestamp(session["IssuedAt"], UTC) if "IssuedAt" in session else None
    provider = str(session.get("WebIdentityProvider", ""))
    return Identity(account, arn, str(found["userId"]), key, role_arn, provider=provider, since=since)


def _role_arn(session_arn: str) -> str:
    account, name = session_arn.split(":")[4], session_arn.split("/")[1]
    role = iam._roles.get_scoped(account, None, name) or {}
    return str(role.get("Arn", f"arn:aws:iam::{account}:role/{name}"))


def _linked_role_id(role_arn: str) -> str:
    """The id of a role that ministack does not keep: always the same one for an ARN."""
    digest = base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()
    return f"AROA{digest[:17]}"
