"""The principals of AWS's own calls in an account: sessions of service-linked roles, or of roles passed to AWS.

A client that calls for an actor sends a header; its value begins with this process's secret, so that nobody else can send it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

HEADER = "x-emulator-actor"
_SECRET = secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Actor:
    """A session of a role; `service` is the one whose service-linked role it is, "" for a role of the account's own."""

    role: str
    session: str
    service: str = ""

    def header(self) -> str:
        """The header's value for this actor."""
        return "|".join((_SECRET, self.role, self.session, self.service))


# The sessions' names are those of recorded events: `AWSServiceRoleForAmazonEKS/AmazonEKS` (aws/containers-roadmap),
# `…Nodegroup/EKS` (EKS user guide, "Logging Amazon EKS API calls"), `…/AutoScaling`, `…/ElasticLoadBalancing`.
EKS = Actor("AWSServiceRoleForAmazonEKS", "AmazonEKS", "eks.amazonaws.com")
EKS_NODEGROUP = Actor("AWSServiceRoleForAmazonEKSNodegroup", "EKS", "eks-nodegroup.amazonaws.com")
AUTO_SCALING = Actor("AWSServiceRoleForAutoScaling", "AutoScaling", "autoscaling.amazonaws.com")
LOAD_BALANCING = Actor(
    "AWSServiceRoleForElasticLoadBalancing", "ElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"
)


def actor_from(value: str | None) -> Actor | None:
    """The actor that a header names, None for a missing or a forged header."""
    secret, _, rest = (value or "").partition("|")
    if not secrets.compare_digest(secret, _SECRET):
        return None
    role, session, service = rest.split("|")
    return Actor(role, session, service)
