"""EKS's resources for a node group besides its machines; they are deleted with it.

An Auto Scaling group, a launch template and an instance profile, all of one name, and for remote access a security group with
port 22.
"""

from __future__ import annotations

from typing import Any

from emulator.core.actors import EKS_NODEGROUP
from emulator.eks.http.refusals import gone_is_fine
from emulator.eks.state.state import Cluster, Nodegroup
from emulator.eks.state.world import World


def furnish(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Create these resources and list them in the description's `resources`."""
    _make_instance_profile(world.client("iam", cluster, EKS_NODEGROUP), group)
    if group.described["remoteAccess"]:
        security_group = _make_remote_access_group(world.client("ec2", cluster, EKS_NODEGROUP), cluster, group)
        group.described["resources"]["remoteAccessSecurityGroup"] = security_group
    _make_launch_template(world.client("ec2", cluster, EKS_NODEGROUP), group)
    _make_auto_scaling_group(world.client("autoscaling", cluster, EKS_NODEGROUP), cluster, group)
    group.described["resources"]["autoScalingGroups"] = [{"name": group.made_name}]


def resize(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Give the Auto Scaling group the sizes in the description."""
    sizes = group.described["scalingConfig"]
    world.client("autoscaling", cluster, EKS_NODEGROUP).update_auto_scaling_group(
        AutoScalingGroupName=group.made_name,
        MinSize=sizes["minSize"],
        MaxSize=sizes["maxSize"],
        DesiredCapacity=sizes["desiredSize"],
    )


def unfurnish(world: World, cluster: Cluster, group: Nodegroup) -> None:
    """Delete the resources that `furnish` created, as far as it came; a security group that is still in use stays."""
    ec2, iam = world.client("ec2", cluster, EKS_NODEGROUP), world.client("iam", cluster, EKS_NODEGROUP)
    with gone_is_fine():
        world.client("autoscaling", cluster, EKS_NODEGROUP).delete_auto_scaling_group(
            AutoScalingGroupName=group.made_name, ForceDelete=True
        )
    with gone_is_fine():
        ec2.delete_launch_template(LaunchTemplateName=group.made_name)
    with gone_is_fine():
        iam.remove_role_from_instance_profile(InstanceProfileName=group.made_name, RoleName=_role_name(group))
    with gone_is_fine():
        iam.delete_instance_profile(InstanceProfileName=group.made_name)
    remote = group.described["resources"].get("remoteAccessSecurityGroup")
    if remote:
        with gone_is_fine("DependencyViolation"):
            ec2.delete_security_group(GroupId=remote)


def _make_instance_profile(iam: Any, group: Nodegroup) -> None:
    iam.create_instance_profile(InstanceProfileName=group.made_name)
    iam.add_role_to_instance_profile(InstanceProfileName=group.made_name, RoleName=_role_name(group))


def _make_remote_access_group(ec2: Any, cluster: Cluster, group: Nodegroup) -> str:
    made: str = ec2.create_security_group(
        GroupName=f"eks-remoteAccess-{group.id}",
        Description="Security group for all nodes in the nodeGroup to allow SSH access",
        VpcId=cluster.vpc_config["vpcId"],
    )["GroupId"]
    sources = group.described["remoteAccess"].get("sourceSecurityGroups", [])
    pairs = {"UserIdGroupPairs": [{"GroupId": source} for source in sources]}
    anywhere = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **(pairs if sources else anywhere)}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[ssh])
    tags = {"eks": group.name, "eks:cluster-name": cluster.name, "eks:nodegroup-name": group.name}
    ec2.create_tags(Resources=[made], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return made


def _make_launch_template(ec2: Any, group: Nodegroup) -> None:
    data = {"InstanceType": (group.described["instanceTypes"] or [group.template.get("InstanceType")])[0]}
    ec2.create_launch_template(LaunchTemplateName=group.made_name, LaunchTemplateData=data)


def _make_auto_scaling_group(autoscaling: Any, cluster: Cluster, group: Nodegroup) -> None:
    sizes = group.described["scalingConfig"]
    tags = {
        "eks:cluster-name": cluster.name,
        "eks:nodegroup-name": group.name,
        f"kubernetes.io/cluster/{cluster.name}": "owned",
    }
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group.made_name,
        LaunchTemplate={"LaunchTemplateName": group.made_name, "Version": "$Latest"},
        MinSize=sizes["minSize"],
        MaxSize=sizes["maxSize"],
        DesiredCapacity=sizes["desiredSize"],
        VPCZoneIdentifier=",".join(group.described["subnets"]),
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
    )


def _role_name(group: Nodegroup) -> str:
    return str(group.described["nodeRole"].split("/")[-1])
