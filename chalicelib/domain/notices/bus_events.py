"""The events published for each notice, and their schema. `docs/reference/events.md` shows it.

Called by the delivery. The document only grows: a changed or removed field needs a new `schemaVersion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Severity
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind
from chalicelib.domain.support.assessment import days_left
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, SupportPhase, deadlines_of
from chalicelib.domain.support.readiness import behind
from chalicelib.domain.support.watched import Watched

SCHEMA_VERSION = "1"
DETAIL_TYPES = {
    NoticeKind.DEADLINE: "SupportDeadlineNear",
    NoticeKind.DATE_MOVED: "SupportDeadlineMoved",
    NoticeKind.LEASE_FIRST: "LeaseEndsBeforeDeadline",
    NoticeKind.SOLVED: "SupportDeadlineSolved",
    NoticeKind.NODES_BEHIND: "ClusterNodesBehind",
    NoticeKind.UPGRADED_BY_AWS: "ClusterUpgradedByAws",
    NoticeKind.UNREADABLE: "ClusterUnreadable",
    NoticeKind.NO_DATE: "SupportDateUnknown",
}

_TEXT, _MAYBE_TEXT = {"type": "string"}, {"type": ["string", "null"]}
_INSTANT = {"type": "string", "format": "date-time"}
_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}


def _object(properties: Mapping[str, object], nullable: bool = False) -> dict[str, object]:
    kind: object = ["object", "null"] if nullable else "object"
    return {"type": kind, "properties": dict(properties), "required": sorted(properties), "additionalProperties": False}


_DEADLINE = _object(
    {
        "id": _TEXT,
        "kind": {"enum": [kind.value for kind in DeadlineKind]},
        "at": _INSTANT,
        "daysLeft": {"type": "integer"},
        "targetVersion": _MAYBE_TEXT,
        "source": _TEXT,
        "asOf": _INSTANT,
    },
    nullable=True,
)
_NODES = _object(
    {
        "name": _TEXT,
        "kind": _TEXT,
        "version": _MAYBE_TEXT,
        "count": {"type": "integer"},
        "minorsBehind": {"type": "integer"},
        "minorsAllowed": {"type": "integer"},
    }
)
_TROUBLE = _object({"operation": _TEXT, "code": _TEXT, "message": _TEXT, "since": _INSTANT}, nullable=True)
#: JSON Schema of `detail`, the same for every detail type.
SCHEMA: Mapping[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "ekslab support watch event detail",
    **_object(
        {
            "schemaVersion": {"const": SCHEMA_VERSION},
            "noticeId": _TEXT,
            "kind": {"enum": [kind.value for kind in NoticeKind]},
            "severity": {"enum": [severity.value for severity in Severity]},
            "audience": {"enum": [audience.value for audience in Audience]},
            "recipient": _TEXT,
            "reminder": {"type": ["integer", "null"]},
            "dueAt": _INSTANT,
            "decidedAt": _INSTANT,
            "lateByDays": {"type": "integer", "minimum": 0},
            "note": _TEXT,
            "account": _TEXT,
            "region": _TEXT,
            "cluster": _TEXT,
            "arn": _TEXT,
            "version": _TEXT,
            "supportType": _MAYBE_TEXT,
            "phase": {"enum": [phase.value for phase in SupportPhase]},
            "owner": _MAYBE_TEXT,
            "team": _MAYBE_TEXT,
            "labId": _MAYBE_TEXT,
            "deadline": _DEADLINE,
            "acknowledgedBy": _MAYBE_TEXT,
            "snoozedUntil": _MAYBE_INSTANT,
            "nodesBehind": {"type": "array", "items": _NODES},
            "trouble": _TROUBLE,
        }
    ),
}


def detail_of(notice: Notice, watched: Watched, now: datetime) -> tuple[str, dict[str, object]]:
    """The detail type and the detail of a notice's event, in the form of `SCHEMA`."""
    return DETAIL_TYPES[notice.kind], {**_of_notice(notice), **_of_cluster(watched), **_of_state(notice, watched, now)}


def _of_notice(notice: Notice) -> dict[str, object]:
    return {
        "schemaVersion": SCHEMA_VERSION,
        "noticeId": notice.id,
        "kind": notice.kind.value,
        "severity": notice.severity.value,
        "audience": notice.audience.value,
        "recipient": notice.recipient,
        "reminder": notice.reminder,
        "dueAt": _instant(notice.due_at),
        "decidedAt": _instant(notice.decided_at),
        "lateByDays": notice.late_by_days,
        "note": notice.note,
    }


def _of_cluster(watched: Watched) -> dict[str, object]:
    cluster = watched.cluster
    return {
        "account": cluster.key.account,
        "region": cluster.key.region,
        "cluster": cluster.key.name,
        "arn": cluster.arn,
        "version": cluster.version,
        "supportType": cluster.support_type,
        "phase": watched.support.phase.value,
        "owner": watched.owner,
        "team": watched.team,
        "labId": watched.lab_id,
    }


def _of_state(notice: Notice, watched: Watched, now: datetime) -> dict[str, object]:
    about = next((d for d in deadlines_of(watched.support) if d.id == notice.deadline_id), watched.support.next)
    trouble = watched.trouble
    return {
        "deadline": _deadline(about, now) if about else None,
        "acknowledgedBy": watched.acknowledged_by,
        "snoozedUntil": _instant(watched.snoozed_until) if watched.snoozed_until else None,
        "nodesBehind": _nodes_behind(watched),
        "trouble": trouble
        and {
            "operation": trouble.operation,
            "code": trouble.code,
            "message": trouble.message,
            "since": _instant(trouble.since),
        },
    }


def _deadline(deadline: Deadline, now: datetime) -> dict[str, object]:
    return {
        "id": deadline.id,
        "kind": deadline.kind.value,
        "at": _instant(deadline.at),
        "daysLeft": days_left(deadline, now),
        "targetVersion": deadline.target,
        "source": deadline.source,
        "asOf": _instant(deadline.as_of),
    }


def _nodes_behind(watched: Watched) -> list[dict[str, object]]:
    return [
        {
            "name": lagging.nodes.name,
            "kind": lagging.nodes.kind.value,
            "version": lagging.nodes.version,
            "count": lagging.nodes.count,
            "minorsBehind": lagging.minors,
            "minorsAllowed": lagging.allowed,
        }
        for lagging in behind(watched.cluster.version, watched.cluster.nodes)
    ]


def _instant(at: datetime) -> str:
    return f"{utc(at):%Y-%m-%dT%H:%M:%SZ}"
