"""Client tokens: a repeated request gets the first answer again, and creates nothing.

Source: "Ensuring idempotency in Amazon EC2 API requests" in EC2's user guide, and botocore's model, which lists the actions for
which clients add a token themselves, the same one with each retry.
"""

from functools import cache
from typing import Any

import botocore.session

from emulator.core.scope import scope
from emulator.ec2.actions import ACTIONS, Action, Params, Refused, param

_Key = tuple[tuple[str, str], str, str]
_answered: dict[_Key, tuple[Params, Any]] = {}


def install() -> None:
    """Make every action honour its client token, except RunInstances, whose second answer shows the current instances."""
    for action in sorted(_with_a_token() & set(ACTIONS) - {"RunInstances"}):
        ACTIONS[action] = _once(action, ACTIONS[action])


def _once(action: str, act: Action) -> Action:
    def act_once(params: Params) -> Any:
        token = param(params, "ClientToken")
        if not token:
            return act(params)
        key = (scope(), action, token)
        if key not in _answered:
            answer = act(params)
            if answer[0] == 200:
                _answered[key] = (dict(params), answer)
            return answer
        first, answer = _answered[key]
        if first != dict(params):
            raise Refused("IdempotentParameterMismatch", "The request uses a client token of another request.")
        return answer

    return act_once


@cache
def _with_a_token() -> frozenset[str]:
    model = botocore.session.get_session().get_service_model("ec2")
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    return frozenset(name for name, shape in shapes.items() if shape is not None and "ClientToken" in shape.members)
