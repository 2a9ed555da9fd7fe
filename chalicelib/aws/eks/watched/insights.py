"""Obstacles to an upgrade according to EKS: its insights of the category UPGRADE_READINESS.

A deprecated API that was called stays an error for 30 days; `last_called_at` tells present calls from that echo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.support.fleet import Insight, InsightStatus
from chalicelib.logs import logger

_READINESS = "UPGRADE_READINESS"
_NOT_PASSING = [str(status) for status in InsightStatus if status is not InsightStatus.PASSING]
#: The most resources and clients named per insight; a cluster may have thousands.
_MOST = 50


class InsightCalls(EksCalls):
    """The calls about a cluster's readiness."""

    def insights(self, name: str, refresh: bool) -> tuple[Insight, ...]:
        """The insights that do not pass, with details, most severe first. Raises ResourceGone."""
        if refresh:
            self._refresh(name)
        wanted = {"categories": [_READINESS], "statuses": _NOT_PASSING}
        listed = self.listed("ListInsights", "insights", clusterName=name, filter=wanted)
        found = (self._insight(name, row["id"]) for row in listed if _is_wanted(row))
        gravest = [InsightStatus.ERROR, InsightStatus.WARNING, InsightStatus.UNKNOWN, InsightStatus.PASSING]
        return tuple(sorted(filter(None, found), key=lambda insight: (gravest.index(insight.status), insight.name)))

    def _refresh(self, name: str) -> None:
        """A refresh that EKS refuses now (one is in progress, say) does not prevent reading the present insights."""
        try:
            call(self._eks, "eks:StartInsightsRefresh", clusterName=name)
        except ResourceGone:
            raise
        except AwsRefused as refusal:
            logger.warning("insights not refreshed", extra={"cluster": name, "reason": str(refusal)})

    def _insight(self, name: str, id: str) -> Insight | None:
        try:
            return _shown(call(self._eks, "eks:DescribeInsight", clusterName=name, id=id)["insight"])
        except ResourceGone:
            return None


def _is_wanted(row: Mapping[str, Any]) -> bool:
    return row.get("category", _READINESS) == _READINESS and _status(row) is not InsightStatus.PASSING


def _status(thing: Mapping[str, Any]) -> InsightStatus:
    message = (thing.get("insightStatus") or {}).get("status")
    return InsightStatus(message) if message in list(InsightStatus) else InsightStatus.UNKNOWN


def _shown(insight: Mapping[str, Any]) -> Insight:
    details = (insight.get("categorySpecificSummary") or {}).get("deprecationDetails", [])
    used = [detail for detail in details if detail.get("clientStats")]
    clients = [client for detail in used for client in detail["clientStats"]]
    failing = [row for row in insight.get("resources", []) if _status(row) is not InsightStatus.PASSING]
    resources = [str(row.get("kubernetesResourceUri") or row.get("arn") or "") for row in failing]
    return Insight(
        id=insight["id"],
        name=insight.get("name", insight["id"]),
        status=_status(insight),
        reason=(insight.get("insightStatus") or {}).get("reason") or insight.get("description", ""),
        kubernetes_version=insight.get("kubernetesVersion"),
        resources=_some([*resources, *(detail.get("usage", "") for detail in used)]),
        clients=_some(client.get("userAgent", "") for client in clients),
        last_called_at=_latest([client.get("lastRequestTime") for client in clients]),
        refreshed_at=_latest([insight.get("lastRefreshTime")]),
    )


def _some(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order; if there are too many, the last one says how many more."""
    known = [name for name in dict.fromkeys(names) if name]
    more = (f"and {len(known) - _MOST} more",) if len(known) > _MOST else ()
    return (*known[:_MOST], *more)


def _latest(instants: Sequence[datetime | None]) -> datetime | None:
    return max((instant.astimezone(UTC) for instant in instants if instant), default=None)
