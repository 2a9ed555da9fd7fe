"""Explains each policy on a lab's roles in a sentence for learners; and the endpoint's modes and groups in words."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import EndpointAccess

_POLICIES: Mapping[str, str] = {
    "AmazonEKSWorkerNodePolicy": Sentence("lets the kubelet describe the instances and the cluster it joins"),
    "AmazonEC2ContainerRegistryPullOnly": Sentence(
        "lets the node pull images from ECR, EKS's own add-on images among them"
    ),
    "AmazonSSMManagedInstanceCore": Sentence("lets Session Manager open a shell on the node without any open port"),
    "AmazonEKSClusterPolicy": Sentence(
        "lets the control plane see and tag the network and run load balancers of Services"
    ),
    "AmazonEKSVPCResourceController": Sentence("lets the control plane manage interfaces for security groups of pods"),
    "AmazonEBSCSIDriverEKSClusterScopedPolicy": (
        Sentence(
            "lets the EBS CSI driver make, attach and delete the volumes of this cluster's "
            "PersistentVolumeClaims, and no others"
        )
    ),
}
_ENDPOINT: Mapping[EndpointAccess, str] = {
    EndpointAccess.PUBLIC: Sentence(
        "answers on the internet, to the addresses on the allow-list; nodes reach it there too"
    ),
    EndpointAccess.PUBLIC_AND_PRIVATE: (
        Sentence(
            "answers on the internet to the addresses on the allow-list, and inside the VPC to whom the "
            "cluster security group lets in"
        )
    ),
    EndpointAccess.PRIVATE: Sentence("answers inside the VPC only, to whom the cluster security group lets in"),
}
_GROUPS: Mapping[str, str] = {
    "cluster": Sentence(
        "made by EKS for the cluster: on the control plane's interfaces; whoever it lets in reaches the API server"
    ),
    "control-plane": Sentence("given to the control plane at creation: carries no rules, other groups name it"),
    "nodes": Sentence("shared by all nodes: they reach each other, and the control plane reaches them"),
    "remote-access": Sentence("lets ssh in from the named addresses"),
    "work-host": Sentence("on the work host, which the cluster security group lets in"),
}


def why_policy(name: str) -> str:
    """The reason for a policy; inline and unknown ones are described as such."""
    return _POLICIES.get(
        name, Sentence("not put there by this service, or written for this lab: look at the policy itself")
    )


def endpoint_in_words(access: EndpointAccess) -> str:
    """The networks from which an endpoint of this mode can be reached."""
    return _ENDPOINT[access]


def why_group(role: str) -> str:
    """The purpose of a security group of this role."""
    return _GROUPS[role]
