"""A protected stack's refusal names the stack as the request does, by name or by id (rackspace/runway#199).

In ekristen/aws-nuke#821, too, it is the name.
"""

from typing import Any

from ministack.services.cloudformation import handlers

from emulator.ec2.actions import Action, Params, param


def install() -> None:
    """Correct DeleteStack's words in this process's emulator; ministack always uses the id."""
    handlers._ACTION_HANDLERS["DeleteStack"] = _named(handlers._ACTION_HANDLERS["DeleteStack"])


def _named(delete: Action) -> Action:
    def delete_stack(params: Params) -> Any:
        answer = delete(params)
        if b"TerminationProtection is enabled" not in bytes(answer[2] or b""):
            return answer
        message = f"Stack [{param(params, 'StackName')}] cannot be deleted while TerminationProtection is enabled"
        return handlers._error("ValidationError", message)

    return delete_stack
