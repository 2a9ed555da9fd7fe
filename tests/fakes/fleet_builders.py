"""Builders of the support watch's nouns, each with defaults that tests change by keyword."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, Support, SupportPhase
from chalicelib.domain.support.fleet import (
    AddonAtNext,
    FleetCluster,
    Insight,
    InsightStatus,
    NodeKind,
    Nodes,
    ReadFailure,
)
from chalicelib.domain.support.watched import Watched
from tests.fakes.builders import ACCOUNT, NOW

REGION = "ap-northeast-2"
HOME = Place(ACCOUNT, REGION)
OPS = "ops@example.com"


def a_key(name: str = "orders", **changes: Any) -> ClusterKey:
    """A cluster of the home account."""
    return replace(ClusterKey(ACCOUNT, REGION, name), **changes)


def a_place(**changes: Any) -> Place:
    """The home account in its own region."""
    return replace(HOME, **changes)


def a_registration(**changes: Any) -> Registration:
    """The home account, watched in one region."""
    return replace(Registration(ACCOUNT, "home", (REGION,)), **changes)


def a_fleet_cluster(name: str = "orders", version: str = "1.34", **changes: Any) -> FleetCluster:
    """A healthy cluster of ops' with one managed node group of the same version. `key=` puts it elsewhere."""
    key = changes.pop("key", None) or a_key(name)
    cluster = FleetCluster(
        key=key,
        arn=f"arn:aws:eks:{key.region}:{key.account}:cluster/{key.name}",
        version=version,
        status="ACTIVE",
        support_type="EXTENDED",
        platform_version="eks.9",
        created_at=NOW - timedelta(days=300),
        tags={"owner": OPS},
        nodes=(Nodes("workers", NodeKind.MANAGED, version, 3),),
    )
    return replace(cluster, **changes)


def an_insight(name: str = "Deprecated APIs removed in Kubernetes v1.35", **changes: Any) -> Insight:
    """An error about one resource that a client still requests."""
    insight = Insight(
        id="0f1e2d3c-aaaa-bbbb-cccc-000000000001",
        name=name,
        status=InsightStatus.ERROR,
        reason="Deprecated API usage detected within last 30 days.",
        kubernetes_version="1.35",
        resources=("/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas",),
        clients=("kube-state-metrics/v2.3",),
        last_called_at=NOW - timedelta(hours=3),
        refreshed_at=NOW - timedelta(hours=1),
    )
    return replace(insight, **changes)


def an_addon(name: str = "coredns", **changes: Any) -> AddonAtNext:
    """An add-on that does not run on the next minor version, and has a newer release."""
    return replace(AddonAtNext(name, "v1.11.1-eksbuild.4", False, "v1.12.4-eksbuild.1"), **changes)


def a_trouble(**changes: Any) -> ReadFailure:
    """Denied since NOW."""
    trouble = ReadFailure("eks:DescribeCluster", "AccessDeniedException", "User is not authorized.", NOW, NOW)
    return replace(trouble, **changes)


def a_deadline(**changes: Any) -> Deadline:
    """Extended billing of 1.34 in nine days."""
    ends = datetime(2026, 12, 2, tzinfo=UTC)
    return replace(Deadline(DeadlineKind.EXTENDED_BILLING, "1.34", ends, "eks:DescribeClusterVersions", NOW), **changes)


def a_support(**changes: Any) -> Support:
    """In standard support, with one deadline."""
    return replace(Support(SupportPhase.STANDARD, (a_deadline(),), billed_extended=False), **changes)


def a_watched(name: str = "orders", **changes: Any) -> Watched:
    """A cluster read at NOW. `at=` is its next deadline, None for no deadline."""
    support = a_support()
    if "at" in changes:
        at = changes.pop("at")
        support = a_support(deadlines=() if at is None else (a_deadline(at=at),))
    cluster = changes.pop("cluster", None) or a_fleet_cluster(name)
    return replace(Watched(cluster=cluster, support=support, owner=OPS, team=None, read_at=NOW), **changes)


def a_notice(name: str = "orders", **changes: Any) -> Notice:
    """The 14-day notice of `a_deadline` to ops, decided at NOW."""
    notice = Notice(
        key=a_key(name),
        kind=NoticeKind.DEADLINE,
        deadline_id=a_deadline().id,
        reminder=14,
        recipient=OPS,
        audience=Audience.OWNER,
        severity=Severity.WARNING,
        due_at=a_deadline().at - timedelta(days=14),
        decided_at=NOW,
    )
    return replace(notice, **changes)


def a_message(**changes: Any) -> Message:
    """One mail to ops about one cluster."""
    message = Message(
        recipient=OPS,
        subject="orders (1.34): extended support is billed from 2026-12-02, in 9 days",
        body="orders runs Kubernetes 1.34.\n",
        kind="deadline",
        severity=Severity.WARNING,
        account=ACCOUNT,
        owner=OPS,
        days=9,
        notice_ids=((a_key(), a_notice().id),),
    )
    return replace(message, **changes)
