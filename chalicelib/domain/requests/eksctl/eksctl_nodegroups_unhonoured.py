"""The fields of eksctl's node groups that a lab knows but does not honour, and what to do instead.

One table for `managedNodeGroups` and `nodeGroups`; each of the two has a few fields that the other does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.requests.eksctl.reader import Unhonoured
from chalicelib.domain.requests.eksctl.unsupported_fields import refused, warned

_BOOT = "Nodes boot as EKS sets them up: leave it out, and change them with a DaemonSet once the lab is ready."
_NO_RIGHTS = (
    "A lab makes its own node role and adds no rights to it: every pod on the node would have them. Leave it out."
)
_BALANCERS = "Node groups are not put behind load balancers: make a Service of type LoadBalancer instead."
_POD_IDENTITY = (
    "No rights are put on the node role: give iam.podIdentityAssociations with a roleARN under /ekslab/ instead."
)
_FIXED_GROUPS = "Every node group of a lab has the same security groups."
_VOLUME = "Volumes are gp3 with EC2's default speed."
_ASG = "The Auto Scaling group belongs to EKS and keeps its own settings."

_BOTH: Mapping[str, Unhonoured] = {
    "additionalVolumes": refused("Nodes have one volume: give volumeSize, or a PersistentVolumeClaim, instead."),
    "ami": refused(
        "Custom AMIs are not supported: leave it out, and EKS's own image is taken.", "auto", "auto-ssm", ""
    ),
    "asgSuspendProcesses": warned(_ASG),
    "availabilityZones": warned(
        "Nodes may start in any zone of the lab: give availabilityZones of the cluster instead."
    ),
    "bottlerocket": refused("Only amiFamily AmazonLinux2023 is supported. Leave it out."),
    "capacityReservation": refused("Capacity reservations are not used. Leave it out."),
    "disableIMDSv1": refused("The old metadata service (IMDSv1) is always off. Leave it out, or write true.", True),
    "disablePodIMDS": refused("Pods may reach the instance metadata in a lab. Leave it out."),
    "ebsOptimized": warned("Current instance types are EBS-optimised by themselves."),
    "efaEnabled": refused("Elastic Fabric Adapters are not supported. Leave it out."),
    "enableDetailedMonitoring": warned("Instances have EC2's basic monitoring."),
    "instanceMarketOptions": refused("Capacity blocks are not supported: for spot instances write `spot: true`."),
    "instanceName": warned("Instances are named after the lab and the node group."),
    "instancePrefix": warned("Instances are named after the lab and the node group."),
    "instanceSelector": refused("Instances are not chosen for you: give instanceType or instanceTypes."),
    "maxPodsPerNode": refused("Nodes take as many pods as EKS allows for their type. Leave it out."),
    "outpostARN": refused("Outposts are not supported. Leave it out."),
    "overrideBootstrapCommand": refused(_BOOT),
    "placement": refused("Placement groups are not supported. Leave it out."),
    "preBootstrapCommands": refused(_BOOT),
    "propagateASGTags": warned(_ASG),
    "subnets": refused(
        "A node group takes the lab's public or private subnets: give vpc.subnets and privateNetworking instead."
    ),
    "updateConfig": warned("It concerns version updates, which a lab does not make."),
    "volumeEncrypted": refused("Volumes are encrypted only if the account does so by default. Leave it out."),
    "volumeIOPS": warned(_VOLUME),
    "volumeKmsKeyID": refused("A KMS key of your own is not used. Leave it out."),
    "volumeName": warned("The root volume has EKS's device name."),
    "volumeThroughput": warned(_VOLUME),
    "volumeType": warned(_VOLUME, "gp3", ""),
}

MANAGED: Mapping[str, Unhonoured] = {
    **_BOTH,
    "launchTemplate": refused(
        "A lab makes its own launch templates: give instanceType, volumeSize and ssh here instead."
    ),
    "nodeRepairConfig": warned("Automatic node repair is not set up for a lab.", {"enabled": False}, {}),
    "releaseVersion": refused("Nodes take the newest image for the cluster's version. Leave it out."),
}

UNMANAGED: Mapping[str, Unhonoured] = {
    **_BOTH,
    "asgMetricsCollection": warned(_ASG),
    "classicLoadBalancerNames": refused(_BALANCERS),
    "clusterDNS": refused(_BOOT),
    "containerRuntime": refused("Only containerd is supported.", "containerd", ""),
    "cpuCredits": warned("Instances keep EC2's default for CPU credits."),
    "enclaveEnabled": refused("Nitro enclaves are not supported. Leave it out."),
    "kubeletExtraConfig": refused(_BOOT),
    "localZones": refused("Local zones are not supported. Leave it out."),
    "maxInstanceLifetime": warned(_ASG),
    "targetGroupARNs": refused(_BALANCERS),
}

SECURITY_GROUPS: Mapping[str, Unhonoured] = {
    "attachIDs": refused("A lab makes its own security groups and attaches no others. Leave it out."),
    "withLocal": warned(_FIXED_GROUPS, True),
    "withShared": warned(_FIXED_GROUPS, True),
}

SSH: Mapping[str, Unhonoured] = {
    "publicKeyPath": refused(
        "This path is on your machine: put the key's text in ssh.publicKey, or an EC2 key name in ssh.publicKeyName."
    ),
    "sourceSecurityGroupIds": refused("Port 22 is opened for addresses, not for security groups. Leave it out."),
}

NODE_IAM: Mapping[str, Unhonoured] = {
    "attachPolicy": refused(_NO_RIGHTS),
    "instanceProfileARN": refused(_NO_RIGHTS),
    "instanceRoleARN": refused(_NO_RIGHTS),
    "instanceRoleName": refused(_NO_RIGHTS),
    "instanceRolePermissionsBoundary": refused(_NO_RIGHTS),
}

ADDON_POLICIES: Mapping[str, Unhonoured] = {
    "albIngress": refused(_POD_IDENTITY),
    "appMesh": refused(_POD_IDENTITY),
    "appMeshPreview": refused(_POD_IDENTITY),
    "autoScaler": refused(_POD_IDENTITY),
    "awsLoadBalancerController": refused(_POD_IDENTITY),
    "certManager": refused(_POD_IDENTITY),
    "cloudWatch": refused(_POD_IDENTITY),
    "ebs": warned("Not put on the node role: list aws-ebs-csi-driver under addons, and it gets a role of its own."),
    "efs": refused(_POD_IDENTITY),
    "externalDNS": warned(
        "Not put on the node role, where every pod would have it: ask with ekslab's own body, `externalDns` with a hosted zone."
    ),
    "fsx": refused(_POD_IDENTITY),
    "imageBuilder": refused(_POD_IDENTITY),
    "xRay": refused(_POD_IDENTITY),
}

SPOT: Mapping[str, Unhonoured] = {
    "capacityRebalance": warned("EKS always rebalances spot node groups."),
    "maxPrice": warned("EKS pays at most the on-demand price; a lower limit can't be set."),
    "onDemandBaseCapacity": warned("A managed node group is all spot or all on-demand: this one is all spot."),
    "spotAllocationStrategy": warned("EKS chooses the allocation strategy of spot node groups itself."),
    "spotInstancePools": warned("EKS chooses the pools of spot node groups itself."),
}
