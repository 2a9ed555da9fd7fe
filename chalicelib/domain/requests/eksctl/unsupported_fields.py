"""The fields of eksctl's ClusterConfig v1alpha5 that a lab does not honour, section by section, with the alternative.

Refused: the lab would differ from the file. Warned: the lab works without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.sentence import Sentence, sentence
from chalicelib.domain.errors.findings import Level
from chalicelib.domain.requests.eksctl.reader import UnsupportedField

_OFF: tuple[object, ...] = (False, None, {}, {"enabled": False})
_NO_ROLES = Sentence(
    "A lab makes its own roles and takes none with rights you name: a learner must not gain rights by it. Leave it out."
)
_IPV4 = Sentence("Labs are IPv4 only. Leave it out.")
_BOOT = Sentence(
    "Nodes boot as EKS sets them up: leave it out, and change them with a DaemonSet once the lab is ready."
)
_FIXED_GROUPS = Sentence("Every node group of a lab has the same security groups.")
_VOLUME = Sentence("Volumes are gp3 with EC2's default speed.")
_ASG = Sentence("The Auto Scaling group belongs to EKS and keeps its own settings.")


def refused(message: str, *harmless: object) -> UnsupportedField:
    """A field that refuses the request unless its value is empty, off or one of `harmless`."""
    return UnsupportedField(Level.ERROR, sentence(message), harmless)


def warned(message: str, *harmless: object) -> UnsupportedField:
    """A field that is ignored with a warning unless its value is empty, off or one of `harmless`."""
    return UnsupportedField(Level.WARNING, sentence(message), harmless)


CLUSTER: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(
        ("kubeAPIServerConfig", "kubeControllerManagerConfig", "kubeSchedulerConfig"),
        refused("A lab's control plane keeps EKS's own settings. Leave it out."),
    ),
    "autoModeConfig": refused("Auto Mode is not supported: give managedNodeGroups instead.", *_OFF),
    "capabilities": refused("EKS capabilities are not supported: install the tool into the running lab instead."),
    "controlPlaneScalingConfig": refused(
        "Larger control planes are not offered. Leave it out.", {}, {"tier": "standard"}
    ),
    "fargateProfiles": refused("Fargate is not supported: give managedNodeGroups instead."),
    "gitops": refused("GitOps is not set up by a lab: run `flux bootstrap` on it once it is ready."),
    "iamIdentityMappings": refused("The aws-auth ConfigMap is not used: give accessConfig.accessEntries instead."),
    "identityProviders": refused("OIDC identity providers are not supported: give accessConfig.accessEntries instead."),
    "karpenter": refused(
        "Karpenter is not installed by a lab: give managedNodeGroups, and install it once the lab is ready."
    ),
    "localZones": refused("Local zones are not supported: leave it out, and the lab takes ordinary zones."),
    "outpost": refused("Outposts are not supported: leave it out, and the lab runs in its region."),
    "privateCluster": refused(
        "Fully private clusters are not supported: give vpc.clusterEndpoints with publicAccess false instead.", *_OFF
    ),
    "remoteNetworkConfig": refused("Hybrid nodes are not supported: give managedNodeGroups instead."),
    "secretsEncryption": refused("A KMS key of your own is not used: EKS encrypts secrets with its own. Leave it out."),
    "zonalShiftConfig": warned("Zonal shift is not set up for a lab.", *_OFF),
}

METADATA: Mapping[str, UnsupportedField] = {
    "annotations": warned("Annotations have no meaning for a lab, as for eksctl. Use metadata.tags to label it."),
    "forceUpdateVersion": warned("It concerns version updates, which a lab does not make."),
    "rollbackConfig": warned("It concerns version updates, which a lab does not make."),
}

KUBERNETES_NETWORK: Mapping[str, UnsupportedField] = {
    "ipFamily": refused("Labs are IPv4 only: leave it out, or write IPv4.", "IPv4", "ipv4", ""),
    "serviceIPv4CIDR": refused("EKS picks the range of Service addresses. Leave it out."),
    "serviceIPv6CIDR": refused(_IPV4),
}

VPC: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(("autoAllocateIPv6", "extraIPv6CIDRs", "ipv6Cidr", "ipv6Pool"), refused(_IPV4)),
    **dict.fromkeys(
        ("controlPlaneSecurityGroupIDs", "securityGroup", "sharedNodeSecurityGroup"),
        refused("A lab makes its own security groups. Leave it out."),
    ),
    "controlPlaneEgressMode": refused("Only AWS_MANAGED is supported.", "AWS_MANAGED", ""),
    "controlPlaneOnPrivateSubnets": refused("The control plane uses all subnets of the lab. Leave it out."),
    "controlPlaneSubnetIDs": refused("The control plane uses all subnets of the lab: give vpc.subnets instead."),
    "extraCIDRs": refused("A lab's network has one range: give it in vpc.cidr."),
    "hostnameType": warned("Instances keep EC2's default host names."),
    "manageSharedNodeSecurityGroupRules": warned("A lab always makes these rules.", True),
}

IAM: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(("serviceRoleARN", "serviceRolePermissionsBoundary"), refused(_NO_ROLES)),
    "fargatePodExecutionRoleARN": refused("Fargate is not supported. Leave it out."),
    "fargatePodExecutionRolePermissionsBoundary": refused("Fargate is not supported. Leave it out."),
    "serviceAccounts": refused(
        "Roles for service accounts (IRSA) are not made: give iam.podIdentityAssociations with a roleARN "
        "under /ekslab/ instead."
    ),
    "vpcResourceControllerPolicy": warned("The cluster role always has AmazonEKSVPCResourceController.", True),
    "withOIDC": warned("No IAM OIDC provider is made: Pod Identity gives pods their rights in a lab."),
}

POD_IDENTITY: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(
        ("permissionPolicy", "permissionPolicyARNs", "permissionPolicyName", "permissionsBoundaryARN", "roleName"),
        refused(_NO_ROLES),
    ),
    "createServiceAccount": warned(
        "Service accounts are not made: make it with kubectl; the association waits for it."
    ),
    "disableSessionTags": refused("Session tags stay on: a lab's roles may depend on them. Leave it out."),
    "policy": refused("Narrowing policies need session tags off. Leave it out, and narrow the role itself."),
    "tags": warned("Associations carry the lab's tags only."),
    "targetRoleARN": refused("Roles of other accounts are not assumed for you. Leave it out."),
    "wellKnownPolicies": refused(
        "Only the add-ons aws-ebs-csi-driver and external-dns get a role of their own: list them under addons instead."
    ),
}

ADDON: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(("attachPolicy", "permissionsBoundary", "serviceAccountRoleARN"), refused(_NO_ROLES)),
    "namespaceConfig": refused("Add-ons are installed in their default namespace. Leave it out."),
    "owners": warned("It chooses among what `eksctl utils` lists; the add-on's name is enough."),
    "podIdentityAssociations": refused(
        "Only aws-ebs-csi-driver and external-dns get a role, made by the lab. For others give "
        "iam.podIdentityAssociations."
    ),
    "publishers": warned("It chooses among what `eksctl utils` lists; the add-on's name is enough."),
    "resolveConflicts": warned(
        "On a new cluster there is nothing to conflict with: the add-on's own values are taken."
    ),
    "types": warned("It chooses among what `eksctl utils` lists; the add-on's name is enough."),
    "useDefaultPodIdentityAssociations": warned(
        "Only aws-ebs-csi-driver and external-dns get a role of their own, always."
    ),
}

LOGGING: Mapping[str, UnsupportedField] = {
    "logRetentionInDays": warned("The log group lives as long as the lab and is deleted with it."),
}

ADDONS_CONFIG: Mapping[str, UnsupportedField] = {
    "autoApplyPodIdentityAssociations": warned(
        "Only aws-ebs-csi-driver and external-dns get a role of their own, always."
    ),
}

ACCESS_ENTRY: Mapping[str, UnsupportedField] = {
    "kubernetesUsername": refused("EKS names the user itself, so that nobody can pose as another. Leave it out."),
}


_BOTH: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(("asgSuspendProcesses", "propagateASGTags"), warned(_ASG)),
    **dict.fromkeys(("overrideBootstrapCommand", "preBootstrapCommands"), refused(_BOOT)),
    **dict.fromkeys(("volumeIOPS", "volumeThroughput"), warned(_VOLUME)),
    "additionalVolumes": refused("Nodes have one volume: give volumeSize, or a PersistentVolumeClaim, instead."),
    "ami": refused(
        "Custom AMIs are not supported: leave it out, and EKS's own image is taken.", "auto", "auto-ssm", ""
    ),
    "availabilityZones": warned(
        "Nodes may start in any zone of the lab: give availabilityZones of the cluster instead."
    ),
    "bottlerocket": refused("Only amiFamily AmazonLinux2023 is supported. Leave it out."),
    "capacityReservation": refused("Capacity reservations are not used. Leave it out."),
    "disableIMDSv1": refused("The old metadata service (IMDSv1) is always off. Leave it out, or write true.", True),
    "ebsOptimized": warned("Current instance types are EBS-optimised by themselves."),
    "efaEnabled": refused("Elastic Fabric Adapters are not supported. Leave it out."),
    "enableDetailedMonitoring": warned("Instances have EC2's basic monitoring."),
    "instanceMarketOptions": refused("Capacity blocks are not supported: for spot instances write `spot: true`."),
    "instanceName": warned("Instances are named after the lab and the node group."),
    "instancePrefix": warned("Instances are named after the lab and the node group."),
    "instanceSelector": refused("Instances are not chosen for you: give instanceType or instanceTypes."),
    "maxPodsPerNode": refused("Nodes take as many pods as EKS allows for their type. Leave it out."),
    "outpostARN": refused("Outposts are not supported. Leave it out."),
    "placement": refused("Placement groups are not supported. Leave it out."),
    "subnets": refused(
        "A node group takes the lab's public or private subnets: give vpc.subnets and privateNetworking instead."
    ),
    "updateConfig": warned("It concerns version updates, which a lab does not make."),
    "volumeEncrypted": refused("Volumes are encrypted only if the account does so by default. Leave it out."),
    "volumeKmsKeyID": refused("A KMS key of your own is not used. Leave it out."),
    "volumeName": warned("The root volume has EKS's device name."),
    "volumeType": warned(_VOLUME, "gp3", ""),
}
MANAGED: Mapping[str, UnsupportedField] = {
    **_BOTH,
    "launchTemplate": refused(
        "A lab makes its own launch templates: give instanceType, volumeSize and ssh here instead."
    ),
    "nodeRepairConfig": warned("Automatic node repair is not set up for a lab.", {"enabled": False}, {}),
    "releaseVersion": refused("Nodes take the newest image for the cluster's version. Leave it out."),
}
UNMANAGED: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(("asgMetricsCollection", "maxInstanceLifetime"), warned(_ASG)),
    **dict.fromkeys(
        ("classicLoadBalancerNames", "targetGroupARNs"),
        refused("Node groups are not put behind load balancers: make a Service of type LoadBalancer instead."),
    ),
    **dict.fromkeys(("clusterDNS", "kubeletExtraConfig"), refused(_BOOT)),
    **_BOTH,
    "containerRuntime": refused("Only containerd is supported.", "containerd", ""),
    "cpuCredits": warned("Instances keep EC2's default for CPU credits."),
    "enclaveEnabled": refused("Nitro enclaves are not supported. Leave it out."),
    "localZones": refused("Local zones are not supported. Leave it out."),
}
SECURITY_GROUPS: Mapping[str, UnsupportedField] = {
    "attachIDs": refused("A lab makes its own security groups and attaches no others. Leave it out."),
    "withLocal": warned(_FIXED_GROUPS, True),
    "withShared": warned(_FIXED_GROUPS, True),
}
SSH: Mapping[str, UnsupportedField] = {
    "publicKeyPath": refused(
        "This path is on your machine: put the key's text in ssh.publicKey, or an EC2 key name in ssh.publicKeyName."
    ),
    "sourceSecurityGroupIds": refused("Port 22 is opened for addresses, not for security groups. Leave it out."),
}
NODE_IAM: Mapping[str, UnsupportedField] = dict.fromkeys(
    (
        *("attachPolicy", "instanceProfileARN", "instanceRoleARN"),
        *("instanceRoleName", "instanceRolePermissionsBoundary"),
    ),
    refused(
        "A lab makes its own node role and adds no rights to it: every pod on the node would have them. Leave it out."
    ),
)
ADDON_POLICIES: Mapping[str, UnsupportedField] = {
    **dict.fromkeys(
        (
            *("albIngress", "appMesh", "appMeshPreview", "autoScaler", "awsLoadBalancerController", "certManager"),
            *("cloudWatch", "efs", "fsx", "imageBuilder", "xRay"),
        ),
        refused(
            "No rights are put on the node role: give iam.podIdentityAssociations with a roleARN under /ekslab/ instead."
        ),
    ),
    "ebs": warned("Not put on the node role: list aws-ebs-csi-driver under addons, and it gets a role of its own."),
    "externalDNS": warned(
        "Not put on the node role, where every pod would have it: ask with ekslab's own body, "
        "`externalDns` with a hosted zone."
    ),
}
SPOT: Mapping[str, UnsupportedField] = {
    "capacityRebalance": warned("EKS always rebalances spot node groups."),
    "maxPrice": warned("EKS pays at most the on-demand price; a lower limit can't be set."),
    "onDemandBaseCapacity": warned("A managed node group is all spot or all on-demand: this one is all spot."),
    "spotAllocationStrategy": warned("EKS chooses the allocation strategy of spot node groups itself."),
    "spotInstancePools": warned("EKS chooses the pools of spot node groups itself."),
}
