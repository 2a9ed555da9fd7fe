"""What AWS would bill of the calls that are made here, counted where they are answered: `GET /_sandbox/bill` tells the sums.

DynamoDB's units are reckoned from the sizes of items as AWS describes them: 4 KB a read, 1 KB a write, half for eventual reads,
double in transactions, and a write for each index that an item is in, two for `due`, in which it moves. A filtered query counts
what it returns only, and a write whose condition fails, which AWS bills, nothing.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import ceil
from typing import Any

from ministack import app as ministack
from ministack.services import stepfunctions

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]
Item = Mapping[str, Any]

_READ, _WRITE = 4096, 1024
#: Index -> the attribute that puts an item into it, and how many writes a changed item is there.
_INDEXES = {"by_owner": ("owner", 1), "by_age": ("everyone", 1), "due": ("due_shard", 2)}
_LOCK = threading.Lock()
_counted: defaultdict[str, float] = defaultdict(float)


def install() -> None:
    """Count from now on; call it after IAM's part, since what is denied costs nothing."""
    for service, count in (("dynamodb", _count_units), ("sns", _count_messages), ("secretsmanager", _count_secrets)):
        ministack.SERVICE_HANDLERS[service] = _counting(count, ministack.SERVICE_HANDLERS[service])
    for kind in ("pass", "choice", "wait", "task", "parallel", "map"):
        _count_calls(f"_execute_{kind}", "transitions")
    _count_calls("_call_lambda", "invocations")
    _count_calls("_run_execution", "executions")


def count(what: str, amount: float = 1) -> None:
    """Add to what is billed."""
    with _LOCK:
        _counted[what] += amount


def bill() -> Mapping[str, float]:
    """Everything so far."""
    return dict(_counted)


def size_of(item: Item) -> int:
    """Bytes of an item: names and values; numbers take about half their digits."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _counting(count_call: Callable[[str, bytes, Any], None], handle: Handler) -> Handler:
    async def handle_and_count(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        answer = await handle(method, path, headers, body, query)
        if answer[0] < 300:
            count_call(str(headers.get("x-amz-target", "")).rpartition(".")[2], body, answer[2])
        return answer

    return handle_and_count


def _count_calls(name: str, what: str) -> None:
    """Count each call of a function of Step Functions': its histories leave out what happens in branches."""
    call = getattr(stepfunctions, name)

    def call_and_count(*arguments: Any) -> Any:
        count(what)
        return call(*arguments)

    setattr(stepfunctions, name, call_and_count)


def _count_units(action: str, body: bytes, answer: Any) -> None:
    given = json.loads(body or b"{}")
    if action in ("GetItem", "Query"):
        told = json.loads(answer)
        items = told.get("Items", [told["Item"]] if "Item" in told else [])
        units = max(1, ceil(sum(map(size_of, items)) / _READ))
        count("read units", units if given.get("ConsistentRead") else units / 2)
    for operation, times in _writes(action, given):
        count("write units", _write_units(operation, times))


def _writes(action: str, given: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Each item that is written, and how many times its units count."""
    if action == "TransactWriteItems":
        for each in given["TransactItems"]:
            yield from ((operation, 2) for operation in each.values())
    elif action in ("PutItem", "UpdateItem", "DeleteItem"):
        yield given, 1


def _write_units(operation: Mapping[str, Any], times: int) -> int:
    item = operation.get("Item", {})
    units = max(1, ceil(size_of(item) / _WRITE))
    return units * times + sum(units * writes for attribute, writes in _INDEXES.values() if attribute in item)


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, told)] = value.items()
    match kind:
        case "M":
            return 3 + size_of(told) + len(told)
        case "L":
            return 3 + sum(_value_size(each) + 1 for each in told)
        case "N":
            return len(told) // 2 + 1
        case "BOOL" | "NULL":
            return 1
    return len(told.encode()) if isinstance(told, str) else len(json.dumps(told))


def _count_messages(_action: str, body: bytes, _answer: Any) -> None:
    if b"Action=Publish" in body:
        count("messages")


def _count_secrets(action: str, _body: bytes, _answer: Any) -> None:
    if action == "GetSecretValue":
        count("secrets read")
