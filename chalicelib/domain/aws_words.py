"""Which of AWS's words mean which cause: the tables that `explain.py` reads.

`BY_WORDS` knows AWS's wording, which tells more than the code around it: an `AsgInstanceLaunchFailures` says nothing,
the EC2 error inside it says it all. `BY_CODE` is for what is left. Codes are the botocore EKS model's; a test holds us to it.
"""

from __future__ import annotations

from chalicelib.domain import causes

#: Regular expressions on "code: message", the first that is found decides.
BY_WORDS: tuple[tuple[str, causes.Cause], ...] = (
    (r"^AccountNotRegistered|is not registered, so there is no role to assume", causes.UNREGISTERED),
    (r"to perform:? sts:AssumeRole|sts:AssumeRole: AccessDenied", causes.ACCOUNT),
    (r"UnsupportedAvailabilityZone|choose from these availability zones", causes.ZONE),
    (r"service control policy", causes.SCP),
    (r"VpcLimitExceeded|maximum number of VPCs", causes.quota("vpc-quota", "VPCs")),
    (
        r"InternetGatewayLimitExceeded|maximum number of internet gateways",
        causes.quota("igw-quota", "internet gateways"),
    ),
    (r"AddressLimitExceeded|maximum number of addresses", causes.quota("eip-quota", "Elastic IP addresses")),
    (r"NatGatewayLimitExceeded|maximum number of NAT gateways", causes.quota("nat-quota", "NAT gateways")),
    (
        r"SecurityGroupLimitExceeded|maximum number of security groups",
        causes.quota("security-group-quota", "security groups"),
    ),
    (r"VolumeLimitExceeded|MaximumVolume\w*|maximum storage", causes.quota("volume-quota", "EBS storage")),
    (r"(?i)maximum number of clusters|cluster limit exceeded", causes.quota("cluster-quota", "EKS clusters")),
    (
        r"(?i)maximum number of node ?groups|nodegroup limit exceeded",
        causes.quota("nodegroup-quota", "node groups per cluster"),
    ),
    (r"(?i)VcpuLimitExceeded|more vCPU capacity than", causes.VCPU),
    (r"MaxSpotInstanceCountExceeded|Max spot instance count", causes.SPOT_QUOTA),
    (r"ServiceLinkedRoleCreationNotPermitted|service-linked role", causes.SPOT_ROLE),
    (r"SpotMaxPriceTooLow|BidTooLow|lower than the minimum required Spot", causes.SPOT_PRICE),
    (r"(?i)InsufficientFreeAddresses|not (?:have )?enough free (?:ip )?addresses", causes.NO_ADDRESSES),
    (
        r"(?i)InsufficientInstanceCapacity|UnfulfillableCapacity|not have (?:enough|sufficient) .{0,40}capacity",
        causes.NO_CAPACITY,
    ),
    (r"(?i)not supported in your requested Availability Zone|InstanceTypeNotOffered", causes.NOT_OFFERED),
    (r"(?i)InvalidKeyPair|key pair .{0,60}does not exist", causes.KEY_PAIR),
    (r"(?i)MapPublicIpOnLaunch|auto-?assign.{0,20}public|not automatically assign public", causes.NO_PUBLIC_ADDRESS),
    (r"(?i)failed to join|Unhealthy nodes|NodeCreationFailure", causes.NOT_JOINED),
    (r"PendingVerification|account is currently blocked|OptInRequired", causes.UNVERIFIED),
    (r"(?i)Client\.InternalError|KMS", causes.KMS),
    (r"(?i)unsupported kubernetes version|version .{0,20}is not supported", causes.VERSION),
    (r"(?i)Cluster already exists|AlreadyExists", causes.NAME),
    (r"(?i)could not be assumed|trusted entity", causes.ROLE),
    (r"(?i)is not authorized to perform|UnauthorizedOperation", causes.DENIED),
    (r"(?i)Throttl|Rate exceeded|RequestLimitExceeded", causes.THROTTLED),
)

