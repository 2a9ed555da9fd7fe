"""One launch template per node group in the lab's stack: disk, security groups, key, IMDSv2, and tags of instances.

Instance types, image and node role are set on the node group: EKS refuses them in both places.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import NodegroupSpec
from chalicelib.domain.stack.intrinsics import Json, attribute, ref, resource, tag_list


def key_pair_name(lab: Lab) -> str | None:
    """The EC2 key pair of the lab's instances: the named one, or the lab's own for a public key; None without ssh."""
    if lab.spec.ssh is None:
        return None
    return lab.spec.ssh.key_name or f"ekslab-{lab.id}"


def launch_templates(lab: Lab) -> Json:
    """`LaunchTemplate<n>` for each node group, counted from 0."""
    return {f"LaunchTemplate{n}": _launch_template(lab, nodegroup) for n, nodegroup in enumerate(lab.spec.nodegroups)}


def launch_template_outputs(lab: Lab) -> dict[str, Any]:
    """Id and version of each."""
    outputs: dict[str, Any] = {}
    for n in range(len(lab.spec.nodegroups)):
        outputs[f"LaunchTemplate{n}Id"] = ref(f"LaunchTemplate{n}")
        outputs[f"LaunchTemplate{n}Version"] = attribute(f"LaunchTemplate{n}", "LatestVersionNumber")
    return outputs


def _launch_template(lab: Lab, nodegroup: NodegroupSpec) -> Json:
    groups = ["NodeSecurityGroup"] + (["RemoteAccessSecurityGroup"] if lab.spec.ssh is not None else [])
    tags = {"Name": f"{lab.name}-{nodegroup.name}-node", **lab.tags_with(nodegroup.tags)}
    data: Json = {
        "BlockDeviceMappings": [_disk(nodegroup)],
        "MetadataOptions": _metadata(nodegroup),
        "SecurityGroupIds": [attribute(group, "GroupId") for group in groups],
        "TagSpecifications": [
            {"ResourceType": made, "Tags": tag_list(tags)} for made in ("instance", "volume", "network-interface")
        ],
    }
    if (key := key_pair_name(lab)) is not None:
        data["KeyName"] = key
    itself = {"ResourceType": "launch-template", "Tags": tag_list(lab.tags)}
    return resource("EC2::LaunchTemplate", {"LaunchTemplateData": data, "TagSpecifications": [itself]})


def _metadata(nodegroup: NodegroupSpec) -> Json:
    """One hop reaches the node only: a pod is one further away, unless it shares the node's network."""
    hops = 1 if nodegroup.disable_pod_imds else 2
    return {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": hops}


def _disk(nodegroup: NodegroupSpec) -> Json:
    return {
        "DeviceName": _device(nodegroup.ami_type),
        "Ebs": {
            "VolumeSize": nodegroup.volume_gib,
            "VolumeType": "gp3",
            "Encrypted": True,
            "DeleteOnTermination": True,
        },
    }


def _device(ami_type: str) -> str:
    """The image's disk for containers: Bottlerocket has a second disk for them, Windows names its first otherwise."""
    if ami_type.startswith("BOTTLEROCKET"):
        return "/dev/xvdb"
    return "/dev/sda1" if ami_type.startswith("WINDOWS") else "/dev/xvda"
