"""Queries about the fleet: clusters by urgency, one cluster, notices. Other people's labs are left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import ClusterNotWatched
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.notices.notice import Notice
from chalicelib.domain.support.assessment import days_left
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.owners import may_change, may_see
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps, Page

#: Clusters read for one page of a list: a narrow filter gives a short page and a cursor.
_MOST_LOOKED_AT = 2000
#: Clusters in the calendar of deadlines.
_MOST_IN_CALENDAR = 5000


@dataclass(frozen=True)
class ClusterFilter:
    """A filter of clusters. Empty or None: any. `days_left`: deadlines at most this many days away, or past."""

    phases: tuple[SupportPhase, ...] = ()
    days_left: int | None = None
    owner: str | None = None
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class ClusterView:
    """One cluster with all its notices, and whether the caller may change it."""

    watched: Watched
    notices: tuple[Notice, ...]
    may_change: bool


def list_clusters(
    deps: Deps,
    caller: Caller,
    wanted: ClusterFilter,
    limit: int,
    cursor: str | None,
    now: datetime,
    most: int = _MOST_LOOKED_AT,
) -> Page[Watched]:
    """Most urgent first; clusters without a deadline last. A page may be short: it reads at most `most` clusters.
    Raises InvalidRequest on a cursor."""
    found: list[Watched] = []
    for _ in range(max(1, most // limit)):
        page, cursor = deps.watch.store.list_watched(limit - len(found), cursor)
        found += [watched for watched in page if _seen(watched, caller) and _fits(watched, wanted, now)]
        if _is_past_all(page, wanted, now):
            cursor = None
        if cursor is None or len(found) == limit:
            break
    return Page(tuple(found), cursor)


def get_cluster(deps: Deps, caller: Caller, key: ClusterKey) -> ClusterView:
    """One cluster, also a deleted one. Raises ClusterNotWatched."""
    watched = kept_cluster(deps, caller, key)
    return ClusterView(watched, deps.watch.store.notices_of(key), may_change(caller, watched.owner))


def kept_cluster(deps: Deps, caller: Caller, key: ClusterKey) -> Watched:
    """The record of a cluster. Raises ClusterNotWatched, also for the cluster of a lab that the caller may not see."""
    watched = deps.watch.store.watched(key)
    if watched is None or not _seen(watched, caller):
        raise ClusterNotWatched(key.account, key.region, key.name)
    return watched


def all_clusters(deps: Deps, caller: Caller, wanted: ClusterFilter, now: datetime) -> tuple[Watched, ...]:
    """Every matching cluster with a deadline ahead, nearest first: for the calendar."""
    ahead = (watched for watched in each_watched(deps) if watched.support.deadlines and _seen(watched, caller))
    return tuple(watched for watched in ahead if _fits(watched, wanted, now))


def list_notices(deps: Deps, caller: Caller, limit: int, cursor: str | None) -> Page[Notice]:
    """Newest decision first. A page may lack notices about labs that the caller may not see."""
    notices, more = deps.watch.store.list_notices(limit, cursor)
    if caller.sees_all:
        return Page(notices, more)
    kept = {key: deps.watch.store.watched(key) for key in dict.fromkeys(notice.key for notice in notices)}
    hidden = {key for key, watched in kept.items() if watched is not None and not _seen(watched, caller)}
    return Page(tuple(notice for notice in notices if notice.key not in hidden), more)


def unreadable_places(deps: Deps) -> tuple[tuple[Place, ReadFailure], ...]:
    """Places that can't be read now, with the start and the reason."""
    return tuple(deps.watch.store.place_troubles().items())


def _seen(watched: Watched, caller: Caller) -> bool:
    return may_see(caller, watched.owner, watched.lab_id)


def each_watched(deps: Deps) -> Iterator[Watched]:
    """Every existing cluster, nearest deadline first."""
    cursor: str | None = None
    for _ in range(_MOST_IN_CALENDAR // 500):
        page, cursor = deps.watch.store.list_watched(500, cursor)
        yield from page
        if cursor is None:
            return


def _fits(watched: Watched, wanted: ClusterFilter, now: datetime) -> bool:
    key, following = watched.cluster.key, watched.support.next
    near = wanted.days_left is None or (following is not None and days_left(following, now) <= wanted.days_left)
    return (
        near
        and (not wanted.phases or watched.support.phase in wanted.phases)
        and wanted.owner in (None, watched.owner)
        and wanted.account in (None, key.account)
        and wanted.region in (None, key.region)
    )


def _is_past_all(page: tuple[Watched, ...], wanted: ClusterFilter, now: datetime) -> bool:
    """Whether the rest of the list is too far away: it is sorted by deadline."""
    if wanted.days_left is None or not page:
        return False
    last = page[-1].support.next
    return not page[-1].is_undated and (last is None or days_left(last, now) > wanted.days_left)
