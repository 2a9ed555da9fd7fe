"""Sessions of functions have their role's unique id, as from STS; ministack uses the role's name instead."""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime
from ministack.services import iam, lambda_svc, sts


def install() -> None:
    """Correct the sessions of this process's functions."""
    issue = lambda_runtime.execution_credentials

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        issued: dict[str, str] = issue(config)
        session = sts._sessions.get(issued["AWS_ACCESS_KEY_ID"])
        arn = str(config.get("Role", ""))
        role = iam._roles.get_scoped(arn.split(":")[4], None, arn.rpartition("/")[2]) if arn.count(":") >= 5 else None
        if session and role:
            session["UserId"] = f"{role['RoleId']}:{session['Arn'].rpartition('/')[2]}"
        return issued

    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials
