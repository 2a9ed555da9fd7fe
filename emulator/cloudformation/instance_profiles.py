"""Instance profiles whose physical id, and so their Ref, is their name, as on AWS; ministack returns their ARN instead."""

from collections.abc import Mapping
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

TYPE = "AWS::IAM::InstanceProfile"


def install() -> None:
    """Correct the type in this process's emulator. A profile is not updated in place: no template of ours does that."""
    functions = provisioners._RESOURCE_HANDLERS[TYPE]
    make = functions["create"]

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
        arn, attributes = make(logical_id, properties, stack_name)
        return arn.rpartition("/")[2], attributes

    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": create, "delete": _delete}


def _delete(name: str, _: Mapping[str, Any]) -> None:
    iam._instance_profiles.pop(name, None)
