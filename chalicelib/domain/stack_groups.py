"""The lab's own security groups in its stack, and which lets which in (docs/adr/0004-launch-template-and-groups.md).

Nothing here refers to the security group that EKS makes for the cluster, so that EKS can delete that one with it.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.lab import Lab
from chalicelib.domain.stack_parts import Json, attribute, resource, tag_list


def security_groups(lab: Lab, vpc: Json) -> Json:
    """The groups: control plane, shared nodes, remote access (with ssh), work host (with one)."""
    made: Json = {
        "ControlPlaneSecurityGroup": _group(lab, vpc, "control-plane", "Control plane of the lab; rules name it", []),
        "NodeSecurityGroup": _group(
            lab,
            vpc,
            "nodes",
            "All nodes of the lab",
            [
                {
                    "IpProtocol": "-1",
                    "SourceSecurityGroupId": attribute("ControlPlaneSecurityGroup", "GroupId"),
                    "Description": "Control plane to kubelets, webhooks and API extensions",
                }
            ],
            {f"kubernetes.io/cluster/{lab.name}": "owned"},
        ),
        "NodeToNode": resource(
            "EC2::SecurityGroupIngress",
            {
                "GroupId": attribute("NodeSecurityGroup", "GroupId"),
                "IpProtocol": "-1",
                "SourceSecurityGroupId": attribute("NodeSecurityGroup", "GroupId"),
                "Description": "Nodes and pods to each other",
            },
        ),
    }
    if lab.spec.ssh is not None:
        made["RemoteAccessSecurityGroup"] = _group(lab, vpc, "remote-access", "ssh to the nodes", _ssh_rules(lab))
    if lab.spec.work_host is not None:
        made["WorkHostSecurityGroup"] = _group(lab, vpc, "work-host", "The work host of the lab", _ssh_rules(lab))
    return made


def group_outputs(lab: Lab) -> dict[str, Any]:
    """The groups' ids."""
    groups = ["ControlPlane", "Node"]
    if lab.spec.ssh is not None:
        groups.append("RemoteAccess")
    if lab.spec.work_host is not None:
        groups.append("WorkHost")
    return {f"{name}SecurityGroupId": attribute(f"{name}SecurityGroup", "GroupId") for name in groups}


def _group(
    lab: Lab, vpc: Json, name: str, description: str, ingress: list[Json], tags: dict[str, str] | None = None
) -> Json:
    properties: Json = {
        "GroupDescription": description,
        "VpcId": vpc,
        "Tags": tag_list({"Name": f"{lab.stack_name}-{name}", **(tags or {})}),
    }
    if ingress:
        properties["SecurityGroupIngress"] = ingress
    return resource("EC2::SecurityGroup", properties)


def _ssh_rules(lab: Lab) -> list[Json]:
    """Port 22 from each named CIDR; none without ssh."""
    if lab.spec.ssh is None:
        return []
    return [
        {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "CidrIpv6" if ":" in cidr else "CidrIp": cidr,
            "Description": "ssh, as the lab was asked",
        }
        for cidr in lab.spec.ssh.cidrs
    ]
