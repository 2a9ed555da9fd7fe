"""How answers about watched clusters read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.tables import table

Json = Any


def cluster_table(clusters: Sequence[Json], places: Sequence[Json]) -> Iterator[str]:
    """One line a cluster, what comes first, first; then places that can't be read."""
    if not clusters:
        yield "No clusters."
    else:
        head = ("CLUSTER", "VERSION", "PHASE", "DAYS", "NEXT", "OWNER")
        yield from table(head, [_row(cluster) for cluster in clusters])
    yield from (_trouble(f"{place['account']} {place['region']}", place["trouble"]) for place in places)


def cluster(view: Json) -> Iterator[str]:
    """One cluster whole."""
    yield f"{_name(view)}  Kubernetes {view['version'] or '?'}, {view['phase']}, owner {view['owner'] or 'nobody'}"
    yield view["reason"]
    if view["trouble"]:
        yield _trouble("it", view["trouble"])
    for deadline in view["deadlines"]:
        yield f"{deadline['at'][:10]}  in {deadline['daysLeft']} days: {deadline['effect']} ({deadline['source']})"
    yield from (late["message"] for late in view["nodesBehind"])
    yield from (f"{way['level']}: {way['sentence']}" for way in view["inTheWay"])
    yield from _said(view)
    for step in view["commands"]["upgrade"]:
        yield f"# {step['title']}"
        yield from step["aws"]


def _said(view: Json) -> Iterator[str]:
    if view["acknowledged"]:
        yield f"acknowledged by {view['acknowledged']['by']}"
    if view["snoozedUntil"]:
        yield f"snoozed until {view['snoozedUntil']}"
    for notice in view["notices"]:
        when = f"sent {notice['sentAt']}" if notice["sentAt"] else notice["state"]
        yield f"notice  {notice['kind']} to {notice['recipient']} ({notice['audience']}): {when}"


def _row(cluster: Json) -> list[object]:
    following = cluster["next"]
    what = _trouble("it", cluster["trouble"]) if cluster["trouble"] else following and following["effect"]
    days = following and following["daysLeft"]
    return [_name(cluster), cluster["version"], cluster["phase"], days, what, cluster["owner"]]


def _name(cluster: Json) -> str:
    return f"{cluster['account']}/{cluster['region']}/{cluster['name']}"


def _trouble(what: str, trouble: Json) -> str:
    return f"could not read {what} since {trouble['since']}: {trouble['code']}"
