"""Simulates people's activity in a cluster, and lets them be seen, from outside a running sandbox.

What goes on in it shows in CloudWatch's metrics (`emulator/cloudwatch/profiles.py` has them all); somebody's kubectl shows in
the audit log, their EKS calls in CloudTrail.
"""

from __future__ import annotations

import json
from datetime import datetime

from emulator.process import Sandbox

AUDIT_STREAM = "kube-apiserver-audit-1"


def set_activity(
    sandbox: Sandbox, cluster: str, profile: str, since: datetime | None = None, place: tuple[str, str] | None = None
) -> None:
    """Let a profile go on in a cluster from `since` on; without, for ever (`idle`, `silent`, `gaps`) or for six hours.

    `place`: its account and region, where those are not the sandbox's own.
    """
    message = {"cluster": cluster, "profile": profile}
    if place:
        message |= {"account": place[0], "region": place[1]}
    sandbox.admin("POST", "activity", message | ({"since": since.isoformat()} if since else {}))


def call_eks(sandbox: Sandbox, cluster: str, caller: str, at: datetime, operation: str = "DescribeCluster") -> None:
    """Let CloudTrail show that `caller` (an ARN) called EKS about a cluster."""
    sandbox.admin(
        "POST", "activity", {"cluster": cluster, "caller": caller, "operation": operation, "at": at.isoformat()}
    )


def run_job(sandbox: Sandbox, cluster: str, namespace: str, name: str, place: tuple[str, str] | None = None) -> None:
    """Let a Job run in a cluster, which no metric shows: only its API server tells."""
    found = {"metadata": {"namespace": namespace, "name": name}, "status": {"active": 1}}
    message = {"cluster": cluster, "plural": "jobs", "object": found}
    if place:
        message |= {"account": place[0], "region": place[1]}
    sandbox.admin("POST", "kubernetes", message)


def use_kubectl(sandbox: Sandbox, cluster: str, username: str, at: datetime, verb: str = "get") -> None:
    """Let the cluster's audit log, which must be on, show a request of this user's."""
    logs, group = sandbox.client("logs"), f"/aws/eks/{cluster}/cluster"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=AUDIT_STREAM)["logStreams"]
    if not streams:
        logs.create_log_stream(logGroupName=group, logStreamName=AUDIT_STREAM)
    event = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": verb, "user": {"username": username}}
    logs.put_log_events(
        logGroupName=group,
        logStreamName=AUDIT_STREAM,
        logEvents=[{"timestamp": int(at.timestamp() * 1000), "message": json.dumps(event)}],
    )
