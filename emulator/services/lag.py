"""EC2, CloudFormation and IAM in the eventual mode (`eks/state/lag.py`): what was just made is not known to a role for a while.

EC2 as its guide tells it ("Eventual consistency in the Amazon EC2 API"): InvalidInstanceID.NotFound after RunInstances,
InvalidGroup.NotFound after CreateSecurityGroup; a description by filters leaves it out, without an error, or shows it before its
tags (karpenter-provider-aws waits for an instance's tags, cluster-api-provider-aws for groups). So do things that EKS, Auto Scaling
and load balancing make in the account. CloudFormation as terraform's provider waits for it: a stack just asked for "does not
exist". What a stack makes is known by the time that the stack is done, but IAM's roles and instance profiles may be unknown for a
while after they are first listed (IAM user guide, "Changes that I make are not always immediately visible"; terraform's provider
waits for NoSuchEntity of a new role). Root, who looks on, sees everything.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from ministack import app

from emulator.core.actors import HEADER, actor_from
from emulator.eks.http.call import Caller, caller_of
from emulator.eks.state.lag import Lag

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]

#: What makes a thing -> where its id is in the answer, and what EC2 says of one that it does not know.
_MAKES = {
    "RunInstances": ("instanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "CreateSecurityGroup": ("groupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "ImportKeyPair": ("keyPairId", "InvalidKeyPair.NotFound", "The key pair ID '{}' does not exist"),
}
_MEMBERS = tuple(member for member, _, _ in _MAKES.values())
_IDS = re.compile(rf"<(?:{'|'.join(_MEMBERS)})>([^<]+)<")
#: What names a thing in IAM's requests -> what IAM says of one that it does not know.
_IAM_READS = {
    "RoleName": "The role with name {} cannot be found.",
    "InstanceProfileName": "Instance Profile {} cannot be found.",
}
_IAM_TYPES = {"AWS::IAM::Role": "RoleName", "AWS::IAM::InstanceProfile": "InstanceProfileName"}
_UNKNOWN = {"i": _MAKES["RunInstances"], "sg": _MAKES["CreateSecurityGroup"], "key": _MAKES["ImportKeyPair"]}


def install(lag: Lag, roles: str) -> None:
    """Let the two services lag for roles whose names begin so; a lab's controllers are not waited for here."""
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
        asked = dict(parse_qsl(body.decode(errors="replace")))
        if whose not in caller.arn:
            answer = await handle(method, path, headers, body, query)
            if service == "ec2" and answer[0] == 200 and actor_from(_header(headers)) is not None:
                note(lag, caller, asked, answer[2])
            return answer
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
        thing = ("ec2", caller.account, caller.region, value)
        if kind is not None and not lag.is_untagged(*thing) and lag.hides(*thing):
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
    """The answer to a description, without what is not known yet if it was asked for by filters, and without tags not known yet."""
    text = answer.decode() if isinstance(answer, bytes) else str(answer)
    if not asked.get("Action", "").startswith("Describe"):
        return answer
    young = {id for id in _IDS.findall(text) if lag.is_young("ec2", caller.account, caller.region, id)}
    if not young:
        return answer
    untagged = {id for id in young if lag.is_untagged("ec2", caller.account, caller.region, id)}
    names = {value for name, value in asked.items() if re.fullmatch(r"Filter\.\d+\.Name", name)}
    hidden = young if any(name.startswith("tag") for name in names) else young - untagged
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for item in parent.findall("{*}item"):
            [id] = [each.text or "" for each in item if each.tag.rpartition("}")[2] in _MEMBERS][:1] or [""]
            if names and id in hidden:
                lag.hides("ec2", caller.account, caller.region, id)
                parent.remove(item)
            elif id in untagged:
                _take_tags(item)
    ElementTree.register_namespace("", root.tag[1:].partition("}")[0])
    return ElementTree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _take_tags(item: ElementTree.Element) -> None:
    for tags in item.findall("{*}tagSet"):
        item.remove(tags)


def _header(headers: Any) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == HEADER), None)


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
    """IAM's things of labs are made by stacks: `_note_of_stacks`."""


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
