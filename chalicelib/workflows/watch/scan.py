"""Reads and stores the clusters of one place, several at once: a failure of one cluster does not affect the others.

`watch_support.scan_place` calls it with a page of names; a few calls store all results. Only failures of the table are raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, ResourceGone
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.notices.decision import decide_notices
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.fleet import FleetCluster, ReadFailure
from chalicelib.domain.support.observation import (
    REFRESH_DAYS,
    Readiness,
    is_near,
    last_seen,
    observed,
    troubled,
    with_readiness,
)
from chalicelib.domain.support.readiness import next_version
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.ports.support import Fleet
from chalicelib.workflows.shared.records import note_version
from chalicelib.workflows.watch.places import who_answers, who_answers_for

Change = Callable[[Watched | None], Watched | None]

#: Clusters read at once, and for how long one invocation starts reading more.
AT_ONCE = 16
_BUDGET = timedelta(seconds=60)
#: Errors of a reading: AWS's refusals, answers that the adapter can't parse, calls that the runtime's boto3 does not have.
UNREADABLE = (EkslabError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Scan:
    """One place being read at `now`."""

    deps: Deps
    place: Place
    fleet: Fleet
    calendar: Calendar
    registration: Registration
    now: datetime

    def key(self, name: str) -> ClusterKey:
        """The key of a cluster of this place."""
        return ClusterKey(self.place.account, self.place.region, name)


@dataclass(frozen=True)
class Read:
    """The new record of a cluster after a look; for a lab's cluster also the lab, and the version that it runs."""

    change: Change
    lab_id: str | None = None
    version: str = ""


def scan_clusters(scan: Scan, names: Sequence[str]) -> tuple[str, ...]:
    """Read and store these clusters; return the names for which time ran out. A slow cluster does not delay the others."""
    until = scan.deps.clock.now() + _BUDGET

    left: list[str] = []
    found: dict[str, Read] = {}

    def scan_in_time(name: str) -> None:
        if scan.deps.clock.now() > until:
            left.append(name)
        elif (read := scan_cluster(scan, name)) is not None:
            found[name] = read

    scan.fleet.expect(names)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(scan_in_time, names))
    scan.deps.watch.store.change_place(scan.place, {name: read.change for name, read in found.items()})
    for read in found.values():
        if read.lab_id is not None:
            note_version(scan.deps, read.lab_id, read.version)
    return tuple(name for name in names if name in set(left))


def scan_cluster(scan: Scan, name: str) -> Read | None:
    """Read one cluster. None: it is gone, and `mark_gone` handles it."""
    key = scan.key(name)
    try:
        cluster = scan.fleet.read(name)
    except ResourceGone:
        return None
    except UNREADABLE as error:
        trouble = trouble_of("eks:DescribeCluster", error, scan.now)
        answerable = who_answers_for(scan.registration)
        return Read(lambda before: troubled(before, key, trouble, answerable))
    who = who_answers(scan.deps, cluster, scan.registration)
    readiness, unread = _readiness(scan, cluster)
    cluster = replace(cluster, unread=(*cluster.unread, *unread))

    def seen(before: Watched | None) -> Watched | None:
        return observed(before, with_readiness(cluster, readiness, before), who, scan.calendar, scan.now)

    return Read(seen, who.lab_id, cluster.version)


def mark_gone(scan: Scan) -> None:
    """Mark clusters of the place that this run did not see as gone, and tell the recipients of their deadlines once."""
    store = scan.deps.watch.store
    kept = store.watched_in(scan.place)
    gone = [replace(one, gone_at=scan.now) for one in kept if one.gone_at is None and last_seen(one) < scan.now]
    if not gone:
        return
    told = store.notices_in(scan.place)
    decided = (decide_notices(one, told.get(one.cluster.key, ()), scan.deps.watch.rules, scan.now) for one in gone)
    store.add_notices(notice for notices in decided for notice in notices)
    store.change_place(scan.place, {one.cluster.key.name: lambda kept: _gone(kept, scan.now) for one in gone})


def forget(deps: Deps, place: Place, names: Iterable[str], now: datetime) -> None:
    """Remove clusters of a place that is no longer watched from the lists, without a notice of deletion."""
    deps.watch.store.change_place(
        place, {name: lambda kept: replace(kept, gone_at=now) if kept and not kept.gone_at else None for name in names}
    )


def trouble_of(operation: str, error: Exception, now: datetime) -> ReadFailure:
    """The reason why a reading failed, in AWS's words if there are any."""
    if isinstance(error, AwsRefused):
        return ReadFailure(error.operation, error.code, error.message, now, now)
    return ReadFailure(operation, type(error).__name__, str(error), now, now)


def _gone(kept: Watched | None, now: datetime) -> Watched | None:
    return replace(kept, gone_at=now) if kept is not None and last_seen(kept) < now else None


def _readiness(scan: Scan, cluster: FleetCluster) -> tuple[Readiness | None, tuple[str, ...]]:
    """Insights and add-ons of a cluster whose deadline is near, or why they could not be read; nothing if it is not near."""
    support = decide_support(cluster.version, cluster.support_type, scan.calendar, scan.now)
    version = next_version(cluster.version)
    if version is None or not is_near(support, scan.now):
        return None, ()
    try:
        insights = scan.fleet.insights(cluster.key.name, refresh=is_near(support, scan.now, REFRESH_DAYS))
        return Readiness(insights, scan.fleet.addons_at(cluster.key.name, version)), ()
    except UNREADABLE as error:
        trouble = trouble_of("eks:ListInsights", error, scan.now)
        return None, (f"{trouble.operation}: {trouble.code}: {trouble.message}",)
