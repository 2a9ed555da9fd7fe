"""Clusters that existed before: added to EKS directly, not created by its operations.

CreateCluster refuses versions that have ended, which accounts still run. A found cluster is ACTIVE with node groups
and add-ons of any version; it can be upgraded, changed and deleted like another, but it has no machines and no network.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.eks.clusters.request import log_setup
from emulator.eks.http import model
from emulator.eks.state.state import Cluster, Described, Nodegroup
from emulator.eks.state.world import World


@dataclass(frozen=True, slots=True)
class Found:
    """A cluster to add.

    `omitted`: members that DescribeCluster leaves out, as for old clusters. `spared_until`: AWS forces upgrades at any time
    after the date, and this one not before this instant.
    """

    name: str
    version: str
    account: str
    region: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    support_type: str = "EXTENDED"
    status: str = "ACTIVE"
    nodegroups: tuple[Mapping[str, Any], ...] = ()
    addons: Mapping[str, str] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()
    spared_until: datetime | None = None


def found_from(given: Mapping[str, Any], account: str, region: str) -> Found:
    """Read one cluster of the route's JSON; ValueError for invalid JSON."""
    names = {name for name in Found.__slots__ if not name.startswith("_")}
    unknown = set(given) - {_camel(name) for name in names}
    if unknown or not {"name", "version"} <= set(given):
        raise ValueError(f"a cluster has a name and a version, and may have {sorted(map(_camel, names))}; {unknown}")
    if not set(given.get("omitted", ())) <= set(model.shape("Cluster").members):
        raise ValueError(f"DescribeCluster has none of {given['omitted']} anyway")
    return Found(
        name=given["name"],
        version=given["version"],
        account=given.get("account", account),
        region=given.get("region", region),
        created_at=instant(given.get("createdAt", "2024-10-01T09:00:00+09:00")),
        tags=given.get("tags", {}),
        support_type=given.get("supportType", "EXTENDED"),
        status=given.get("status", "ACTIVE"),
        nodegroups=tuple(given.get("nodegroups", ())),
        addons=given.get("addons", {}),
        omitted=tuple(given.get("omitted", ())),
        spared_until=instant(given["sparedUntil"]) if "sparedUntil" in given else None,
    )


def put_found(world: World, found: Found) -> Cluster:
    """Add it, in place of one of the same name."""
    cluster = Cluster(found.account, found.region, _described(found), uuid.uuid4().hex.upper(), "")
    cluster.omitted, cluster.spared_until = found.omitted, found.spared_until
    for given in found.nodegroups:
        cluster.nodegroups[given["name"]] = _nodegroup(found, given)
    for name, version in found.addons.items():
        cluster.addons[name] = _addon(found, name, version)
    with world.lock:
        world.clusters[found.account, found.region, found.name] = cluster
    return cluster


def _described(found: Found) -> Described:
    unique = uuid.uuid4().hex.upper()
    return {
        "name": found.name,
        "arn": f"arn:aws:eks:{found.region}:{found.account}:cluster/{found.name}",
        "createdAt": found.created_at,
        "version": found.version,
        "roleArn": f"arn:aws:iam::{found.account}:role/{found.name}-cluster",
        "endpoint": f"https://{unique}.gr7.{found.region}.eks.amazonaws.com",
        "identity": {"oidc": {"issuer": f"https://oidc.eks.{found.region}.amazonaws.com/id/{unique}"}},
        "resourcesVpcConfig": {
            "subnetIds": [],
            "securityGroupIds": [],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.100.0.0/16", "ipFamily": "ipv4"},
        "logging": {"clusterLogging": log_setup(set())},
        "status": found.status,
        "certificateAuthority": {"data": ""},
        "platformVersion": "eks.7",
        "tags": dict(found.tags),
        "health": {"issues": []},
        "accessConfig": {"authenticationMode": "CONFIG_MAP"},
        "upgradePolicy": {"supportType": found.support_type},
        "deletionProtection": False,
    }


def _nodegroup(found: Found, given: Mapping[str, Any]) -> Nodegroup:
    name, version, count = given["name"], given.get("version", found.version), given.get("count", 2)
    group = Nodegroup({}, str(uuid.uuid4()), {})
    where = f"{found.region}:{found.account}:nodegroup/{found.name}/{name}/{group.id}"
    group.described = {
        "nodegroupName": name,
        "nodegroupArn": f"arn:aws:eks:{where}",
        "clusterName": found.name,
        "version": version,
        "releaseVersion": f"{version}.9-20260901",
        "createdAt": found.created_at,
        "modifiedAt": found.created_at,
        "status": "ACTIVE",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": count, "maxSize": count, "desiredSize": count},
        "instanceTypes": ["t3.medium"],
        "subnets": [],
        "amiType": "AL2023_x86_64_STANDARD",
        "nodeRole": f"arn:aws:iam::{found.account}:role/{found.name}-nodes",
        "labels": {},
        "diskSize": 20,
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{group.id}"}]},
        "health": {"issues": []},
        "updateConfig": {"maxUnavailable": 1},
        "tags": {},
    }
    if "launchTemplate" in given:
        # The template names the instance type, so EKS does not.
        group.described["launchTemplate"] = dict(given["launchTemplate"])
        group.described["amiType"] = given.get("amiType", "CUSTOM")
        del group.described["instanceTypes"], group.described["diskSize"]
    return group


def _addon(found: Found, name: str, version: str) -> Described:
    where = f"{found.region}:{found.account}:addon/{found.name}/{name}/{uuid.uuid4()}"
    return {
        "addonName": name,
        "clusterName": found.name,
        "status": "ACTIVE",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": f"arn:aws:eks:{where}",
        "createdAt": found.created_at,
        "modifiedAt": found.created_at,
        "tags": {},
        "publisher": "eks",
    }


def instant(text: str) -> datetime:
    """Read a route's instant, in UTC; ValueError for an invalid one, or one without a zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return found.astimezone(UTC)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
