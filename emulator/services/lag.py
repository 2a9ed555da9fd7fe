"""EC2 and CloudFormation in the eventual mode (`eks/state/lag.py`): what a role has just made is not found for a while.

EC2 as its guide tells it ("Eventual consistency in the Amazon EC2 API": InvalidInstanceID.NotFound after RunInstances,
InvalidGroup.NotFound after CreateSecurityGroup); CloudFormation as terraform's provider waits for it: one just asked for
"does not exist". What a stack makes is known by the time that the stack is done. Root, who looks on, sees everything.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from ministack import app

from emulator.eks.http.call import Caller, caller_of
from emulator.eks.state.lag import Lag

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]

#: What makes a thing -> where its id is in the answer, and what EC2 says of one that it does not know.
_MAKES = {
    "RunInstances": ("instanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "CreateSecurityGroup": ("groupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
}
_UNKNOWN = {"i": _MAKES["RunInstances"], "sg": _MAKES["CreateSecurityGroup"]}


def install(lag: Lag, roles: str) -> None:
    """Let the two services lag for roles whose names begin so; a lab's controllers are not waited for here."""
    for service, refused, note in (
        ("ec2", _refused_by_ec2, _note_of_ec2),
        ("cloudformation", _refused_by_stacks, _note_of_stacks),
    ):
        app.SERVICE_HANDLERS[service] = _lagging(lag, f":role/{roles}", refused, note, app.SERVICE_HANDLERS[service])


def _lagging(lag: Lag, whose: str, refused: Callable[..., Any], note: Callable[..., None], handle: Handler) -> Handler:
    async def handle_lagging(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        caller = caller_of(headers, query)
        if whose not in caller.arn:
            return await handle(method, path, headers, body, query)
        asked = dict(parse_qsl(body.decode(errors="replace")))
        if (answer := refused(lag, caller, asked)) is not None:
            return answer
        answer = await handle(method, path, headers, body, query)
        if answer[0] == 200:
            note(lag, caller, asked, answer[2])
        return answer

    return handle_lagging


def _refused_by_ec2(lag: Lag, caller: Caller, asked: dict[str, str]) -> Any:
    # A filter by an id that is not known finds nothing, and is no error; what it would find is found here.
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


def _refused_by_stacks(lag: Lag, caller: Caller, asked: dict[str, str]) -> Any:
    name = asked.get("StackName", "")
    if asked.get("Action") == "CreateStack" or not lag.hides("stack", caller.account, caller.region, name):
        return None
    inner = f"<Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
    return _xml(f"<ErrorResponse><Error>{inner}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>")


def _note_of_stacks(lag: Lag, caller: Caller, asked: dict[str, str], _answer: Any) -> None:
    if asked.get("Action") == "CreateStack":
        lag.note("stack", caller.account, caller.region, asked.get("StackName", ""))


def _xml(text: str) -> tuple[int, dict[str, str], bytes]:
    return 400, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
