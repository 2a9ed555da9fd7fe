"""The AWS calls of a whole run of the support watch: its steps over the real adapters, in its own place of the sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.aws.messaging.notifier import SnsNotifier
from chalicelib.domain.core.place import Place
from chalicelib.domain.notices.notice import NoticeState
from chalicelib.ports.deps import Deps
from emulator.process import Sandbox
from sandbox.scenarios.fleet import put_clusters
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, make_deps
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import a_registration
from tests.workflows.machine import Machine

REGION, COUNT = "eu-west-3", 120
TEAMS = tuple(f"team-{number}@example.com" for number in range(4))
VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
FAULTY = {"cluster-007": "AccessDeniedException", "cluster-077": "InvalidParameterException"}


@dataclass
class Run:
    """A watch of the region whose calls are counted."""

    deps: Deps
    store: DynamoFleetStore
    calls: Counter[str]

    def on(self, day: datetime) -> int:
        """The calls of one day's run, and no others."""
        self.calls.clear()
        assert Machine("watch_support", self.deps).run({"time": day.isoformat()}) == "Finished"
        return self.calls.total()


@pytest.fixture
def run(sandbox: Sandbox) -> Iterator[Run]:
    put_clusters(sandbox, [a_cluster(number) for number in range(COUNT)])
    faults = [{"operation": "DescribeCluster", "cluster": n, "error": {"code": code}} for n, code in FAULTY.items()]
    sandbox.admin("PATCH", "faults", faults)
    calls = Counter[str]()

    def client(service: str) -> Any:
        made = sandbox.client(service, region=REGION)
        made.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
        return made

    world, dynamodb, sns, events = make_deps(), client("dynamodb"), client("sns"), client("events")
    table = create_table(sandbox.client("dynamodb", region=REGION))
    store = DynamoFleetStore(dynamodb, table)
    store.register(a_registration(regions=(REGION,)))
    eks, ec2, topic = client("eks"), client("ec2"), sns.create_topic(Name="watch")["TopicArn"]
    watch = replace(
        world.deps.watch,
        fleet=lambda place: EksFleet(eks, ec2, place, lambda: NOW),
        store=store,
        notifier=SnsNotifier(sns, events, topic, "default"),
    )
    yield Run(replace(world.deps, watch=watch, store=DynamoStore(dynamodb, table)), store, calls)
    sandbox.admin("POST", "faults", [])
    sandbox.client("dynamodb", region=REGION).delete_table(TableName=table)


def a_cluster(number: int) -> dict[str, object]:
    return {
        "name": f"cluster-{number:03}",
        "region": REGION,
        "account": ACCOUNT,
        "version": VERSIONS[number % len(VERSIONS)],
        "tags": {"owner": TEAMS[number % len(TEAMS)]},
        "nodegroups": [{"name": "workers"}],
        "sparedUntil": "2030-01-01T00:00:00Z",
    }


def test_a_day_of_the_watch_takes_at_most_six_calls_a_cluster_beside_the_claim_of_each_notice(run: Run) -> None:
    """Issue 16: a run of 1,001 clusters took 13.1 calls a cluster."""
    first = run.on(NOW)
    told, _ = run.store.list_notices(1000, None)
    assert first <= 6 * COUNT + len(told), run.calls
    assert run.on(NOW + timedelta(days=1)) <= 6 * COUNT, run.calls
    kept = run.store.watched_in(Place(ACCOUNT, REGION))
    assert {one.cluster.key.name for one in kept if one.trouble} == set(FAULTY)
    assert len(kept) == COUNT
    notices, _ = run.store.list_notices(1000, None)
    assert len(notices) >= COUNT / 3
    assert {notice.state for notice in notices} == {NoticeState.SENT}
