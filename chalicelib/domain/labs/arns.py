"""Resources that a lab requests, with the ARNs that they have or will have, for the ledger.

If AWS puts a random id into an ARN (node groups, add-ons, stacks), the ARN comes from AWS's answer instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.labs.lab import Lab

_EC2_WORDS: Mapping[Kind, str] = {
    Kind.INSTANCE: "instance",
    Kind.KEY_PAIR: "key-pair",
    Kind.SECURITY_GROUP: "security-group",
    Kind.SUBNET: "subnet",
    Kind.VPC: "vpc",
}


def partition_of_lab(lab: Lab) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`: the partition that the lab's owner is in."""
    parts = lab.owner.split(":")
    return parts[1] if len(parts) > 1 and parts[0] == "arn" else "aws"


def arn_of(lab: Lab, service: str, rest: str) -> str:
    """An ARN of a regional service in the lab's account and region."""
    return f"arn:{partition_of_lab(lab)}:{service}:{lab.region}:{lab.account}:{rest}"


def cluster_of(lab: Lab) -> Resource:
    """The lab's control plane."""
    return Resource(Kind.CLUSTER, lab.name, arn_of(lab, "eks", f"cluster/{lab.name}"))


def ec2_thing(lab: Lab, kind: Kind, thing_id: str, **attributes: str) -> Resource:
    """An instance, key pair, security group, subnet or VPC by its id. Keyword names become attributes (`vpc_id` → `vpc-id`)."""
    named = {key.replace("_", "-"): value for key, value in attributes.items()}
    return Resource(kind, thing_id, arn_of(lab, "ec2", f"{_EC2_WORDS[kind]}/{thing_id}"), attributes=named)


def part_of_cluster(lab: Lab, kind: Kind, name: str, arn: str, **attributes: str) -> Resource:
    """A node group, add-on, access entry or the like, with the ARN from EKS."""
    named = {key.replace("_", "-"): value for key, value in attributes.items()}
    return Resource(kind, name, arn, attributes={"cluster-name": lab.name, **named})
