"""The scan of a place beside a bare boto3 loop that makes the same calls on as many threads, interleaved in one run.

Both call a server whose answers take 20 ms and almost no CPU. Ours is the step of `watch_support` as it runs in Lambda: it
parses, decides on support and owners, and keeps each cluster; the store is in memory here. CPU is the reading process's own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.canned_answers import ACCOUNT, REGION, asked_of, canned_answers, cluster_names
from benchmarks.results import Row, keep, measured
from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.aws.system.clock import SystemClock
from chalicelib.domain.core.place import Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.fleet import FleetCluster
from chalicelib.ports.deps import Deps
from chalicelib.wiring.clients import CONFIG
from chalicelib.workflows import watch_support
from chalicelib.workflows.watch.scan import AT_ONCE
from tests.fakes import make_deps

_KEYS = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
_INSTANCES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """The time of one reading. `others`: seconds until all readable clusters were read."""

    wall: float
    cpu: float
    calls: int
    others: float


class Timed(EksFleet):
    """Records the time of the last read of a cluster."""

    last: float = 0.0

    def read(self, name: str) -> FleetCluster:
        """The cluster."""
        found = super().read(name)
        self.last = time.monotonic()
        return found


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds that an answer takes")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    count, names = options.clusters, cluster_names(options.clusters)
    faulty = names[99::100]
    with canned_answers(count, options.latency) as url, canned_answers(count, options.latency, faulty) as broken:
        taken = _rounds(url, broken, options.rounds)
    ours, bare, faults = taken
    limit = 3 * count + count + count // 100 + 5
    walls, cpus = ([getattr(each, part) for each in ours] for part in ("wall", "cpu"))
    keep(
        "scan",
        [
            Row(f"{count} clusters with nodes", ours[0].calls, "calls", bare[0].calls, limit),
            measured(f"{count} clusters, wall", walls, "s", [each.wall for each in bare], times=1.15),
            measured(f"{count} clusters, CPU", cpus, "s", [each.cpu for each in bare], times=1.15),
            measured(f"the others, {len(faulty)} faulty", [each.others for each in faults], "s", walls),
        ],
    )


def _rounds(url: str, broken: str, rounds: int) -> tuple[list[Taken], list[Taken], list[Taken]]:
    """Ours, the bare loop's, and ours beside faulty clusters; interleaved, so that load affects all equally."""
    every: tuple[list[Taken], list[Taken], list[Taken]] = ([], [], [])
    ways: Sequence[tuple[str, Callable[[str], float]]] = ((url, _ours), (url, _bare), (broken, _ours))
    for number in range(rounds + 1):
        for taken, (at, read) in zip(every, ways, strict=True):
            before, wall, cpu = asked_of(at).total(), time.monotonic(), time.process_time()
            last = read(at)
            found = Taken(
                time.monotonic() - wall, time.process_time() - cpu, asked_of(at).total() - before, last - wall
            )
            # The first round of each warms up imports and botocore's models.
            if number:
                taken.append(found)
    return every


def _ours(url: str) -> float:
    """Scan the place in the steps of its state machine; return the time of the last read."""
    clients = {
        service: boto3.client(service, region_name=REGION, endpoint_url=url, config=CONFIG, **_KEYS)
        for service in ("eks", "ec2")
    }
    place = Place(ACCOUNT, REGION)
    fleet = Timed(clients["eks"], clients["ec2"], place, SystemClock().now)
    deps, event = _world(fleet), {"place": {"account": ACCOUNT, "region": REGION, "role_arn": None}, "cursor": None}
    answer: dict[str, Any] = {"outcome": "again", "cursor": None}
    while answer["outcome"] == "again":
        answer = dict(watch_support.scan_place(deps, {**event, "cursor": answer["cursor"]}, SystemClock().now()))
    return fleet.last


def _world(fleet: EksFleet) -> Deps:
    world = make_deps()
    world.watch.store.register(Registration(ACCOUNT, "bench", (REGION,)))
    return replace(world.deps, watch=replace(world.deps.watch, fleet=lambda _place: fleet))


def _bare(url: str) -> float:
    """The same calls with boto3 alone."""
    config = Config(max_pool_connections=AT_ONCE, retries={"total_max_attempts": 1})
    eks, ec2 = (
        boto3.client(service, region_name=REGION, endpoint_url=url, config=config, **_KEYS)
        for service in ("eks", "ec2")
    )
    eks.describe_cluster_versions()
    names = [name for page in eks.get_paginator("list_clusters").paginate() for name in page["clusters"]]
    keys = [f"kubernetes.io/cluster/{name}" for name in names]
    for start in range(0, len(keys), _INSTANCES_AT_ONCE):
        filters = [{"Name": "tag-key", "Values": keys[start : start + _INSTANCES_AT_ONCE]}]
        ec2.describe_instances(Filters=filters)

    def read(name: str) -> None:
        try:
            eks.describe_cluster(name=name)
        except ClientError:
            return
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            eks.describe_nodegroup(clusterName=name, nodegroupName=group)
        eks.list_fargate_profiles(clusterName=name)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(read, names))
    return time.monotonic()


if __name__ == "__main__":
    main()
