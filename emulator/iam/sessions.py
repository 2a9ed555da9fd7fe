"""Sessions of roles as AWS itself hands them out: by an instance's metadata, the Pod Identity agent, or a service account's token.

AssumeRoleWithWebIdentity keeps the provider of the token, which CloudTrail then shows with every call of the session.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.services import iam, sts

HOUR = 3600


def install() -> None:
    """Make this process's STS remember the identity provider of a session."""
    handle = app.SERVICE_HANDLERS["sts"]

    async def handle_and_remember(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        answer = await handle(method, path, headers, body, query)
        given = {key: values[0] for key, values in parse_qs((body or b"").decode(errors="replace")).items()}
        action = given.get("Action") or (query.get("Action") or [""])[0]
        if action == "AssumeRoleWithWebIdentity" and answer[0] == 200:
            given = given if "RoleArn" in given else {key: values[0] for key, values in query.items()}
            provider, _ = sts._web_identity_principal(
                given.get("WebIdentityToken", ""), given.get("ProviderId", ""), given["RoleArn"]
            )
            found = re.search(rb"<AccessKeyId>(\w+)</AccessKeyId>", bytes(answer[2]))
            if found:
                sts._sessions[found[1].decode()]["WebIdentityProvider"] = provider
        return answer

    app.SERVICE_HANDLERS["sts"] = handle_and_remember


def hand_out(account: str, role: str, session: str, issuer: str = "") -> Mapping[str, str]:
    """Return a role's credentials for an hour, by its name or ARN; ValueError if there is no such role.

    `issuer`: the URL of the OIDC provider that issued the token.
    """
    found = iam._roles.get_scoped(account, None, role.rpartition("/")[2])
    if not found:
        raise ValueError(f"no role {role} in {account}")
    name, host = found["RoleName"], issuer.removeprefix("https://")
    key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60)
    record = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "UserId": f"{found['RoleId']}:{session}",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": time.time() + HOUR,
        "AccountId": account,
        "PrincipalType": "AssumedRole",
    }
    provider = {"WebIdentityProvider": f"arn:aws:iam::{account}:oidc-provider/{host}"} if host else {}
    sts.register_session(key, record | provider)
    return {"accessKeyId": key, "secretAccessKey": secret, "sessionToken": token}
