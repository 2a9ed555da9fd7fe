"""`ClientRequestToken` of CreateStack: a repeated request returns the stack of the first one."""

from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services.cloudformation import handlers

from emulator.ec2.actions import Action, Params, param

_answers: Any = AccountRegionScopedDict()


def install() -> None:
    """Make CreateStack idempotent by its token."""
    handlers._ACTION_HANDLERS["CreateStack"] = _once(handlers._ACTION_HANDLERS["CreateStack"])


def _once(create: Action) -> Action:
    def create_once(params: Params) -> Any:
        key = f"{param(params, 'StackName')}\0{param(params, 'ClientRequestToken')}"
        if key in _answers:
            return _answers[key]
        answer = create(params)
        if param(params, "ClientRequestToken") and answer[0] == 200:
            _answers[key] = answer
        return answer

    return create_once
