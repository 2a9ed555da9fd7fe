"""The members of a node group's Auto Scaling group.

The emulator's Auto Scaling launches nothing and makes up instance ids; here the group gets the machines it has.
There is no call for that, so this file writes into the emulator's records.
"""

from __future__ import annotations

from emulator.eks.state.state import Cluster, Nodegroup


def show_members(cluster: Cluster, group: Nodegroup) -> None:
    """Make DescribeAutoScalingGroups show the node group's machines."""
    from ministack.services import autoscaling

    record = autoscaling._asgs.get_scoped(cluster.account, cluster.region, group.made_name)
    if record is None:
        return
    record["Instances"] = [
        {
            "InstanceId": node.instance_id,
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "AvailabilityZone": node.zone,
            "ProtectedFromScaleIn": False,
            "LaunchTemplate": record["LaunchTemplate"],
            "LaunchConfigurationName": "",
        }
        for node in group.nodes
    ]
