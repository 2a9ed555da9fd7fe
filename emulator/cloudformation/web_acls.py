"""Web ACLs and their associations, a resource type that the emulator's CloudFormation lacks, created by WAF's own actions."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import waf
from ministack.services.cloudformation import provisioners

TYPE = "AWS::WAFv2::WebACLAssociation"
Properties = Mapping[str, Any]


def install() -> None:
    """Add the type to this process's emulator."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "delete": _delete}


def _create(_logical_id: str, properties: Properties, _stack_name: str) -> tuple[str, dict[str, Any]]:
    status, _, body = waf._associate_web_acl(properties)
    if status != 200:
        refused = json.loads(body)
        raise ValueError(f'Resource handler returned message: "{refused.get("message") or refused.get("Message")}"')
    return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}


def _delete(_physical_id: str, properties: Properties) -> None:
    waf._disassociate_web_acl(properties)
