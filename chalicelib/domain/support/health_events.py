"""Matches AWS Health's planned lifecycle events of EKS to clusters: AWS's own late notice of the same deadline, with no owner.

Called with events from the bus. They are recorded with the cluster and cause no second notice: the reminders cover the
deadline already. Shape: `aws.health`, detail-type `AWS Health Event`, entities with a value (an ARN or a name) and a status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.support.watched import Watched

EVENT_TYPE = "AWS_EKS_PLANNED_LIFECYCLE_EVENT"
_CLUSTER_ARN = pattern(r"arn:aws[a-z-]*:eks:([a-z0-9-]+):(\d{12}):cluster/([0-9A-Za-z][A-Za-z0-9_-]{0,99})", re.ASCII)
_NAME = pattern(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class HealthEvent:
    """An event and its clusters. `pending` ones still need the upgrade, `resolved` ones don't; `closed`: AWS ended the event."""

    arn: str
    closed: bool
    pending: tuple[ClusterKey, ...]
    resolved: tuple[ClusterKey, ...]


def parse(event: Mapping[str, Any]) -> HealthEvent | None:
    """Read an EventBridge event; None if it is not about the life of EKS versions. Entities that name no cluster are ignored."""
    detail = event.get("detail")
    if event.get("source") != "aws.health" or not isinstance(detail, Mapping):
        return None
    if detail.get("service") != "EKS" or detail.get("eventTypeCode") != EVENT_TYPE or not detail.get("eventArn"):
        return None
    pending: list[ClusterKey] = []
    resolved: list[ClusterKey] = []
    entities = detail.get("affectedEntities")
    for entity in entities if isinstance(entities, Sequence) else ():
        key = _key(entity, detail, event) if isinstance(entity, Mapping) else None
        if key is not None:
            status = entity.get("status") or entity.get("statusCode")
            (resolved if str(status).upper() == "RESOLVED" else pending).append(key)
    closed = str(detail.get("statusCode", "")).lower() == "closed"
    return HealthEvent(str(detail["eventArn"]), closed, _once(pending), _once(resolved))


def merged(watched: Watched, event: HealthEvent) -> Watched | None:
    """The cluster with the event recorded, or cleared once AWS has resolved or closed it; None if nothing changes."""
    key = watched.cluster.key
    over = event.closed or key in event.resolved
    if key in event.pending and not over and watched.health_event_arn != event.arn:
        return replace(watched, health_event_arn=event.arn)
    if over and watched.health_event_arn == event.arn:
        return replace(watched, health_event_arn=None)
    return None


def _key(entity: Mapping[str, Any], detail: Mapping[str, Any], event: Mapping[str, Any]) -> ClusterKey | None:
    value = str(entity.get("entityValue", ""))
    arn = _CLUSTER_ARN.fullmatch(value)
    if arn:
        return ClusterKey(arn[2], arn[1], arn[3])
    account = entity.get("awsAccountId") or detail.get("affectedAccount") or event.get("account")
    region = detail.get("eventRegion") or event.get("region")
    return ClusterKey(str(account), str(region), value) if account and region and _NAME.fullmatch(value) else None


def _once(keys: Sequence[ClusterKey]) -> tuple[ClusterKey, ...]:
    return tuple(sorted(set(keys)))
