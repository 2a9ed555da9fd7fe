"""How the support watch's daily run grows with the fleet: its calls are counted, and its minutes and dollars computed from them.

The whole state machine and the real adapters run in this process; EKS and EC2 answer at once with prepared bodies, DynamoDB is
moto's. The peer is a plain loop over one of the places, which reads each cluster, and reads and writes its record, by itself.
Then 1,001 clusters in the sandbox: the installed service, and the emulator's own time.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto import mock_aws

from benchmarks.canned_answers import CannedAnswers, cluster_names
from benchmarks.results import Peer, Row, keep
from benchmarks.running_costs import LARGE_GB, LIST_PRICES, MEMORY_GB
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.domain.core.place import Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.workflows.watch.scan import AT_ONCE
from emulator.core.bill import size_of
from sandbox.scenarios.fleet import put_clusters
from sandbox.schedules import run_watch
from sandbox.stage import installed
from tests.aws import moto_tables
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, make_deps
from tests.workflows.machine import Machine

REGION = "ap-northeast-2"
FLEETS = ((100, 1), (1_000, 10), (10_000, 100))
#: The most calls of a cluster, and by the size of the fleet: those of DynamoDB, the minutes of a run, the USD of thirty.
MOST = 6
MOST_BY_SIZE = {100: (0.2, 0.04, 0.04), 1_000: (0.08, 0.05, 0.23), 10_000: (0.08, 0.4, 2.3)}
IN_SANDBOX = 1_001
NEXT_DAY = datetime(2026, 11, 24, 6, tzinfo=UTC)
#: Assumed: an answer of EKS's and one of DynamoDB's, in seconds; a thread's own time for a call of EKS's; places scanned at once.
EKS_ANSWER, TABLE_ANSWER, OWN_TIME, PLACES_AT_ONCE = 0.08, 0.01, 0.004, 20
_GB_SECOND = 0.0000166667
_READING, _WRITING = ("Query", "GetItem", "BatchGetItem"), ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")


@dataclass(frozen=True, slots=True)
class Prepared:
    """EKS and EC2 of one place, as boto3's clients, without a network; `calls` counts the calls of all of them."""

    answers: CannedAnswers
    calls: Counter[str]

    def get_paginator(self, operation: str) -> Pages:
        """The pages of an operation."""
        return Pages(getattr(self, operation))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """The answer to an operation."""
        name = operation.title().replace("_", "")

        def call(**request: Any) -> Any:
            self.calls[name] += 1
            if name == "DescribeInstances":
                return {"Reservations": []}
            query = f"nextToken={request['nextToken']}" if "nextToken" in request else ""
            return self.answers.body(name, str(request.get("name") or request.get("clusterName")), query)

        return call


@dataclass(frozen=True, slots=True)
class Pages:
    """A paginator of one page."""

    call: Callable[..., Any]

    def paginate(self, **request: Any) -> Iterator[Any]:
        """The page."""
        yield self.call(**request)


