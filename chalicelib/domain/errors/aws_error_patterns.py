"""Maps AWS's words to causes: the tables that `explain.py` reads.

`BY_WORDS` matches messages, which say more than the code around them: an `AsgInstanceLaunchFailures` says nothing, the EC2 error
inside it everything. `BY_CODE` covers the other errors. Codes are the botocore EKS model's, as a test checks.
"""

from __future__ import annotations

from chalicelib.domain.core.failure import PROTECTED
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors import failure_causes

#: Regular expressions on "code: message"; the first match decides.
BY_WORDS: tuple[tuple[str, failure_causes.Cause], ...] = (
    (r"^AccountNotRegistered|is not registered, so there is no role to assume", failure_causes.UNREGISTERED),
    (r"to perform:? sts:AssumeRole|sts:AssumeRole: AccessDenied", failure_causes.ACCOUNT),
    (r"UnsupportedAvailabilityZone|choose from these availability zones", failure_causes.ZONE),
    (r"service control policy", failure_causes.SCP),
    (r"resource control policy", failure_causes.RCP),
    (r"VpcLimitExceeded|maximum number of VPCs", failure_causes.quota("vpc-quota", Sentence("VPCs"))),
    (
        r"InternetGatewayLimitExceeded|maximum number of internet gateways",
        failure_causes.quota("igw-quota", Sentence("internet gateways")),
    ),
    (
        r"AddressLimitExceeded|maximum number of addresses",
        failure_causes.quota("eip-quota", Sentence("Elastic IP addresses")),
    ),
    (
        r"NatGatewayLimitExceeded|maximum number of NAT gateways",
        failure_causes.quota("nat-quota", Sentence("NAT gateways")),
    ),
    (r"(?i)RulesPerSecurityGroupLimitExceeded|number of rules per security group", failure_causes.QUOTA),
    (
        r"SecurityGroupLimitExceeded|maximum number of security groups",
        failure_causes.quota("security-group-quota", Sentence("security groups")),
    ),
    (
        r"VolumeLimitExceeded|MaximumVolume\w*|maximum storage",
        failure_causes.quota("volume-quota", Sentence("EBS storage")),
    ),
    (
        r"(?i)maximum number of clusters|cluster limit exceeded",
        failure_causes.quota("cluster-quota", Sentence("EKS clusters")),
    ),
    (
        r"(?i)maximum number of node ?groups|nodegroup limit exceeded",
        failure_causes.quota("nodegroup-quota", Sentence("node groups per cluster")),
    ),
    (r"(?i)VcpuLimitExceeded|more vCPU capacity than", failure_causes.VCPU),
    (r"MaxSpotInstanceCountExceeded|Max spot instance count", failure_causes.SPOT_QUOTA),
    (r"(?i)not eligible for Free Tier", failure_causes.FREE_PLAN),
    (r"(?i)not authorized to launch instances with this launch template", failure_causes.LAUNCH_DENIED),
    (r"(?i)node ?group.{0,60}service.linked role|AWSServiceRoleForAmazonEKSNodegroup", failure_causes.NODEGROUP_ROLE),
    (r"(?i)service.linked role.{0,40}spot|AWSServiceRoleForEC2Spot", failure_causes.SPOT_ROLE),
    (r"(?i)not allowed to modify access entries|principalArn is invalid: invalid principal", failure_causes.PRINCIPAL),
    (r"(?i)ServiceLinkedRoleCreationNotPermitted|service.linked role", failure_causes.SERVICE_ROLE),
    (r"(?i)addon version specified is not supported", failure_causes.ADDON_VERSION),
    (r"(?i)addon \S+ specified is not supported|is not supported for addon", failure_causes.ADDON_UNSUPPORTED),
    (r"(?i)cannot exceed quota|reached your quota|than your current instance limit", failure_causes.QUOTA),
    (r"InvalidSubnetID\.NotFound", failure_causes.SUBNET),
    (r"SpotMaxPriceTooLow|BidTooLow|lower than the minimum required Spot", failure_causes.SPOT_PRICE),
    (r"(?i)InsufficientFreeAddresses|not (?:have )?enough free (?:ip )?addresses", failure_causes.NO_ADDRESSES),
    (
        r"(?i)InsufficientInstanceCapacity|UnfulfillableCapacity|not have (?:enough|sufficient) .{0,40}capacity",
        failure_causes.NO_CAPACITY,
    ),
    (r"(?i)not supported in your requested Availability Zone|InstanceTypeNotOffered", failure_causes.NOT_OFFERED),
    (r"(?i)InvalidKeyPair\.NotFound|key ?pair .{0,60}does not exist", failure_causes.KEY_PAIR),
    (r"InvalidKeyPair\.Format|InvalidKey\.Format", failure_causes.KEY_FORMAT),
    (r"(?i)supplied instance types do not exist", failure_causes.TYPE),
    (
        r"\bDecryptionFailure\b|Requested resource not found|State ?Machine ?(Does ?Not ?Exist|Deleting)",
        failure_causes.SERVICE,
    ),
    (r"Secrets Manager can't find|secret because it was marked for deletion", failure_causes.SERVICE),
    (r"NonExistentQueue|Topic does not exist", failure_causes.SERVICE),
    (r"Stack (with id|\[).{0,200}does not exist|AutoScalingGroup name not found", failure_causes.VANISHED),
    (PROTECTED.pattern, failure_causes.PROTECTED),
    (
        r"(?i)not allowed to manage '[\w-]+' attachments|do not have permission to access the specified resource",
        failure_causes.HELD_BY_AWS,
    ),
    (
        r"(?i)nodegroups attached|Fargate Profiles in |^\w+: Network interface '[\w-]+' is currently in use",
        failure_causes.IN_USE,
    ),
    (
        r"(?i)is not in ACTIVE status|currently not in Active State|has an update in progress|cannot be deleted while in status",
        failure_causes.BUSY,
    ),
    (
        r"(?i)MapPublicIpOnLaunch|auto-?assign.{0,20}public|not automatically assign public",
        failure_causes.NO_PUBLIC_ADDRESS,
    ),
    (r"(?i)failed to join|Unhealthy nodes|NodeCreationFailure", failure_causes.NOT_JOINED),
    (r"(?i)accept (the )?terms and subscribe|Marketplace (product|offer|subscription)", failure_causes.MARKETPLACE),
    (
        r"(?i)PendingVerification|in this region is being validated|account is currently being verified"
        r"|account (is|has been) (currently )?(blocked|suspended)",
        failure_causes.UNVERIFIED,
    ),
    (r"(?i)InvalidKMSKey|KMS key|KmsKey", failure_causes.KMS),
    (r"Client\.InternalError", failure_causes.LAUNCH_INTERNAL),
    (r"(?i)unsupported kubernetes version|kubernetes version .{0,20}is not supported", failure_causes.VERSION),
    (r"^AlreadyExists: Another stack|is not this lab's", failure_causes.EXISTS),
    # Our own refusal of a cluster's name, without an operation or with that of the cluster.
    (
        r"(?i)Cluster already exists|^AlreadyExists: (?!\w+:\w+: )|^AlreadyExists: eks:CreateCluster",
        failure_causes.NAME,
    ),
    (r"(?i)AlreadyExists|\w+\.Duplicate|already exists", failure_causes.EXISTS),
    (
        r"(?i)(could not|cannot) be assumed|not assumable|trusted entity|trust relationship|Amazon EKS Managed Policies"
        r"|Error in role params",
        failure_causes.ROLE,
    ),
    (
        r"(?i)is not authorized to perform|UnauthorizedOperation|have the required access permissions for Amazon EKS",
        failure_causes.DENIED,
    ),
    (r"(?i)Throttl|Rate exceeded|RequestLimitExceeded", failure_causes.THROTTLED),
)

