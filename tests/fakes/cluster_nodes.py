"""Node groups and Fargate profiles of FakeClusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import NodegroupState, UpdateState
from chalicelib.domain.labs.lab import Lab, NodegroupSize
from chalicelib.domain.labs.spec import NodegroupSpec
from tests.fakes.account import Account, port
from tests.fakes.cluster_record import ClusterRecord, Looks, NodegroupRecord


class NodegroupCalls:
    """The half of the Clusters port about nodes."""

    if TYPE_CHECKING:
        account: Account
        looks: Looks
        issues: dict[tuple[str, str], HealthIssue]
        failing_updates: list[str]
        capacity: dict[str, int]
        leaves_interfaces: bool
        record: Callable[[str], ClusterRecord]

    @port
    def create_nodegroup(
        self, lab: Lab, spec: NodegroupSpec, role_arn: str, subnets: Sequence[str], template: tuple[str, str]
    ) -> None:
        cluster = self.record(lab.name)
        if spec.name in cluster.nodegroups:
            if cluster.nodegroups[spec.name].tags.get("ekslab:lab-id") == lab.id:
                return
            raise AlreadyExists("CreateNodegroup", "ResourceInUseException", "NodeGroup already exists")
        if cluster.state.status != "ACTIVE":
            raise AwsRefused("CreateNodegroup", "InvalidRequestException", f"Cluster {lab.name} is not ACTIVE")
        self.account.get(Kind.LAUNCH_TEMPLATE, template[0])
        arn = f"arn:aws:eks:{self.account.region}:{self.account.id}:nodegroup/{lab.name}/{spec.name}/0001"
        state = NodegroupState(
            spec.name,
            arn,
            "CREATING",
            spec.desired,
            role_arn=role_arn,
            version=lab.spec.version,
            subnet_ids=tuple(subnets),
            instance_types=spec.instance_types,
            min=spec.min,
            max=spec.max,
        )
        self.account.add(Kind.NODEGROUP, spec.name, arn=arn, tags=lab.tags, cluster=lab.name)
        issue = self.issues.pop(("nodegroup", spec.name), None)
        cluster.nodegroups[spec.name] = NodegroupRecord(state, self.looks.nodegroup, lab.tags, issue)

    @port
    def nodegroup(self, cluster: str, name: str) -> NodegroupState:
        record = self._nodegroup(cluster, name)
        if record.state.status in ("CREATING", "UPDATING", "DELETING"):
            record.left -= 1
            if record.left < 0:
                self._settle_nodegroup(self.record(cluster), record)
        return self._nodegroup(cluster, name).state

    def _nodegroup(self, cluster: str, name: str) -> NodegroupRecord:
        groups = self.record(cluster).nodegroups
        if name not in groups:
            raise ResourceGone(
                "DescribeNodegroup", "ResourceNotFoundException", f"No node group found for name: {name}."
            )
        return groups[name]

    def _settle_nodegroup(self, cluster: ClusterRecord, record: NodegroupRecord) -> None:
        state = record.state
        if state.status == "DELETING":
            self._drop_nodes(cluster, record)
            self.account.resources.pop(state.arn, None)
            del cluster.nodegroups[state.name]
        elif record.issue:
            record.state = replace(state, status="CREATE_FAILED", issues=(record.issue,))
        elif state.status == "CREATING":
            self._bring_nodes(cluster, record)
        else:
            self._match_nodes(cluster, record)
            record.state = replace(state, status="ACTIVE")

    def _match_nodes(self, cluster: ClusterRecord, record: NodegroupRecord) -> None:
        """Launch or terminate instances up to the desired size; `capacity` bounds their number."""
        here = [r for r in self._nodes_of(cluster, record) if r.kind is Kind.INSTANCE]
        for host in here[record.state.desired :]:
            for resource in self._nodes_of(cluster, record):
                if host.id in (resource.id, resource.attributes.get("instance")):
                    self.account.resources.pop(resource.arn)
        most = self.capacity.get(record.state.name, record.state.desired)
        tags = {"eks:cluster-name": cluster.state.name, "eks:nodegroup-name": record.state.name}
        tags[f"kubernetes.io/cluster/{cluster.state.name}"] = "owned"
        for _ in range(min(most, record.state.desired) - len(here)):
            self._bring_node(cluster, record, record.state.asg_names[0], {**record.tags, **tags})

    def _nodes_of(self, cluster: ClusterRecord, record: NodegroupRecord) -> list[Resource]:
        own = (record.state.name, cluster.state.name)
        things = self.account.resources.values()
        return [r for r in things if (r.attributes.get("nodegroup"), r.attributes.get("cluster")) == own]

    def _bring_nodes(self, cluster: ClusterRecord, record: NodegroupRecord) -> None:
        name = f"eks-{record.state.name}-{len(self.account.calls):04d}"
        tags = {"eks:cluster-name": cluster.state.name, "eks:nodegroup-name": record.state.name}
        tags[f"kubernetes.io/cluster/{cluster.state.name}"] = "owned"
        self.account.add(Kind.AUTO_SCALING_GROUP, name, tags=tags)
        for _ in range(record.state.desired):
            self._bring_node(cluster, record, name, {**record.tags, **tags})
        record.state = replace(record.state, status="ACTIVE", asg_names=(name,))

    def _bring_node(self, cluster: ClusterRecord, record: NodegroupRecord, asg: str, tags: dict[str, str]) -> None:
        facts = {
            "vpc_id": cluster.state.vpc_id,
            "subnet_id": record.state.subnet_ids[0],
            "groups": cluster.state.cluster_security_group_id,
            "nodegroup": record.state.name,
            "cluster": cluster.state.name,
        }
        host = self.account.add(Kind.INSTANCE, tags=tags, status="running", asg=asg, **facts)
        self.account.add(Kind.NETWORK_INTERFACE, tags=tags, status="in-use", instance=host.id, **facts)
        cni = {"cluster.k8s.amazonaws.com/name": cluster.state.name, "node.k8s.amazonaws.com/instance_id": host.id}
        cni["node.k8s.amazonaws.com/createdAt"] = self.account.clock.now().isoformat()
        by = f"{self._role_id(cluster, record)}:{host.id}"
        facts["requester_id"] = by
        self.account.add(Kind.NETWORK_INTERFACE, tags=cni, status="in-use", cni="true", instance=host.id, **facts)

    def _role_id(self, cluster: ClusterRecord, record: NodegroupRecord) -> str:
        """The unique id of the role with which the CNI requests interfaces: its own, or else the node's."""
        roles = {role.arn: role for role in self.account.of(Kind.ROLE)}
        own = (one.role_arn for one in cluster.associations if one.service_account == "aws-node")
        role = roles.get(next(own, record.state.role_arn or ""))
        return role.attributes.get("role-id", "") if role is not None else ""

    def _drop_nodes(self, cluster: ClusterRecord, record: NodegroupRecord) -> None:
        for resource in tuple(self.account.resources.values()):
            mine = resource.attributes.get("nodegroup") == record.state.name
            mine = mine and resource.attributes.get("cluster") == cluster.state.name
            if mine and "cni" in resource.attributes and self.leaves_interfaces:
                self.account.change(resource, status="available")
            elif mine or (resource.kind is Kind.AUTO_SCALING_GROUP and resource.id in record.state.asg_names):
                self.account.resources.pop(resource.arn)

    @port
    def nodegroups(self, cluster: str) -> tuple[str, ...]:
        return tuple(self.record(cluster).nodegroups)

    @port
    def scale_nodegroup(self, cluster: str, name: str, desired: int, token: str) -> str | None:
        record, owner = self._nodegroup(cluster, name), self.record(cluster)
        if token in owner.tokens:
            return owner.tokens[token]
        if record.state.desired == desired:
            return None
        if not self.failing_updates:
            least, most = min(record.state.min, desired), max(record.state.max, desired)
            self._start_resizing(record, NodegroupSize(name, least, desired, most))
        return self.begin_update(owner, token)

    @port
    def resize_nodegroup(self, cluster: str, size: NodegroupSize, token: str) -> str | None:
        record, owner = self._nodegroup(cluster, size.name), self.record(cluster)
        if size.max < 1 or not size.min <= size.desired <= size.max:
            raise AwsRefused("UpdateNodegroupConfig", "InvalidParameterException", f"{size} can't be")
        if token in owner.tokens:
            return owner.tokens[token]
        if record.state.size == size:
            return None
        if record.state.status in ("CREATING", "UPDATING", "DELETING") or owner.state.status != "ACTIVE":
            raise StillInUse(
                "UpdateNodegroupConfig", "ResourceInUseException", f"{size.name} has an update in progress"
            )
        if not self.failing_updates:
            self._start_resizing(record, size)
        return self.begin_update(owner, token)

    def _start_resizing(self, record: NodegroupRecord, size: NodegroupSize) -> None:
        record.state = replace(record.state, status="UPDATING", min=size.min, desired=size.desired, max=size.max)
        record.left = self.looks.update

    @port
    def nodegroup_update_state(self, cluster: str, name: str, update_id: str) -> UpdateState:
        owner, record = self.record(cluster), self._nodegroup(cluster, name)
        state = self.look_at_update(owner, update_id)
        if state.status == "Successful" and record.state.status == "UPDATING":
            self._settle_nodegroup(owner, record)
        return state

    @port
    def delete_nodegroup(self, cluster: str, name: str) -> None:
        record = self._nodegroup(cluster, name)
        if record.state.status != "DELETING":
            record.state, record.left = replace(record.state, status="DELETING"), self.looks.deletion

    @port
    def fargate_profiles(self, cluster: str) -> tuple[str, ...]:
        profiles = self.record(cluster).fargate
        for name, left in tuple(profiles.items()):
            if left == 0:
                del profiles[name]
            elif left is not None:
                profiles[name] = left - 1
        return tuple(profiles)

    @port
    def delete_fargate_profile(self, cluster: str, name: str) -> None:
        profiles = self.record(cluster).fargate
        if name not in profiles:
            raise ResourceGone("DeleteFargateProfile", "ResourceNotFoundException", f"No Fargate profile {name}.")
        if any(left is not None for other, left in profiles.items() if other != name):
            raise StillInUse("DeleteFargateProfile", "ResourceInUseException", "Another profile is being deleted")
        if profiles[name] is None:
            profiles[name] = self.looks.deletion

    def begin_update(self, record: ClusterRecord, token: str) -> str:
        """Start an update; the next planned failure makes it end Failed."""
        id = f"update-{len(record.updates) + 1:04d}"
        errors = (self.failing_updates.pop(0),) if self.failing_updates else ()
        record.updates[id] = (UpdateState(id, "InProgress", errors), self.looks.update)
        record.tokens[token] = id
        return id

    def look_at_update(self, record: ClusterRecord, id: str) -> UpdateState:
        """One poll of an update; it ends when its polls are used up."""
        if id not in record.updates:
            raise ResourceGone("DescribeUpdate", "ResourceNotFoundException", f"No update found for ID: {id}")
        state, left = record.updates[id]
        if state.status != "InProgress":
            return state
        if left <= 0:
            state = replace(state, status="Failed" if state.errors else "Successful")
        record.updates[id] = (state, left - 1)
        return state if state.status != "InProgress" else replace(state, errors=())
