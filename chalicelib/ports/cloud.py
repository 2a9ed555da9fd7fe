"""One region of AWS as this service uses it: part of `ports/deps.py`, with its guarantees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.core.resources import InventoryAnswer, Kind, LedgerEntry, Resource, Target
    from chalicelib.domain.labs.aws_states import (
        AccessEntryState,
        AddonState,
        ClusterState,
        EndpointProbe,
        GroupState,
        HostedZone,
        InstanceTypeFacts,
        KubernetesNodes,
        KubernetesSweep,
        NodegroupState,
        PodIdentityState,
        RoleState,
        StackState,
        SubnetFacts,
        UpdateState,
        WorkHostState,
    )
    from chalicelib.domain.labs.lab import Lab, NodegroupSize
    from chalicelib.domain.labs.spec import AccessSpec, AddonSpec, EndpointSpec, NodegroupSpec, PodIdentitySpec
    from chalicelib.domain.requests.quotas import Quota, QuotaReport
    from chalicelib.domain.support.calendar import Calendar
    from chalicelib.domain.teardown.creation import Event, Lookup


class Stacks(Protocol):
    """CloudFormation, one region."""

    def create(
        self, name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str], token: str
    ) -> str:
        """Request a stack; return its id. An existing stack of this name counts as ours if it carries the same
        `ekslab:lab-id` tag and CloudFormation works on it with the role that only this service passes, else AlreadyExists."""

    def describe(self, name: str) -> StackState:
        """Status, outputs, and for failures the reason of the first resource that failed. Raises ResourceGone."""

    def resources(self, name: str) -> tuple[Resource, ...]:
        """The stack's present resources, with whole ARNs if AWS has them. Empty for a deleted stack."""

    def delete(self, name: str, token: str) -> None:
        """Request its deletion; a missing stack is success."""


class Network(Protocol):
    """EC2's network and instances of one region."""

    def zones(self, instance_types: Sequence[str]) -> tuple[str, ...]:
        """Names of the region's available zones (no local zones), sorted; those that offer all these types come first."""

    def offers(self, instance_types: Sequence[str]) -> frozenset[tuple[str, str]]:
        """The (zone, instance type) pairs that the region offers of these types."""

    def instance_types(self, names: Sequence[str]) -> Mapping[str, InstanceTypeFacts]:
        """The facts of each type, without types that the region does not have."""

    def regions(self) -> Mapping[str, str]:
        """Region -> opt-in status, of every region, enabled or not."""

    def subnets(self, ids: Sequence[str]) -> tuple[SubnetFacts, ...]:
        """Facts of the existing ones. `public` means a default route to an internet gateway."""

    def without_dns(self, vpc_ids: Sequence[str]) -> Mapping[str, str]:
        """VPC -> the DNS settings that EKS needs and that are off (DNS support, DNS host names), without VPCs that have both on."""

    def key_pair_exists(self, name: str) -> bool:
        """Whether EC2 has a key pair of this name."""

    def import_key_pair(self, name: str, public_key: str, tags: Mapping[str, str]) -> str:
        """Import an OpenSSH public key; an existing one with the same lab tag counts. Return its id."""

    def allow_ingress(self, group_id: str, source: str, protocol: str, port: int | None, description: str) -> None:
        """Allow ingress from `source` (a CIDR or a group id). Protocol `-1` and port None: all. An existing one is fine."""

    def run_work_host(self, lab: Lab, subnet_id: str, security_group_id: str, profile: str, user_data: str) -> str:
        """Start the lab's work host from the newest Amazon Linux 2023 image, by client token; return its instance id."""

    def work_host(self, instance_id: str) -> WorkHostState:
        """Raises ResourceGone."""

    def running_nodes(self, cluster: str) -> Mapping[str, int]:
        """The number of instances that run and pass EC2's reachability check, by managed node group (from EKS's tag)."""

    def instances(self, cluster: str) -> Mapping[str, int]:
        """The number of the cluster's pending and running instances by managed node group; "" for instances outside one."""

    def security_groups(self, ids: Sequence[str]) -> tuple[Mapping[str, object], ...]:
        """Id, name, description and rules (`ingress`, `egress`: protocol, ports, source, description), for display."""


