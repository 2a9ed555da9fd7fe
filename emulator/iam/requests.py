"""Records the permissions that roles requested of IAM, each kind once, to prove that every right is needed.

`GET /_emulator/questions` shows them. Two questions are of one kind when they agree in role, action, sort of resource,
names of condition keys, and in which statements of the role's policies allow them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core import iam_evaluator

_asked: dict[tuple[Any, ...], Mapping[str, Any]] = {}


def install(prefix: str) -> None:
    """Record the requests of roles whose names have this prefix; the evaluator's answers stay the same."""
    evaluate = iam_evaluator.evaluate

    def evaluate_and_note(context: Any, policies: Any, *limits: Any) -> Any:
        role = role_of(context.principal_arn)
        if role and role.startswith(prefix):
            _note(role, context, policies)
        return evaluate(context, policies, *limits)

    iam_evaluator.evaluate = evaluate_and_note


def questions() -> Mapping[str, Any]:
    """All requests so far."""
    return {"questions": list(_asked.values())}


def role_of(principal_arn: str) -> str:
    """The role's name in the ARN of a role or of a session of it; empty for others."""
    kind, *names = principal_arn.rpartition(":")[2].split("/")
    return {"assumed-role": names[0], "role": names[-1]}.get(kind, "") if names else ""


def sort_of(resource_arn: str) -> str:
    """`dynamodb:table` for a table's ARN, without what names the one."""
    parts = resource_arn.split(":", 5)
    return resource_arn if len(parts) < 6 else f"{parts[2]}:{parts[5].replace(':', '/').split('/')[0]}"


def _note(role: str, context: Any, policies: Sequence[Sequence[Any]]) -> None:
    keys = {key: value for key, value in context.service_context.items() if value is not None}
    allowing = [said.sid for each in policies for said in each if iam_evaluator._first_match(context, [said], "Allow")]
    kind = (role, context.action, sort_of(context.resource_arn), tuple(sorted(keys)), tuple(allowing))
    if allowing and kind not in _asked:
        asked = {"role": role, "action": context.action, "resource": context.resource_arn}
        asked |= {"region": context.region, "context": json.loads(json.dumps(keys, default=str))}
        _asked[kind] = asked
