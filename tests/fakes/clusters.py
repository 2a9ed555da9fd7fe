"""EKS in memory: resources take several reads to settle; invalid requests and dependent resources are as in EKS.

An ACTIVE node group has an auto scaling group, instances and interfaces; deleted, it leaves its CNI interfaces behind
(`leaves_interfaces`). A cluster has EKS's own security group, which stays as long as it is in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import ClusterState, UpdateState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec
from chalicelib.domain.support.calendar import Calendar
from tests.fakes.account import Account, port
from tests.fakes.builders import a_calendar
from tests.fakes.cluster_nodes import NodegroupCalls
from tests.fakes.cluster_parts import PartCalls
from tests.fakes.cluster_record import ClusterRecord, Looks


@dataclass
class FakeClusters(NodegroupCalls, PartCalls):
    """Implements the Clusters port. `issues` plans failures: `("nodegroup", name)`, `("cluster", name)`, `("addon", name)` →
    the resulting health issue; `failing_updates` makes the next updates end Failed; `capacity` is the number of instances that
    AWS has for a growing node group.
    """

    account: Account
    looks: Looks = field(default_factory=Looks)
    calendar: Calendar = field(default_factory=a_calendar)
    clusters: dict[str, ClusterRecord] = field(default_factory=dict)
    issues: dict[tuple[str, str], HealthIssue] = field(default_factory=dict)
    failing_updates: list[str] = field(default_factory=list)
    capacity: dict[str, int] = field(default_factory=dict)
    unknown_addons: set[str] = field(default_factory=set)
    schemas: dict[str, str] = field(default_factory=dict)
    leaves_interfaces: bool = True
    port_name: str = "clusters"

    @port
    def versions(self) -> Calendar:
        return self.calendar

    @port
    def create(
        self, lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
    ) -> ClusterState:
        known = self.clusters.get(lab.name)
        if known:
            if known.state.tags.get("ekslab:lab-id") == lab.id:
                return known.state
            raise AlreadyExists(
                "CreateCluster", "ResourceInUseException", f"Cluster already exists with name: {lab.name}"
            )
        self._check_places(subnet_ids, security_group_ids)
        resource = self.account.add(Kind.CLUSTER, lab.name, tags=lab.tags)
        vpc_id = self._vpc_of(subnet_ids)
        state = replace(
            _with_endpoint(ClusterState(lab.name, resource.arn, "CREATING", lab.spec.version), lab.spec.endpoint),
            vpc_id=vpc_id,
            subnet_ids=tuple(subnet_ids),
            role_arn=role_arn,
            support_type=str(lab.spec.support_policy),
            tags=lab.tags,
            created_at=resource.created_at,
        )
        issue = self.issues.pop(("cluster", lab.name), None)
        self.clusters[lab.name] = ClusterRecord(state, self.looks.cluster, lab.spec.log_types, issue)
        return state

    def _check_places(self, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> None:
        if len(set(subnet_ids)) < 2:
            raise AwsRefused(
                "CreateCluster", "InvalidParameterException", "Subnets specified must be in at least two different AZs"
            )
        for id in group_ids:
            self.account.get(Kind.SECURITY_GROUP, id)

    def _vpc_of(self, subnet_ids: Sequence[str]) -> str:
        own = [s for s in self.account.of(Kind.SUBNET) if s.id in subnet_ids]
        return own[0].attributes.get("vpc-id", "vpc-given") if own else "vpc-given"

    @port
    def describe(self, name: str) -> ClusterState:
        record = self.record(name)
        if record.state.status in ("CREATING", "UPDATING", "DELETING"):
            record.left -= 1
            if record.left < 0:
                self._settle(record)
        return self.record(name).state

    def record(self, name: str) -> ClusterRecord:
        """The record of a cluster. Raises ResourceGone."""
        if name not in self.clusters:
            raise ResourceGone("DescribeCluster", "ResourceNotFoundException", f"No cluster found for name: {name}.")
        return self.clusters[name]

    def _settle(self, record: ClusterRecord) -> None:
        state = record.state
        if state.status == "DELETING":
            self._vanish(record)
        elif record.issue:
            record.state = replace(state, status="FAILED", issues=(record.issue,))
        elif state.status == "CREATING":
            self._become_active(record)
        else:
            record.state = replace(state, status="ACTIVE")

    def _become_active(self, record: ClusterRecord) -> None:
        state = record.state
        tags = {"aws:eks:cluster-name": state.name, f"kubernetes.io/cluster/{state.name}": "owned"}
        name = f"eks-cluster-sg-{state.name}-1234567890"
        group = self.account.add(
            Kind.SECURITY_GROUP, tags={**state.tags, **tags}, vpc_id=state.vpc_id, group_name=name, cluster=state.name
        )
        issuer = f"https://oidc.eks.{self.account.region}.amazonaws.com/id/0123456789ABCDEF"
        record.state = replace(
            state,
            status="ACTIVE",
            endpoint=f"https://0123456789ABCDEF.gr7.{self.account.region}.eks.amazonaws.com",
            certificate_authority="LS0tLS1CRUdJTg==",
            oidc_issuer=issuer,
            cluster_security_group_id=group.id,
            platform_version="eks.7",
        )
        name = f"/aws/eks/{state.name}/cluster"
        if record.log_types and name not in {group.id for group in self.account.of(Kind.LOG_GROUP)}:
            self.account.add(Kind.LOG_GROUP, name)

    def _vanish(self, record: ClusterRecord) -> None:
        state = record.state
        for group in self.account.of(Kind.SECURITY_GROUP):
            own = group.attributes.get("cluster") == state.name
            if own and not self.account.users_of(group):
                self.account.resources.pop(group.arn)
        self._drop_parts(record)
        self.account.resources.pop(state.arn, None)
        del self.clusters[state.name]

    def drop(self, name: str) -> None:
        """Delete a cluster by hand, with all its parts."""
        record = self.record(name)
        for nodegroup in list(record.nodegroups.values()):
            self._drop_nodes(record, nodegroup)
            self.account.resources.pop(nodegroup.state.arn, None)
        self._vanish(record)

    def put(self, name: str, version: str) -> None:
        """Create another owner's cluster, after an older one of that name was deleted: never at the same instant."""
        resource = self.account.add(Kind.CLUSTER, name, created_at=self.account.clock.now() + timedelta(minutes=10))
        state = ClusterState(name, resource.arn, "ACTIVE", version, created_at=resource.created_at)
        self.clusters[name] = ClusterRecord(state, 0)

    @port
    def update_endpoint(self, name: str, endpoint: EndpointSpec, token: str) -> str | None:
        record = self.record(name)
        wanted = _with_endpoint(record.state, endpoint)
        if token in record.tokens:
            return record.tokens[token]
        if wanted == record.state:
            return None
        if record.state.status != "ACTIVE":
            raise StillInUse("UpdateClusterConfig", "ResourceInUseException", f"Cluster {name} is not ACTIVE")
        if not self.failing_updates:
            record.state = replace(wanted, status="UPDATING")
            record.left = self.looks.update
        return self.begin_update(record, token)

    @port
    def update_state(self, name: str, update_id: str) -> UpdateState:
        record = self.record(name)
        state = self.look_at_update(record, update_id)
        if state.status == "Successful" and record.state.status == "UPDATING":
            self._settle(record)
        return state

    @port
    def allow_deletion(self, name: str, token: str) -> None:
        self.record(name).protected = False

    @port
    def delete(self, name: str) -> None:
        record = self.record(name)
        if record.protected:
            raise AwsRefused("DeleteCluster", "InvalidRequestException", "Cluster has deletion protection enabled")
        if record.nodegroups:
            raise StillInUse("DeleteCluster", "ResourceInUseException", "Cluster has nodegroups attached")
        if record.fargate:
            raise StillInUse("DeleteCluster", "ResourceInUseException", "Cluster has fargate profiles attached")
        if record.state.status == "CREATING":
            raise StillInUse("DeleteCluster", "ResourceInUseException", "Cluster has a create in progress")
        if record.state.status != "DELETING":
            record.state, record.left = replace(record.state, status="DELETING"), self.looks.deletion


def _with_endpoint(state: ClusterState, endpoint: EndpointSpec) -> ClusterState:
    public = endpoint.access is not EndpointAccess.PRIVATE
    private = endpoint.access is not EndpointAccess.PUBLIC
    cidrs = endpoint.allowed_cidrs if public else state.allowed_cidrs
    return replace(state, public_access=public, private_access=private, allowed_cidrs=cidrs)
