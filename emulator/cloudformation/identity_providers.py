"""Identity providers of a user pool, which the emulator's CloudFormation lacks, created by Cognito's own actions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cognito
from ministack.services.cloudformation import provisioners

TYPE = "AWS::Cognito::UserPoolIdentityProvider"
_FIXED = ("UserPoolId", "ProviderName", "ProviderType")
Properties = Mapping[str, Any]


def install() -> None:
    """Add the type to this process's emulator."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(_logical_id: str, properties: Properties, _stack_name: str) -> tuple[str, dict[str, Any]]:
    _ask(cognito._create_identity_provider, properties)
    return str(properties["ProviderName"]), {}


def _update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
    if any(old.get(name) != new.get(name) for name in _FIXED):
        made = _create(physical_id, new, stack_name)
        _delete(physical_id, old)
        return made
    _ask(cognito._update_identity_provider, new)
    return physical_id, {}


def _delete(_physical_id: str, properties: Properties) -> None:
    cognito._delete_identity_provider(properties)


def _ask(action: Callable[[Properties], Any], properties: Properties) -> None:
    status, _, body = action(properties)
    if status != 200:
        refused = json.loads(body)
        raise ValueError(f'Resource handler returned message: "{refused.get("message") or refused.get("Message")}"')
