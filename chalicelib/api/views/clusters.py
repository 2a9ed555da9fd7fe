"""The answers about watched clusters: the shapes of docs/reference/api.md."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from chalicelib.api.views.json_format import instant, to_json
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.notices.notice import Notice
from chalicelib.domain.support.assessment import days_left, describe_effect
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.readiness import behind, blockers
from chalicelib.domain.support.upgrade_commands import follow_steps, upgrade_steps
from chalicelib.domain.support.watched import Watched
from chalicelib.services.support.queries import ClusterView

Json = dict[str, Any]


def cluster_in_list(watched: Watched, now: datetime, base: str) -> Json:
    """A cluster in a list. `base`: the path before `/clusters`."""
    cluster, support = watched.cluster, watched.support
    return {
        "account": cluster.key.account,
        "region": cluster.key.region,
        "name": cluster.key.name,
        "version": cluster.version or None,
        "phase": str(support.phase),
        "next": _deadline(support.next, now) if support.next else None,
        "supportType": cluster.support_type,
        "billedExtended": support.billed_extended,
        "owner": watched.owner,
        "team": watched.team,
        "labId": watched.lab_id,
        "leaseEndsFirst": support.lease_first,
        "acknowledged": _acknowledged(watched),
        "snoozedUntil": to_json(watched.snoozed_until),
        "trouble": to_json(watched.trouble),
        "readAt": instant(watched.read_at) if cluster.version else None,
        "goneAt": to_json(watched.gone_at),
        "links": {"self": _path(cluster.key, base)},
    }


def cluster_view(view: ClusterView, now: datetime, base: str) -> Json:
    """A whole cluster: its deadlines, the obstacles, and the upgrade commands."""
    watched = view.watched
    cluster = watched.cluster
    here = _path(cluster.key, base)
    return {
        **cluster_in_list(watched, now, base),
        "arn": cluster.arn,
        "status": cluster.status,
        "platformVersion": cluster.platform_version,
        "createdAt": to_json(cluster.created_at),
        "reason": watched.support.reason,
        "deadlines": [_deadline(deadline, now) for deadline in watched.support.deadlines],
        "leaseEndsAt": to_json(watched.lease_ends_at),
        "upgradedByAwsAt": to_json(watched.upgraded_by_aws_at),
        "healthEventArn": watched.health_event_arn,
        "nodes": to_json(cluster.nodes),
        "nodesBehind": [
            {**to_json(late), "within": late.within, "message": late.sentence}
            for late in behind(cluster.version, cluster.nodes)
        ],
        "inTheWay": [to_json(blocker) for blocker in blockers(cluster, now)],
        "insights": to_json(cluster.insights),
        "addons": to_json(cluster.addons),
        "unread": to_json(cluster.unread),
        "commands": {"upgrade": to_json(upgrade_steps(cluster)), "follow": to_json(follow_steps(cluster))},
        "notices": [notice_view(notice) for notice in view.notices],
        "mayChange": view.may_change,
        "links": {"self": here, **{act: f"{here}/{act}" for act in ("acknowledge", "snooze", "support-policy")}},
    }


def notice_view(notice: Notice) -> Json:
    """One line of the ledger."""
    fields = to_json(notice)
    key = fields.pop("key")
    return {"id": notice.id, **key, **fields}


def registration_view(registration: Registration, caller: Caller) -> Json:
    """A registered account. Its role and its recipients are for administrators."""
    whole = to_json(registration)
    return dict(whole) if caller.is_admin else {name: whole[name] for name in ("account", "regions", "labs")}


def unreadable_view(places: Iterable[tuple[Place, ReadFailure]], caller: Caller) -> list[Json]:
    """Places that can't be read. AWS's words name the role: they are for administrators."""
    return [
        {"account": place.account, "region": place.region, "trouble": _visible_to(caller, trouble)}
        for place, trouble in places
    ]


def _visible_to(caller: Caller, trouble: ReadFailure) -> Json:
    message = dict(to_json(trouble))
    return message if caller.is_admin else {name: value for name, value in message.items() if name != "message"}


def _deadline(deadline: Deadline, now: datetime) -> Json:
    return {
        "id": deadline.id,
        **to_json(deadline),
        "daysLeft": days_left(deadline, now),
        "effect": describe_effect(deadline, now),
    }


def _acknowledged(watched: Watched) -> Json | None:
    """The person who acknowledged the next deadline; an acknowledgement of an earlier one is over."""
    following = watched.support.next
    if following is None or watched.acknowledged_deadline != following.id:
        return None
    return {"by": watched.acknowledged_by, "deadline": watched.acknowledged_deadline}


def _path(key: ClusterKey, base: str) -> str:
    return f"{base}/clusters/{key.account}/{key.region}/{quote(key.name, safe='')}"
