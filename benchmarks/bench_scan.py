"""The scan of a place beside a bare boto3 loop that makes the same calls on as many threads, interleaved in one run.

Both call a server whose answers take 20 ms and almost no CPU. Ours is the step of `watch_support` as it runs in Lambda: it
parses, decides on support and owners, and keeps each cluster; the store is in memory here. CPU is the reading process's own.
Then ours runs as a command beside a dry run of Cloud Custodian, which reads clusters and no nodes. `make bench` installs it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.canned_answers import ACCOUNT, REGION, asked_of, canned_answers, cluster_names
from benchmarks.results import PROJECT, Peer, Row, keep, measured
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
CUSTODIAN = PROJECT / ".venv-custodian" / "bin" / "custodian"
_POLICY = "policies: [{name: clusters, resource: aws.eks}]"
_OURS = "import sys; from benchmarks.bench_scan import ours; ours(sys.argv[1])"


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
        commands = list(_commands(url, count, options.rounds))
    scans, bare, faults = taken
    limit = 3 * count + count + count // 100 + 5
    walls, cpus = ([getattr(each, part) for each in scans] for part in ("wall", "cpu"))
    keep(
        "scan",
        [
            Row(f"{count} clusters with nodes", scans[0].calls, "calls", bare[0].calls, limit),
            measured(f"{count} clusters, wall", walls, "s", [each.wall for each in bare], times=1.15),
            measured(f"{count} clusters, CPU", cpus, "s", [each.cpu for each in bare], times=1.15),
            measured(f"the others, {len(faulty)} faulty", [each.others for each in faults], "s", walls, times=1.2),
            *commands,
        ],
        Peer.MEASURED,
    )


def _rounds(url: str, broken: str, rounds: int) -> tuple[list[Taken], list[Taken], list[Taken]]:
    """Ours, the bare loop's, and ours beside faulty clusters; interleaved, so that load affects all equally."""
    every: tuple[list[Taken], list[Taken], list[Taken]] = ([], [], [])
    ways: Sequence[tuple[str, Callable[[str], float]]] = ((url, ours), (url, _bare), (broken, ours))
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


def ours(url: str) -> float:
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


def _commands(url: str, count: int, rounds: int) -> Iterator[Row]:
    """Ours and Custodian's dry run as commands, in turns: both with their imports."""
    if not CUSTODIAN.exists():
        raise SystemExit("`make bench` installs Cloud Custodian, in .venv-custodian.")
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder, "policy.yml")
        policy.write_text(_POLICY)
        options = ("--dryrun", "-s", folder, "--cache-period", "0", "-r", REGION, str(policy))
        ways = ((sys.executable, "-c", _OURS, url), (str(CUSTODIAN), "run", *options))
        own, theirs = zip(*([_command(way, url, folder) for way in ways] for _ in range(rounds)), strict=True)
    title = f"{count} clusters, a command beside Custodian's"
    yield measured(f"{title}, wall", [each.wall for each in own], "s", [each.wall for each in theirs], times=1.0)
    yield measured(f"{title}, CPU", [each.cpu for each in own], "s", [each.cpu for each in theirs], times=1.75)
    yield Row(f"{title}, calls", own[0].calls, "calls", theirs[0].calls, 4 * count + count // 100 + 5)


def _command(command: Sequence[str], url: str, home: str) -> Taken:
    keys = {name.upper(): value for name, value in _KEYS.items()}
    environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION, "HOME": home}
    calls, wall, before = asked_of(url).total(), time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
    taken, after = time.monotonic() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(taken, cpu, asked_of(url).total() - calls, taken)


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
