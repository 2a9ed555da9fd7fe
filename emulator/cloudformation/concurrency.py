"""Reserved concurrency of functions, which the emulator's CloudFormation does not pass to its Lambda."""

from collections.abc import Mapping
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

TYPE, PROPERTY = "AWS::Lambda::Function", "ReservedConcurrentExecutions"
Properties = Mapping[str, Any]
Made = tuple[str, dict[str, str]]


def install() -> None:
    """Correct the type in this process's emulator."""
    functions = provisioners._RESOURCE_HANDLERS[TYPE]
    make, change = functions["create"], functions["update"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        made: Made = make(logical_id, properties, stack_name)
        _reserve(made[0], {}, properties)
        return made

    def update(name: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Made:
        made: Made = change(name, old, new, stack_name, logical_id=logical_id)
        _reserve(made[0], old, new)
        return made

    provisioners._RESOURCE_HANDLERS[TYPE] = {**functions, "create": create, "update": update}


def _reserve(name: str, old: Properties, new: Properties) -> None:
    """A value that somebody set by hand stays while the template does not set it."""
    if PROPERTY in old or PROPERTY in new:
        lambda_svc._functions[name]["concurrency"] = int(new[PROPERTY]) if PROPERTY in new else None
