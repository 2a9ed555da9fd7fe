"""A season's table for the page: labs that are all on one night's plan, a hundred of them one owner's, and watched clusters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.aws.dynamodb.codec import SCHEMA, dumps
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.items import event_item, lab_item, step_item
from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.aws.dynamodb.support.keys import watched_index_values, watched_key
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.costs import meter_of
from chalicelib.domain.curfew.plan import Entry, Stakes, Trigger
from chalicelib.domain.labs.lab import Lab, Planned
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, Support, SupportPhase
from chalicelib.domain.support.fleet import FleetCluster, NodeKind, Nodes
from chalicelib.domain.support.watched import Watched
from tests.fakes import a_lab, a_spec
from tests.fakes.curfew import a_price_list

ACCOUNT, REGION, OTHERS = "111122223333", "ap-northeast-2", 40
SEOUL = Schedule("Asia/Seoul")
_AT_ONCE, _OWN = 25, 100


def put_season(client: Any, table: str, labs: int, clusters: int, owner: str, night: date, now: datetime) -> str:
    """Write all of it; return the id of one of the owner's labs, which has a history. The rest belong to forty other people."""
    made = [_lab(index, owner if index < _OWN else f"{owner}-{index % OTHERS}", night, now) for index in range(labs)]
    _put(client, table, (lab_item(lab, "put by the benchmark", claims=True) for lab in made))
    _put(client, table, _history(made[0], now))
    _put(client, table, (_cluster_item(index, now) for index in range(clusters)))
    DynamoCurfewStore(client, table).publish(night, [_entry(lab, night, now) for lab in made], now)
    return made[0].id


def _lab(index: int, owner: str, night: date, now: datetime) -> Lab:
    lab = a_lab(
        id=f"lab-{index:08d}",
        owner=owner,
        spec=replace(a_spec(), name=f"name-{index}", schedule=SEOUL),
        phase="ready",
        created_at=now - timedelta(days=3, seconds=index),
        phase_since=now - timedelta(days=3),
        lease_ends_at=now + timedelta(hours=30),
        due_at=now + timedelta(hours=3),
    )
    metered = lab.metered_since(meter_of(lab.spec, a_price_list(), None, "UTC"), lab.created_at)
    return replace(metered, planned=Planned(night, _entry(lab, night, now).id, now + timedelta(hours=3)))


def _entry(lab: Lab, night: date, now: datetime) -> Entry:
    reason = "idle since 15:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %)"
    return Entry(
        night,
        lab.id,
        now + timedelta(hours=3),
        AtCurfew.END,
        Trigger.IDLE,
        reason,
        lab.owner,
        lab.name,
        REGION,
        now,
        Stakes(2, 5, 1, 0),
        hourly_usd=0.22,
        time_zone="Asia/Seoul",
    )


def _history(lab: Lab, now: datetime) -> Iterator[Item]:
    """A dozen steps, and forty events."""
    for index in range(12):
        at = now - timedelta(minutes=60 - index)
        yield step_item(lab.id, Step("provision", f"step-{index}", f"Step {index}", StepStatus.DONE, at, at))
    for index in range(40):
        yield event_item(lab.id, Event(now - timedelta(minutes=index), "noted", f"The {index}th thing happened."))


def _cluster_item(index: int, now: datetime) -> Item:
    key = ClusterKey(ACCOUNT, REGION, f"cluster-{index:05d}")
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{key.name}"
    read = FleetCluster(
        key=key,
        arn=arn,
        version="1.34",
        status="ACTIVE",
        support_type="EXTENDED",
        platform_version="eks.9",
        created_at=now - timedelta(days=300),
        tags={"owner": f"team-{index % OTHERS}@example.com"},
        nodes=(Nodes("workers", NodeKind.MANAGED, "1.34", 3),),
    )
    ends = datetime(2026, 12, 2, tzinfo=UTC) + timedelta(days=index % 400)
    first = Deadline(DeadlineKind.EXTENDED_BILLING, "1.34", ends, "eks:DescribeClusterVersions", now)
    support = Support(SupportPhase.STANDARD, (first,), billed_extended=False)
    kept = Watched(cluster=read, support=support, owner=read.tags["owner"], team=None, read_at=now)
    body = {"schema": number(SCHEMA), "body": text(dumps(kept)), "version": number(1)}
    return {**watched_key(key), **body, **watched_index_values(kept)}


def _put(client: Any, table: str, items: Iterator[Item]) -> None:
    while batch := list(islice(items, _AT_ONCE)):
        puts = [{"PutRequest": {"Item": item}} for item in batch]
        if client.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]:
            raise RuntimeError("Not everything was written.")
