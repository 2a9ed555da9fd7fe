"""The fields of eksctl's ClusterConfig v1alpha5 that a lab does not honour, section by section, with the alternative.

Refused: the lab would differ from the file. Warned: the lab works without it. Node groups: eksctl_nodegroups_unhonoured.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Level
from chalicelib.domain.requests.eksctl.reader import UnsupportedField

_OFF: tuple[object, ...] = (False, None, {}, {"enabled": False})
_NO_ROLES = Sentence(
    "A lab makes its own roles and takes none with rights you name: a learner must not gain rights by it. Leave it out."
)
_OWN_GROUPS = Sentence("A lab makes its own security groups. Leave it out.")
_IPV4 = Sentence("Labs are IPv4 only. Leave it out.")
_CONTROL_PLANE = Sentence("A lab's control plane keeps EKS's own settings. Leave it out.")
_BOOT = Sentence(
    "Nodes boot as EKS sets them up: leave it out, and change them with a DaemonSet once the lab is ready."
)
_NO_RIGHTS = Sentence(
    "A lab makes its own node role and adds no rights to it: every pod on the node would have them. Leave it out."
)
_BALANCERS = Sentence("Node groups are not put behind load balancers: make a Service of type LoadBalancer instead.")
_POD_IDENTITY = Sentence(
    "No rights are put on the node role: give iam.podIdentityAssociations with a roleARN under /ekslab/ instead."
)
_FIXED_GROUPS = Sentence("Every node group of a lab has the same security groups.")
_VOLUME = Sentence("Volumes are gp3 with EC2's default speed.")
_ASG = Sentence("The Auto Scaling group belongs to EKS and keeps its own settings.")


def refused(message: str, *harmless: object) -> UnsupportedField:
    """A field that refuses the request unless its value is empty, off or one of `harmless`."""
    return UnsupportedField(Level.ERROR, message, harmless)


def warned(message: str, *harmless: object) -> UnsupportedField:
    """A field that is ignored with a warning unless its value is empty, off or one of `harmless`."""
    return UnsupportedField(Level.WARNING, message, harmless)


CLUSTER: Mapping[str, UnsupportedField] = {
    "autoModeConfig": refused(Sentence("Auto Mode is not supported: give managedNodeGroups instead."), *_OFF),
    "capabilities": refused(
        Sentence("EKS capabilities are not supported: install the tool into the running lab instead.")
    ),
    "controlPlaneScalingConfig": refused(
        Sentence("Larger control planes are not offered. Leave it out."), {}, {"tier": "standard"}
    ),
    "fargateProfiles": refused(Sentence("Fargate is not supported: give managedNodeGroups instead.")),
    "gitops": refused(Sentence("GitOps is not set up by a lab: run `flux bootstrap` on it once it is ready.")),
    "iamIdentityMappings": refused(
        Sentence("The aws-auth ConfigMap is not used: give accessConfig.accessEntries instead.")
    ),
    "identityProviders": refused(
        Sentence("OIDC identity providers are not supported: give accessConfig.accessEntries instead.")
    ),
    "karpenter": refused(
        Sentence("Karpenter is not installed by a lab: give managedNodeGroups, and install it once the lab is ready.")
    ),
    "kubeAPIServerConfig": refused(_CONTROL_PLANE),
    "kubeControllerManagerConfig": refused(_CONTROL_PLANE),
    "kubeSchedulerConfig": refused(_CONTROL_PLANE),
    "localZones": refused(Sentence("Local zones are not supported: leave it out, and the lab takes ordinary zones.")),
    "outpost": refused(Sentence("Outposts are not supported: leave it out, and the lab runs in its region.")),
    "privateCluster": refused(
        Sentence(
            "Fully private clusters are not supported: give vpc.clusterEndpoints with publicAccess false instead."
        ),
        *_OFF,
    ),
    "remoteNetworkConfig": refused(Sentence("Hybrid nodes are not supported: give managedNodeGroups instead.")),
    "secretsEncryption": refused(
        Sentence("A KMS key of your own is not used: EKS encrypts secrets with its own. Leave it out.")
    ),
    "zonalShiftConfig": warned(Sentence("Zonal shift is not set up for a lab."), *_OFF),
}

METADATA: Mapping[str, UnsupportedField] = {
    "annotations": warned(
        Sentence("Annotations have no meaning for a lab, as for eksctl. Use metadata.tags to label it.")
    ),
    "forceUpdateVersion": warned(Sentence("It concerns version updates, which a lab does not make.")),
    "rollbackConfig": warned(Sentence("It concerns version updates, which a lab does not make.")),
}

KUBERNETES_NETWORK: Mapping[str, UnsupportedField] = {
    "ipFamily": refused(Sentence("Labs are IPv4 only: leave it out, or write IPv4."), "IPv4", "ipv4", ""),
    "serviceIPv4CIDR": refused(Sentence("EKS picks the range of Service addresses. Leave it out.")),
    "serviceIPv6CIDR": refused(_IPV4),
}

VPC: Mapping[str, UnsupportedField] = {
    "autoAllocateIPv6": refused(_IPV4),
    "controlPlaneEgressMode": refused(Sentence("Only AWS_MANAGED is supported."), "AWS_MANAGED", ""),
    "controlPlaneOnPrivateSubnets": refused(Sentence("The control plane uses all subnets of the lab. Leave it out.")),
    "controlPlaneSecurityGroupIDs": refused(_OWN_GROUPS),
    "controlPlaneSubnetIDs": refused(
        Sentence("The control plane uses all subnets of the lab: give vpc.subnets instead.")
    ),
    "extraCIDRs": refused(Sentence("A lab's network has one range: give it in vpc.cidr.")),
    "extraIPv6CIDRs": refused(_IPV4),
    "hostnameType": warned(Sentence("Instances keep EC2's default host names.")),
    "ipv6Cidr": refused(_IPV4),
    "ipv6Pool": refused(_IPV4),
    "manageSharedNodeSecurityGroupRules": warned(Sentence("A lab always makes these rules."), True),
    "securityGroup": refused(_OWN_GROUPS),
    "sharedNodeSecurityGroup": refused(_OWN_GROUPS),
}

IAM: Mapping[str, UnsupportedField] = {
    "fargatePodExecutionRoleARN": refused(Sentence("Fargate is not supported. Leave it out.")),
    "fargatePodExecutionRolePermissionsBoundary": refused(Sentence("Fargate is not supported. Leave it out.")),
    "serviceAccounts": refused(
        Sentence(
            "Roles for service accounts (IRSA) are not made: give iam.podIdentityAssociations with a roleARN "
            "under /ekslab/ instead."
        )
    ),
    "serviceRoleARN": refused(_NO_ROLES),
    "serviceRolePermissionsBoundary": refused(_NO_ROLES),
    "vpcResourceControllerPolicy": warned(
        Sentence("The cluster role always has AmazonEKSVPCResourceController."), True
    ),
    "withOIDC": warned(Sentence("No IAM OIDC provider is made: Pod Identity gives pods their rights in a lab.")),
}

POD_IDENTITY: Mapping[str, UnsupportedField] = {
    "createServiceAccount": warned(
        Sentence("Service accounts are not made: make it with kubectl; the association waits for it.")
    ),
    "disableSessionTags": refused(Sentence("Session tags stay on: a lab's roles may depend on them. Leave it out.")),
    "permissionPolicy": refused(_NO_ROLES),
    "permissionPolicyARNs": refused(_NO_ROLES),
    "permissionPolicyName": refused(_NO_ROLES),
    "permissionsBoundaryARN": refused(_NO_ROLES),
    "policy": refused(Sentence("Narrowing policies need session tags off. Leave it out, and narrow the role itself.")),
    "roleName": refused(_NO_ROLES),
    "tags": warned(Sentence("Associations carry the lab's tags only.")),
    "targetRoleARN": refused(Sentence("Roles of other accounts are not assumed for you. Leave it out.")),
    "wellKnownPolicies": refused(
        Sentence(
            "Only the add-ons aws-ebs-csi-driver and external-dns get a role of their own: list them under "
            "addons instead."
        )
    ),
}

ADDON: Mapping[str, UnsupportedField] = {
    "attachPolicy": refused(_NO_ROLES),
    "namespaceConfig": refused(Sentence("Add-ons are installed in their default namespace. Leave it out.")),
    "owners": warned(Sentence("It chooses among what `eksctl utils` lists; the add-on's name is enough.")),
    "permissionsBoundary": refused(_NO_ROLES),
    "podIdentityAssociations": refused(
        Sentence(
            "Only aws-ebs-csi-driver and external-dns get a role, made by the lab. For others give "
            "iam.podIdentityAssociations."
        )
    ),
    "publishers": warned(Sentence("It chooses among what `eksctl utils` lists; the add-on's name is enough.")),
    "resolveConflicts": warned(
        Sentence("On a new cluster there is nothing to conflict with: the add-on's own values are taken.")
    ),
    "serviceAccountRoleARN": refused(_NO_ROLES),
    "types": warned(Sentence("It chooses among what `eksctl utils` lists; the add-on's name is enough.")),
    "useDefaultPodIdentityAssociations": warned(
        Sentence("Only aws-ebs-csi-driver and external-dns get a role of their own, always.")
    ),
}

LOGGING: Mapping[str, UnsupportedField] = {
    "logRetentionInDays": warned(Sentence("The log group lives as long as the lab and is deleted with it.")),
}

ADDONS_CONFIG: Mapping[str, UnsupportedField] = {
    "autoApplyPodIdentityAssociations": warned(
        Sentence("Only aws-ebs-csi-driver and external-dns get a role of their own, always.")
    ),
}

ACCESS_ENTRY: Mapping[str, UnsupportedField] = {
    "kubernetesUsername": refused(
        Sentence("EKS names the user itself, so that nobody can pose as another. Leave it out.")
    ),
}


_BOTH: Mapping[str, UnsupportedField] = {
    "additionalVolumes": refused(
        Sentence("Nodes have one volume: give volumeSize, or a PersistentVolumeClaim, instead.")
    ),
    "ami": refused(
        Sentence("Custom AMIs are not supported: leave it out, and EKS's own image is taken."), "auto", "auto-ssm", ""
    ),
    "asgSuspendProcesses": warned(_ASG),
    "availabilityZones": warned(
        Sentence("Nodes may start in any zone of the lab: give availabilityZones of the cluster instead.")
    ),
    "bottlerocket": refused(Sentence("Only amiFamily AmazonLinux2023 is supported. Leave it out.")),
    "capacityReservation": refused(Sentence("Capacity reservations are not used. Leave it out.")),
    "disableIMDSv1": refused(
        Sentence("The old metadata service (IMDSv1) is always off. Leave it out, or write true."), True
    ),
    "ebsOptimized": warned(Sentence("Current instance types are EBS-optimised by themselves.")),
    "efaEnabled": refused(Sentence("Elastic Fabric Adapters are not supported. Leave it out.")),
    "enableDetailedMonitoring": warned(Sentence("Instances have EC2's basic monitoring.")),
    "instanceMarketOptions": refused(
        Sentence("Capacity blocks are not supported: for spot instances write `spot: true`.")
    ),
    "instanceName": warned(Sentence("Instances are named after the lab and the node group.")),
    "instancePrefix": warned(Sentence("Instances are named after the lab and the node group.")),
    "instanceSelector": refused(Sentence("Instances are not chosen for you: give instanceType or instanceTypes.")),
    "maxPodsPerNode": refused(Sentence("Nodes take as many pods as EKS allows for their type. Leave it out.")),
    "outpostARN": refused(Sentence("Outposts are not supported. Leave it out.")),
    "overrideBootstrapCommand": refused(_BOOT),
    "placement": refused(Sentence("Placement groups are not supported. Leave it out.")),
    "preBootstrapCommands": refused(_BOOT),
    "propagateASGTags": warned(_ASG),
    "subnets": refused(
        Sentence(
            "A node group takes the lab's public or private subnets: give vpc.subnets and privateNetworking instead."
        )
    ),
    "updateConfig": warned(Sentence("It concerns version updates, which a lab does not make.")),
    "volumeEncrypted": refused(Sentence("Volumes are encrypted only if the account does so by default. Leave it out.")),
    "volumeIOPS": warned(_VOLUME),
    "volumeKmsKeyID": refused(Sentence("A KMS key of your own is not used. Leave it out.")),
    "volumeName": warned(Sentence("The root volume has EKS's device name.")),
    "volumeThroughput": warned(_VOLUME),
    "volumeType": warned(_VOLUME, "gp3", ""),
}
MANAGED: Mapping[str, UnsupportedField] = {
    **_BOTH,
    "launchTemplate": refused(
        Sentence("A lab makes its own launch templates: give instanceType, volumeSize and ssh here instead.")
    ),
    "nodeRepairConfig": warned(Sentence("Automatic node repair is not set up for a lab."), {"enabled": False}, {}),
    "releaseVersion": refused(Sentence("Nodes take the newest image for the cluster's version. Leave it out.")),
}
UNMANAGED: Mapping[str, UnsupportedField] = {
    **_BOTH,
    "asgMetricsCollection": warned(_ASG),
    "classicLoadBalancerNames": refused(_BALANCERS),
    "clusterDNS": refused(_BOOT),
    "containerRuntime": refused(Sentence("Only containerd is supported."), "containerd", ""),
    "cpuCredits": warned(Sentence("Instances keep EC2's default for CPU credits.")),
    "enclaveEnabled": refused(Sentence("Nitro enclaves are not supported. Leave it out.")),
    "kubeletExtraConfig": refused(_BOOT),
    "localZones": refused(Sentence("Local zones are not supported. Leave it out.")),
    "maxInstanceLifetime": warned(_ASG),
    "targetGroupARNs": refused(_BALANCERS),
}
SECURITY_GROUPS: Mapping[str, UnsupportedField] = {
    "attachIDs": refused(Sentence("A lab makes its own security groups and attaches no others. Leave it out.")),
    "withLocal": warned(_FIXED_GROUPS, True),
    "withShared": warned(_FIXED_GROUPS, True),
}
SSH: Mapping[str, UnsupportedField] = {
    "publicKeyPath": refused(
        Sentence(
            "This path is on your machine: put the key's text in ssh.publicKey, or an EC2 key name in "
            "ssh.publicKeyName."
        )
    ),
    "sourceSecurityGroupIds": refused(
        Sentence("Port 22 is opened for addresses, not for security groups. Leave it out.")
    ),
}
NODE_IAM: Mapping[str, UnsupportedField] = {
    "attachPolicy": refused(_NO_RIGHTS),
    "instanceProfileARN": refused(_NO_RIGHTS),
    "instanceRoleARN": refused(_NO_RIGHTS),
    "instanceRoleName": refused(_NO_RIGHTS),
    "instanceRolePermissionsBoundary": refused(_NO_RIGHTS),
}
ADDON_POLICIES: Mapping[str, UnsupportedField] = {
    "albIngress": refused(_POD_IDENTITY),
    "appMesh": refused(_POD_IDENTITY),
    "appMeshPreview": refused(_POD_IDENTITY),
    "autoScaler": refused(_POD_IDENTITY),
    "awsLoadBalancerController": refused(_POD_IDENTITY),
    "certManager": refused(_POD_IDENTITY),
    "cloudWatch": refused(_POD_IDENTITY),
    "ebs": warned(
        Sentence("Not put on the node role: list aws-ebs-csi-driver under addons, and it gets a role of its own.")
    ),
    "efs": refused(_POD_IDENTITY),
    "externalDNS": warned(
        Sentence(
            "Not put on the node role, where every pod would have it: ask with ekslab's own body, "
            "`externalDns` with a hosted zone."
        )
    ),
    "fsx": refused(_POD_IDENTITY),
    "imageBuilder": refused(_POD_IDENTITY),
    "xRay": refused(_POD_IDENTITY),
}
SPOT: Mapping[str, UnsupportedField] = {
    "capacityRebalance": warned(Sentence("EKS always rebalances spot node groups.")),
    "maxPrice": warned(Sentence("EKS pays at most the on-demand price; a lower limit can't be set.")),
    "onDemandBaseCapacity": warned(
        Sentence("A managed node group is all spot or all on-demand: this one is all spot.")
    ),
    "spotAllocationStrategy": warned(Sentence("EKS chooses the allocation strategy of spot node groups itself.")),
    "spotInstancePools": warned(Sentence("EKS chooses the pools of spot node groups itself.")),
}
