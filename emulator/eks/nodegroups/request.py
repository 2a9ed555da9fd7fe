"""CreateNodegroup's checks, and the description a new node group starts with."""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulator.eks.access.roles import require_role
from emulator.eks.clusters.subnets import existing_subnets
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_parameter
from emulator.eks.nodegroups.launch_templates import find_template
from emulator.eks.state.state import Cluster, Nodegroup
from emulator.eks.state.world import World

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_LAST_MINOR_WITH_AL2 = 32
_DEFAULT_SIZES = {"minSize": 1, "maxSize": 2, "desiredSize": 2}


def checked_nodegroup(world: World, call: Call, cluster: Cluster) -> Nodegroup:
    """Return a node group in CREATING, or raise EKS's refusal of the request."""
    given, name = call.given, call.given["nodegroupName"]
    if not _NAME.fullmatch(name):
        raise invalid_parameter(f"The nodegroup name {name} is not valid", nodegroupName=name)
    if name in cluster.nodegroups:
        message = f"NodeGroup already exists with name {name} and cluster name {cluster.name}"
        raise in_use(message, clusterName=cluster.name, nodegroupName=name)
    require_role(world, call.caller, given["nodeRole"], "ec2.amazonaws.com")
    _require_subnets_of_cluster(world, call, cluster)
    named_template, template = find_template(world, call)
    _refuse_what_templates_own(given, template)
    nodegroup = Nodegroup({}, str(uuid.uuid4()), template)
    machines = _machines(given, template, cluster)
    nodegroup.described = {**_identity(world, call, cluster, nodegroup.id), **machines}
    nodegroup.described["launchTemplate"] = named_template or None
    return nodegroup


def checked_sizes(sizes: dict[str, int]) -> dict[str, int]:
    """Return the sizes if minSize <= desiredSize <= maxSize, else raise."""
    low, wanted, high = sizes["minSize"], sizes["desiredSize"], sizes["maxSize"]
    if low > high:
        raise invalid_parameter(f"Minimum capacity {low} can't be greater than maximum size {high}")
    if wanted < low:
        raise invalid_parameter(f"Minimum capacity {low} can't be greater than desired size {wanted}")
    if wanted > high:
        raise invalid_parameter(f"desired capacity {wanted} can't be greater than max size {high}")
    return sizes


def checked_update_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return how many nodes may be away during an update, one by default."""
    if "maxUnavailable" in config and "maxUnavailablePercentage" in config:
        raise invalid_parameter("Only one of maxUnavailable and maxUnavailablePercentage can be given")
    limited = "maxUnavailable" in config or "maxUnavailablePercentage" in config
    return config if limited else {"maxUnavailable": 1, **config}


def release_version(world: World, kubernetes_version: str) -> str:
    """Return the release of the node image that is newest for a version: its patch and this month's first."""
    now = world.clock.now()
    version = world.calendar.find(kubernetes_version, now)
    return f"{version.patch(now) if version else kubernetes_version}-{now:%Y%m}01"


def _identity(world: World, call: Call, cluster: Cluster, unique: str) -> dict[str, Any]:
    name, now, version = call.given["nodegroupName"], world.clock.now(), _version(call.given, cluster)
    where = f"{cluster.region}:{cluster.account}:nodegroup/{cluster.name}/{name}/{unique}"
    return {
        "nodegroupName": name,
        "nodegroupArn": f"arn:aws:eks:{where}",
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": call.given.get("releaseVersion") or release_version(world, version),
        "createdAt": now,
        "modifiedAt": now,
        "status": "CREATING",
        "resources": {},
        "health": {"issues": []},
        "tags": dict(call.given.get("tags", {})),
    }


def _machines(given: dict[str, Any], template: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    custom_image = bool(template.get("ImageId"))
    types = given.get("instanceTypes") or ([] if template.get("InstanceType") else ["t3.medium"])
    unknown = [each for each in types if not _INSTANCE_TYPE.fullmatch(each)]
    if unknown:
        raise invalid_parameter(f"The following supplied instance types do not exist: [{', '.join(unknown)}]")
    image = given.get("amiType", "CUSTOM" if custom_image else "AL2023_x86_64_STANDARD")
    arm = [each for each in types if "g" in each.partition(".")[0].lstrip("abcdefghijklmnopqrstuvwxyz")]
    wrong = [each for each in types if (each in arm) != ("ARM_64" in image)] if image != "CUSTOM" else []
    if wrong:  # In the words of learn-terraform-provision-eks-cluster#44.
        raise invalid_parameter(f"[{', '.join(wrong)}] is not a valid instance type for requested amiType {image}")
    if image.startswith("AL2_") and int(cluster.described["version"].split(".")[1]) > _LAST_MINOR_WITH_AL2:
        message = f"AMI Type {image} is only supported for kubernetes versions 1.{_LAST_MINOR_WITH_AL2} or earlier"
        raise invalid_parameter(message)
    return {
        "capacityType": given.get("capacityType", "ON_DEMAND"),
        "scalingConfig": checked_sizes({**_DEFAULT_SIZES, **given.get("scalingConfig", {})}),
        "instanceTypes": types or None,
        "subnets": list(given["subnets"]),
        "remoteAccess": given.get("remoteAccess"),
        "amiType": image,
        "nodeRole": given["nodeRole"],
        "labels": dict(given.get("labels", {})),
        "taints": given.get("taints"),
        "diskSize": None if given.get("launchTemplate") else given.get("diskSize", 20),
        "updateConfig": checked_update_config(given.get("updateConfig", {})),
        "nodeRepairConfig": given.get("nodeRepairConfig"),
    }


def _version(given: dict[str, Any], cluster: Cluster) -> str:
    running: str = cluster.described["version"]
    asked = given.get("version", running)
    if asked != running:
        message = f"Requested Nodegroup version {asked} does not match the cluster's Kubernetes version {running}"
        raise invalid_parameter(message, clusterName=cluster.name, nodegroupName=given["nodegroupName"])
    return running


def _require_subnets_of_cluster(world: World, call: Call, cluster: Cluster) -> None:
    subnets = existing_subnets(world, call.caller, call.given["subnets"])
    outside = [subnet["SubnetId"] for subnet in subnets if subnet["VpcId"] != cluster.vpc_config["vpcId"]]
    if outside:
        raise invalid_parameter(f"Subnets {', '.join(outside)} are not in the cluster's VPC")


def _refuse_what_templates_own(given: dict[str, Any], template: dict[str, Any]) -> None:
    if not given.get("launchTemplate"):
        return
    if "diskSize" in given:
        raise invalid_parameter("Disk size must be specified within the launch template.")
    if "remoteAccess" in given:
        raise invalid_parameter("Remote access configuration cannot be specified with a launch template.")
    if template.get("InstanceType") and given.get("instanceTypes"):
        raise invalid_parameter("You cannot specify instance types in both the launch template and the request.")
    if template.get("IamInstanceProfile"):
        raise invalid_parameter("The launch template must not specify an IAM instance profile.")
    if template.get("ImageId") and ("amiType" in given or "releaseVersion" in given):
        raise invalid_parameter("You cannot specify amiType or releaseVersion with a launch template's own image.")
