"""The clusters' resources in EC2 and Elastic Load Balancing of a region, read in one listing for many labs at once.

They are told apart by the tags of EKS, Karpenter and the controllers (`domain/teardown/evidence.py`). The tagging
API still lists deleted load balancers, so its results are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from chalicelib.aws.clients.calls import call, every, instances_of, tags_of
from chalicelib.aws.idleness.evidence import GroupSeen, Reading, noting
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.idleness.evidence import BalancerUse, Source
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, PVC_TAG, owning_tags


@dataclass(frozen=True)
class Machine:
    """A running instance: its clusters, its Auto Scaling group ("": none), its CPUs, its address."""

    clusters: frozenset[str]
    auto_scaling_group: str
    kind: str
    vcpus: int
    address: str


#: EC2 allows 200 values in all of a request's filters.
_NAMES = 100
#: Only AWS writes tags with the prefix `aws:`; anybody who may tag instances may write `eks:nodegroup-name`.
_GROUP_TAG = "aws:autoscaling:groupName"
#: The tag with the cluster's name on machines of Auto Mode, and of its Karpenter.
_NAME_TAG = "tag:eks:eks-cluster-name"
_RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


def find_machines(ec2: Any, readings: Sequence[Reading]) -> None:
    """Give each node group its machines' types and CPUs, and count those outside managed node groups. Raises EC2's errors."""
    found: dict[str, Machine] = {}
    for some in _portions(readings):
        names = [reading.lab.name for reading in some]
        for by_tag in (_by_key(names), {"Name": _NAME_TAG, "Values": names}):
            found |= {row["InstanceId"]: _machine(row) for row in instances_of(ec2, [by_tag, _RUNNING])}
    for reading in readings:
        mine = [machine for machine in found.values() if reading.lab.name in machine.clusters]
        known = {name for group in reading.groups for name in group.auto_scaling_groups}
        inside = [machine for machine in mine if machine.auto_scaling_group in known]
        outside = [machine for machine in mine if machine.auto_scaling_group not in known]
        reading.instances_outside = len(outside)
        reading.outside_types = tuple(sorted(machine.kind for machine in outside))
        reading.measured_hosts = tuple(sorted(machine.address for machine in inside if machine.address))
        reading.groups = [_with_machines(group, inside) for group in reading.groups]
        noting(Source.INSTANCES, [reading], partial(_look_into_templates, ec2, reading))


def _with_machines(group: GroupSeen, machines: Sequence[Machine]) -> GroupSeen:
    """The types of the present machines, else EKS's. CPUs only if all machines were seen."""
    mine = [machine for machine in machines if machine.auto_scaling_group in group.auto_scaling_groups]
    cpus = [machine.vcpus for machine in mine]
    whole = len(mine) >= group.use.nodes and all(cpus)
    there = tuple(sorted(machine.kind for machine in mine))
    kinds = tuple(dict.fromkeys(there)) or group.use.instance_types
    return replace(
        group, use=replace(group.use, instance_types=kinds, machines=there, vcpus=sum(cpus) if whole else None)
    )


def _look_into_templates(ec2: Any, reading: Reading) -> None:
    """The types of groups without visible machines; a missing template affects only its own lab."""
    for number, group in enumerate(reading.groups):
        if group.use.nodes and not group.use.instance_types:
            kinds = _type_of_template(ec2, group.launch_template)
            reading.groups[number] = replace(group, use=replace(group.use, instance_types=kinds))


def _type_of_template(ec2: Any, template: Mapping[str, Any]) -> tuple[str, ...]:
    if "id" not in template:
        return ()
    versions = call(
        ec2,
        "ec2:DescribeLaunchTemplateVersions",
        LaunchTemplateId=template["id"],
        Versions=[str(template.get("version") or "$Default")],
    )["LaunchTemplateVersions"]
    kinds = (version["LaunchTemplateData"].get("InstanceType") for version in versions)
    return tuple(kind for kind in kinds if kind)


def _machine(row: Mapping[str, Any]) -> Machine:
    tags, options = tags_of(row), row.get("CpuOptions") or {}
    vcpus = int(options.get("CoreCount") or 0) * int(options.get("ThreadsPerCore") or 0)
    named = tags.get(_GROUP_TAG, "")
    return Machine(clusters_of(tags), named, row["InstanceType"], vcpus, row.get("PrivateIpAddress", ""))


def count_volumes(ec2: Any, readings: Sequence[Reading]) -> None:
    """Count each cluster's EBS volumes of PersistentVolumeClaims. Raises EC2's errors."""
    found: dict[str, dict[str, str]] = {}
    for some in _portions(readings):
        filters = [_by_key([reading.lab.name for reading in some]), {"Name": "tag-key", "Values": [PVC_TAG]}]
        rows = every(ec2, "ec2:DescribeVolumes", "Volumes", Filters=filters)
        found |= {row["VolumeId"]: tags_of(row) for row in rows}
    for reading in readings:
        reading.volumes = sum(reading.lab.name in clusters_of(tags) for tags in found.values())


def find_balancers(tagging: Any, elbv2: Any, elb: Any, readings: Sequence[Reading]) -> None:
    """Give each lab the load balancers of its cluster, by ARN. Raises the APIs' errors."""
    mine = {reading.lab.name: reading for reading in readings}
    request = {"ResourceTypeFilters": ["elasticloadbalancing:loadbalancer"], "ResourcesPerPage": 100}
    rows = every(tagging, "tag:GetResources", "ResourceTagMappingList", **request)
    claims = [(row["ResourceARN"], name) for row in rows for name in clusters_of(tags_of(row)) if name in mine]
    living = dict(_living(elbv2, elb, {arn for arn, _ in claims}))
    for arn, name in sorted(claims):
        if living.get(dimension_of(arn), "gateway") != "gateway":
            mine[name].balancers.append(BalancerUse(arn, living[dimension_of(arn)]))


def clusters_of(tags: Mapping[str, str]) -> frozenset[str]:
    """The clusters that claim a resource by its tags."""
    return frozenset(name for name, _ in owning_tags(tags))


def dimension_of(arn: str) -> str:
    """CloudWatch's name of a balancer: `app/web/50dc6c495c0c9188`, or a classic one's name."""
    return arn.partition(":loadbalancer/")[2]


def _living(elbv2: Any, elb: Any, arns: set[str]) -> Iterator[tuple[str, str]]:
    """Existing balancers' CloudWatch names, and kinds. Calls each of the two APIs only if it can have some of them."""
    classic = {arn for arn in arns if "/" not in dimension_of(arn)}
    action = "elasticloadbalancing:DescribeLoadBalancers"
    if arns - classic:
        rows = every(elbv2, action, "LoadBalancers")
        yield from ((dimension_of(row["LoadBalancerArn"]), row["Type"]) for row in rows)
    if classic:
        rows = every(elb, action, "LoadBalancerDescriptions")
        yield from ((row["LoadBalancerName"], "classic") for row in rows)


def _by_key(names: Sequence[str]) -> dict[str, Any]:
    return {"Name": "tag-key", "Values": [CLUSTER_PREFIX + name for name in names]}


def _portions(readings: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    return (readings[start : start + _NAMES] for start in range(0, len(readings), _NAMES))
