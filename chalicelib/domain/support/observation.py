"""Updates the record of a watched cluster from one reading: the decisions of a scan, without AWS.

A failed reading adds its trouble, with its start, and removes nothing. EKS does not return who upgraded a cluster: a version
that rose after the date of its forced upgrade counts as upgraded by AWS.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.names import partition_of
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.support.assessment import continued, days_left, decide_support, delisted, minor
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.deadlines import DeadlineKind, Support, SupportPhase, deadlines_of
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, Insight, ReadFailure
from chalicelib.domain.support.watched import Watched

#: The version of a cluster that EKS lists and that was never readable.
UNREAD = ""
#: The name of the record of an unreadable place; no cluster can have it.
WHOLE_PLACE = "*"
#: Days before a deadline from which readiness is read, and from which EKS is asked to refresh its insights.
READINESS_DAYS, REFRESH_DAYS = 90, 30


#: `Calendar.source` of dates from EKS; any other source is a fallback.
LIVE = "eks:DescribeClusterVersions"


@dataclass(frozen=True)
class ClusterContext:
    """The owners of a cluster and its lab: facts beside EKS's answer."""

    owner: str | None = None
    team: str | None = None
    lab_id: str | None = None
    lease_ends_at: datetime | None = None
    other_owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Readiness:
    """The obstacles to an upgrade to the next minor version."""

    insights: tuple[Insight, ...]
    addons: tuple[AddonAtNext, ...]


def observed(
    before: Watched | None, cluster: FleetCluster, joined: ClusterContext, calendar: Calendar, now: datetime
) -> Watched | None:
    """The record after a successful reading at `now`; None if a later run has read the cluster already."""
    if before is not None and before.read_at > now:
        return None
    support = decide_support(cluster.version, cluster.support_type, calendar, now, joined.lease_ends_at)
    if before is None or _is_another(before, cluster):
        fresh = Watched(cluster, support, joined.owner, joined.team, now, armed_at=now)
        version = before.version if before else 0
        fresh = replace(fresh, lab_id=joined.lab_id, lease_ends_at=joined.lease_ends_at)
        return replace(fresh, other_owners=joined.other_owners, version=version)
    kept = _steady(before, cluster, support, now)
    return replace(
        before,
        cluster=cluster,
        support=kept,
        owner=joined.owner,
        other_owners=joined.other_owners,
        team=joined.team,
        lab_id=joined.lab_id,
        lease_ends_at=joined.lease_ends_at,
        read_at=now,
        trouble=None,
        armed_at=now if _begins_anew(before.support, kept) else before.armed_at,
        upgraded_by_aws_at=_upgraded_by_aws_at(before, cluster, now),
        version_since=before.version_since if before.cluster.version == cluster.version else now,
    )


def with_readiness(cluster: FleetCluster, readiness: Readiness | None, before: Watched | None) -> FleetCluster:
    """The cluster with its readiness: as just read, else as known of this version."""
    if readiness is not None:
        return replace(cluster, insights=readiness.insights, addons=readiness.addons)
    if before is None or before.cluster.version != cluster.version:
        return cluster
    return replace(cluster, insights=before.cluster.insights, addons=before.cluster.addons)


def is_near(support: Support, now: datetime, days: int = READINESS_DAYS) -> bool:
    """Whether the next deadline is at most this many days away, or past."""
    return support.next is not None and days_left(support.next, now) <= days


def troubled(before: Watched | None, key: ClusterKey, trouble: ReadFailure, joined: ClusterContext) -> Watched:
    """The record after a failed reading: everything known before, and the trouble with its beginning."""
    if before is None or before.gone_at is not None:
        return replace(_unread(key, trouble, joined), version=before.version if before else 0)
    return replace(before, trouble=replace(trouble, since=before.trouble.since if before.trouble else trouble.since))


def troubled_place(place: Place, trouble: ReadFailure, joined: ClusterContext) -> Watched:
    """An unreadable place as a cluster named `*`, so that the same rules apply."""
    return _unread(ClusterKey(place.account, place.region, WHOLE_PLACE), trouble, joined)


def last_seen(watched: Watched) -> datetime:
    """When EKS last listed the cluster, readable or not."""
    return max(watched.read_at, watched.trouble.last_tried_at) if watched.trouble else watched.read_at


def _unread(key: ClusterKey, trouble: ReadFailure, joined: ClusterContext) -> Watched:
    arn = f"arn:{partition_of(key.region)}:eks:{key.region}:{key.account}:cluster/{key.name}"
    support = Support(SupportPhase.UNKNOWN, (), billed_extended=False, reason=Sentence("It could not be read yet."))
    cluster = FleetCluster(key, arn, UNREAD, "UNREADABLE")
    return Watched(cluster, support, joined.owner, joined.team, trouble.since, trouble=trouble, armed_at=trouble.since)


def _is_another(before: Watched, cluster: FleetCluster) -> bool:
    """Whether this is not the recorded cluster: another one of the same name, or one read for the first time."""
    was, now_is = before.cluster.created_at, cluster.created_at
    made_again = was is not None and now_is is not None and was != now_is
    return before.gone_at is not None or before.cluster.version == UNREAD or made_again


def _steady(before: Watched, cluster: FleetCluster, support: Support, now: datetime) -> Support:
    """With the dates from EKS kept if the new ones are missing or the fallback's: AWS moved no date, EKS did not answer.

    A date from EKS holds until EKS returns another one.
    """
    same = (before.cluster.version, before.cluster.support_type) == (cluster.version, cluster.support_type)
    if same and support.phase is SupportPhase.UNKNOWN and before.support.deadlines:
        return delisted(before.support, now)
    live_before, live_now = (any(d.source == LIVE for d in deadlines_of(s)) for s in (before.support, support))
    if not same or not live_before or live_now:
        return support
    return replace(continued(before.support, now), lease_first=support.lease_first)


def _begins_anew(before: Support, after: Support) -> bool:
    """Whether deadlines are new, or a lease no longer ends before them: earlier reminders then are not late."""
    if before.lease_first and not after.lease_first:
        return True
    return not {deadline.id for deadline in deadlines_of(after)} <= {deadline.id for deadline in deadlines_of(before)}


def _upgraded_by_aws_at(before: Watched, cluster: FleetCluster, now: datetime) -> datetime | None:
    """When AWS upgraded the cluster to its present version; None after an upgrade by somebody else."""
    if _was_forced(before, cluster, now):
        return now
    return before.upgraded_by_aws_at if before.cluster.version == cluster.version else None


def _was_forced(before: Watched, cluster: FleetCluster, now: datetime) -> bool:
    """Whether AWS forced this upgrade: AWS raises a control plane to its target version and no further."""
    ended = [d for d in before.support.deadlines if d.kind is DeadlineKind.FORCED_UPGRADE and d.at <= now]
    after, was = minor(cluster.version), minor(before.cluster.version)
    following = (*was[:-1], was[-1] + 1) if was else ()
    return any(after == (minor(d.target) if d.target else following) for d in ended) and after > was
