"""Maps AWS's words to causes: the tables that `explain.py` reads.

`BY_WORDS` matches messages, which say more than the code around them: an `AsgInstanceLaunchFailures` says nothing, the EC2 error
inside it everything. `BY_CODE` covers the other errors. Codes are the botocore EKS model's, as a test checks.
"""

from __future__ import annotations

from chalicelib.domain.core.failure import PROTECTED
from chalicelib.domain.errors import failure_causes as causes

#: Regular expressions on "code: message"; the first match decides.
BY_WORDS: tuple[tuple[str, causes.Cause], ...] = (
    (r"^AccountNotRegistered|is not registered, so there is no role to assume", causes.UNREGISTERED),
    (r"to perform:? sts:AssumeRole|sts:AssumeRole: AccessDenied", causes.ACCOUNT),
    (r"UnsupportedAvailabilityZone|choose from these availability zones", causes.ZONE),
    (r"service control policy", causes.SCP),
    (r"resource control policy", causes.RCP),
    (r"VpcLimitExceeded|maximum number of VPCs", causes.quota("vpc-quota", "VPCs")),
    (
        r"InternetGatewayLimitExceeded|maximum number of internet gateways",
        causes.quota("igw-quota", "internet gateways"),
    ),
    (
        r"AddressLimitExceeded|maximum number of addresses",
        causes.quota("eip-quota", "Elastic IP addresses"),
    ),
    (
        r"NatGatewayLimitExceeded|maximum number of NAT gateways",
        causes.quota("nat-quota", "NAT gateways"),
    ),
    (r"(?i)RulesPerSecurityGroupLimitExceeded|number of rules per security group", causes.QUOTA),
    (
        r"SecurityGroupLimitExceeded|maximum number of security groups",
        causes.quota("security-group-quota", "security groups"),
    ),
    (
        r"VolumeLimitExceeded|MaximumVolume\w*|maximum storage",
        causes.quota("volume-quota", "EBS storage"),
    ),
    (
        r"(?i)maximum number of clusters|cluster limit exceeded",
        causes.quota("cluster-quota", "EKS clusters"),
    ),
    (
        r"(?i)maximum number of node ?groups|nodegroup limit exceeded",
        causes.quota("nodegroup-quota", "node groups per cluster"),
    ),
    (r"(?i)VcpuLimitExceeded|more vCPU capacity than", causes.VCPU),
    (r"MaxSpotInstanceCountExceeded|Max spot instance count", causes.SPOT_QUOTA),
    (r"(?i)not eligible for Free Tier", causes.FREE_PLAN),
    (r"(?i)not authorized to launch instances with this launch template", causes.LAUNCH_DENIED),
    (r"(?i)node ?group.{0,60}service.linked role|AWSServiceRoleForAmazonEKSNodegroup", causes.NODEGROUP_ROLE),
    (r"(?i)service.linked role.{0,40}spot|AWSServiceRoleForEC2Spot", causes.SPOT_ROLE),
    (r"(?i)not allowed to modify access entries|principalArn is invalid: invalid principal", causes.PRINCIPAL),
    (r"(?i)ServiceLinkedRoleCreationNotPermitted|service.linked role", causes.SERVICE_ROLE),
    (r"(?i)addon version specified is not supported", causes.ADDON_VERSION),
    (r"(?i)addon \S+ specified is not supported|is not supported for addon", causes.ADDON_UNSUPPORTED),
    (r"(?i)cannot exceed quota|reached your quota|than your current instance limit", causes.QUOTA),
    (r"InvalidSubnetID\.NotFound", causes.SUBNET),
    (r"SpotMaxPriceTooLow|BidTooLow|lower than the minimum required Spot", causes.SPOT_PRICE),
    (r"(?i)InsufficientFreeAddresses|not (?:have )?enough free (?:ip )?addresses", causes.NO_ADDRESSES),
    (
        r"(?i)InsufficientInstanceCapacity|UnfulfillableCapacity|not have (?:enough|sufficient) .{0,40}capacity",
        causes.NO_CAPACITY,
    ),
    (r"(?i)not supported in your requested Availability Zone|InstanceTypeNotOffered", causes.NOT_OFFERED),
    (r"(?i)InvalidKeyPair\.NotFound|key ?pair .{0,60}does not exist", causes.KEY_PAIR),
    (r"InvalidKeyPair\.Format|InvalidKey\.Format", causes.KEY_FORMAT),
    (r"(?i)supplied instance types do not exist", causes.TYPE),
    (
        r"\bDecryptionFailure\b|Requested resource not found|State ?Machine ?(Does ?Not ?Exist|Deleting)",
        causes.SERVICE,
    ),
    (r"Secrets Manager can't find|secret because it was marked for deletion", causes.SERVICE),
    (r"NonExistentQueue|Topic does not exist", causes.SERVICE),
    (r"Stack (with id|\[).{0,200}does not exist|AutoScalingGroup name not found", causes.VANISHED),
    (PROTECTED.pattern, causes.PROTECTED),
    (
        r"(?i)not allowed to manage '[\w-]+' attachments|do not have permission to access the specified resource",
        causes.HELD_BY_AWS,
    ),
    (
        r"(?i)nodegroups attached|Fargate Profiles in |^\w+: Network interface '[\w-]+' is currently in use",
        causes.IN_USE,
    ),
    (
        r"(?i)is not in ACTIVE status|currently not in Active State|has an update in progress|cannot be deleted while in status",
        causes.BUSY,
    ),
    (
        r"(?i)MapPublicIpOnLaunch|auto-?assign.{0,20}public|not automatically assign public",
        causes.NO_PUBLIC_ADDRESS,
    ),
    (r"(?i)failed to join|Unhealthy nodes|NodeCreationFailure", causes.NOT_JOINED),
    (r"(?i)accept (the )?terms and subscribe|Marketplace (product|offer|subscription)", causes.MARKETPLACE),
    (
        r"(?i)PendingVerification|in this region is being validated|account is currently being verified"
        r"|account (is|has been) (currently )?(blocked|suspended)",
        causes.UNVERIFIED,
    ),
    (r"(?i)InvalidKMSKey|KMS key|KmsKey", causes.KMS),
    (r"Client\.InternalError", causes.LAUNCH_INTERNAL),
    (r"(?i)unsupported kubernetes version|kubernetes version .{0,20}is not supported", causes.VERSION),
    (r"^AlreadyExists: Another stack|is not this lab's", causes.EXISTS),
    # Our own refusal of a cluster's name, without an operation or with that of the cluster.
    (
        r"(?i)Cluster already exists|^AlreadyExists: (?!\w+:\w+: )|^AlreadyExists: eks:CreateCluster",
        causes.NAME,
    ),
    (r"(?i)AlreadyExists|\w+\.Duplicate|already exists", causes.EXISTS),
    (
        r"(?i)(could not|cannot) be assumed|not assumable|trusted entity|trust relationship|Amazon EKS Managed Policies"
        r"|Error in role params",
        causes.ROLE,
    ),
    (
        r"(?i)is not authorized to perform|UnauthorizedOperation|have the required access permissions for Amazon EKS",
        causes.DENIED,
    ),
    (r"(?i)Throttl|Rate exceeded|RequestLimitExceeded", causes.THROTTLED),
)

