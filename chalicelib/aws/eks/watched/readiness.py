"""Obstacles to an upgrade: EKS's insights of the category UPGRADE_READINESS, and add-ons that do not run on the next version.

A deprecated API that was called stays an error for 30 days; `last_called_at` tells present calls from that echo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.support.fleet import AddonAtNext, Insight, InsightStatus
from chalicelib.logs import logger

_READINESS = "UPGRADE_READINESS"
_NOT_PASSING = [str(status) for status in InsightStatus if status is not InsightStatus.PASSING]
#: The most resources and clients named per insight; a cluster may have thousands.
_MOST = 50


class ReadinessCalls(EksCalls):
    """The calls about a cluster's readiness. EKS's catalogue is read once for each add-on and Kubernetes version."""

    def __init__(self, eks: Any) -> None:
        super().__init__(eks)
        self._offers: dict[tuple[str, str], Mapping[str, bool]] = {}

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

    def addons_at(self, name: str, version: str) -> tuple[AddonAtNext, ...]:
        names = self.listed("ListAddons", "addons", clusterName=name)
        found = (self._addon_at(name, addon, version) for addon in names)
        return tuple(addon for addon in found if addon is not None)

    def _addon_at(self, cluster: str, addon: str, version: str) -> AddonAtNext | None:
        try:
            known = call(self._eks, "eks:DescribeAddon", clusterName=cluster, addonName=addon)["addon"]
        except ResourceGone:
            return None
        current = known.get("addonVersion", "")
        if (addon, version) not in self._offers:
            self._offers[addon, version] = _fitting(self.offered(addon, version), version)
        offered = self._offers[addon, version]
        default = next((each for each, is_default in offered.items() if is_default), next(iter(offered), None))
        return AddonAtNext(addon, current, current in offered, default)


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


def _fitting(rows: Iterable[Mapping[str, Any]], version: str) -> Mapping[str, bool]:
    """The add-on's versions for a Kubernetes version, each with whether it is the default there."""
    return {row["addonVersion"]: is_default for row in rows if (is_default := _goes_with(row, version)) is not None}


def _goes_with(row: Mapping[str, Any], version: str) -> bool | None:
    """Whether it is that Kubernetes version's default; None if it does not support that version."""
    goes_with = [each for each in row.get("compatibilities", []) if each.get("clusterVersion") == version]
    return any(each.get("defaultVersion", False) for each in goes_with) if goes_with else None
