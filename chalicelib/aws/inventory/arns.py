"""Parses ARNs of the tagging API into a resource kind and an id to look it up by."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.resources import Kind

_EC2: Mapping[str, Kind] = {
    "elastic-ip": Kind.ELASTIC_IP,
    "instance": Kind.INSTANCE,
    "internet-gateway": Kind.INTERNET_GATEWAY,
    "key-pair": Kind.KEY_PAIR,
    "launch-template": Kind.LAUNCH_TEMPLATE,
    "natgateway": Kind.NAT_GATEWAY,
    "network-interface": Kind.NETWORK_INTERFACE,
    "route-table": Kind.ROUTE_TABLE,
    "security-group": Kind.SECURITY_GROUP,
    "snapshot": Kind.SNAPSHOT,
    "subnet": Kind.SUBNET,
    "volume": Kind.VOLUME,
    "vpc": Kind.VPC,
    "vpc-endpoint": Kind.VPC_ENDPOINT,
}
_EKS: Mapping[str, Kind] = {
    "access-entry": Kind.ACCESS_ENTRY,
    "addon": Kind.ADDON,
    "cluster": Kind.CLUSTER,
    "fargateprofile": Kind.FARGATE_PROFILE,
    "nodegroup": Kind.NODEGROUP,
    "podidentityassociation": Kind.POD_IDENTITY,
}
_IAM: Mapping[str, Kind] = {"role": Kind.ROLE, "instance-profile": Kind.INSTANCE_PROFILE}
#: Parts of other resources: they are deleted with them.
_PARTS = frozenset({"listener", "listener-rule", "security-group-rule", "spot-instances-request", "fleet"})
#: A file system stays even with the tag: it is its owner's, and has the tag for its mount targets.
_STAYING = frozenset({"file-system"})


def identify(arn: str) -> tuple[Kind, str] | None:
    """The kind and id of an ARN's resource; None for kinds that no lab leaves."""
    _, _, service, _, _, rest = arn.split(":", 5)
    word, _, id = rest.partition("/")
    match service:
        case "ec2":
            return (_EC2[word], id) if word in _EC2 else None
        case "elasticloadbalancing":
            return _balancer(arn, word, id)
        case "eks":
            return (_EKS[word], _eks_id(arn, word, id)) if word in _EKS else None
        case "iam":
            if word == "oidc-provider":
                return Kind.OIDC_PROVIDER, arn
            return (_IAM[word], id.rpartition("/")[2]) if word in _IAM else None
        case "logs" if rest.startswith("log-group:"):
            return Kind.LOG_GROUP, rest.removeprefix("log-group:").removesuffix(":*")
        case "cloudformation" if word == "stack":
            return Kind.STACK, arn
    return None


def whole(arn: str, account: str) -> str:
    """The ARN in the ledger's form: snapshots' without their account, log groups' without `:*`."""
    return arn.replace(f":{account}:snapshot/", "::snapshot/").removesuffix(":*")


def is_part(arn: str) -> bool:
    """Whether the ARN's resource is deleted with another one."""
    return _word(arn) in _PARTS


def stays(arn: str) -> bool:
    """Whether the ARN's resource is one that no lab ever deletes."""
    return _word(arn) in _STAYING


def _word(arn: str) -> str:
    return arn.split(":", 5)[5].partition("/")[0]


def _balancer(arn: str, word: str, id: str) -> tuple[Kind, str] | None:
    if word == "targetgroup":
        return Kind.TARGET_GROUP, arn
    if word != "loadbalancer":
        return None
    return (Kind.LOAD_BALANCER, arn) if "/" in id else (Kind.CLASSIC_LOAD_BALANCER, id)


def _eks_id(arn: str, word: str, id: str) -> str:
    """The name of a cluster or a part of it; Pod Identity associations and access entries are looked up by their ARN."""
    if word == "cluster":
        return id
    return arn if word in ("podidentityassociation", "access-entry") else id.split("/")[1]
