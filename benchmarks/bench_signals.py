"""The reader of signals beside a plain loop over the clusters, one after another, with all calls that this needs.

Both read the same clusters of the sandbox: EKS, EC2, load balancers, and CloudWatch over three hours and the week before. Answers
are delayed, since AWS's take longer than the sandbox's. The reader asks CloudTrail and the clusters' own API servers too, the
loop does not. This benchmark uses the adapter's internals, because no other code calls it alone.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.results import Peer, Row, keep, measured
from chalicelib.aws.idleness.reader import AwsSignals, SignalClients
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, LabSpec, NewNetwork
from emulator.process import Sandbox, running_sandbox
from sandbox.activity import set_activity
from sandbox.scenarios.fleet import put_clusters

NOW, WINDOW, WEEK = datetime(2026, 11, 23, 13, 0, tzinfo=UTC), timedelta(hours=3), timedelta(days=7)
_GROUPS = ("general", "gpu")
#: The whole window, and of the week before it only metrics with a baseline.
_OF_CLUSTER = {
    300: ("apiserver_request_total", "scheduler_schedule_attempts_SCHEDULED", "scheduler_pending_pods"),
    3600: ("apiserver_request_total", "scheduler_schedule_attempts_SCHEDULED"),
}
_OF_GROUP = {300: ("CPUUtilization", "NetworkIn", "NetworkOut"), 3600: ("CPUUtilization",)}
#: A loop over this many labs is measured once.
_MANY = 100
_OWNERS = 20

Read = Callable[[Sequence[Lab]], int]
"""Reads labs and returns the number of complete readings."""


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that every answer takes longer")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with running_sandbox() as sandbox:
        labs = [_put_lab(sandbox, number) for number in range(max(options.labs))]
        clients = Clients(sandbox, options.latency)
        rows = [row for count in options.labs for row in _rows(clients, labs[:count], options.rounds)]
    keep("signals", rows, Peer.MEASURED)


def _rows(clients: "Clients", labs: Sequence[Lab], rounds: int) -> Iterator[Row]:
    """The reader beside the plain loop."""
    rounds = 1 if len(labs) >= _MANY else rounds
    loop, loop_calls = _taken(clients, clients.plain_loop, labs, rounds)
    ours, calls = _taken(clients, clients.signals, labs, rounds)
    title = f"{len(labs)} labs" if len(labs) > 1 else "1 lab"
    # Five of EKS for a lab, one of CloudTrail for an owner, and those for many labs at once.
    most = 5 * len(labs) + min(len(labs), _OWNERS) + 7
    yield measured(f"{title}, read", ours, "s", loop, times=0.25 if len(labs) > 1 else 1.15)
    yield Row(f"{title}, all calls", calls.total(), "calls", loop_calls.total(), most)
    metrics = calls["GetMetricData"], "calls", loop_calls["GetMetricData"]
    yield Row(f"{title}, GetMetricData", *metrics, 2 + len(labs) // _MANY)


def _taken(clients: "Clients", read: Read, labs: Sequence[Lab], rounds: int) -> tuple[list[float], Counter[str]]:
    """Seconds of each round, and the calls of the last. Raises RuntimeError if a lab was not read completely."""
    seconds = []
    for _ in range(rounds):
        clients.calls.clear()
        began = time.monotonic()
        if (whole := read(labs)) != len(labs):
            raise RuntimeError(f"{whole} of {len(labs)} labs were read whole.")
        seconds.append(time.monotonic() - began)
    return seconds, Counter(clients.calls)


class Clients:
    """Clients of the sandbox that count and delay their calls, and the two ways to read with them."""

    def __init__(self, sandbox: Sandbox, latency: float) -> None:
        self.calls: Counter[str] = Counter()
        self._latency = latency
        services = {name: name for name in SignalClients.__dataclass_fields__} | {"tagging": "resourcegroupstaggingapi"}
        self._clients = {name: self._slow(sandbox.client(service)) for name, service in services.items()}

    def signals(self, labs: Sequence[Lab]) -> int:
        """All labs at once."""
        found = AwsSignals(SignalClients(**self._clients), "token of {}".format, str).read(labs, NOW, WINDOW)
        return sum(len(seen.requests.points) == 36 and not seen.unread for seen in found.values())

    def plain_loop(self, labs: Sequence[Lab]) -> int:
        """One lab after another."""
        return sum(self._read_one(lab.name) for lab in labs)

    def _read_one(self, name: str) -> bool:
        eks, ec2, cloudwatch = (self._clients[service] for service in ("eks", "ec2", "cloudwatch"))
        eks.describe_cluster(name=name)
        groups = [
            eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"]
            for group in eks.list_nodegroups(clusterName=name)["nodegroups"]
        ]
        eks.list_fargate_profiles(clusterName=name)
        owned = [{"Name": f"tag:kubernetes.io/cluster/{name}", "Values": ["owned"]}]
        ec2.describe_instances(Filters=owned)
        ec2.describe_volumes(Filters=owned)
        for tag in ({"Key": "elbv2.k8s.aws/cluster", "Values": [name]}, {"Key": f"kubernetes.io/cluster/{name}"}):
            self._clients["tagging"].get_resources(
                TagFilters=[tag], ResourceTypeFilters=["elasticloadbalancing:loadbalancer"]
            )
        scaling = [group["resources"]["autoScalingGroups"][0]["name"] for group in groups]
        now = cloudwatch.get_metric_data(
            MetricDataQueries=_queries(name, scaling, 300), StartTime=NOW - WINDOW, EndTime=NOW
        )
        before = cloudwatch.get_metric_data(
            MetricDataQueries=_queries(name, scaling, 3600), StartTime=NOW - WINDOW - WEEK, EndTime=NOW - WINDOW
        )
        return bool(now["MetricDataResults"][0]["Values"] and before["MetricDataResults"][0]["Values"])

    def _slow(self, client: Any) -> Any:
        def count(model: Any, **_: Any) -> None:
            self.calls[model.name] += 1
            time.sleep(self._latency)

        client.meta.events.register("before-call", count)
        return client


def _queries(cluster: str, groups: Sequence[str], period: int) -> list[dict[str, Any]]:
    asked = [("AWS/EKS", name, "ClusterName", cluster, "Sum") for name in _OF_CLUSTER[period]]
    for group in groups:
        asked += [
            ("AWS/EC2", name, "AutoScalingGroupName", group, "Average" if name == "CPUUtilization" else "Sum")
            for name in _OF_GROUP[period]
        ]
    return [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": space,
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        for number, (space, name, dimension, value, statistic) in enumerate(asked)
    ]


def _put_lab(sandbox: Sandbox, number: int) -> Lab:
    """Put a lab with an existing cluster that is idle and whose API server can't be reached."""
    endpoint = EndpointSpec(EndpointAccess.PRIVATE, ())
    spec = LabSpec(f"bench-{number:03}", sandbox.region, "1.36", NewNetwork(), endpoint, ())
    owner = f"arn:aws:iam::{sandbox.account}:user/learner-{number % _OWNERS}"
    lab = Lab(f"lab-{number:012x}", owner, sandbox.account, spec, Phase.READY, NOW - WEEK, NOW - WEEK, NOW)
    told = {"name": lab.name, "version": "1.36", "tags": {"ekslab:lab-id": lab.id}, "omitted": ["endpoint"]}
    put_clusters(sandbox, [told | {"nodegroups": [{"name": name} for name in _GROUPS]}])
    set_activity(sandbox, lab.name, "idle")
    return lab


if __name__ == "__main__":
    main()
