"""A lab's specification: the one shape that both request bodies become, and that the workflows build from.

Complete: every default is filled in before a LabSpec exists, so no later code handles missing values.
Sizes in GiB, times in hours, CIDRs as text in network form, whole ARNs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.labs.schedule import USUAL_EVENING, Schedule


class EndpointAccess(StrEnum):
    """The networks from which the Kubernetes API server can be reached."""

    PUBLIC = "public"
    PUBLIC_AND_PRIVATE = "public-and-private"
    PRIVATE = "private"


class CapacityType(StrEnum):
    """The purchase option of instances, in EKS's words."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


class Placement(StrEnum):
    """The subnets of a node group's instances."""

    PUBLIC = "public"
    PRIVATE = "private"


class NatMode(StrEnum):
    """NAT for private subnets. One gateway costs about $1.40 a day, so none unless private nodes need it."""

    NONE = "none"
    SINGLE = "single"


class VolumePolicy(StrEnum):
    """The treatment of the volumes of PersistentVolumeClaims when the lab ends."""

    DELETE = "delete"
    SNAPSHOT = "snapshot"
    KEEP = "keep"


class SupportPolicy(StrEnum):
    """EKS upgradePolicy.supportType. EXTENDED may cost $0.60 an hour, so STANDARD unless asked for."""

    STANDARD = "STANDARD"
    EXTENDED = "EXTENDED"


@dataclass(frozen=True)
class NewNetwork:
    """A VPC of the lab's own: two zones, two public and two private subnets. `zones` empty: the first two that EKS supports."""

    cidr: str = "192.168.0.0/16"
    zones: tuple[str, ...] = ()
    nat: NatMode = NatMode.NONE


@dataclass(frozen=True)
class ExistingNetwork:
    """Subnets that the lab uses as a guest. It never deletes, retags or reroutes any of them."""

    vpc_id: str | None
    public_subnet_ids: tuple[str, ...] = ()
    private_subnet_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndpointSpec:
    """`allowed_cidrs` limits the public endpoint only."""

    access: EndpointAccess
    allowed_cidrs: tuple[str, ...]


@dataclass(frozen=True)
class SshSpec:
    """Port 22 from `cidrs` with an EC2 key pair: an existing one by name, or an OpenSSH public key to import for the lab."""

    key_name: str | None
    public_key: str | None
    cidrs: tuple[str, ...]


@dataclass(frozen=True)
class Taint:
    """A Kubernetes taint; `effect` in EKS's spelling: NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class NodegroupSpec:
    """One managed node group. `disable_pod_imds`: pods can't reach the instance's metadata, and with it the node's role."""

    name: str
    instance_types: tuple[str, ...] = ("t3.medium",)
    desired: int = 2
    min: int = 1
    max: int = 3
    volume_gib: int = 30
    capacity_type: CapacityType = CapacityType.ON_DEMAND
    placement: Placement = Placement.PUBLIC
    ami_type: str = "AL2023_x86_64_STANDARD"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    disable_pod_imds: bool = True


@dataclass(frozen=True)
class ExternalDnsSpec:
    """external-dns for one hosted zone, by Pod Identity; the TXT owner id is the lab's own."""

    hosted_zone_id: str
    domain: str


@dataclass(frozen=True)
class WorkHostSpec:
    """An instance in public subnet 1 with kubectl, eksctl, aws and docker, reached through SSM (or ssh, if the lab has it)."""

    instance_type: str = "t3.medium"


@dataclass(frozen=True)
class AddonSpec:
    """An EKS add-on. `version` None: the default for the cluster's version. `configuration`: JSON text, or None."""

    name: str
    version: str | None = None
    configuration: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccessPolicySpec:
    """An EKS access policy; `namespaces` empty means the whole cluster."""

    policy_arn: str
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccessSpec:
    """An access entry: an IAM principal with access policies, Kubernetes groups, or both. `type` in EKS's words."""

    principal_arn: str
    policies: tuple[AccessPolicySpec, ...] = ()
    groups: tuple[str, ...] = ()
    type: str = "STANDARD"


@dataclass(frozen=True)
class PodIdentitySpec:
    """Gives pods of one service account an IAM role that exists already, under the path `/ekslab/`."""

    namespace: str
    service_account: str
    role_arn: str


@dataclass(frozen=True)
class LabSpec:
    """The whole specification. `access_role`: the owner enters with a role of the lab's own (labs/access_role.py)."""

    name: str
    region: str
    version: str
    network: NewNetwork | ExistingNetwork
    endpoint: EndpointSpec
    nodegroups: tuple[NodegroupSpec, ...]
    ssh: SshSpec | None = None
    external_dns: ExternalDnsSpec | None = None
    work_host: WorkHostSpec | None = None
    addons: tuple[AddonSpec, ...] = ()
    access: tuple[AccessSpec, ...] = ()
    access_role: bool = False
    pod_identities: tuple[PodIdentitySpec, ...] = ()
    log_types: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    lease_hours: int = 8
    volumes: VolumePolicy = VolumePolicy.DELETE
    support_policy: SupportPolicy = SupportPolicy.STANDARD
    schedule: Schedule = USUAL_EVENING

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Every instance type that the lab may use, once each."""
        host = (self.work_host.instance_type,) if self.work_host else ()
        return tuple(dict.fromkeys((*host, *(kind for group in self.nodegroups for kind in group.instance_types))))


@dataclass(frozen=True)
class Limits:
    """The limits of this installation; read once from settings. `regions` empty: every region. `retention_days`: how long the
    records of an ended lab are kept; 0: for ever."""

    default_region: str = "ap-northeast-2"
    regions: tuple[str, ...] = ()
    default_lease_hours: int = 8
    max_lease_hours: int = 72
    max_nodes: int = 10
    max_labs_per_owner: int = 5
    max_labs_per_role: int = 20
    retention_days: int = 400