BY_CODE: dict[str, failure_causes.Cause] = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException"), failure_causes.DENIED),
    "issue AccessDenied": failure_causes.NOT_LET_IN,
    # EKS means a role without permissions, EC2 and load balancing a resource in the wrong state: the message decides.
    "OperationNotPermitted": failure_causes.NOT_PERMITTED,
    **dict.fromkeys(("AuthorizationError", "AuthorizationErrorException"), failure_causes.DENIED),
    **dict.fromkeys(("KMSAccessDenied", "NotAuthorized", "UnauthorizedAccess"), failure_causes.DENIED),
    **dict.fromkeys(("InternalFailure", "ServerException", "ServiceUnavailableException"), failure_causes.AWS),
    **dict.fromkeys(("InternalError", "InternalErrorException", "InternalException"), failure_causes.AWS),
    **dict.fromkeys(("InternalServerError", "InternalServiceError", "InternalServiceException"), failure_causes.AWS),
    **dict.fromkeys(
        ("DependencyTimeout", "RequestTimeout", "RequestTimeoutException", "ServiceFailure"), failure_causes.AWS
    ),
    **dict.fromkeys(("ServiceUnavailable", "Unavailable"), failure_causes.AWS),
    **dict.fromkeys(("AuthFailure", "ExpiredToken", "ExpiredTokenException"), failure_causes.CREDENTIALS),
    **dict.fromkeys(("InvalidClientTokenId", "RequestExpired"), failure_causes.CREDENTIALS),
    **dict.fromkeys(("UnrecognizedClientException",), failure_causes.CREDENTIALS),
    **dict.fromkeys(
        ("IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch"), failure_causes.CREDENTIALS
    ),
    **dict.fromkeys(("MissingAuthenticationToken", "MissingAuthenticationTokenException"), failure_causes.CREDENTIALS),
    **dict.fromkeys(("AccountProblem", "Blocked", "PendingVerification"), failure_causes.UNVERIFIED),
    **dict.fromkeys(("OptInRequired", "SubscriptionRequiredException"), failure_causes.NOT_SUBSCRIBED),
    **dict.fromkeys(("ConcurrentModification", "EntityTemporarilyUnmodifiable"), failure_causes.BUSY),
    **dict.fromkeys(("ReplicatedWriteConflictException", "ResourceContention"), failure_causes.BUSY),
    **dict.fromkeys(("TransactionConflictException", "TransactionInProgressException"), failure_causes.BUSY),
    **dict.fromkeys(("DeleteConflict", "DeleteConflictException", "DependencyViolation"), failure_causes.IN_USE),
    **dict.fromkeys(("HostedZoneNotEmpty", "MountTargetConflict", "OperationAbortedException"), failure_causes.IN_USE),
    **dict.fromkeys(("ResourceInUse", "ScalingActivityInProgress", "VolumeInUse"), failure_causes.IN_USE),
    **dict.fromkeys(("IncorrectInstanceState", "IncorrectState"), failure_causes.IN_USE),
    **dict.fromkeys(("ClusterUnreachable",), failure_causes.UNREACHABLE),
    **dict.fromkeys(("InsufficientFreeAddresses", "IpNotAvailable"), failure_causes.NO_ADDRESSES),
    **dict.fromkeys(("Ec2SubnetNotFound", "SubnetNotFound"), failure_causes.SUBNET),
    **dict.fromkeys(
        ("Ec2SecurityGroupNotFound", "SecurityGroupNotFound", "Ec2SecurityGroupDeletionFailure"), failure_causes.GROUP
    ),
    **dict.fromkeys(("IamNodeRoleNotFound", "IamRoleNotFound", "IamInstanceProfileNotFound"), failure_causes.ROLE),
    **dict.fromkeys(("ResourcePropagationDelayException", "PodExecutionRoleAlreadyInUse"), failure_causes.ROLE),
    **dict.fromkeys(("VpcNotFound", "VpcIdNotFound"), failure_causes.VPC),
    **dict.fromkeys(
        ("KmsGrantRevoked", "KmsKeyNotFound", "KmsKeyMarkedForDeletion", "KmsKeyDisabled"), failure_causes.KMS
    ),
    **dict.fromkeys(
        ("Ec2ServiceNotSubscribed", "StsRegionalEndpointDisabled", "AutoScalingGroupOptInRequired"),
        failure_causes.REGION,
    ),
    **dict.fromkeys(("Ec2LaunchTemplateNotFound", "Ec2LaunchTemplateVersionMismatch"), failure_causes.TEMPLATE),
    **dict.fromkeys(
        ("Ec2LaunchTemplateInvalidConfiguration", "SourceEc2LaunchTemplateNotFound"), failure_causes.TEMPLATE
    ),
    **dict.fromkeys(("Ec2LaunchTemplateDeletionFailure",), failure_causes.TEMPLATE),
    **dict.fromkeys(("AutoScalingGroupNotFound", "AutoScalingGroupInvalidConfiguration"), failure_causes.ASG),
    **dict.fromkeys(("AutoScalingGroupInstanceRefreshActive", "NodeTerminationFailure"), failure_causes.ASG),
    **dict.fromkeys(
        ("AutoScalingGroupRateLimitExceeded", "IamThrottling", "ThrottlingException"), failure_causes.THROTTLED
    ),
    **dict.fromkeys(("BandwidthLimitExceeded", "ExecutionLimitExceeded", "SlowDown"), failure_causes.THROTTLED),
    **dict.fromkeys(("PriorRequestNotComplete", "TooManyRequestsException"), failure_causes.THROTTLED),
    **dict.fromkeys(("ProvisionedThroughputExceededException",), failure_causes.THROTTLED),
    **dict.fromkeys(("ConfigurationConflict",), failure_causes.ADDON_CONFLICT),
    **dict.fromkeys(("InsufficientNumberOfReplicas", "K8sResourceNotFound"), failure_causes.ADDON_REPLICAS),
    **dict.fromkeys(
        ("InvalidParameterException", "InvalidRequestException", "BadRequestException"), failure_causes.INVALID
    ),
    **dict.fromkeys(("ClientException", "InvalidStateException", "ValidationError"), failure_causes.INVALID),
    **dict.fromkeys(("Unknown", "Other"), failure_causes.UNKNOWN),
    **dict.fromkeys(
        ("ResourceLimitExceeded", "ResourceLimitExceededException"), failure_causes.quota("eks-quota", Sentence("EKS"))
    ),
    **dict.fromkeys(("LimitExceeded", "LimitExceededException", "TagLimitExceeded"), failure_causes.QUOTA),
    **dict.fromkeys(
        ("Ec2LaunchTemplateMaxLimitExceeded", "Ec2LaunchTemplateVersionMaxLimitExceeded"),
        failure_causes.quota("launch-template-quota", Sentence("launch templates")),
    ),
    **dict.fromkeys(("NotFoundException", "ResourceNotFoundException", "ResourceNotFound"), failure_causes.VANISHED),
    "AddonPermissionFailure": failure_causes.ADDON_PERMISSION,
    "AddonSubscriptionNeeded": failure_causes.ADDON_SUBSCRIPTION,
    "AdmissionRequestDenied": failure_causes.ADDON_REFUSED,
    "AmiIdNotFound": failure_causes.AMI,
    "AsgInstanceLaunchFailures": failure_causes.NOT_LAUNCHED,
    "AwsUnavailable": failure_causes.AWS,
    "Ec2InstanceTypeDoesNotExist": failure_causes.TYPE,
    "Ec2SubnetInvalidConfiguration": failure_causes.NO_PUBLIC_ADDRESS,
    "Ec2SubnetListTooLong": failure_causes.ZONES,
    "Ec2SubnetMissingIpv6Assignment": failure_causes.IPV6,
    "EniLimitReached": failure_causes.quota("interface-quota", Sentence("network interfaces")),
    "IamLimitExceeded": failure_causes.quota("iam-quota", Sentence("IAM roles or instance profiles")),
    "InstanceLimitExceeded": failure_causes.VCPU,
    "InvalidSubnetID.NotFound": failure_causes.SUBNET,
    "InvalidVpcID.NotFound": failure_causes.VPC,
    "KubernetesLabelInvalid": failure_causes.LABEL,
    "NodeCreationFailure": failure_causes.NOT_JOINED,
    "RegionDisabledException": failure_causes.REGION,
    "PodEvictionFailure": failure_causes.EVICTION,
    "ResourceInUseException": failure_causes.BUSY,
    "Timeout": failure_causes.TIMEOUT,
    "UnsupportedAddonModification": failure_causes.ADDON_CHANGED,
    "UnsupportedAvailabilityZoneException": failure_causes.ZONE,
    "UnsupportedVersion": failure_causes.VERSION,
}

#: For codes in neither table: the forms of AWS's codes for resources that are missing, or in use.
BY_FORM: tuple[tuple[str, failure_causes.Cause], ...] = (
    (r"Invalid[\w]*LaunchTemplate\w*\.NotFound(Exception)?", failure_causes.TEMPLATE),
    (r"NoSuch\w+|[\w.]*NotFound(Exception)?|\w+DoesNotExist", failure_causes.VANISHED),
    (r"[\w.]+\.InUse", failure_causes.IN_USE),
)
