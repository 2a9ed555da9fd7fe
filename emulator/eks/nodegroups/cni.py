"""The VPC CNI on a node: its role for requesting the node's second interface, and that role's permissions.

It has the role of its service account `kube-system/aws-node`, which the Pod Identity agent hands out, or else the node's. A
node whose CNI can make no interface gives pods no addresses, and never becomes Ready.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import yaml

from emulator.core.actors import Actor
from emulator.eks.access.roles import has_policy
from emulator.eks.state.state import Cluster, Nodegroup
from emulator.eks.state.world import World

_POLICY, _ACTION = "AmazonEKS_CNI", "ec2:CreateNetworkInterface"
_POD = ("kube-system", "aws-node")


def can_make_interfaces(world: World, cluster: Cluster, group: Nodegroup) -> bool:
    """Whether the group's nodes have a CNI with a role that has the permissions it needs."""
    role = _own_role(cluster)
    if role and "eks-pod-identity-agent" not in cluster.addons:
        return False
    iam = world.client("iam", cluster)
    role = role or str(group.described["nodeRole"])
    has_cni = cluster.self_managed_addons or "vpc-cni" in cluster.addons
    return has_cni and (has_policy(iam, role, _POLICY) or _has_written(iam, role))


def make_interface(world: World, cluster: Cluster, group: Nodegroup, instance: str, request: dict[str, Any]) -> str:
    """Make and attach the second interface of an instance; "" where the CNI can't."""
    if not can_make_interfaces(world, cluster, group):
        return ""
    ec2 = world.client("ec2", cluster, _actor(cluster, group, instance))
    made = ec2.create_network_interface(
        SubnetId=request["SubnetId"], Groups=request["SecurityGroupIds"], Description=f"aws-K8S-{instance}"
    )
    interface = str(made["NetworkInterface"]["NetworkInterfaceId"])
    ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1)
    tags = {
        **_additional_tags(cluster),
        "node.k8s.amazonaws.com/instance_id": instance,
        "cluster.k8s.amazonaws.com/name": cluster.name,
        "node.k8s.amazonaws.com/createdAt": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eks:eni:owner": "amazon-vpc-cni",
    }
    ec2.create_tags(Resources=[interface], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return interface


def _own_role(cluster: Cluster) -> str:
    known = cluster.pod_identity_associations.values()
    return next((str(one["roleArn"]) for one in known if (one["namespace"], one["serviceAccount"]) == _POD), "")


def _actor(cluster: Cluster, group: Nodegroup, instance: str) -> Actor:
    if own := _own_role(cluster):
        return Actor(own.rpartition("/")[2], f"eks-{cluster.name[:20]}-aws-node-{uuid.uuid4()}"[:64])
    return Actor(str(group.described["nodeRole"]).rpartition("/")[2], instance)


def _additional_tags(cluster: Cluster) -> dict[str, str]:
    settings = yaml.safe_load(cluster.addons.get("vpc-cni", {}).get("configurationValues") or "{}")
    tags: dict[str, str] = json.loads(settings.get("env", {}).get("ADDITIONAL_ENI_TAGS", "{}"))
    return tags


def _has_written(iam: Any, role_arn: str) -> bool:
    name = role_arn.rpartition("/")[2]
    try:
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    except iam.exceptions.NoSuchEntityException:
        return False
    documents = (iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies)
    return any(_ACTION in json.dumps(document) for document in documents)
