"""Facts from AWS: small records that adapters return and steps decide from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.labs.lab import Lab, NodegroupSize


@dataclass(frozen=True)
class StackState:
    """A CloudFormation stack: its status in CloudFormation's words, outputs, and the first failed resource's reason.

    `ours`: CloudFormation works on it with the role that only this service passes.
    """

    id: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None
    failed_resources: tuple[str, ...] = ()
    created_at: datetime | None = None
    ours: bool = False


@dataclass(frozen=True)
class ClusterState:
    """A control plane; `status` in EKS's words (CREATING, ACTIVE, FAILED, UPDATING, DELETING)."""

    name: str
    arn: str
    status: str
    version: str
    endpoint: str | None = None
    certificate_authority: str | None = None
    oidc_issuer: str | None = None
    vpc_id: str | None = None
    cluster_security_group_id: str | None = None
    subnet_ids: tuple[str, ...] = ()
    public_access: bool = True
    private_access: bool = False
    allowed_cidrs: tuple[str, ...] = ()
    support_type: str | None = None
    platform_version: str | None = None
    role_arn: str | None = None
    issues: tuple[HealthIssue, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    deletion_protection: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True)
class NodegroupState:
    """A managed node group; `status` in EKS's words (CREATING, ACTIVE, CREATE_FAILED, DEGRADED, DELETING, DELETE_FAILED, ...)."""

    name: str
    arn: str
    status: str
    desired: int
    asg_names: tuple[str, ...] = ()
    issues: tuple[HealthIssue, ...] = ()
    role_arn: str | None = None
    version: str | None = None
    subnet_ids: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    min: int = 0
    max: int = 1

    @property
    def size(self) -> NodegroupSize:
        """Its size now, or after the change that is under way."""
        return NodegroupSize(self.name, self.min, self.desired, self.max)


@dataclass(frozen=True)
class AddonState:
    """An add-on; `status` in EKS's words (CREATING, ACTIVE, CREATE_FAILED, DEGRADED, ...)."""

    name: str
    arn: str
    status: str
    version: str
    issues: tuple[HealthIssue, ...] = ()

    @property
    def lacks_only_nodes(self) -> bool:
        """Whether its only fault is that its pods have no nodes."""
        return self.status == "DEGRADED" and {issue.code for issue in self.issues} == {"InsufficientNumberOfReplicas"}


@dataclass(frozen=True)
class AccessEntryState:
    """An access entry and its policies' ARNs."""

    principal_arn: str
    arn: str
    type: str
    policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodIdentityState:
    """A Pod Identity association."""

    arn: str
    id: str
    namespace: str
    service_account: str
    role_arn: str = ""


@dataclass(frozen=True)
class UpdateState:
    """An EKS update; `status` InProgress, Failed, Cancelled or Successful; `errors` in EKS's words."""

    id: str
    status: str
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class InstanceTypeFacts:
    """An instance type: its processors, in EC2's words, and its number of virtual CPUs."""

    architectures: tuple[str, ...]
    vcpus: int


@dataclass(frozen=True)
class SubnetFacts:
    """A subnet. `public`: its default route goes to an internet gateway; `maps_public_ip`: instances get a public address.

    `stack_id`: of the CloudFormation stack that made it, by the tag that AWS alone writes. `lab_id`: of a lab, as its tags claim.
    """

    id: str
    vpc_id: str
    zone: str
    cidr: str
    free_addresses: int
    public: bool
    maps_public_ip: bool
    arn: str = ""
    stack_id: str = ""
    lab_id: str = ""


@dataclass(frozen=True)
class WorkHostState:
    """The work host; `status` in EC2's words (pending, running, ...)."""

    instance_id: str
    status: str


@dataclass(frozen=True)
class HostedZone:
    """A Route 53 hosted zone; `id` without `/hostedzone/`, `name` without the trailing dot."""

    id: str
    name: str
    private: bool


@dataclass(frozen=True)
class EndpointProbe:
    """The result of probing an endpoint from here. `answered` False with a `problem` is normal if it does not let us in."""

    host: str
    addresses: tuple[str, ...]
    answered: bool
    version: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class KubernetesNodes:
    """The number of Ready nodes by managed node group. Not `reachable`: `problem` says why, and nothing is known."""

    reachable: bool
    problem: str | None = None
    ready: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class KubernetesSweep:
    """The result of a deletion through the Kubernetes API. Not `reachable`: `problem` says why, and nothing was done.

    `refused_by_aws`: AWS refused, not the API server; that passes while IAM or EKS lag, or throttle.
    """

    reachable: bool
    problem: str | None = None
    refused_by_aws: bool = False
    deleted: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoleState:
    """An IAM role by its unique id (AROA…), and the unique ids of the instance profiles that hold it."""

    name: str
    id: str
    profile_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupState:
    """An Auto Scaling group with its members. `named`: a node group of the cluster names it now."""

    name: str
    arn: str
    member_ids: tuple[str, ...] = ()
    named: bool = False
    created_at: datetime | None = None


_LAB_TAG = "ekslab:lab-id"


def is_own_cluster(lab: Lab, state: ClusterState) -> bool:
    """Whether it is the cluster that this lab created, by EKS's answer at its creation, never by tags.

    A later cluster may have the same name, ARN and tags; it has another createdAt and another issuer.
    """
    facts = lab.facts
    if facts.arn is not None and facts.arn != state.arn:
        return False
    if facts.created_at is not None:
        known = facts.oidc_issuer, state.oidc_issuer
        return state.created_at == facts.created_at and (None in known or known[0] == known[1])
    if facts.oidc_issuer is not None:
        return state.oidc_issuer == facts.oidc_issuer
    return _was_just_asked_for(lab, state)


def _was_just_asked_for(lab: Lab, state: ClusterState) -> bool:
    """After a lost answer of CreateCluster: whether it has the lab's own role, which only this service passes, and is not older."""
    role = lab.facts.stack_outputs.get("ClusterRoleArn")
    young = state.created_at is None or state.created_at >= lab.created_at.replace(microsecond=0)
    return role is not None and state.role_arn == role and young and state.tags.get(_LAB_TAG) == lab.id
