"""Functions with the dead letter queue that their template names; the emulator's CloudFormation leaves it out."""

from collections.abc import Mapping
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

TYPE = "AWS::Lambda::Function"
Properties = Mapping[str, Any]


def install() -> None:
    """Correct the type in this process's emulator."""
    functions = provisioners._RESOURCE_HANDLERS[TYPE]
    make, change = functions["create"], functions["update"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Any:
        return _with_queue(make(logical_id, properties, stack_name), properties)

    def update(physical_id: str, before: Properties, properties: Properties, *rest: Any, **named: Any) -> Any:
        return _with_queue(change(physical_id, before, properties, *rest, **named), properties)

    provisioners._RESOURCE_HANDLERS[TYPE] = {**functions, "create": create, "update": update}


def _with_queue(made: Any, properties: Properties) -> Any:
    if queue := properties.get("DeadLetterConfig"):
        lambda_svc._functions[made[0]]["config"]["DeadLetterConfig"] = queue
    return made
