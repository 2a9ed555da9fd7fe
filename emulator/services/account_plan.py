"""The Free Tier service, which the emulator lacks: GetAccountPlanState of an account that pays, or is on the free plan.

`POST /_emulator/account-plan {"111122223333": "FREE"}` puts an account on the free plan; nothing here keeps it from other types.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

from emulator.core.scope import scope

NAME = "freetier"
TARGET = "AWSFreeTierService."
PLANS = ("FREE", "PAID")
_plans: dict[str, str] = {}


def install() -> None:
    """Add the service to this process's emulator, behind its IAM enforcement."""
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET], "credential_scope": NAME}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    app.SERVICE_HANDLERS[NAME] = _handle_request


def set_plans(plans: Mapping[str, str]) -> Mapping[str, str]:
    """Say which plan accounts are on; a ValueError names an unknown plan."""
    if unknown := set(plans.values()) - set(PLANS):
        raise ValueError(f"no such plan: {', '.join(sorted(unknown))}")
    _plans.update(plans)
    return dict(_plans)


async def _handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
    del method, path, body, query
    operation = headers.get("x-amz-target", "").removeprefix(TARGET)
    if operation != "GetAccountPlanState":
        return _answer(400, {"__type": "InvalidAction", "message": f"This Free Tier cannot {operation}"})
    account = scope()[0]
    state = {"accountId": account, "accountPlanType": _plans.get(account, "PAID"), "accountPlanStatus": "ACTIVE"}
    return _answer(200, state)


def _answer(status: int, content: Mapping[str, Any]) -> Any:
    return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(content).encode()
