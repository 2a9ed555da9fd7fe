"""EC2, CloudFormation and IAM in the eventual mode (`eks/state/lag.py`): a role's new resources are not found for a while.

EC2 as in its guide ("Eventual consistency in the Amazon EC2 API": InvalidInstanceID.NotFound after RunInstances,
InvalidGroup.NotFound after CreateSecurityGroup); CloudFormation as terraform's provider expects it: a stack just requested
"does not exist". EC2's filters omit unknown resources, without an error: "describe" commands need not show new resources
at once (the same guide). What a stack makes is known by the time that the stack is done, but IAM's roles and instance profiles
may be unknown for a while after they are first listed ("changes ... are not always immediately visible", IAM's guide,
"Troubleshoot IAM"). Root, which tests use to observe, sees everything.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from ministack import app

from emulator.eks.http.call import Caller, caller_of
from emulator.eks.state.lag import Lag

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]

#: Creating action -> the path of the id in its answer, and EC2's error for an unknown id.
_MAKES = {
    "RunInstances": ("instanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "CreateSecurityGroup": ("groupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
}
_IDS = re.compile(r"<(?:instanceId|groupId)>([^<]+)<")
#: Parameter that names a resource in IAM's requests -> IAM's error for an unknown one.
_IAM_READS = {
    "RoleName": "The role with name {} cannot be found.",
    "InstanceProfileName": "Instance Profile {} cannot be found.",
}
_IAM_TYPES = {"AWS::IAM::Role": "RoleName", "AWS::IAM::InstanceProfile": "InstanceProfileName"}
_UNKNOWN = {"i": _MAKES["RunInstances"], "sg": _MAKES["CreateSecurityGroup"]}


def install(lag: Lag, roles: str) -> None:
    """Make the services lag for roles whose names have this prefix; a lab's controllers are not waited for here."""
    for service, refused, note in (
        ("ec2", _refused_by_ec2, _note_of_ec2),
        ("cloudformation", _refused_by_stacks, _note_of_stacks),
        ("iam", _refused_by_iam, _note_nothing),
    ):
        app.SERVICE_HANDLERS[service] = _lagging(lag, f":role/{roles}", service, refused, note)


def _lagging(lag: Lag, whose: str, service: str, refused: Callable[..., Any], note: Callable[..., None]) -> Handler:
    handle: Handler = app.SERVICE_HANDLERS[service]

    async def handle_lagging(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        caller = caller_of(headers, query)
        if whose not in caller.arn:
            return await handle(method, path, headers, body, query)
        asked = dict(parse_qsl(body.decode(errors="replace")))
        if (answer := refused(lag, caller, asked)) is not None:
            return answer
        answer = await handle(method, path, headers, body, query)
        if answer[0] != 200:
            return answer
        note(lag, caller, asked, answer[2])
        return (*answer[:2], _without_young(lag, caller, asked, answer[2])) if service == "ec2" else answer

    return handle_lagging


def _refused_by_ec2(lag: Lag, caller: Caller, asked: dict[str, str]) -> Any:
    # A filter by an id that is not known finds nothing, and is no error: `_without_young`.
    for value in (value for name, value in asked.items() if not name.startswith("Filter.")):
        kind = _UNKNOWN.get(value.partition("-")[0])
        if kind is not None and lag.hides("ec2", caller.account, caller.region, value):
            _, code, message = kind
            inner = f"<Code>{code}</Code><Message>{message.format(value)}</Message>"
            return _xml(
                f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
            )
    return None


def _note_of_ec2(lag: Lag, caller: Caller, asked: dict[str, str], answer: Any) -> None:
    if (made := _MAKES.get(asked.get("Action", ""))) is not None:
        text = answer.decode() if isinstance(answer, bytes) else str(answer)
        for name in re.findall(f"<{made[0]}>([^<]+)</{made[0]}>", text):
            if made is not _MAKES["RunInstances"] or name.startswith("i-"):
                lag.note("ec2", caller.account, caller.region, name)


def _without_young(lag: Lag, caller: Caller, asked: dict[str, str], answer: Any) -> Any:
    """The answer to a description by filters, without resources that are not visible yet."""
    if not asked.get("Action", "").startswith("Describe") or "Filter.1.Name" not in asked:
        return answer
    text = answer.decode() if isinstance(answer, bytes) else str(answer)
    if not any(lag.is_young("ec2", caller.account, caller.region, name) for name in _IDS.findall(text)):
        return answer
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for item in parent.findall("{*}item"):
            ids = [each.text or "" for each in item if each.tag.rpartition("}")[2] in ("instanceId", "groupId")]
            if any(lag.hides("ec2", caller.account, caller.region, name) for name in ids):
                parent.remove(item)
    ElementTree.register_namespace("", root.tag[1:].partition("}")[0])
    return ElementTree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _refused_by_iam(lag: Lag, caller: Caller, asked: dict[str, str]) -> Any:
    if not asked.get("Action", "").startswith(("Get", "List")):
        return None
    for member, told in _IAM_READS.items():
        name = asked.get(member, "")
        if name and lag.hides("iam", caller.account, member, name):
            inner = f"<Type>Sender</Type><Code>NoSuchEntity</Code><Message>{told.format(name)}</Message>"
            return _xml(
                f"<ErrorResponse><Error>{inner}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>", 404
            )
    return None


def _note_nothing(_lag: Lag, _caller: Caller, _asked: dict[str, str], _answer: Any) -> None:
    """IAM resources of labs are made by stacks: `_note_of_stacks`."""


def _refused_by_stacks(lag: Lag, caller: Caller, asked: dict[str, str]) -> Any:
    name = asked.get("StackName", "")
    if asked.get("Action") == "CreateStack" or not lag.hides("stack", caller.account, caller.region, name):
        return None
    inner = f"<Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
    return _xml(f"<ErrorResponse><Error>{inner}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>")


def _note_of_stacks(lag: Lag, caller: Caller, asked: dict[str, str], answer: Any) -> None:
    if asked.get("Action") == "ListStackResources":
        for row in ElementTree.fromstring(answer).findall(".//{*}member"):
            member = _IAM_TYPES.get(row.findtext("{*}ResourceType") or "")
            if member is not None:
                lag.note("iam", caller.account, member, row.findtext("{*}PhysicalResourceId") or "")
    if asked.get("Action") == "CreateStack":
        lag.note("stack", caller.account, caller.region, asked.get("StackName", ""))


def _xml(text: str, status: int = 400) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