def main() -> None:
    """Count, compute, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=10_000, help="clusters of the largest fleet")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    # Moto would copy 10,000 clusters for each operation of a transaction.
    moto_tables.install()
    reckoned = [row for fleet in FLEETS if fleet[0] <= options.most for row in _rows(*fleet)]
    keep("watch_growth", [*reckoned, *_in_sandbox()], Peer.MEASURED)


def _in_sandbox() -> Iterator[Row]:
    """Runs of the installed service, with four of five clusters near a deadline: the day of the mails, and the day
    after."""
    versions = ("1.32", "1.33", "1.34", "1.35", "1.36")
    with installed() as stage:
        stage.sandbox.admin("POST", "clock", {"now": "2026-11-23T00:00:00Z"})
        put_clusters(stage.sandbox, [_a_cluster(number, versions[number % 5]) for number in range(IN_SANDBOX)])
        for day, title in (
            (datetime(2026, 11, 23, 6, tzinfo=UTC), "the day of the mails"),
            (NEXT_DAY, "the day after"),
        ):
            stage.sandbox.admin("POST", "clock", {"now": day.isoformat()})
            began = time.monotonic()
            run_watch(stage, day, seconds=300)
            seconds = round(time.monotonic() - began, 1)
            yield Row(f"{IN_SANDBOX:,} clusters in the sandbox, {title}", seconds, "s", limit=60)


def _a_cluster(number: int, version: str) -> dict[str, Any]:
    tags = {"owner": f"team-{number % 50}@example.com"}
    return {"name": f"cluster-{number:04}", "version": version, "tags": tags, "nodegroups": [{"name": "workers"}]}


def _rows(clusters: int, places: int) -> Iterator[Row]:
    """The counts of the second day: the first one writes new records."""
    calls: Counter[str] = Counter()
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        store = DynamoFleetStore(client, create_table(client))
        machine = _machine(store, DynamoStore(client, "labs"), clusters, places, calls)
        machine(NOW)
        client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
        calls.clear()
        machine(NOW + timedelta(days=1))
        ours = calls.copy()
        calls.clear()
        plain = _one_by_one(client, Prepared(_answers(clusters, places), calls))
        one_by_one = calls.total() / plain
        kept = client.query(**_of_place("000000000000")) if clusters else {}
    item = max(map(size_of, kept["Items"]))
    title = f"{clusters:,} clusters in {places} places"
    of_table, minutes, usd = MOST_BY_SIZE.get(clusters, (None, None, None))
    yield Row(title, ours.total() / clusters, "calls a cluster", one_by_one, MOST)
    tables = sum(ours[name] for name in (*_READING, *_WRITING)) / clusters
    yield Row(f"{title}, of them of DynamoDB", tables, "calls a cluster", limit=of_table)
    seconds, dollars = _reckoned(ours, clusters, places, item)
    yield Row(f"{title}, a run", seconds / 60, "minutes", limit=minutes)
    yield Row(f"{title}, thirty runs", 30 * dollars, "USD", limit=usd)


def _one_by_one(client: Any, eks: Prepared) -> int:
    """Read each cluster of a place as a plain loop would, and its record, and write that; return how many there are."""
    names = [name for page in eks.get_paginator("list_clusters").paginate() for name in page["clusters"]]
    for name in names:
        eks.describe_cluster(name=name)
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            eks.describe_nodegroup(clusterName=name, nodegroupName=group)
        eks.list_fargate_profiles(clusterName=name)
        key = {"pk": {"S": "plain"}, "sk": {"S": name}}
        client.get_item(TableName="labs", Key=key)
        client.put_item(TableName="labs", Item=key)
    return len(names)


def _of_place(account: str) -> dict[str, Any]:
    values = {":pk": {"S": f"PLACE#{account}#{REGION}"}}
    return {"TableName": "labs", "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values, "Limit": 10}


def _answers(clusters: int, places: int) -> CannedAnswers:
    return CannedAnswers(cluster_names(clusters // places), 0, frozenset())


def _machine(
    store: DynamoFleetStore, labs: DynamoStore, clusters: int, places: int, calls: Counter[str]
) -> Callable[[datetime], None]:
    world = make_deps()
    for number in range(places):
        store.register(
            Registration(f"{number:012}", f"account-{number}", (REGION,), f"arn:aws:iam::{number:012}:role/r")
        )
    answers = _answers(clusters, places)

    def fleet(place: Place) -> EksFleet:
        return EksFleet(Prepared(answers, calls), Prepared(answers, calls), place, lambda: NOW)

    watch = replace(world.deps.watch, fleet=fleet, store=store)
    deps = replace(world.deps, watch=watch, store=labs)

    def run(at: datetime) -> None:
        if Machine("watch_support", deps).run({"time": at.isoformat()}) != "Finished":
            raise RuntimeError("The run was not finished.")

    return run


def _reckoned(calls: Counter[str], clusters: int, places: int, item: int) -> tuple[float, float]:
    """Seconds of a run, and its dollars: places side by side, 16 calls of EKS's at once in each, the table's one after another."""
    table = sum(calls[name] for name in (*_READING, *_WRITING))
    eks = calls.total() - table
    scanning = eks * max(EKS_ANSWER / AT_ONCE, OWN_TIME)
    side_by_side = min(places, PLACES_AT_ONCE)
    seconds = scanning / side_by_side + table * TABLE_ANSWER
    lambdas = scanning * LARGE_GB + table * TABLE_ANSWER * MEMORY_GB
    # Each cluster is read twice and written once, in a transaction, with its place in an index.
    read = 2 * clusters * item / 4096 * LIST_PRICES["read units"]
    written = clusters * 2 * 2 * (1 + item // 1024) * LIST_PRICES["write units"]
    transitions = (5 * places + 20) * LIST_PRICES["transitions"]
    return seconds, lambdas * _GB_SECOND + read + written + transitions


if __name__ == "__main__":
    main()