BY_CODE: dict[str, causes.Cause] = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException"), causes.DENIED),
    "issue AccessDenied": causes.NOT_LET_IN,
    # EKS means a role without permissions, EC2 and load balancing a resource in the wrong state: the message decides.
    "OperationNotPermitted": causes.NOT_PERMITTED,
    **dict.fromkeys(("AuthorizationError", "AuthorizationErrorException"), causes.DENIED),
    **dict.fromkeys(("KMSAccessDenied", "NotAuthorized", "UnauthorizedAccess"), causes.DENIED),
    **dict.fromkeys(("InternalFailure", "ServerException", "ServiceUnavailableException"), causes.AWS),
    **dict.fromkeys(("InternalError", "InternalErrorException", "InternalException"), causes.AWS),
    **dict.fromkeys(("InternalServerError", "InternalServiceError", "InternalServiceException"), causes.AWS),
    **dict.fromkeys(("DependencyTimeout", "RequestTimeout", "RequestTimeoutException", "ServiceFailure"), causes.AWS),
    **dict.fromkeys(("ServiceUnavailable", "Unavailable"), causes.AWS),
    **dict.fromkeys(("AuthFailure", "ExpiredToken", "ExpiredTokenException"), causes.CREDENTIALS),
    **dict.fromkeys(("InvalidClientTokenId", "RequestExpired"), causes.CREDENTIALS),
    **dict.fromkeys(("UnrecognizedClientException",), causes.CREDENTIALS),
    **dict.fromkeys(("IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch"), causes.CREDENTIALS),
    **dict.fromkeys(("MissingAuthenticationToken", "MissingAuthenticationTokenException"), causes.CREDENTIALS),
    **dict.fromkeys(("AccountProblem", "Blocked", "PendingVerification"), causes.UNVERIFIED),
    **dict.fromkeys(("OptInRequired", "SubscriptionRequiredException"), causes.NOT_SUBSCRIBED),
    **dict.fromkeys(("ConcurrentModification", "EntityTemporarilyUnmodifiable"), causes.BUSY),
    **dict.fromkeys(("ReplicatedWriteConflictException", "ResourceContention"), causes.BUSY),
    **dict.fromkeys(("TransactionConflictException", "TransactionInProgressException"), causes.BUSY),
    **dict.fromkeys(("DeleteConflict", "DeleteConflictException", "DependencyViolation"), causes.IN_USE),
    **dict.fromkeys(("HostedZoneNotEmpty", "MountTargetConflict", "OperationAbortedException"), causes.IN_USE),
    **dict.fromkeys(("ResourceInUse", "ScalingActivityInProgress", "VolumeInUse"), causes.IN_USE),
    **dict.fromkeys(("IncorrectInstanceState", "IncorrectState"), causes.IN_USE),
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
        ("Ec2ServiceNotSubscribed", "StsRegionalEndpointDisabled", "AutoScalingGroupOptInRequired"),
        causes.REGION,
    ),
    **dict.fromkeys(("Ec2LaunchTemplateNotFound", "Ec2LaunchTemplateVersionMismatch"), causes.TEMPLATE),
    **dict.fromkeys(("Ec2LaunchTemplateInvalidConfiguration", "SourceEc2LaunchTemplateNotFound"), causes.TEMPLATE),
    **dict.fromkeys(("Ec2LaunchTemplateDeletionFailure",), causes.TEMPLATE),
    **dict.fromkeys(("AutoScalingGroupNotFound", "AutoScalingGroupInvalidConfiguration"), causes.ASG),
    **dict.fromkeys(("AutoScalingGroupInstanceRefreshActive", "NodeTerminationFailure"), causes.ASG),
    **dict.fromkeys(("AutoScalingGroupRateLimitExceeded", "IamThrottling", "ThrottlingException"), causes.THROTTLED),
    **dict.fromkeys(("BandwidthLimitExceeded", "ExecutionLimitExceeded", "SlowDown"), causes.THROTTLED),
    **dict.fromkeys(("PriorRequestNotComplete", "TooManyRequestsException"), causes.THROTTLED),
    **dict.fromkeys(("ProvisionedThroughputExceededException",), causes.THROTTLED),
    **dict.fromkeys(("ConfigurationConflict",), causes.ADDON_CONFLICT),
    **dict.fromkeys(("InsufficientNumberOfReplicas", "K8sResourceNotFound"), causes.ADDON_REPLICAS),
    **dict.fromkeys(("InvalidParameterException", "InvalidRequestException", "BadRequestException"), causes.INVALID),
    **dict.fromkeys(("ClientException", "InvalidStateException", "ValidationError"), causes.INVALID),
    **dict.fromkeys(("Unknown", "Other"), causes.UNKNOWN),
    **dict.fromkeys(("ResourceLimitExceeded", "ResourceLimitExceededException"), causes.quota("eks-quota", "EKS")),
    **dict.fromkeys(("LimitExceeded", "LimitExceededException", "TagLimitExceeded"), causes.QUOTA),
    **dict.fromkeys(
        ("Ec2LaunchTemplateMaxLimitExceeded", "Ec2LaunchTemplateVersionMaxLimitExceeded"),
        causes.quota("launch-template-quota", "launch templates"),
    ),
    **dict.fromkeys(("NotFoundException", "ResourceNotFoundException", "ResourceNotFound"), causes.VANISHED),
    "AddonPermissionFailure": causes.ADDON_PERMISSION,
    "AddonSubscriptionNeeded": causes.ADDON_SUBSCRIPTION,
    "AdmissionRequestDenied": causes.ADDON_REFUSED,
    "AmiIdNotFound": causes.AMI,
    "AsgInstanceLaunchFailures": causes.NOT_LAUNCHED,
    "AwsUnavailable": causes.AWS,
    "Ec2InstanceTypeDoesNotExist": causes.TYPE,
    "Ec2SubnetInvalidConfiguration": causes.NO_PUBLIC_ADDRESS,
    "Ec2SubnetListTooLong": causes.ZONES,
    "Ec2SubnetMissingIpv6Assignment": causes.IPV6,
    "EniLimitReached": causes.quota("interface-quota", "network interfaces"),
    "IamLimitExceeded": causes.quota("iam-quota", "IAM roles or instance profiles"),
    "InstanceLimitExceeded": causes.VCPU,
    "InvalidSubnetID.NotFound": causes.SUBNET,
    "InvalidVpcID.NotFound": causes.VPC,
    "KubernetesLabelInvalid": causes.LABEL,
    "NodeCreationFailure": causes.NOT_JOINED,
    "RegionDisabledException": causes.REGION,
    "PodEvictionFailure": causes.EVICTION,
    "ResourceInUseException": causes.BUSY,
    "Timeout": causes.TIMEOUT,
    "UnsupportedAddonModification": causes.ADDON_CHANGED,
    "UnsupportedAvailabilityZoneException": causes.ZONE,
    "UnsupportedVersion": causes.VERSION,
}

#: For codes in neither table: the forms of AWS's codes for resources that are missing, or in use.
BY_FORM: tuple[tuple[str, causes.Cause], ...] = (
    (r"Invalid[\w]*LaunchTemplate\w*\.NotFound(Exception)?", causes.TEMPLATE),
    (r"NoSuch\w+|[\w.]*NotFound(Exception)?|\w+DoesNotExist", causes.VANISHED),
    (r"[\w.]+\.InUse", causes.IN_USE),
)
