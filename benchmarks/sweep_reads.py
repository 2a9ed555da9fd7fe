"""A fleet in a table of the sandbox's, and a client that counts what DynamoDB has to look at for an answer."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.aws.dynamodb.curfew.keys import COUNTED
from chalicelib.aws.dynamodb.items import lab_item
from chalicelib.aws.dynamodb.keys import Item, counter_key, number
from chalicelib.domain.costs import Prices, hourly_cost
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, LabSpec, NewNetwork, NodegroupSpec

PLANNING = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)
CURFEW = datetime(2026, 11, 23, 22, 5, tzinfo=UTC)
NIGHT = date(2026, 11, 23)
_AT_ONCE = 25
#: What such a lab costs an hour, as the sweep that first saw it has noted.
_USD = 0.221496
_OWNER = "arn:aws:iam::111122223333:user/learner"
_SPEC = LabSpec(
    name="myeks",
    region="ap-northeast-2",
    version="1.36",
    network=NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2c")),
    endpoint=EndpointSpec(EndpointAccess.PUBLIC, ("198.51.100.7/32",)),
    nodegroups=(NodegroupSpec("workers"),),
)


@dataclass
class Counting:
    """A `dynamodb` client. `items`: what a query scans before any filter, and one for each GetItem, found or not."""

    client: Any
    items: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def __getattr__(self, name: str) -> Any:
        """Everything else goes through; what reads in another way must be counted here before it may."""
        if name in ("scan", "batch_get_item", "transact_get_items", "execute_statement", "get_paginator"):
            raise NotImplementedError(f"{name} reads, and is not counted.")
        return getattr(self.client, name)

    def query(self, **request: Any) -> Any:
        """A query, counted."""
        answer = self.client.query(**request)
        self._count("Query", answer["ScannedCount"])
        return answer

    def get_item(self, **request: Any) -> Any:
        """One item, counted."""
        self._count("GetItem", 1)
        return self.client.get_item(**request)

    def _count(self, call: str, items: int) -> None:
        self.items += items
        self.calls[call] += 1


def put_fleet(client: Any, table: str, count: int, due: int, prices: Prices) -> None:
    """Make a table with so many ready labs, the first `due` of which await the sweep at PLANNING."""
    template = json.loads((Path(__file__).resolve().parent.parent / ".chalice/template.json").read_text())
    shape = template["Resources"]["LabsTable"]["Properties"]
    keys = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    client.create_table(TableName=table, **{key: shape[key] for key in keys})
    labs = [_lab(index, index < due, prices) for index in range(count)]
    items = [lab_item(lab, "put by the benchmark", claims=True) for lab in labs] + _tallies(labs)
    for start in range(0, len(items), _AT_ONCE):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _AT_ONCE]]
        left = client.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
        if left:
            raise RuntimeError(f"{len(left[table])} labs were not written.")


def lab_id(index: int) -> str:
    """The id of the lab of this number."""
    return f"lab-{index:08d}"


def _lab(index: int, is_due: bool, prices: Prices) -> Lab:
    """One that was looked at before: its price is on it."""
    due_at = PLANNING if is_due else CURFEW + timedelta(hours=1 + index % 12)
    lab = Lab(
        id=lab_id(index),
        owner=f"{_OWNER}-{index % 40}",
        account="111122223333",
        spec=replace(_SPEC, name=f"name-{index}"),
        phase=Phase.READY,
        created_at=PLANNING - timedelta(days=3, seconds=index),
        phase_since=PLANNING - timedelta(days=3),
        lease_ends_at=PLANNING + timedelta(days=3),
        due_at=due_at,
        hourly_usd=_USD,
        version=1,
    )
    return replace(lab, hourly_usd=round(hourly_cost(lab, prices, extended=False).total, 6))


def _tallies(labs: Sequence[Lab]) -> list[Item]:
    """As creating them one by one would have left the tallies."""
    alive = Counter(counter_key(lab.id)["sk"]["S"] for lab in labs)
    keys = {counter_key(lab.id)["sk"]["S"]: counter_key(lab.id) for lab in labs}
    return [COUNTED, *({**keys[sk], "alive": number(count)} for sk, count in alive.items())]
