"""The known causes of failure, each with a sentence, its remedy and who has to act.

`aws_error_patterns.py` maps AWS's words to causes.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence

_YOURS, _OURS, _UNKNOWN = Responsible.YOURS, Responsible.OURS, Responsible.UNKNOWN


@dataclass(frozen=True)
class Cause:
    """A cause as sentences. `explain.py` fills their `{...}` from AWS's own words."""

    code: str
    sentence: Sentence
    responsible: Responsible


def quota(code: str, what: str) -> Cause:
    """The cause of an exhausted quota of `what`."""
    sentence = Sentence(
        "The account's quota of {what} is used up. An administrator can raise it; another region may have room now.",
        what=what,
    )
    return Cause(code, sentence, _OURS)


VCPU = Cause(
    "vcpu-quota",
    Sentence(
        "The account may not run more vCPUs of this instance family. Ask for fewer or smaller nodes, or another family; "
        "an administrator can raise the quota."
    ),
    _YOURS,
)
NO_CAPACITY = Cause(
    "no-capacity",
    Sentence(
        "AWS has no free capacity for {type}{in_zones} at the moment. Name several instance types, other zones, or try again "
        "later."
    ),
    _YOURS,
)
FREE_PLAN = Cause(
    "not-on-the-free-plan",
    Sentence(
        "The account is on AWS's free plan, which does not run {type}. Choose a type that is eligible for it, or let an "
        "administrator upgrade the account's plan."
    ),
    _YOURS,
)
NOT_LAUNCHED = Cause(
    "instances-not-launched",
    Sentence("EC2 did not launch the nodes. We don't know this answer of AWS's: {words}"),
    _UNKNOWN,
)
LAUNCH_DENIED = Cause(
    "launch-denied",
    Sentence(
        "The service lacks a right that launching instances from the lab's launch template takes, or the organization forbids it. "
        "An administrator must look. AWS's words: {words}"
    ),
    _OURS,
)
LAUNCH_INTERNAL = Cause(
    "instances-ended-at-once",
    Sentence(
        "EC2 ended the instances as they started (Client.InternalError), most often because the key that encrypts their volumes "
        "may not be used. An administrator must look at the volumes' default key."
    ),
    _OURS,
)
NO_ADDRESSES = Cause(
    "subnets-full",
    Sentence(
        "A subnet has too few free addresses: the control plane wants 6 in each, every node and pod one more. "
        "Use larger or emptier subnets."
    ),
    _YOURS,
)
NOT_OFFERED = Cause(
    "type-not-offered",
    Sentence("AWS does not offer {type}{in_zones}. Choose another type, or other zones."),
    _YOURS,
)
NO_PUBLIC_ADDRESS = Cause(
    "subnet-without-public-addresses",
    Sentence(
        "A public subnet does not give its instances public addresses, so the nodes can't reach the cluster. Switch on "
        "auto-assign public IPv4 (MapPublicIpOnLaunch) for it, or place the nodes in private subnets with NAT."
    ),
    _YOURS,
)
NOT_JOINED = Cause(
    "nodes-did-not-join",
    Sentence(
        "The instances started but did not join the cluster. Usually their subnet has no way out (no public address, no NAT) "
        "or its route table or network ACL forbids the way to the control plane."
    ),
    _YOURS,
)
KEY_PAIR = Cause(
    "key-pair-missing",
    Sentence("EC2 has no key pair of this name in the region. Import it, or send a public key."),
    _YOURS,
)
SPOT_QUOTA = Cause(
    "spot-quota", Sentence("The account may not run more Spot instances. Use ON_DEMAND, or fewer nodes."), _YOURS
)
SPOT_ROLE = Cause(
    "spot-role-missing",
    Sentence(
        "The account lacks the service-linked role for Spot. An administrator creates it once "
        "(AWSServiceRoleForEC2Spot); ON_DEMAND works now."
    ),
    _OURS,
)
NODEGROUP_ROLE = Cause(
    "nodegroup-role-missing",
    Sentence(
        "The account lacks the service-linked role for node groups, or the service may not use it. An administrator creates it "
        "once (AWSServiceRoleForAmazonEKSNodegroup)."
    ),
    _OURS,
)
SERVICE_ROLE = Cause(
    "service-linked-role-missing",
    Sentence(
        "The account lacks a service-linked role, and the service may not make it. An administrator creates it once. AWS's words: "
        "{words}"
    ),
    _OURS,
)
SPOT_PRICE = Cause(
    "spot-price", Sentence("Spot costs more than the price offered. Use ON_DEMAND or other types."), _YOURS
)
SCP = Cause(
    "forbidden-by-organization",
    Sentence(
        "A service control policy of the organization forbids {permission}. An administrator must allow it, or another region "
        "must be used."
    ),
    _OURS,
)
RCP = Cause(
    "forbidden-by-organization",
    Sentence("A resource control policy of the organization forbids {permission}. An administrator must allow it."),
    _OURS,
)
DENIED = Cause("access-denied", Sentence("The service may not do {permission}. An administrator must grant it."), _OURS)
NOT_LET_IN = Cause(
    "kubernetes-access-denied",
    Sentence(
        "The cluster's API server does not let EKS, or a node, in: an access entry, a role or an admission rule in the cluster may "
        "have been changed. AWS's words: {words}"
    ),
    _OURS,
)
NOT_PERMITTED = Cause(
    "operation-not-permitted",
    Sentence("AWS does not permit this of the thing as it is now. We don't know this answer: {words}"),
    _UNKNOWN,
)
ACCOUNT = Cause(
    "account-closed",
    Sentence(
        "The lab's account does not let this service in: its role there is gone, or does not trust the service any more. An "
        "administrator must restore it (docs/how-to/accounts.md). AWS's words: {words}"
    ),
    _OURS,
)
UNREGISTERED = Cause(
    "account-unregistered",
    Sentence(
        "The lab's account is not registered any more. An administrator must register it again (ekslab register)."
    ),
    _OURS,
)
ROLE = Cause(
    "role-missing", Sentence("A role that the lab needs is gone or can't be assumed. Ask for the lab again."), _OURS
)
ZONE = Cause(
    "zone-unsupported",
    Sentence(
        "EKS can't place a control plane in one of the zones. Zones that work: {zones}. Name two of them in the request."
    ),
    _YOURS,
)
VERSION = Cause(
    "version-unsupported",
    Sentence("EKS does not offer this Kubernetes version. `ekslab get versions` lists those it does."),
    _YOURS,
)
ADDON_VERSION = Cause(
    "addon-version-unsupported",
    Sentence(
        "EKS does not offer an add-on in that version for this Kubernetes version. Leave its version out, or name one that EKS has."
    ),
    _YOURS,
)
ADDON_UNSUPPORTED = Cause(
    "addon-unsupported", Sentence("EKS does not offer an add-on for this Kubernetes version. Leave it out."), _YOURS
)
THROTTLED = Cause(
    "throttled", Sentence("AWS kept asking us to slow down until we gave up. Ask again in a while."), _OURS
)
NAME = Cause(
    "name-taken",
    Sentence("A cluster of this name, which is not this lab's, exists in the account. Choose another name."),
    _YOURS,
)
SUBNET = Cause(
    "subnet-missing", Sentence("A subnet no longer exists, or is in another VPC. Name subnets that exist."), _YOURS
)
GROUP = Cause(
    "security-group-missing", Sentence("A security group that the lab needs was deleted. Ask for the lab again."), _OURS
)
TEMPLATE = Cause(
    "launch-template-wrong",
    Sentence("EC2 refuses the node group's launch template or can't find it. Ask for the lab again."),
    _OURS,
)
KMS = Cause(
    "encryption-key-unusable",
    Sentence(
        "The KMS key is gone, disabled or not granted. An administrator must restore it or the grant of the volumes' default key."
    ),
    _OURS,
)
NOT_SUBSCRIBED = Cause(
    "not-subscribed",
    Sentence(
        "The account has not signed up for this service of AWS's. An administrator must look. AWS's words: {words}"
    ),
    _OURS,
)
MARKETPLACE = Cause(
    "marketplace-subscription",
    Sentence("The account has not subscribed to a product of AWS Marketplace that this needs. AWS's words: {words}"),
    _OURS,
)
HELD_BY_AWS = Cause(
    "held-by-a-service",
    Sentence(
        "A service of AWS's holds it for something of its own, such as a load balancer, a NAT gateway or an endpoint: it goes with "
        "that. AWS's words: {words}"
    ),
    _OURS,
)
UNVERIFIED = Cause(
    "account-not-verified",
    Sentence("AWS has not verified or has blocked the account. An administrator must ask AWS."),
    _OURS,
)
AWS = Cause("aws-internal", Sentence("AWS failed on its side. Ask again in a while."), _OURS)
UNREACHABLE = Cause(
    "cluster-unreachable", Sentence("EKS can't reach the cluster's API server. Ask for the lab again."), _OURS
)
ADDON_CONFLICT = Cause(
    "addon-conflict",
    Sentence(
        "An add-on's configuration contradicts itself, or what is in the cluster. Correct its configuration, or leave it out."
    ),
    _YOURS,
)
ADDON_REFUSED = Cause(
    "addon-refused",
    Sentence("An admission rule in the cluster refuses the add-on. Leave the rule or the add-on out."),
    _YOURS,
)
ADDON_CHANGED = Cause(
    "addon-modified", Sentence("The add-on was changed in a way that EKS does not support. Undo that change."), _YOURS
)
ADDON_REPLICAS = Cause(
    "addon-not-running",
    Sentence(
        "An add-on has too few running replicas. Its pods need nodes that are large enough and not tainted against them."
    ),
    _YOURS,
)
ADDON_SUBSCRIPTION = Cause(
    "addon-subscription", Sentence("The add-on wants a Marketplace subscription, which the account lacks."), _OURS
)
ADDON_PERMISSION = Cause(
    "addon-permission",
    Sentence("The add-on lacks an IAM permission. Give its service account a role that has it."),
    _YOURS,
)
ASG = Cause(
    "auto-scaling-group-broken",
    Sentence("The node group's Auto Scaling group was changed or deleted behind EKS's back."),
    _OURS,
)
EVICTION = Cause(
    "pod-not-evictable", Sentence("A PodDisruptionBudget keeps a node from being emptied. Loosen it."), _YOURS
)
VPC = Cause("vpc-missing", Sentence("The VPC no longer exists. Name subnets of one that does."), _YOURS)
INVALID = Cause(
    "request-refused", Sentence("AWS refuses the request as it stands. We don't know this answer: {words}"), _UNKNOWN
)
LABEL = Cause("label-invalid", Sentence("A node label is none that Kubernetes takes. Correct the label."), _YOURS)
TYPE = Cause(
    "instance-type-unknown", Sentence("There is no such instance type in this region. Choose another."), _YOURS
)
AMI = Cause(
    "image-missing",
    Sentence("There is no node image for this AMI type and version. Choose another AMI type or version."),
    _YOURS,
)
IPV6 = Cause(
    "subnet-without-ipv6",
    Sentence("The subnet does not assign IPv6 addresses. Switch that on, or use other subnets."),
    _YOURS,
)
ZONES = Cause("too-many-subnets", Sentence("The node group spans more subnets than EC2 takes. Name fewer."), _YOURS)
REGION = Cause(
    "region-not-enabled",
    Sentence("The account has not switched on what EKS needs in this region. Use another region."),
    _OURS,
)
TIMEOUT = Cause("took-too-long", Sentence("AWS took longer than we wait. Ask again in a while."), _OURS)
BUSY = Cause("resource-busy", Sentence("Another change of the same thing was under way. Try again in a while."), _OURS)
UNKNOWN = Cause("unexplained", Sentence("We don't know this answer of AWS's: {words}"), _UNKNOWN)
VANISHED = Cause(
    "deleted-meanwhile",
    Sentence(
        "AWS does not find a thing that was asked for: perhaps it was deleted. Ask for the lab again. AWS's words: {words}"
    ),
    _OURS,
)
EXISTS = Cause("already-exists", Sentence("Something else has this name already. AWS's words: {words}"), _OURS)
IN_USE = Cause(
    "still-in-use", Sentence("Something still uses it, or is still at work on it. AWS's words: {words}"), _OURS
)
PROTECTED = Cause(
    "deletion-protected",
    Sentence("Somebody protected it against deletion. Switch the protection off. AWS's words: {words}"),
    _YOURS,
)
PRINCIPAL = Cause(
    "principal-refused",
    Sentence("EKS takes no access entry for one of the principals. Name another one. AWS's words: {words}"),
    _YOURS,
)
KEY_FORMAT = Cause(
    "key-invalid",
    Sentence("EC2 does not take this public key. Send one in OpenSSH's format. AWS's words: {words}"),
    _YOURS,
)
CREDENTIALS = Cause(
    "credentials-refused",
    Sentence(
        "AWS did not take the credentials that the service called with. Ask again in a while. AWS's words: {words}"
    ),
    _OURS,
)
SERVICE = Cause(
    "service-incomplete",
    Sentence(
        "A part of the service itself (its table, a state machine, a topic, a queue or a secret) is missing or can't be used. An "
        "administrator must look. AWS's words: {words}"
    ),
    _OURS,
)
QUOTA = Cause(
    "quota",
    Sentence(
        "A quota of the account, or of what was asked for, is used up. An administrator may raise it. AWS's words: {words}"
    ),
    _OURS,
)