BY_CODE: dict[str, causes.Cause] = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "OperationNotPermitted"), causes.DENIED),
    **dict.fromkeys(("InternalFailure", "ServerException", "ServiceUnavailableException"), causes.AWS),
    **dict.fromkeys(("ClusterUnreachable",), causes.UNREACHABLE),
    **dict.fromkeys(("InsufficientFreeAddresses", "IpNotAvailable"), causes.NO_ADDRESSES),
    **dict.fromkeys(("Ec2SubnetNotFound", "SubnetNotFound"), causes.SUBNET),
    **dict.fromkeys(
        ("Ec2SecurityGroupNotFound", "SecurityGroupNotFound", "Ec2SecurityGroupDeletionFailure"), causes.GROUP
    ),
    **dict.fromkeys(("IamNodeRoleNotFound", "IamRoleNotFound", "IamInstanceProfileNotFound"), causes.ROLE),
    **dict.fromkeys(("ResourcePropagationDelayException", "PodExecutionRoleAlreadyInUse"), causes.ROLE),
    **dict.fromkeys(("VpcNotFound", "VpcIdNotFound"), causes.VPC),
    **dict.fromkeys(("KmsGrantRevoked", "KmsKeyNotFound", "KmsKeyMarkedForDeletion", "KmsKeyDisabled"), causes.KMS),
    **dict.fromkeys(
        ("Ec2ServiceNotSubscribed", "StsRegionalEndpointDisabled", "AutoScalingGroupOptInRequired"), causes.REGION
    ),
    **dict.fromkeys(("Ec2LaunchTemplateNotFound", "Ec2LaunchTemplateVersionMismatch"), causes.TEMPLATE),
    **dict.fromkeys(("Ec2LaunchTemplateInvalidConfiguration", "SourceEc2LaunchTemplateNotFound"), causes.TEMPLATE),
    **dict.fromkeys(("Ec2LaunchTemplateDeletionFailure",), causes.TEMPLATE),
    **dict.fromkeys(("AutoScalingGroupNotFound", "AutoScalingGroupInvalidConfiguration"), causes.ASG),
    **dict.fromkeys(("AutoScalingGroupInstanceRefreshActive", "NodeTerminationFailure"), causes.ASG),
    **dict.fromkeys(("AutoScalingGroupRateLimitExceeded", "IamThrottling", "ThrottlingException"), causes.THROTTLED),
    **dict.fromkeys(("ConfigurationConflict",), causes.ADDON_CONFLICT),
    **dict.fromkeys(("InsufficientNumberOfReplicas", "K8sResourceNotFound"), causes.ADDON_REPLICAS),
    **dict.fromkeys(("InvalidParameterException", "InvalidRequestException", "BadRequestException"), causes.INVALID),
    **dict.fromkeys(("ClientException", "InvalidStateException", "ValidationError"), causes.INVALID),
    **dict.fromkeys(("Unknown", "Other"), causes.UNKNOWN),
    **dict.fromkeys(
        ("ResourceLimitExceeded", "ResourceLimitExceededException", "LimitExceeded"), causes.quota("eks-quota", "EKS")
    ),
    **dict.fromkeys(
        ("Ec2LaunchTemplateMaxLimitExceeded", "Ec2LaunchTemplateVersionMaxLimitExceeded"),
        causes.quota("launch-template-quota", "launch templates"),
    ),
    **dict.fromkeys(("NotFoundException", "ResourceNotFoundException", "ResourceNotFound"), causes.VANISHED),
    "AddonPermissionFailure": causes.ADDON_PERMISSION,
    "AddonSubscriptionNeeded": causes.ADDON_SUBSCRIPTION,
    "AdmissionRequestDenied": causes.ADDON_REFUSED,
    "AmiIdNotFound": causes.AMI,
    "AsgInstanceLaunchFailures": causes.NO_CAPACITY,
    "AwsUnavailable": causes.AWS,
    "Ec2InstanceTypeDoesNotExist": causes.TYPE,
    "Ec2SubnetInvalidConfiguration": causes.NO_PUBLIC_ADDRESS,
    "Ec2SubnetListTooLong": causes.ZONES,
    "Ec2SubnetMissingIpv6Assignment": causes.IPV6,
    "EniLimitReached": causes.quota("interface-quota", "network interfaces"),
    "IamLimitExceeded": causes.quota("iam-quota", "IAM roles or instance profiles"),
    "InstanceLimitExceeded": causes.VCPU,
    "KubernetesLabelInvalid": causes.LABEL,
    "NodeCreationFailure": causes.NOT_JOINED,
    "PodEvictionFailure": causes.EVICTION,
    "ResourceInUseException": causes.BUSY,
    "Timeout": causes.TIMEOUT,
    "UnsupportedAddonModification": causes.ADDON_CHANGED,
    "UnsupportedAvailabilityZoneException": causes.ZONE,
    "UnsupportedVersion": causes.VERSION,
}
