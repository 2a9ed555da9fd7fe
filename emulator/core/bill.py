"""AWS's bill for the calls made here, counted where they are answered: `GET /_emulator/bill` has the sums.

DynamoDB's units are computed from the sizes of items as AWS describes them: 4 KB a read, 1 KB a write, half for eventual reads,
double in transactions. A write counts the larger of the item before and after; in a global index it counts once where an item is
put in, taken out or changed, twice where its keys there change. A filtered query counts only the returned items, and a write whose
condition fails, which AWS bills, nothing.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from ministack import app
from ministack.services import dynamodb, stepfunctions

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]
Item = Mapping[str, Any]

_READ, _WRITE = 4096, 1024
_COUNTED = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
_NO_SORT = "__no_sort__"
"""ministack's sort key of an item in a table without one."""
_LOCK = threading.Lock()
_counted: defaultdict[str, float] = defaultdict(float)


def install() -> None:
    """Install the counters; call it after IAM's part, since denied calls cost nothing."""
    app.SERVICE_HANDLERS["dynamodb"] = _counting_units(app.SERVICE_HANDLERS["dynamodb"])
    for service, count in (("sns", _count_messages), ("secretsmanager", _count_secrets)):
        app.SERVICE_HANDLERS[service] = _counting(count, app.SERVICE_HANDLERS[service])
    for kind in ("pass", "choice", "wait", "task", "parallel", "map"):
        _count_calls(f"_execute_{kind}", "transitions")
    _count_calls("_call_lambda", "invocations")
    _count_calls("_run_execution", "executions")


def count(what: str, amount: float = 1) -> None:
    """Add to the bill."""
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


def _counting_units(handle: Handler) -> Handler:
    async def handle_and_count(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = str(headers.get("x-amz-target", "")).rpartition(".")[2]
        given = json.loads(body or b"{}") if action in _COUNTED else {}
        writes = [(write, times, write.item()) for write, times in _writes(action, given)]
        answer = await handle(method, path, headers, body, query)
        if answer[0] < 300:
            _count_reads(action, given, answer[2])
            for write, times, before in writes:
                count("write units", times * write.units(before, write.item()))
        return answer

    return handle_and_count


def _count_reads(action: str, given: Mapping[str, Any], answer: Any) -> None:
    if action in ("GetItem", "Query"):
        found = json.loads(answer)
        items = found.get("Items", [found["Item"]] if "Item" in found else [])
        units = max(1, ceil(sum(map(size_of, items)) / _READ))
        count("read units", units if given.get("ConsistentRead") else units / 2)
    elif action == "BatchGetItem":
        for table, found in json.loads(answer)["Responses"].items():
            asked = given["RequestItems"][table]
            # Each item is rounded up by itself, and a read of a missing key costs as much as the smallest item.
            nothing = max(0, len(asked["Keys"]) - len(found))
            units = sum(max(1, ceil(size_of(item) / _READ)) for item in found) + nothing
            count("read units", units if asked.get("ConsistentRead") else units / 2)


@dataclass(frozen=True, slots=True)
class _Write:
    """One item that a request writes: its table as ministack keeps it, and its keys."""

    table: Mapping[str, Any]
    keys: Item

    def item(self) -> Item:
        """The item as it is now, {} for none."""
        partition = dynamodb._extract_key_val(self.keys.get(self.table["pk_name"]))
        sort = dynamodb._extract_key_val(self.keys.get(self.table["sk_name"])) if self.table["sk_name"] else _NO_SORT
        return dict(self.table["items"].get(partition, {}).get(sort) or {})

    def units(self, before: Item, after: Item) -> int:
        """The table's and its global indexes' cost of replacing one item by the other."""
        units = _units((before, after))
        for index in self.table.get("GlobalSecondaryIndexes") or ():
            names = [key["AttributeName"] for key in index["KeySchema"]]
            places = [tuple(map(repr, map(each.get, names))) for each in (before, after)]
            inside = [each for each in (before, after) if all(name in each for name in names)]
            if inside and before != after:
                moved = len(inside) == 2 and places[0] != places[1]
                units += sum(_units([each]) for each in inside) if moved else _units(inside)
        return units


def _units(items: Iterable[Item]) -> int:
    return max(1, ceil(max(map(size_of, items)) / _WRITE))


def _writes(action: str, given: Mapping[str, Any]) -> Iterator[tuple[_Write, int]]:
    """Each item that is written, and how many times its units count."""
    if action == "TransactWriteItems":
        for each in given["TransactItems"]:
            yield from ((write, 2) for operation in each.values() for write in _write(operation))
    elif action in ("PutItem", "UpdateItem", "DeleteItem"):
        yield from ((write, 1) for write in _write(given))


def _write(operation: Mapping[str, Any]) -> Iterator[_Write]:
    table = dynamodb._tables.get(str(operation.get("TableName")).rpartition("/")[2])
    if table:
        yield _Write(table, operation.get("Item") or operation.get("Key") or {})


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "M":
            return 3 + size_of(content) + len(content)
        case "L":
            return 3 + sum(_value_size(each) + 1 for each in content)
        case "N":
            return len(content) // 2 + 1
        case "BOOL" | "NULL":
            return 1
    return len(content.encode()) if isinstance(content, str) else len(json.dumps(content))


def _count_messages(_action: str, body: bytes, _answer: Any) -> None:
    if b"Action=Publish" in body:
        count("messages")


def _count_secrets(action: str, _body: bytes, _answer: Any) -> None:
    if action == "GetSecretValue":
        count("secrets read")
