"""The lab's own security groups in its stack, and their rules (docs/adr/0004-launch-template-and-groups.md).

Nothing here refers to the security group that EKS creates for the cluster, so that EKS can delete that one with it. Rules are
resources of their own: CloudFormation tags a group after it creates it, and may change nothing without the lab's tag.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.stack.intrinsics import Json, attribute, resource, tag_list


def security_groups(lab: Lab, vpc: Json) -> Json:
    """The groups: control plane, shared nodes, remote access (with ssh), work host (with one)."""
    node_tags = {f"kubernetes.io/cluster/{lab.name}": "owned"}
    made: Json = {
        "ControlPlaneSecurityGroup": _group(lab, vpc, "control-plane", "Control plane of the lab; rules name it"),
        "NodeSecurityGroup": _group(lab, vpc, "nodes", "All nodes of the lab", node_tags),
        "ControlPlaneToNode": _rule_between(
            "NodeSecurityGroup", "ControlPlaneSecurityGroup", "Control plane to kubelets, webhooks and API extensions"
        ),
        "NodeToNode": _rule_between("NodeSecurityGroup", "NodeSecurityGroup", "Nodes and pods to each other"),
    }
    if lab.spec.ssh is not None:
        made["RemoteAccessSecurityGroup"] = _group(lab, vpc, "remote-access", "ssh to the nodes")
        made |= _ssh_rules(lab, "RemoteAccess")
    if lab.spec.work_host is not None:
        made["WorkHostSecurityGroup"] = _group(lab, vpc, "work-host", "The work host of the lab")
        made |= _ssh_rules(lab, "WorkHost")
    return made


def group_outputs(lab: Lab) -> dict[str, Any]:
    """The groups' ids."""
    groups = ["ControlPlane", "Node"]
    if lab.spec.ssh is not None:
        groups.append("RemoteAccess")
    if lab.spec.work_host is not None:
        groups.append("WorkHost")
    return {f"{name}SecurityGroupId": attribute(f"{name}SecurityGroup", "GroupId") for name in groups}


def _group(lab: Lab, vpc: Json, name: str, description: str, tags: dict[str, str] | None = None) -> Json:
    named = tag_list({"Name": f"{lab.stack_name}-{name}", **(tags or {})})
    return resource("EC2::SecurityGroup", {"GroupDescription": description, "VpcId": vpc, "Tags": named})


def _rule_between(into: str, source: str, description: str) -> Json:
    """Allow all traffic from one group into the other."""
    return resource(
        "EC2::SecurityGroupIngress",
        {
            "GroupId": attribute(into, "GroupId"),
            "IpProtocol": "-1",
            "SourceSecurityGroupId": attribute(source, "GroupId"),
            "Description": description,
        },
    )


def _ssh_rules(lab: Lab, group: str) -> Json:
    """`<group>Ssh<n>`, counted from 0: port 22 from each named CIDR; none without ssh."""
    cidrs = lab.spec.ssh.cidrs if lab.spec.ssh is not None else ()
    return {
        f"{group}Ssh{n}": resource(
            "EC2::SecurityGroupIngress",
            {
                "GroupId": attribute(f"{group}SecurityGroup", "GroupId"),
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "CidrIpv6" if ":" in cidr else "CidrIp": cidr,
                "Description": "ssh, as the lab was asked",
            },
        )
        for n, cidr in enumerate(cidrs)
    }
