"""The known causes of failure, each with a sentence, its remedy and the responsible party.

`aws_error_patterns.py` maps AWS's words to causes.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence, sentence


@dataclass(frozen=True)
class Cause:
    """A cause as sentences. `explain.py` fills their `{...}` from AWS's own words."""

    code: str
    sentence: Sentence
    responsible: Responsible


def _yours(code: str, message: str) -> Cause:
    return Cause(code, Sentence(message), Responsible.YOURS)


def _ours(code: str, message: str) -> Cause:
    return Cause(code, Sentence(message), Responsible.OURS)


def _unknown(code: str, message: str) -> Cause:
    return Cause(code, Sentence(message), Responsible.UNKNOWN)


def quota(code: str, what: str) -> Cause:
    """The cause of an exhausted quota of `what`."""
    message = Sentence(
        "The account's quota of {what} is used up. An administrator can raise it; another region may have room now.",
        what=sentence(what),
    )
    return Cause(code, message, Responsible.OURS)


VCPU = _yours(
    "vcpu-quota",
    "The account may not run more vCPUs of this instance family. Ask for fewer or smaller nodes, or another family; "
    "an administrator can raise the quota.",
)
NO_CAPACITY = _yours(
    "no-capacity",
    "AWS has no free capacity for {type}{in_zones} at the moment. Name several instance types, other zones, or try again "
    "later.",
)
FREE_PLAN = _yours(
    "not-on-the-free-plan",
    "The account is on AWS's free plan, which does not run {type}. Choose a type that is eligible for it, or let an "
    "administrator upgrade the account's plan.",
)
NOT_LAUNCHED = _unknown(
    "instances-not-launched", "EC2 did not launch the nodes. We don't know this answer of AWS's: {words}"
)
LAUNCH_DENIED = _ours(
    "launch-denied",
    "The service lacks a right that launching instances from the lab's launch template takes, or the organization forbids it. "
    "An administrator must look. AWS's words: {words}",
)
LAUNCH_INTERNAL = _ours(
    "instances-ended-at-once",
    "EC2 ended the instances as they started (Client.InternalError), most often because the key that encrypts their volumes "
    "may not be used. An administrator must look at the volumes' default key.",
)
NO_ADDRESSES = _yours(
    "subnets-full",
    "A subnet has too few free addresses: the control plane wants 6 in each, every node and pod one more. "
    "Use larger or emptier subnets.",
)
NOT_OFFERED = _yours("type-not-offered", "AWS does not offer {type}{in_zones}. Choose another type, or other zones.")
NO_PUBLIC_ADDRESS = _yours(
    "subnet-without-public-addresses",
    "A public subnet does not give its instances public addresses, so the nodes can't reach the cluster. Switch on "
    "auto-assign public IPv4 (MapPublicIpOnLaunch) for it, or place the nodes in private subnets with NAT.",
)
NOT_JOINED = _yours(
    "nodes-did-not-join",
    "The instances started but did not join the cluster. Usually their subnet has no way out (no public address, no NAT) "
    "or its route table or network ACL forbids the way to the control plane.",
)
KEY_PAIR = _yours(
    "key-pair-missing", "EC2 has no key pair of this name in the region. Import it, or send a public key."
)
SPOT_QUOTA = _yours("spot-quota", "The account may not run more Spot instances. Use ON_DEMAND, or fewer nodes.")
SPOT_ROLE = _ours(
    "spot-role-missing",
    "The account lacks the service-linked role for Spot. An administrator creates it once "
    "(AWSServiceRoleForEC2Spot); ON_DEMAND works now.",
)
NODEGROUP_ROLE = _ours(
    "nodegroup-role-missing",
    "The account lacks the service-linked role for node groups, or the service may not use it. An administrator creates it "
    "once (AWSServiceRoleForAmazonEKSNodegroup).",
)
SERVICE_ROLE = _ours(
    "service-linked-role-missing",
    "The account lacks a service-linked role, and the service may not make it. An administrator creates it once. AWS's words: "
    "{words}",
)
SPOT_PRICE = _yours("spot-price", "Spot costs more than the price offered. Use ON_DEMAND or other types.")
SCP = _ours(
    "forbidden-by-organization",
    "A service control policy of the organization forbids {permission}. An administrator must allow it, or another region "
    "must be used.",
)
RCP = _ours(
    "forbidden-by-organization",
    "A resource control policy of the organization forbids {permission}. An administrator must allow it.",
)
DENIED = _ours("access-denied", "The service may not do {permission}. An administrator must grant it.")
NOT_LET_IN = _ours(
    "kubernetes-access-denied",
    "The cluster's API server does not let EKS, or a node, in: an access entry, a role or an admission rule in the cluster may "
    "have been changed. AWS's words: {words}",
)
NOT_PERMITTED = _unknown(
    "operation-not-permitted", "AWS does not permit this of the thing as it is now. We don't know this answer: {words}"
)
ACCOUNT = _ours(
    "account-closed",
    "The lab's account does not let this service in: its role there is gone, or does not trust the service any more. An "
    "administrator must restore it (docs/how-to/accounts.md). AWS's words: {words}",
)
UNREGISTERED = _ours(
    "account-unregistered",
    "The lab's account is not registered any more. An administrator must register it again (ekslab register).",
)
ROLE = _ours("role-missing", "A role that the lab needs is gone or can't be assumed. Ask for the lab again.")
ZONE = _yours(
    "zone-unsupported",
    "EKS can't place a control plane in one of the zones. Zones that work: {zones}. Name two of them in the request.",
)
VERSION = _yours(
    "version-unsupported", "EKS does not offer this Kubernetes version. `ekslab get versions` lists those it does."
)
ADDON_VERSION = _yours(
    "addon-version-unsupported",
    "EKS does not offer an add-on in that version for this Kubernetes version. Leave its version out, or name one that EKS has.",
)
ADDON_UNSUPPORTED = _yours(
    "addon-unsupported", "EKS does not offer an add-on for this Kubernetes version. Leave it out."
)
THROTTLED = _ours("throttled", "AWS kept asking us to slow down until we gave up. Ask again in a while.")
NAME = _yours(
    "name-taken", "A cluster of this name, which is not this lab's, exists in the account. Choose another name."
)
SUBNET = _yours("subnet-missing", "A subnet no longer exists, or is in another VPC. Name subnets that exist.")
GROUP = _ours("security-group-missing", "A security group that the lab needs was deleted. Ask for the lab again.")
TEMPLATE = _ours(
    "launch-template-wrong", "EC2 refuses the node group's launch template or can't find it. Ask for the lab again."
)
KMS = _ours(
    "encryption-key-unusable",
    "The KMS key is gone, disabled or not granted. An administrator must restore it or the grant of the volumes' default key.",
)
NOT_SUBSCRIBED = _ours(
    "not-subscribed",
    "The account has not signed up for this service of AWS's. An administrator must look. AWS's words: {words}",
)
MARKETPLACE = _ours(
    "marketplace-subscription",
    "The account has not subscribed to a product of AWS Marketplace that this needs. AWS's words: {words}",
)
HELD_BY_AWS = _ours(
    "held-by-a-service",
    "A service of AWS's holds it for something of its own, such as a load balancer, a NAT gateway or an endpoint: it goes with "
    "that. AWS's words: {words}",
)
UNVERIFIED = _ours(
    "account-not-verified", "AWS has not verified or has blocked the account. An administrator must ask AWS."
)
AWS = _ours("aws-internal", "AWS failed on its side. Ask again in a while.")
UNREACHABLE = _ours("cluster-unreachable", "EKS can't reach the cluster's API server. Ask for the lab again.")
ADDON_CONFLICT = _yours(
    "addon-conflict",
    "An add-on's configuration contradicts itself, or what is in the cluster. Correct its configuration, or leave it out.",
)
ADDON_REFUSED = _yours(
    "addon-refused", "An admission rule in the cluster refuses the add-on. Leave the rule or the add-on out."
)
ADDON_CHANGED = _yours("addon-modified", "The add-on was changed in a way that EKS does not support. Undo that change.")
ADDON_REPLICAS = _yours(
    "addon-not-running",
    "An add-on has too few running replicas. Its pods need nodes that are large enough and not tainted against them.",
)
ADDON_SUBSCRIPTION = _ours(
    "addon-subscription", "The add-on wants a Marketplace subscription, which the account lacks."
)
ADDON_PERMISSION = _yours(
    "addon-permission", "The add-on lacks an IAM permission. Give its service account a role that has it."
)
ASG = _ours(
    "auto-scaling-group-broken", "The node group's Auto Scaling group was changed or deleted behind EKS's back."
)
EVICTION = _yours("pod-not-evictable", "A PodDisruptionBudget keeps a node from being emptied. Loosen it.")
VPC = _yours("vpc-missing", "The VPC no longer exists. Name subnets of one that does.")
INVALID = _unknown("request-refused", "AWS refuses the request as it stands. We don't know this answer: {words}")
LABEL = _yours("label-invalid", "A node label is none that Kubernetes takes. Correct the label.")
TYPE = _yours("instance-type-unknown", "There is no such instance type in this region. Choose another.")
AMI = _yours(
    "image-missing", "There is no node image for this AMI type and version. Choose another AMI type or version."
)
IPV6 = _yours("subnet-without-ipv6", "The subnet does not assign IPv6 addresses. Switch that on, or use other subnets.")
ZONES = _yours("too-many-subnets", "The node group spans more subnets than EC2 takes. Name fewer.")
REGION = _ours(
    "region-not-enabled", "The account has not switched on what EKS needs in this region. Use another region."
)
TIMEOUT = _ours("took-too-long", "AWS took longer than we wait. Ask again in a while.")
BUSY = _ours("resource-busy", "Another change of the same thing was under way. Try again in a while.")
UNKNOWN = _unknown("unexplained", "We don't know this answer of AWS's: {words}")
VANISHED = _ours(
    "deleted-meanwhile",
    "AWS does not find a thing that was asked for: perhaps it was deleted. Ask for the lab again. AWS's words: {words}",
)
EXISTS = _ours("already-exists", "Something else has this name already. AWS's words: {words}")
IN_USE = _ours("still-in-use", "Something still uses it, or is still at work on it. AWS's words: {words}")
PROTECTED = _yours(
    "deletion-protected", "Somebody protected it against deletion. Switch the protection off. AWS's words: {words}"
)
PRINCIPAL = _yours(
    "principal-refused", "EKS takes no access entry for one of the principals. Name another one. AWS's words: {words}"
)
KEY_FORMAT = _yours(
    "key-invalid", "EC2 does not take this public key. Send one in OpenSSH's format. AWS's words: {words}"
)
CREDENTIALS = _ours(
    "credentials-refused",
    "AWS did not take the credentials that the service called with. Ask again in a while. AWS's words: {words}",
)
SERVICE = _ours(
    "service-incomplete",
    "A part of the service itself (its table, a state machine, a topic, a queue or a secret) is missing or can't be used. An "
    "administrator must look. AWS's words: {words}",
)
QUOTA = _ours(
    "quota",
    "A quota of the account, or of what was asked for, is used up. An administrator may raise it. AWS's words: {words}",
)
