"""Checks whether a cluster's add-ons run on another Kubernetes version, and which version of each would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.support.fleet import AddonAtNext

_NOT_OFFERED = frozenset({"InvalidParameterException", "ResourceNotFoundException"})


class FleetAddonCalls(EksCalls):
    """Reads EKS's catalogue once for each add-on and Kubernetes version, for all clusters."""

    def __init__(self, eks: Any) -> None:
        super().__init__(eks)
        self._offers: dict[tuple[str, str], Mapping[str, bool]] = {}

    def addons_at(self, name: str, version: str) -> tuple[AddonAtNext, ...]:
        """The cluster's EKS add-ons, and whether each one's version runs on that Kubernetes version. Raises ResourceGone."""
        names = self.listed("ListAddons", "addons", clusterName=name)
        found = (self._addon_at(name, addon, version) for addon in names)
        return tuple(addon for addon in found if addon is not None)

    def _addon_at(self, cluster: str, addon: str, version: str) -> AddonAtNext | None:
        try:
            known = call(self._eks, "eks:DescribeAddon", clusterName=cluster, addonName=addon)["addon"]
        except ResourceGone:
            return None
        current = known.get("addonVersion", "")
        offered = self._offered(addon, version)
        default = next((each for each, is_default in offered.items() if is_default), next(iter(offered), None))
        return AddonAtNext(addon, current, current in offered, default)

    def _offered(self, addon: str, version: str) -> Mapping[str, bool]:
        """The add-on's versions for a Kubernetes version, each with whether it is the default there."""
        if (addon, version) not in self._offers:
            self._offers[addon, version] = self._ask(addon, version)
        return self._offers[addon, version]

    def _ask(self, addon: str, version: str) -> Mapping[str, bool]:
        try:
            kinds = self.listed("DescribeAddonVersions", "addons", addonName=addon, kubernetesVersion=version)
        except AwsRefused as refusal:
            if refusal.code in _NOT_OFFERED:
                return {}
            raise
        rows = [row for kind in kinds for row in kind.get("addonVersions", [])]
        return {row["addonVersion"]: is_default for row in rows if (is_default := _goes_with(row, version)) is not None}


def _goes_with(row: Mapping[str, Any], version: str) -> bool | None:
    """Whether it is that Kubernetes version's default; None if it does not support that version."""
    goes_with = [each for each in row.get("compatibilities", []) if each.get("clusterVersion") == version]
    return any(each.get("defaultVersion", False) for each in goes_with) if goes_with else None
