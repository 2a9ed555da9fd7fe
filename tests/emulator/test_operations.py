"""Every operation in the service's IAM requests exists, and has the error codes of botocore's model for missing resources.

The operations are those of tests/data/rights-asked.json, the record of all stories. Each is called with the required members of
its model, for resources that do not exist; so each answers, or refuses with a code of its model or a common one.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape

from emulator.process import Sandbox
from tests.paths import PROJECT

#: botocore's name of a service, where IAM's differs.
NAMES = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "ses": "sesv2",
    "states": "stepfunctions",
    "tag": "resourcegroupstaggingapi",
}
#: IAM actions that are no operations, or those of another service.
NO_OPERATIONS = {"cloudformation:TagResource", "execute-api:Invoke", "iam:PassRole"}
#: Codes of "Common error types" in each API reference; EC2's and CloudFormation's are in no model.
COMMON = {"AccessDenied", "AccessDeniedException", "MissingParameter", "ValidationError", "ValidationException"}
COMMON |= {
    "InvalidParameterValue",
    "InvalidParameterException",
    "InvalidParameter",
    "SerializationException",
    "InvalidInput",
}
#: Codes in the API reference or in users' reports that are missing in the operation's model.
BESIDE = {"CreateNodegroup": "ResourceNotFoundException", "SendMessage": "AWS.SimpleQueueService.NonExistentQueue"}
NOT_MODELLED = {"ec2", "cloudformation", "autoscaling", "sts"}
KNOWN = {
    "Cidr": "10.0.0.0/16",
    "CidrBlock": "10.0.0.0/16",
    "ImageId": "ami-0123456789abcdef0",
    "AssumeRolePolicyDocument": "{}",
    "TemplateBody": "{}",
}
PREFIXES = {"InstanceId": "i", "NetworkInterfaceId": "eni", "VolumeId": "vol", "SnapshotId": "snap", "VpcId": "vpc"}
PREFIXES |= {
    "VpcEndpointId": "vpce",
    "GroupId": "sg",
    "SubnetId": "subnet",
    "LaunchTemplateId": "lt",
    "ResourceId": "vol",
}

SIMPLE = {"map": {}, "integer": 1, "long": 1, "boolean": False, "timestamp": 1750000000, "blob": b"x"}


def operations() -> list[str]:
    rows = json.loads((PROJECT / "tests/data/rights-asked.json").read_text())
    return sorted({row[1] for row in rows} - NO_OPERATIONS)


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(NAMES.get(service, service))


def least(shape: Shape, name: str) -> Any:
    """The smallest valid value of a member."""
    if isinstance(shape, StructureShape):
        return {each: least(shape.members[each], each) for each in shape.required_members}
    if isinstance(shape, ListShape):
        return [least(shape.member, name.removesuffix("s"))]
    if shape.type_name in SIMPLE:
        return SIMPLE[shape.type_name]
    if enum := shape.metadata.get("enum"):
        return enum[0]
    if name in PREFIXES:
        return f"{PREFIXES[name]}-0123456789abcdef0"
    if "arn" in name.lower():
        return "arn:aws:iam::111122223333:role/absent"
    return KNOWN.get(name, "absent-thing-that-is-long-enough"[: shape.metadata.get("max", 40)])


@pytest.mark.parametrize("action", operations())
def test_an_operation_that_is_depended_upon_is_there(sandbox: Sandbox, action: str) -> None:
    service, _, name = action.partition(":")
    operation = model(service).operation_model(name)
    given = least(operation.input_shape, "") if operation.input_shape else {}
    call = getattr(sandbox.client(NAMES.get(service, service)), xform_name(name))
    refusal = refusal_of(call, given)
    if refusal is None:
        return
    code, status = refusal
    assert 400 <= status < 500
    assert not re.search("InvalidAction|Unknown|NotImplemented|Internal", code)
    modelled = {code_of(shape) for shape in operation.error_shapes}
    allowed = modelled | COMMON | {BESIDE.get(name, "")}
    assert service in NOT_MODELLED or code in allowed, f"{code} is none of {sorted(modelled)}"


def refusal_of(call: Any, given: dict[str, Any]) -> tuple[str, int] | None:
    try:
        call(**given)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"]), int(refused.response["ResponseMetadata"]["HTTPStatusCode"])
    return None


def code_of(shape: Shape) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))
