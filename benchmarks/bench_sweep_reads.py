"""What an hourly sweep reads of the table, with 100 labs due in fleets of 100, 1,000 and 10,000: items, not seconds.

The real steps of `curfew` over the real stores, on the sandbox's DynamoDB; the rest of the world is the tests'. Of the
labs that are due 20 are idle, as many as the brake lets go in one night, or all: as if the brake had been raised.
Beside it a peer that lists every lab by age and decides by what it sees, as a cleaner does that has no index of what is due.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.sweep_reads import CURFEW, NIGHT, PLANNING, Counting, lab_id, put_fleet
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.keys import BY_AGE, EVERYONE, text
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.evidence import Evidence, Sighting
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.ports.deps import Deps
from chalicelib.workflows import curfew
from emulator.process import running_sandbox
from tests.fakes import make_deps
from tests.fakes.clusters import FakeClusters
from tests.fakes.curfew import a_price_list
from tests.fakes.evidence_builders import quiet_evidence

DUE = 100
IDLE = (20, DUE)
FLEETS = (100, 1_000, 10_000)


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
        """What curfew keeps."""
        return DynamoCurfewStore(self.client, self.table)


#: One hourly run.
Run = Callable[[Stores, datetime], None]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleets", type=int, nargs="+", default=FLEETS)
    options = parser.parse_args()
    print(f"items read of the table in one hourly run, {DUE} labs due\n")
    print(f"{'labs':>8}{'idle':>7}{'nothing due':>14}{'planning':>11}{'curfew':>9}{'peer, by age':>15}")
    with running_sandbox() as sandbox:
        client = sandbox.client("dynamodb")
        for count in options.fleets:
            for idle in IDLE:
                row = _measured(client, count, idle)
                print("{:>8,}{:>7}{:>14,}{:>11,}{:>9,}{:>15,}".format(count, idle, *row), flush=True)


def _measured(client: Any, count: int, idle: int) -> list[int]:
    table = f"fleet-{count}-{idle}"
    put_fleet(client, table, count, DUE, a_price_list())
    Stores(Counting(client), table).curfew.put_rules(CurfewRules(max_percent=100, max_count=count))
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
    """What was idle has ended, and nothing else."""
    plan = stores.curfew.plan(NIGHT)
    ended = (
        [status for _, status in plan.lines if status.outcome is EntryOutcome.ENDED] if plan and plan.is_whole else []
    )
    if len(ended) != idle or stores.curfew.alive_count() != count:
        raise RuntimeError(f"{len(ended)} of {idle} ended, and {stores.curfew.alive_count()} of {count} are counted.")


def list_by_age(stores: Stores, _now: datetime) -> None:
    """The peer: every lab there is, each time."""
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
    """The steps of `curfew` in the order of its state machine; the first `idle` labs are, by their signals."""

    idle: int

    def run(self, stores: Stores, now: datetime) -> None:
        """One hour's."""
        deps, nothing = _world(stores, self.idle, now), {"answer": {}, "lost": ""}
        before = {"round": 0, "so_far": {}}
        begun = curfew.begin(deps, {"before": before, "warned": {}, "braked": {}}, now)
        examined = [{**nothing, "answer": curfew.examine(deps, {"group": group}, now)} for group in begun["groups"]]
        warned = curfew.warn(deps, {}, now)
        braked = curfew.brake(deps, {"examined": examined}, now)
        acted = [{**nothing, "answer": curfew.act(deps, {"item": item}, now)} for item in braked["items"]]
        results = {"examined": examined, "warned": warned, "braked": braked, "acted": acted}
        summary = curfew.finish(deps, {"so_far": begun["so_far"], "failure": None, **results}, now)
        if summary["outcome"] != "done" or summary["troubles"]:
            raise RuntimeError(f"The sweep of {now}: {summary}")


@dataclass
class OursAll(FakeClusters):
    """Every cluster is there and carries its lab's tag."""

    def describe(self, name: str) -> ClusterState:
        """The cluster of the lab of that number."""
        tags = {LAB_TAG: lab_id(int(name.removeprefix("name-")))}
        return ClusterState(
            name, f"arn:aws:eks:ap-northeast-2:111122223333:cluster/{name}", "ACTIVE", "1.36", tags=tags
        )


def _world(stores: Stores, idle: int, now: datetime) -> Deps:
    """The fakes' world, but for the stores."""
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
