"""The emulator's EC2 as this package sees it: its table of actions, its records, and a few ways to read and answer.

This is the only file of the package that touches the emulator's private names.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from ministack.services import ec2

Params = dict[str, Any]
"""The parameters of an EC2 query, flat (`Filter.1.Name`), each value a list of one."""

Record = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Action = Callable[[Params], Any]

ACTIONS: MutableMapping[str, Action] = ec2._ACTION_MAP


class Refused(Exception):
    """A refusal by EC2: the code, the message and the status that the caller gets."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def store(name: str) -> MutableMapping[str, Record]:
    """Return the records of one kind in the calling account and region, by id, e.g. `store("network_interfaces")`."""
    records: MutableMapping[str, Record] = getattr(ec2, f"_{name}")
    return records


def records(name: str) -> Iterator[Record]:
    """Yield the records of one kind in the calling account and region; safe while they change."""
    yield from list(store(name).values())


def tags() -> MutableMapping[str, list[dict[str, str]]]:
    """Return the tags of every EC2 resource in the calling account and region, by resource id."""
    by_id: MutableMapping[str, list[dict[str, str]]] = ec2._tags
    return by_id


def param(params: Params, name: str) -> str:
    """Return one parameter, the empty string when absent."""
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def members(params: Params, prefix: str) -> list[str]:
    """Return the values of `prefix.1`, `prefix.2`, ..."""
    found: list[str] = []
    while value := param(params, f"{prefix}.{len(found) + 1}"):
        found.append(value)
    return found


def tag_specification(params: Params, kind: str) -> list[dict[str, str]]:
    """Return the tags that a request gives to resources of one kind."""
    found, number = [], 1
    while asked_for := param(params, f"TagSpecification.{number}.ResourceType"):
        prefix = f"TagSpecification.{number}.Tag"
        keys = [param(params, f"{prefix}.{n}.Key") for n in _numbers(params, f"{prefix}.{{}}.Key")]
        if asked_for == kind:
            found += [{"Key": key, "Value": param(params, f"{prefix}.{n}.Value")} for n, key in enumerate(keys, 1)]
        number += 1
    return found


def perform(action: str, params: Params) -> bytes:
    """Perform another EC2 action as the present caller, corrections included; raise Refused if EC2 refuses."""
    status, _, body = ACTIONS[action](params)
    if status >= 400:
        root = ElementTree.fromstring(body)
        raise Refused(root.findtext(".//Code", ""), root.findtext(".//Message", ""), status)
    answer: bytes = body
    return answer


def answering(function: Action) -> Action:
    """Return the action such that a Refused becomes EC2's error answer."""

    def act(params: Params) -> Any:
        try:
            if param(params, "DryRun") == "true":
                raise Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            return function(params)
        except Refused as refused:
            return ec2._error(refused.code, refused.message, refused.status)

    return act


def success(action: str, inner: str) -> Response:
    """Return an EC2 answer whose XML is `inner`."""
    response: Response = ec2._xml(200, f"{action}Response", inner)
    return response


def new_id(prefix: str) -> str:
    """Return a fresh resource id such as `eni-0123456789abcdef0`."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def instant() -> str:
    """Return the present in EC2's way of writing it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _numbers(params: Params, pattern: str) -> Iterable[int]:
    number = 1
    while param(params, pattern.format(number)):
        yield number
        number += 1
