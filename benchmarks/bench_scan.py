"""The support watch's daily scan beside a plain loop over the same clusters with the same latency.

Both read the cluster, its node groups and its machines from the sandbox, whose EKS takes a while for every answer. The
watch goes through its whole state machine, decides and delivers too; one in a hundred clusters can't be read.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.scenarios.fleet import TODAY, put_clusters
from sandbox.schedules import run_watch
from sandbox.stage import Stage, installed

_VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
_FAULTS = ("AccessDeniedException", "ServerException", "ThrottlingException")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.08, help="seconds that EKS takes for an answer")
    options = parser.parse_args()
    with installed() as stage:
        faulty = _put_fleet(stage, options.clusters, options.latency)
        began = time.monotonic()
        read, calls = _plain_loop(stage)
        serial = time.monotonic() - began
        began = time.monotonic()
        summary = run_watch(stage, TODAY, seconds=1200)
        ours = time.monotonic() - began
    print(f"{options.clusters} clusters, {len(faulty)} of them faulty, {options.latency * 1000:.0f} ms an answer\n")
    print(f"{'':<14}{'seconds':>9}{'clusters/s':>12}{'reported':>10}{'unreadable':>12}")
    print(f"{'plain loop':<14}{serial:>9.1f}{options.clusters / serial:>12.1f}{read:>10}{options.clusters - read:>12}")
    reported, unreadable = summary["clusters"], summary["unreadable"]
    print(f"{'watch':<14}{ours:>9.1f}{options.clusters / ours:>12.1f}{reported - unreadable:>10}{unreadable:>12}")
    print(f"\n{serial / ours:.1f} times as fast; the loop made {calls} calls")


def _put_fleet(stage: Stage, count: int, latency: float) -> list[str]:
    clusters = list(_clusters(count))
    put_clusters(stage.sandbox, clusters)
    names = [str(cluster["name"]) for cluster in clusters]
    faulty = names[99::100]
    faults: list[dict[str, Any]] = [{"operation": "*", "delaySeconds": latency}]
    for number, name in enumerate(faulty):
        error = {"code": _FAULTS[number % len(_FAULTS)]}
        faults.append({"operation": "DescribeCluster", "cluster": name, "error": error})
    stage.sandbox.admin("POST", "clock", {"now": TODAY.isoformat()})
    stage.sandbox.admin("PATCH", "faults", faults)
    return faulty


def _clusters(count: int) -> Iterator[Mapping[str, Any]]:
    for number in range(count):
        yield {
            "name": f"cluster-{number:04}",
            "version": _VERSIONS[number % len(_VERSIONS)],
            "tags": {"owner": f"team-{number % 20}@example.com"},
            "nodegroups": [{"name": "workers"}],
            "sparedUntil": "2030-01-01T00:00:00Z",
        }


def _plain_loop(stage: Stage) -> tuple[int, int]:
    """Read all clusters one after another; return how many could be read, and how many calls that took."""
    eks, ec2 = stage.sandbox.client("eks"), stage.sandbox.client("ec2")
    names = [name for page in eks.get_paginator("list_clusters").paginate() for name in page["clusters"]]
    read, calls = 0, 1 + len(names) // 100
    for name in names:
        calls += 1
        try:
            eks.describe_cluster(name=name)
        except ClientError:
            continue
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            eks.describe_nodegroup(clusterName=name, nodegroupName=group)
            calls += 1
        eks.list_fargate_profiles(clusterName=name)
        ec2.describe_instances(Filters=[{"Name": f"tag:kubernetes.io/cluster/{name}", "Values": ["owned"]}])
        read, calls = read + 1, calls + 3
    return read, calls


if __name__ == "__main__":
    main()
