"""Simulates people's activity in a cluster of a running sandbox.

Activity shows in CloudWatch's metrics (`emulator/cloudwatch/profiles.py` has the profiles), kubectl in the audit log, and calls
to EKS in CloudTrail.
"""

from __future__ import annotations

import json
from datetime import datetime

from emulator.process import Sandbox

AUDIT_STREAM = "kube-apiserver-audit-1"


def set_activity(
    sandbox: Sandbox, cluster: str, profile: str, since: datetime | None = None, place: tuple[str, str] | None = None
) -> None:
    """Start a profile of activity in a cluster at `since`; by default always (`idle`, `silent`, `gaps`) or six hours ago.

    `place`: its account and region, where those are not the sandbox's own.
    """
    message = {"cluster": cluster, "profile": profile}
    if place:
        message |= {"account": place[0], "region": place[1]}
    sandbox.admin("POST", "activity", message | ({"since": since.isoformat()} if since else {}))


def call_eks(sandbox: Sandbox, cluster: str, caller: str, at: datetime, operation: str = "DescribeCluster") -> None:
    """Record in CloudTrail that `caller` (an ARN) called EKS about a cluster."""
    sandbox.admin(
        "POST", "activity", {"cluster": cluster, "caller": caller, "operation": operation, "at": at.isoformat()}
    )


def run_job(sandbox: Sandbox, cluster: str, namespace: str, name: str, place: tuple[str, str] | None = None) -> None:
    """Run a Job in a cluster, which no metric shows: only its API server does."""
    found = {"metadata": {"namespace": namespace, "name": name}, "status": {"active": 1}}
    message = {"cluster": cluster, "plural": "jobs", "object": found}
    if place:
        message |= {"account": place[0], "region": place[1]}
    sandbox.admin("POST", "kubernetes", message)


def use_kubectl(sandbox: Sandbox, cluster: str, username: str, at: datetime, verb: str = "get") -> None:
    """Write a request of this user into the cluster's audit log, which must be on."""
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
