"""CreateCluster's checks, and the description a new cluster starts with."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any

from emulator.eks.access.roles import require_role
from emulator.eks.clusters.subnets import existing_subnets, require_one_vpc, require_supported_zones, require_two_zones
from emulator.eks.clusters.versions import platform_version
from emulator.eks.http import model
from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter
from emulator.eks.state.calendar import UNSUPPORTED, KubernetesVersion
from emulator.eks.state.state import Described
from emulator.eks.state.world import World

MAX_CIDRS = 40


def checked_description(world: World, call: Call) -> Described:
    """Return what DescribeCluster says at first, or raise EKS's refusal of the request."""
    version = _version(world, call.given.get("version"))
    vpc_config = _checked_vpc_config(world, call)
    require_role(world, call.caller, call.given["roleArn"], "eks.amazonaws.com")
    caller, name = call.caller, call.given["name"]
    return {
        "name": name,
        "arn": f"arn:aws:eks:{caller.region}:{caller.account}:cluster/{name}",
        "createdAt": world.clock.now(),
        "version": version.name,
        "roleArn": call.given["roleArn"],
        "resourcesVpcConfig": vpc_config,
        "kubernetesNetworkConfig": _network(call.given.get("kubernetesNetworkConfig", {})),
        "logging": {"clusterLogging": log_setup(enabled_log_types(call.given.get("logging", {}), set()))},
        "status": "CREATING",
        "certificateAuthority": {},
        "clientRequestToken": call.given.get("clientRequestToken"),
        "platformVersion": platform_version(version, world),
        "tags": dict(call.given.get("tags", {})),
        "encryptionConfig": call.given.get("encryptionConfig"),
        "health": {"issues": []},
        "accessConfig": _access(call.given.get("accessConfig", {})),
        "upgradePolicy": {"supportType": call.given.get("upgradePolicy", {}).get("supportType", "EXTENDED")},
        "deletionProtection": call.given.get("deletionProtection", False),
    }


def checked_cidrs(cidrs: Sequence[str]) -> list[str]:
    """Return the CIDRs that may reach a public endpoint, or raise for an invalid one."""
    if len(cidrs) > MAX_CIDRS:
        raise invalid_parameter(f"At most {MAX_CIDRS} publicAccessCidrs are allowed")
    private = []
    for cidr in cidrs:
        try:
            network = ipaddress.ip_network(cidr)
        except ValueError as wrong:
            raise invalid_parameter(f"The CIDR '{cidr}' in publicAccessCidrs is not valid") from wrong
        if network.is_private and not network.is_loopback:  # Here, all clients connect from 127.0.0.1.
            private.append(cidr)
    if private:
        raise invalid_parameter(f"The following CIDRs are not allowed in publicAccessCidrs: [{', '.join(private)}]")
    return list(cidrs) or ["0.0.0.0/0"]


def enabled_log_types(logging: dict[str, Any], before: set[str]) -> set[str]:
    """Return the log types that are on after this setup is applied to those on before."""
    enabled = set(before)
    for setup in logging.get("clusterLogging", []):
        types = set(setup.get("types", []))
        enabled = enabled | types if setup.get("enabled") else enabled - types
    return enabled


def log_setup(enabled: set[str]) -> list[dict[str, Any]]:
    """Return the two lists EKS shows: the types that are on, and those that are off."""
    every = model.enum("LogType")
    on, off = [kind for kind in every if kind in enabled], [kind for kind in every if kind not in enabled]
    return [{"types": types, "enabled": state} for types, state in ((on, True), (off, False)) if types]


def _version(world: World, asked: str | None) -> KubernetesVersion:
    now = world.clock.now()
    if asked is None:
        return world.calendar.default(now)
    version = world.calendar.find(asked, now)
    if version is None or version.status(now) == UNSUPPORTED:
        raise invalid_parameter("unsupported Kubernetes version")
    return version


def _checked_vpc_config(world: World, call: Call) -> Described:
    asked = call.given["resourcesVpcConfig"]
    public, private = asked.get("endpointPublicAccess", True), asked.get("endpointPrivateAccess", False)
    if not public and not private:
        raise invalid_parameter("Private and public endpoint access cannot both be false")
    subnets = existing_subnets(world, call.caller, asked.get("subnetIds", []))
    vpc = require_one_vpc(subnets)
    require_two_zones(subnets)
    require_supported_zones(world, call.caller, call.given["name"], subnets)
    return {
        "subnetIds": [subnet["SubnetId"] for subnet in subnets],
        "securityGroupIds": _existing_groups(world, call, asked.get("securityGroupIds", []), vpc),
        "vpcId": vpc,
        "endpointPublicAccess": public,
        "endpointPrivateAccess": private,
        "publicAccessCidrs": checked_cidrs(asked.get("publicAccessCidrs", [])) if public else [],
    }


def _existing_groups(world: World, call: Call, ids: list[str], vpc: str) -> list[str]:
    if not ids:
        return []
    groups = world.aws.client("ec2", call.caller.account, call.caller.region).describe_security_groups()
    in_vpc = {group["GroupId"] for group in groups["SecurityGroups"] if group["VpcId"] == vpc}
    missing = [group for group in ids if group not in in_vpc]
    if missing:
        raise invalid_parameter(f"The security group ID '{missing[0]}' does not exist in {vpc}")
    return ids


def _network(asked: dict[str, Any]) -> Described:
    cidr = asked.get("serviceIpv4Cidr", "10.100.0.0/16")
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as wrong:
        raise invalid_parameter(f"serviceIpv4Cidr '{cidr}' is not a valid CIDR") from wrong
    if not network.is_private or not 12 <= network.prefixlen <= 24:
        raise invalid_parameter("serviceIpv4Cidr must be a private range between /24 and /12")
    family = asked.get("ipFamily", "ipv4")
    ranges = {"serviceIpv4Cidr": cidr} if family == "ipv4" else {"serviceIpv6Cidr": f"fd{uuid.uuid4().hex[:2]}::/108"}
    return {**ranges, "ipFamily": family, "elasticLoadBalancing": {"enabled": False}}


def _access(asked: dict[str, Any]) -> Described:
    return {
        "bootstrapClusterCreatorAdminPermissions": asked.get("bootstrapClusterCreatorAdminPermissions", True),
        "authenticationMode": asked.get("authenticationMode", "CONFIG_MAP"),
    }
