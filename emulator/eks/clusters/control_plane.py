"""EKS's resources in the account for a control plane: a security group, interfaces, a log group.

The group and the interfaces are deleted with the cluster. The log group stays, and so does a security group in use.
"""

from __future__ import annotations

import random
from typing import Any

from emulator.eks.http.refusals import gone_is_fine
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import World

_INTERFACES = 2
_AWS_OWN_MACHINE = ""  # The other end is in an account of AWS's, whose id is not shown.


def make_security_group(world: World, cluster: Cluster) -> None:
    """Make the security group that the control plane and its nodes share."""
    cluster.vpc_config["clusterSecurityGroupId"] = _make_security_group(world.client("ec2", cluster), cluster)


def raise_control_plane(world: World, cluster: Cluster) -> None:
    """Make the interfaces and the log group, start the API server, and complete the cluster's description."""
    ec2 = world.client("ec2", cluster)
    for subnet in _interface_subnets(ec2, cluster):
        cluster.interfaces.append(_make_interface(ec2, cluster, subnet))
    issuer = f"https://oidc.eks.{cluster.region}.amazonaws.com/id/{cluster.endpoint_id}"
    cluster.described["identity"] = {"oidc": {"issuer": issuer}}
    _serve_kubernetes(world, cluster)
    if logs_enabled(cluster):
        make_log_group(world, cluster)


def demolish(world: World, cluster: Cluster) -> None:
    """Delete the interfaces, then the group unless something else still uses it."""
    ec2 = world.client("ec2", cluster)
    for interface in cluster.interfaces:
        delete_interface(ec2, interface)
    group = cluster.vpc_config.get("clusterSecurityGroupId")
    if group and not _interfaces_using(ec2, group):
        with gone_is_fine("DependencyViolation"):
            ec2.delete_security_group(GroupId=group)


def logs_enabled(cluster: Cluster) -> bool:
    """Tell whether any control plane log is delivered."""
    return any(setup["enabled"] for setup in cluster.described["logging"]["clusterLogging"])


def log_group_name(cluster: Cluster) -> str:
    """Return the name EKS gives the log group."""
    return f"/aws/eks/{cluster.name}/cluster"


def make_log_group(world: World, cluster: Cluster) -> None:
    """Make the cluster's log group if it is not there."""
    logs = world.client("logs", cluster)
    try:
        logs.create_log_group(logGroupName=log_group_name(cluster))
    except logs.exceptions.ResourceAlreadyExistsException:
        return


def delete_interface(ec2: Any, interface: str) -> None:
    """Detach and delete an interface; a missing one, or "", is ignored."""
    if not interface:
        return
    detach_interface(ec2, interface)
    with gone_is_fine():
        ec2.delete_network_interface(NetworkInterfaceId=interface)


def detach_interface(ec2: Any, interface: str) -> None:
    """Make an interface `available`; a missing one, or "", is ignored."""
    if not interface:
        return
    with gone_is_fine():
        for described in ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]:
            attachment = described.get("Attachment", {}).get("AttachmentId")
            if attachment:
                ec2.detach_network_interface(AttachmentId=attachment, Force=True)


def _serve_kubernetes(world: World, cluster: Cluster) -> None:
    if world.kubernetes is None:
        cluster.described["endpoint"] = f"https://{cluster.endpoint_id}.gr7.{cluster.region}.eks.amazonaws.com"
        cluster.described["certificateAuthority"] = {"data": ""}
        return
    cluster.described["endpoint"] = world.kubernetes.add(cluster)
    cluster.described["certificateAuthority"] = {"data": world.kubernetes.authority_data}


def _make_security_group(ec2: Any, cluster: Cluster) -> str:
    name = f"eks-cluster-sg-{cluster.name}-{random.randrange(10**8, 10**9)}"
    description = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes."
    vpc = cluster.vpc_config["vpcId"]
    group: str = ec2.create_security_group(GroupName=name, Description=description, VpcId=vpc)["GroupId"]
    everyone_in_it = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everyone_in_it])
    owned = f"kubernetes.io/cluster/{cluster.name}"
    tags = {"Name": name, "aws:eks:cluster-name": cluster.name, owned: "owned"}
    ec2.create_tags(Resources=[group], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return group


def _interface_subnets(ec2: Any, cluster: Cluster) -> list[str]:
    subnets = ec2.describe_subnets(SubnetIds=cluster.vpc_config["subnetIds"])["Subnets"]
    one_a_zone = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in reversed(subnets)}
    return sorted(one_a_zone.values())[:_INTERFACES]


def _make_interface(ec2: Any, cluster: Cluster, subnet: str) -> str:
    groups = [cluster.vpc_config["clusterSecurityGroupId"], *cluster.vpc_config["securityGroupIds"]]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=groups, Description=f"Amazon EKS {cluster.name}")
    interface = str(made["NetworkInterface"]["NetworkInterfaceId"])
    ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=_AWS_OWN_MACHINE, DeviceIndex=1)
    return interface


def _interfaces_using(ec2: Any, group: str) -> list[str]:
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    using = [each for each in interfaces if any(one["GroupId"] == group for one in each.get("Groups", []))]
    return [each["NetworkInterfaceId"] for each in using]
