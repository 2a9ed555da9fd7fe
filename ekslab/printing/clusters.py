"""Formats answers about watched clusters for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.tables import table
from ekslab.words import t

Json = Any


def cluster_table(clusters: Sequence[Json], places: Sequence[Json], fit: int | None = None) -> Iterator[str]:
    """One line a cluster, most urgent first; then places that can't be read."""
    if not clusters:
        yield t("No clusters.")
    else:
        head = ("CLUSTER", "VERSION", "PHASE", "DAYS", "NEXT", "OWNER")
        yield from table(head, [_row(cluster) for cluster in clusters], fit, keep=("CLUSTER", "VERSION", "DAYS"))
    yield from (_trouble(f"{place['account']} {place['region']}", place["trouble"]) for place in places)


def notice_table(notices: Sequence[Json], fit: int | None = None) -> Iterator[str]:
    """One line a notice, newest first."""
    if not notices:
        yield t("No notices.")
        return
    head = ("SENT", "KIND", "CLUSTER", "TO", "STATE")
    yield from table(head, [_notice(notice) for notice in notices], fit, keep=("SENT",))


def _notice(notice: Json) -> list[object]:
    sent = notice["sentAt"] and notice["sentAt"][:16].replace("T", " ")
    return [sent, notice["kind"], notice.get("cluster"), notice["recipient"], notice["state"]]


def cluster(view: Json) -> Iterator[str]:
    """All of one cluster."""
    yield t(
        "{name}  Kubernetes {version}, {phase}, owner {owner}",
        name=name_of(view),
        version=view["version"] or "?",
        phase=view["phase"],
        owner=view["owner"] or t("nobody"),
    )
    yield view["reason"]
    if view["trouble"]:
        yield _unread(view["trouble"])
    for deadline in view["deadlines"]:
        yield t(
            "{at}  in {days} days: {effect} ({source})",
            at=deadline["at"][:10],
            days=deadline["daysLeft"],
            effect=deadline["effect"],
            source=deadline["source"],
        )
    yield from (late["message"] for late in view["nodesBehind"])
    yield from (f"{way['level']}: {way['sentence']}" for way in view["inTheWay"])
    yield from _said(view)
    for step in view["commands"]["upgrade"]:
        yield f"# {step['title']}"
        yield from step["aws"]


def _said(view: Json) -> Iterator[str]:
    if view["acknowledged"]:
        yield t("acknowledged by {by}", by=view["acknowledged"]["by"])
    if view["snoozedUntil"]:
        yield t("snoozed until {until}", until=view["snoozedUntil"])
    for notice in view["notices"]:
        when = t("sent {at}", at=notice["sentAt"]) if notice["sentAt"] else notice["state"]
        yield t(
            "notice  {kind} to {recipient} ({audience}): {when}",
            kind=notice["kind"],
            recipient=notice["recipient"],
            audience=notice["audience"],
            when=when,
        )


def _row(cluster: Json) -> list[object]:
    following = cluster["next"]
    what = _unread(cluster["trouble"]) if cluster["trouble"] else following and following["effect"]
    days = following and following["daysLeft"]
    return [name_of(cluster), cluster["version"], cluster["phase"], days, what, cluster["owner"]]


def name_of(cluster: Json) -> str:
    """A watched cluster's name, as commands take it."""
    return f"{cluster['account']}/{cluster['region']}/{cluster['name']}"


def _unread(trouble: Json) -> str:
    return t("could not be read since {since}: {code}", since=trouble["since"], code=trouble["code"])


def _trouble(what: str, trouble: Json) -> str:
    return t("could not read {what} since {since}: {code}", what=what, since=trouble["since"], code=trouble["code"])
