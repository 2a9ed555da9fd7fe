"""The machines of a node group: EKS's resources in the account for it, its growth and shrinking, its leftovers.

Each machine gets a second interface from the VPC CNI. When a group shrinks, its machines' interfaces are deleted; when the whole
group is deleted, they stay, `available`: a known leak of real clusters.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from emulator.core.actors import AUTO_SCALING
from emulator.eks.clusters.control_plane import delete_interface, detach_interface
from emulator.eks.http.refusals import gone_is_fine, message_of
from emulator.eks.nodegroups.auto_scaling import show_members
from emulator.eks.nodegroups.cni import make_interface
from emulator.eks.nodegroups.launch_templates import template_groups, template_tags
from emulator.eks.state.state import Cluster, Node, Nodegroup
from emulator.eks.state.world import World

_IMAGE = "ami-0e5a1b2c3d4e5f607"


def launch_nodes(world: World, cluster: Cluster, group: Nodegroup, count: int) -> None:
    """Launch this many more machines, spread over the group's subnets."""
    ec2 = world.client("ec2", cluster, AUTO_SCALING)
    subnets = group.described["subnets"]
    for _ in range(count):
        subnet = subnets[len(group.nodes) % len(subnets)]
        group.nodes.append(_launch(world, ec2, cluster, group, subnet))
    show_members(cluster, group)


def retire_nodes(world: World, cluster: Cluster, group: Nodegroup, count: int) -> None:
    """Terminate this many machines, the youngest first, and their interfaces with them."""
    ec2 = world.client("ec2", cluster, AUTO_SCALING)
    for _ in range(count):
        node = group.nodes.pop()
        _terminate(ec2, node)
        delete_interface(ec2, node.cni_interface)
    show_members(cluster, group)


def abandon_nodes(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Terminate all machines of a group that is deleted; the CNI's interfaces stay."""
    ec2 = world.client("ec2", cluster, AUTO_SCALING)
    while group.nodes:
        node = group.nodes.pop()
        detach_interface(ec2, node.cni_interface)
        _terminate(ec2, node)
    show_members(cluster, group)


def replace_lost(world: World, place: tuple[str, str], instance_id: str) -> None:
    """Launch another machine for one that somebody terminated, as the node group's Auto Scaling group does."""
    for cluster, group, node in _nodes(world, place):
        if node.instance_id == instance_id and group.described["status"] in ("ACTIVE", "UPDATING", "DEGRADED"):
            group.nodes.remove(node)
            delete_interface(world.client("ec2", cluster, AUTO_SCALING), node.cni_interface)
            try:
                launch_nodes(world, cluster, group, 1)
            except ClientError as refused:
                message = f"Could not launch On-Demand Instances. {message_of(refused)}"
                group.fail("DEGRADED", "AsgInstanceLaunchFailures", message, [group.made_name])
            return


def _nodes(world: World, place: tuple[str, str]) -> list[tuple[Cluster, Nodegroup, Node]]:
    clusters = [each for each in world.clusters.values() if (each.account, each.region) == place]
    groups = [(cluster, group) for cluster in clusters for group in cluster.nodegroups.values()]
    return [(cluster, group, node) for cluster, group in groups for node in group.nodes]


def _launch(world: World, ec2: Any, cluster: Cluster, group: Nodegroup, subnet: str) -> Node:
    groups = template_groups(group.template) or [cluster.vpc_config["clusterSecurityGroupId"]]
    remote = group.described["resources"].get("remoteAccessSecurityGroup")
    request = {
        "ImageId": group.template.get("ImageId", _IMAGE),
        "InstanceType": group.template.get("InstanceType") or group.described["instanceTypes"][0],
        "SubnetId": subnet,
        "SecurityGroupIds": [*groups, remote] if remote else groups,
        "IamInstanceProfile": {"Name": group.made_name},
        "BlockDeviceMappings": group.template.get("BlockDeviceMappings") or [_root_disk(group)],
        "MinCount": 1,
        "MaxCount": 1,
        "TagSpecifications": [
            _tagged("instance", {**template_tags(group.template, "instance"), **_node_tags(cluster, group)}),
            _tagged("volume", {**template_tags(group.template, "volume"), **_owner_tags(cluster, group)}),
        ],
    }
    key = group.template.get("KeyName") or (group.described.get("remoteAccess") or {}).get("ec2SshKey")
    made = ec2.run_instances(**request, **({"KeyName": key} if key else {}))["Instances"][0]
    interface = make_interface(world, cluster, group, made["InstanceId"], request)
    return Node(made["InstanceId"], _node_name(cluster, made), made["Placement"]["AvailabilityZone"], interface)


def _terminate(ec2: Any, node: Node) -> None:
    with gone_is_fine():
        ec2.terminate_instances(InstanceIds=[node.instance_id])


def _root_disk(group: Nodegroup) -> dict[str, Any]:
    return {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": group.described["diskSize"] or 20, "VolumeType": "gp3"}}


def _node_name(cluster: Cluster, instance: dict[str, Any]) -> str:
    return f"ip-{instance['PrivateIpAddress'].replace('.', '-')}.{cluster.region}.compute.internal"


def _owner_tags(cluster: Cluster, group: Nodegroup) -> dict[str, str]:
    return {"eks:cluster-name": cluster.name, "eks:nodegroup-name": group.name}


def _node_tags(cluster: Cluster, group: Nodegroup) -> dict[str, str]:
    return {
        **_owner_tags(cluster, group),
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
        "aws:autoscaling:groupName": group.made_name,
        "aws:eks:cluster-name": cluster.name,
    }


def _tagged(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    return {"ResourceType": kind, "Tags": _as_list(tags)}


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