class Quotas(Protocol):
    """Service Quotas and their use, one region."""

    def read(self, wanted: Sequence[Quota]) -> QuotaReport:
        """Limits and use of these, and whether the account is on AWS's free plan. Never raises: the report names unread quotas."""


class Dns(Protocol):
    """Route 53."""

    def zone(self, name_or_id: str) -> HostedZone | None:
        """The hosted zone with this id or domain name; None if there is none. Several of one name: the public one."""


class Roles(Protocol):
    """IAM's roles and users."""

    def role_arn(self, role_name: str) -> str | None:
        """The whole ARN, path included, of a role in this account; None if there is none."""

    def principal_arn(self, arn: str) -> str | None:
        """The whole ARN, path included, of the user or role of this account that an ARN names; None if there is none."""

    def states(self, role_names: Sequence[str]) -> tuple[RoleState, ...]:
        """Each existing role, with its unique id and those of the instance profiles that hold it."""

    def policies(self, role_name: str) -> tuple[tuple[str, str], ...]:
        """Name and ARN (`inline` for inline ones) of every policy of the role. Raises ResourceGone."""


class Groups(Protocol):
    """EC2 Auto Scaling, one region."""

    def states(self, names: Sequence[str]) -> tuple[GroupState, ...]:
        """The existing groups, with their ARNs (which contain a unique id) and members."""


class EventHistory(Protocol):
    """CloudTrail's event history of one region and of IAM: minutes late, 90 days long, two calls a second an account."""

    def events(self, lookup: Lookup) -> tuple[Event, ...] | None:
        """All events that match the lookup, as CloudTrail recorded them; None if there are more than can be read."""


class Leftovers(Protocol):
    """Finds and deletes a lab's possible leftovers in one region, one kind at a time. `domain/teardown` judges them."""

    def find(self, kind: Kind, target: Target) -> tuple[Resource, ...]:
        """Every resource of this kind that relates to the target by tag, name or place, **ours or not**, with all tags.

        The query is wider than needed (it finds a look-alike in the same VPC), so that the ownership rules decide.
        """

    def delete(self, resource: Resource) -> None:
        """Delete this resource. Rules of the lab's other security groups that refer to a group are revoked first.

        Raises ResourceGone (fine), StillInUse (later), AwsRefused (never).
        """

    def snapshot(self, volume: Resource, tags: Mapping[str, str], token: str) -> Resource:
        """Request a snapshot of a volume, by token: the same token returns the same one. Tags never make one ours."""

    def snapshot_state(self, snapshot_id: str) -> str | None:
        """In EC2's words (pending, completed, error); None if it is gone."""


class AccountInventory(Protocol):
    """An independent inventory of one region. It shares no code and no list with Leftovers."""

    def take(self, target: Target, ledger: Sequence[LedgerEntry]) -> InventoryAnswer:
        """Read the Resource Groups Tagging API, the network by VPC, resources by name, and each ledger entry directly."""

    def bearing_name(self, cluster: str) -> tuple[tuple[Kind, str], ...]:
        """Kind and id of existing log groups, security groups, balancers and target groups that bear a cluster's name."""


class Kubernetes(Protocol):
    """The Kubernetes API server of a lab, which may be unreachable from here."""

    def probe(self, endpoint: str, certificate_authority: str | None) -> EndpointProbe:
        """Resolve the endpoint's name and ask /version once, briefly. Never raises."""

    def sweep(self, lab: Lab) -> KubernetesSweep:
        """Delete LoadBalancer Services, Ingresses, PVCs and NodePools; report the rest. Never raises: unreachable is a result."""

    def nodes(self, lab: Lab) -> KubernetesNodes:
        """The number of Ready nodes by managed node group. Never raises: unreachable and denied are results."""

    def view_role(self) -> str:
        """The ARN of the role that reads the cluster's use; it needs an access entry."""


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
        """Request another endpoint mode; return the update's id, None if it has that mode. Raises StillInUse during another."""

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
