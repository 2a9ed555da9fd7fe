"""The table reads of an hourly run, with 100 labs due in fleets of 100, 1,000 and 10,000: items, not seconds.

The real steps of `curfew` over the real stores, on the sandbox's DynamoDB; the rest of the world is the tests'. Of the due labs,
20 are idle, as many as the safety limit allows in one night, or all of them, with the limit raised. The peer lists every lab by
age and decides for each, like a cleaner without an index of due labs.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.results import Peer, Row, keep
from chalicelib.aws.dynamodb.curfew.keys import COUNTED
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.items import lab_item
from chalicelib.aws.dynamodb.keys import BY_AGE, EVERYONE, Item, counter_key, number, text
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.costs import Prices, hourly_cost
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.evidence import Evidence, Sighting
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import ClusterFacts, Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, LabSpec, NewNetwork, NodegroupSpec
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.ports.deps import Deps
from emulator.process import running_sandbox
from tests.aws.dynamodb.table import create_table
from tests.fakes import make_deps
from tests.fakes.clusters import FakeClusters
from tests.fakes.curfew import a_price_list
from tests.fakes.evidence_builders import quiet_evidence
from tests.workflows.machine import Machine

DUE = 100
IDLE = (20, DUE)
FLEETS = (100, 1_000, 10_000)
PLANNING = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)
CURFEW = datetime(2026, 11, 23, 22, 5, tzinfo=UTC)
NIGHT = date(2026, 11, 23)
_MADE_AT = PLANNING - timedelta(days=3)
_AT_ONCE = 25
#: The hourly cost of such a lab, as recorded at its first look.
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
    """A `dynamodb` client. `items`: those that a query scans before any filter, and one for each GetItem, found or not."""

    client: Any
    items: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def __getattr__(self, name: str) -> Any:
        """Everything else passes through; other ways of reading must be counted here first."""
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
    """Make a table with this many ready labs; the first `due` of them await the run at PLANNING."""
    create_table(client, table)
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
    """A lab that was checked before, with its price."""
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
        facts=ClusterFacts(created_at=_MADE_AT),
    )
    return replace(lab, hourly_usd=round(hourly_cost(lab, prices, extended=False).total, 6))


def _tallies(labs: Sequence[Lab]) -> list[Item]:
    """The tallies as after the creation of these labs one by one."""
    alive = Counter(counter_key(lab.id)["sk"]["S"] for lab in labs)
    keys = {counter_key(lab.id)["sk"]["S"]: counter_key(lab.id) for lab in labs}
    return [COUNTED, *({**keys[sk], "alive": number(count)} for sk, count in alive.items())]


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores over one table, behind one counting client."""

    client: Counting
    table: str

    @property
    def labs(self) -> DynamoStore:
        """The labs."""
        return DynamoStore(self.client, self.table)

    @property
    def curfew(self) -> DynamoCurfewStore:
        """Curfew's records."""
        return DynamoCurfewStore(self.client, self.table)


#: One hourly run.
Run = Callable[[Stores, datetime], None]


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleets", type=int, nargs="+", default=FLEETS)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with running_sandbox() as sandbox:
        client = sandbox.client("dynamodb")
        rows = [row for count in options.fleets for idle in IDLE for row in _rows(client, count, idle)]
    keep("sweep_reads", rows, Peer.MEASURED)


def _rows(client: Any, count: int, idle: int) -> Iterator[Row]:
    """Items of each hour's run, beside the peer's."""
    *hours, by_age = _measured(client, count, idle)
    limits = {"nothing due": count + 22, "planning": 5 * idle + 327, "curfew": 10 * idle + 33}
    for (title, limit), items in zip(limits.items(), hours, strict=True):
        yield Row(f"{count:,} labs, {idle} of {DUE} idle: {title}", items, "items", by_age, limit)


def _measured(client: Any, count: int, idle: int) -> list[int]:
    table = f"fleet-{count}-{idle}"
    put_fleet(client, table, count, DUE, a_price_list())
    rules = CurfewRules(max_percent=100, max_count=count)
    Stores(Counting(client), table).curfew.change_rules(rules, lambda _: rules)
    ours = Sweep(idle).run
    hours: tuple[tuple[Run, datetime], ...] = (
        (ours, PLANNING - timedelta(hours=1)),
        (ours, PLANNING),
        (ours, CURFEW),
        (list_by_age, PLANNING),
    )
    read = []
    for run, now in hours:
        counting = Counting(client)
        run(Stores(counting, table), now)
        read.append(counting.items)
    _check(Stores(Counting(client), table), count, idle)
    client.delete_table(TableName=table)
    return read


def _check(stores: Stores, count: int, idle: int) -> None:
    """The idle labs have ended, and no others."""
    plan = stores.curfew.plan(NIGHT)
    ended = (
        [status for _, status in plan.lines if status.outcome is EntryOutcome.ENDED] if plan and plan.is_whole else []
    )
    if len(ended) != idle or stores.curfew.alive_count() != count:
        raise RuntimeError(f"{len(ended)} of {idle} ended, and {stores.curfew.alive_count()} of {count} are counted.")


def list_by_age(stores: Stores, _now: datetime) -> None:
    """The peer: list all labs each time."""
    start: dict[str, object] = {}
    while True:
        answer = stores.client.query(
            TableName=stores.table,
            IndexName=BY_AGE,
            KeyConditionExpression="everyone = :everyone",
            ExpressionAttributeValues={":everyone": text(EVERYONE)},
            **start,
        )
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@dataclass(frozen=True, slots=True)
class Sweep:
    """An execution of `curfew`; the first `idle` labs are idle, by their signals."""

    idle: int

    def run(self, stores: Stores, now: datetime) -> None:
        """Run one hour's execution."""
        machine = Machine("curfew", _world(stores, self.idle, now))
        machine.run({"time": now.isoformat()})
        summary = machine.output["finish"]
        if summary["outcome"] != "done" or summary["troubles"]:
            raise RuntimeError(f"The sweep of {now}: {summary}")


@dataclass
class OursAll(FakeClusters):
    """A fake in which every cluster exists and has its lab's tag."""

    def describe(self, name: str) -> ClusterState:
        """The cluster of the lab of that number."""
        tags = {LAB_TAG: lab_id(int(name.removeprefix("name-")))}
        return ClusterState(
            name,
            f"arn:aws:eks:ap-northeast-2:111122223333:cluster/{name}",
            "ACTIVE",
            "1.36",
            tags=tags,
            created_at=_MADE_AT,
        )


def _world(stores: Stores, idle: int, now: datetime) -> Deps:
    """The fakes' world, except the stores."""
    world = make_deps()
    world.clock.instant = now
    for index in range(DUE):
        someone = None if index < idle else Sighting("learner", now - timedelta(minutes=10))
        world.curfew.signals.evidence[lab_id(index)] = partial(_evidence, lab_id(index), someone)
    cloud = replace(world.places.cloud, clusters=OursAll(world.account))
    curfew = replace(world.deps.curfew, store=stores.curfew)
    return replace(world.deps, store=stores.labs, curfew=curfew, cloud=lambda _place: cloud)


def _evidence(of: str, someone: Sighting | None, now: datetime) -> Evidence:
    return quiet_evidence(now, of, owner_call=someone, cluster_tags={LAB_TAG: of})


if __name__ == "__main__":
    main()
