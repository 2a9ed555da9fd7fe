"""EKS as this service uses it, in one region: half of `ports/deps.py`, kept apart for its size. Same guarantees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.labs.aws_states import (
        AccessEntryState,
        AddonState,
        ClusterState,
        NodegroupState,
        PodIdentityState,
        UpdateState,
    )
    from chalicelib.domain.labs.lab import Lab, NodegroupSize
    from chalicelib.domain.labs.spec import AccessSpec, AddonSpec, EndpointSpec, NodegroupSpec, PodIdentitySpec
    from chalicelib.domain.support.calendar import Calendar


class Clusters(Protocol):
    """EKS, one region. Requests carry client tokens; an existing resource with the lab's tag counts as created."""

    def versions(self) -> Calendar:
        """The calendar: DescribeClusterVersions with includeAll, all pages; if that fails, the bundled table."""

    def create(
        self, lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
    ) -> ClusterState:
        """Request the control plane: authenticationMode API, no self-managed add-ons, the lab's tags. Raises AwsRefused."""

    def describe(self, name: str) -> ClusterState:
        """Raises ResourceGone."""

    def update_endpoint(self, name: str, endpoint: EndpointSpec, token: str) -> str | None:
        """Request another endpoint mode; return the update's id, None if it has that mode."""

    def update_state(self, name: str, update_id: str) -> UpdateState:
        """The state of an update. Raises ResourceGone."""

    def allow_deletion(self, name: str, token: str) -> None:
        """Switch deletion protection off if it is on."""

    def delete(self, name: str) -> None:
        """Raises StillInUse while node groups or Fargate profiles exist, ResourceGone."""

    def create_nodegroup(
        self, lab: Lab, spec: NodegroupSpec, role_arn: str, subnets: Sequence[str], template: tuple[str, str]
    ) -> None:
        """Request a managed node group from a launch template (its id, its version)."""

    def nodegroup(self, cluster: str, name: str) -> NodegroupState:
        """Raises ResourceGone."""

    def nodegroups(self, cluster: str) -> tuple[str, ...]:
        """Names. Raises ResourceGone if the cluster is gone."""

    def scale_nodegroup(self, cluster: str, name: str, desired: int, token: str) -> str | None:
        """Request another node count (min and max stretch to hold it); return the update's id, None if it has that count."""

    def resize_nodegroup(self, cluster: str, size: NodegroupSize, token: str) -> str | None:
        """Request exactly these min, desired and max (EKS requires a max of at least 1); return the update's id, None if it
        has them. Raises ResourceGone, StillInUse while another update runs, AwsRefused."""

    def nodegroup_update_state(self, cluster: str, name: str, update_id: str) -> UpdateState:
        """The state of an update. Raises ResourceGone."""

    def delete_nodegroup(self, cluster: str, name: str) -> None:
        """Raises ResourceGone, StillInUse."""

    def fargate_profiles(self, cluster: str) -> tuple[str, ...]:
        """Names. Raises ResourceGone if the cluster is gone."""

    def delete_fargate_profile(self, cluster: str, name: str) -> None:
        """EKS deletes one at a time: raises StillInUse while another is being deleted. Raises ResourceGone."""

    def create_addon(self, lab: Lab, addon: AddonSpec, pod_identities: Mapping[str, str]) -> None:
        """Request an add-on; `pod_identities` maps its service accounts to role ARNs."""

    def addon(self, cluster: str, name: str) -> AddonState:
        """Raises ResourceGone."""

    def addons(self, cluster: str) -> tuple[str, ...]:
        """Names. Raises ResourceGone if the cluster is gone."""

    def addon_versions(self, name: str, version: str) -> tuple[str, ...]:
        """The add-on's versions for that Kubernetes version; empty if EKS does not offer the add-on for it."""

    def addon_schema(self, name: str, version: str, addon_version: str | None) -> str:
        """The JSON schema of an add-on's configuration, for an add-on version, or the default one of a Kubernetes version. Empty
        if EKS has none."""

    def access_policies(self) -> frozenset[str]:
        """The ARNs of all access policies."""

    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        """Create the access entry with its policies; return its ARN."""

    def access_entries(self, cluster: str) -> tuple[AccessEntryState, ...]:
        """With the policies of each. Raises ResourceGone if the cluster is gone."""

    def revoke_access(self, cluster: str, principal_arn: str) -> None:
        """A missing entry is success."""

    def associate_pod_identity(self, lab: Lab, association: PodIdentitySpec) -> str:
        """Create the association; return its ARN. An existing one for this service account and role counts."""

    def pod_identities(self, cluster: str) -> tuple[PodIdentityState, ...]:
        """Raises ResourceGone if the cluster is gone."""
