"""Add-ons, access entries and Pod Identity associations of FakeClusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.aws_states import AccessEntryState, AddonState, PodIdentityState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessSpec, AddonSpec, PodIdentitySpec
from tests.fakes.account import Account, port
from tests.fakes.cluster_record import ClusterRecord, Looks

#: Add-ons with their own number of pods: DaemonSets are healthy without nodes.
NEED_NODES = frozenset({"coredns", "metrics-server", "external-dns", "aws-ebs-csi-driver"})


def _without_nodes(state: AddonState) -> AddonState:
    issue = HealthIssue("InsufficientNumberOfReplicas", "The add-on doesn't have the desired number of replicas.", ())
    return replace(state, status="DEGRADED", issues=(issue,))


class PartCalls:
    """The half of the Clusters port about a cluster's parts."""

    if TYPE_CHECKING:
        account: Account
        looks: Looks
        issues: dict[tuple[str, str], HealthIssue]
        unknown_addons: set[str]
        schemas: dict[str, str]
        record: Callable[[str], ClusterRecord]

    def _arn(self, rest: str) -> str:
        return f"arn:aws:eks:{self.account.region}:{self.account.id}:{rest}"

    @port
    def create_addon(self, lab: Lab, addon: AddonSpec, pod_identities: Mapping[str, str]) -> None:
        cluster = self.record(lab.name)
        if addon.name in cluster.addons:
            return
        arn = self._arn(f"addon/{lab.name}/{addon.name}/0001")
        self.account.add(Kind.ADDON, addon.name, arn=arn, tags=lab.tags, cluster=lab.name)
        state = AddonState(addon.name, arn, "CREATING", addon.version or "v1.0.0-eksbuild.1")
        cluster.addons[addon.name] = (state, self.looks.addon)
        for service_account, role_arn in pod_identities.items():
            self._associate(cluster, lab, "kube-system", service_account, role_arn)

    @port
    def addon(self, cluster: str, name: str) -> AddonState:
        addons = self.record(cluster).addons
        if name not in addons:
            raise ResourceGone("DescribeAddon", "ResourceNotFoundException", f"No addon: {name} found")
        state, left = addons[name]
        if state.status == "CREATING" and left <= 0:
            issue = self.issues.pop(("addon", name), None)
            status = "CREATE_FAILED" if issue else "ACTIVE"
            state = replace(state, status=status, issues=(issue,) if issue else ())
        addons[name] = (state, left - 1)
        return _without_nodes(state) if self._has_no_nodes(cluster, state) else state

    def _has_no_nodes(self, cluster: str, state: AddonState) -> bool:
        groups = self.record(cluster).nodegroups.values()
        return state.status == "ACTIVE" and state.name in NEED_NODES and not any(g.state.desired for g in groups)

    @port
    def addons(self, cluster: str) -> tuple[str, ...]:
        return tuple(self.record(cluster).addons)

    @port
    def addon_versions(self, name: str, version: str) -> tuple[str, ...]:
        return (
            () if name in self.unknown_addons else ("v1.21.1-eksbuild.3", "v1.20.5-eksbuild.10", "v1.20.5-eksbuild.9")
        )

    @port
    def addon_schema(self, name: str, version: str, addon_version: str | None) -> str:
        return self.schemas.get(name, "")

    @port
    def access_policies(self) -> frozenset[str]:
        names = ("ClusterAdmin", "Admin", "Edit", "View", "AdminView")
        return frozenset(f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy" for name in names)

    @port
    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        cluster = self.record(lab.name)
        known = cluster.entries.get(access.principal_arn)
        arn = known.arn if known else self._arn(f"access-entry/{lab.name}/{len(cluster.entries):04d}")
        policies = tuple(policy.policy_arn for policy in access.policies)
        cluster.entries[access.principal_arn] = AccessEntryState(
            access.principal_arn, arn, access.type, policies, access.groups
        )
        if not known:
            self.account.add(Kind.ACCESS_ENTRY, access.principal_arn, arn=arn, tags=lab.tags, cluster=lab.name)
        return arn

    @port
    def access_entries(self, cluster: str) -> tuple[AccessEntryState, ...]:
        return tuple(self.record(cluster).entries.values())

    @port
    def revoke_access(self, cluster: str, principal_arn: str) -> None:
        entry = self.record(cluster).entries.pop(principal_arn, None)
        if entry:
            self.account.resources.pop(entry.arn, None)

    @port
    def associate_pod_identity(self, lab: Lab, association: PodIdentitySpec) -> str:
        cluster = self.record(lab.name)
        return self._associate(cluster, lab, association.namespace, association.service_account, association.role_arn)

    def _associate(self, cluster: ClusterRecord, lab: Lab, namespace: str, account: str, role_arn: str) -> str:
        for known in cluster.associations:
            if (known.namespace, known.service_account, known.role_arn) == (namespace, account, role_arn):
                return known.arn
        id = f"a-{len(cluster.associations):04d}"
        arn = self._arn(f"podidentityassociation/{lab.name}/{id}")
        cluster.associations.append(PodIdentityState(arn, id, namespace, account, role_arn))
        self.account.add(Kind.POD_IDENTITY, id, arn=arn, tags=lab.tags, cluster=lab.name)
        return arn

    @port
    def pod_identities(self, cluster: str) -> tuple[PodIdentityState, ...]:
        return tuple(self.record(cluster).associations)

    def _drop_parts(self, cluster: ClusterRecord) -> None:
        """Delete a cluster's add-ons, entries and associations with it."""
        parts = {Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY}
        for resource in tuple(self.account.resources.values()):
            if resource.kind in parts and resource.attributes.get("cluster") == cluster.state.name:
                self.account.resources.pop(resource.arn)
