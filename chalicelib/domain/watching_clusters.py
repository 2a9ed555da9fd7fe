"""What is kept of a cluster when it is read, can't be read, or is gone: the memory that the notices are decided from.

Called by the scan, inside `FleetStore.change_watched`. The one surprising thing: a version that rose past an ended deadline
was raised by AWS, since nobody is told when that happens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.fleet import FleetCluster, Trouble
from chalicelib.domain.notices import Watched
from chalicelib.domain.support import DeadlineKind, Support
from chalicelib.domain.supporting import minor, utc
from chalicelib.domain.told import deadlines_of

#: `Calendar.source` of dates that EKS told; anything else is a fallback.
LIVE = "eks:DescribeClusterVersions"


@dataclass(frozen=True, slots=True)
class Joined:
    """What the scan knows of a cluster beside EKS's answer."""

    owner: str | None = None
    team: str | None = None
    lab_id: str | None = None
    lease_ends_at: datetime | None = None


def read_again(
    before: Watched | None, cluster: FleetCluster, support: Support, joined: Joined, now: datetime
) -> Watched:
    """What to keep after a good reading: what people said stays, trouble ends, new deadlines are armed from `now`."""
    at = utc(now)
    if before is None or before.gone_at is not None:
        return Watched(
            cluster,
            support,
            joined.owner,
            joined.team,
            at,
            lab_id=joined.lab_id,
            lease_ends_at=joined.lease_ends_at,
            armed_at=at,
            told=before.told if before else (),
            version=before.version if before else 0,
        )
    kept = steady(before, cluster, support)
    return replace(
        before,
        cluster=cluster,
        support=kept,
        owner=joined.owner,
        team=joined.team,
        lab_id=joined.lab_id,
        lease_ends_at=joined.lease_ends_at,
        read_at=at,
        trouble=None,
        armed_at=at if _armed_anew(before.support, kept) else before.armed_at,
        upgraded_by_aws_at=at if forced(before, cluster, at) else before.upgraded_by_aws_at,
    )


def could_not_read(before: Watched, trouble: Trouble) -> Watched:
    """Keep what was known, and since when it can't be read: the first failure's instant stays."""
    since = before.trouble.since if before.trouble else trouble.since
    return replace(before, trouble=replace(trouble, since=since))


def no_longer_listed(before: Watched, now: datetime) -> Watched:
    """The cluster is gone; when that was noticed first stays."""
    return replace(before, gone_at=before.gone_at or utc(now), trouble=None)


def forced(before: Watched, cluster: FleetCluster, now: datetime) -> bool:
    """Whether AWS upgraded the control plane since `before`: the version rose, after the date it was due by."""
    rose = minor(cluster.version) > minor(before.cluster.version)
    return rose and any(
        d.kind is DeadlineKind.FORCED_UPGRADE and utc(d.at) <= utc(now) for d in before.support.deadlines
    )


def steady(before: Watched, cluster: FleetCluster, support: Support) -> Support:
    """`support`, but with the dates EKS told before, where these are from the fallback: AWS moved nothing, it was not asked."""
    same = before.cluster.version == cluster.version and before.cluster.support_type == cluster.support_type
    live_before = any(d.source == LIVE for d in deadlines_of(before.support))
    live_now = any(d.source == LIVE for d in deadlines_of(support))
    if not same or not live_before or live_now or before.support.phase is not support.phase:
        return support
    return replace(
        before.support, billed_extended=support.billed_extended, lease_first=support.lease_first, reason=support.reason
    )


def _armed_anew(before: Support, after: Support) -> bool:
    return not {d.id for d in deadlines_of(after)} <= {d.id for d in deadlines_of(before)}
