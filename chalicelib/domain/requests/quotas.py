"""Judges AWS's quotas before a lab is stored: the need of the lab, the use so far, and the limit.

Pure; `aws/infrastructure/quotas.py` reads limits and use. Codes are those of Service Quotas. An unreadable quota is a warning:
AWS reports it while the lab is being created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instance_types import family_of
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.aws_states import InstanceTypeFacts
from chalicelib.domain.labs.spec import CapacityType, LabSpec, NatMode, NewNetwork
from chalicelib.domain.requests.preflight import named_types


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas. `usual`: AWS's default, if documented: no account has less."""

    service: str
    code: str
    name: str
    usual: int | None = None


@dataclass(frozen=True)
class Need:
    """A need for a quota by the field at `path`. `unit`: its unit. `alone`: the quota is of one resource, not a region."""

    quota: Quota
    path: str
    asked: int
    unit: str
    alone: bool = False


@dataclass(frozen=True)
class QuotaReport:
    """The quotas of an account's region. `limits`, `used`: by code. `unread`: the unreadable ones, with AWS's reason.

    `eligible`: the instance types of an account on AWS's free plan; None for any other.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    eligible: frozenset[str] | None = None


VPCS = Quota("vpc", "L-F678F1CE", "VPCs per Region", 5)
ELASTIC_IPS = Quota("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5)
CLUSTERS = Quota("eks", "L-1194D53C", "Clusters", 100)
NODE_GROUPS = Quota("eks", "L-6D54EA21", "Managed node groups per cluster", 30)
NODES = Quota("eks", "L-BD136A63", "Nodes per managed node group", 450)
RULES = Quota("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60)
_LETTERS = "(A, C, D, H, I, M, R, T, Z)"
_STANDARD = ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z")
#: Families -> their quota of vCPUs, on demand.
_ON_DEMAND = {
    **dict.fromkeys(_STANDARD, Quota("ec2", "L-1216C47A", f"Running On-Demand Standard {_LETTERS} instances")),
    **dict.fromkeys(("g", "gr", "vt"), Quota("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances")),
    "dl": Quota("ec2", "L-6E869C2A", "Running On-Demand DL instances"),
    "f": Quota("ec2", "L-74FC7D96", "Running On-Demand F instances"),
    "inf": Quota("ec2", "L-1945791B", "Running On-Demand Inf instances"),
    "p": Quota("ec2", "L-417A185B", "Running On-Demand P instances"),
    "trn": Quota("ec2", "L-2C3B7624", "Running On-Demand Trn instances"),
    "x": Quota("ec2", "L-7295265B", "Running On-Demand X instances"),
}
#: The same for Spot requests. P is left out: P5 has a quota apart from the older generations'.
_SPOT = {
    **dict.fromkeys(_STANDARD, Quota("ec2", "L-34B43A08", f"All Standard {_LETTERS} Spot Instance Requests")),
    **dict.fromkeys(("g", "gr", "vt"), Quota("ec2", "L-3819A6DF", "All G and VT Spot Instance Requests")),
    "dl": Quota("ec2", "L-85EED4F7", "All DL Spot Instance Requests"),
    "f": Quota("ec2", "L-88CF9481", "All F Spot Instance Requests"),
    "inf": Quota("ec2", "L-B5D1601B", "All Inf Spot Instance Requests"),
    "trn": Quota("ec2", "L-6B0D517C", "All Trn Spot Instance Requests"),
    "x": Quota("ec2", "L-E3A00192", "All X Spot Instance Requests"),
}


def vcpu_quota(instance_type: str, spot: bool) -> Quota | None:
    """The quota that an instance's vCPUs count against; None for a family whose quota is unknown here."""
    return (_SPOT if spot else _ON_DEMAND).get(family_of(instance_type))


def needs_of(spec: LabSpec, types: Mapping[str, InstanceTypeFacts]) -> tuple[Need, ...]:
    """A lab's needs of the quotas that it may reach. A quota of one resource is left out up to AWS's default."""
    alone = [
        Need(NODE_GROUPS, "nodegroups", len(spec.nodegroups), "node groups", alone=True),
        *(
            Need(NODES, f"nodegroups[{number}].max", max(group.max, group.desired), "nodes", alone=True)
            for number, group in enumerate(spec.nodegroups)
        ),
        Need(RULES, "ssh.cidrs", len(spec.ssh.cidrs) if spec.ssh else 0, "rules", alone=True),
    ]
    return (
        *_vcpus(_machines(spec), types),
        *_network(spec),
        Need(CLUSTERS, "region", 1, "cluster"),
        *(need for need in alone if need.asked > (need.quota.usual or 0)),
    )


def needs_of_nodes(
    spec: LabSpec, more: Mapping[str, int], paths: Mapping[str, str], types: Mapping[str, InstanceTypeFacts]
) -> tuple[Need, ...]:
    """The needs of these additional nodes of a lab's groups. `paths`: the field of each group."""
    groups = {group.name: group for group in spec.nodegroups}
    machines = [
        (paths[name], groups[name].instance_types[0], number, groups[name].capacity_type is CapacityType.SPOT)
        for name, number in more.items()
        if name in groups and number > 0
    ]
    return tuple(_vcpus(machines, types))


def judge_quotas(needs: tuple[Need, ...], report: QuotaReport, region: str) -> Iterator[Finding]:
    """Errors for exceeded quotas, with the command that requests more; warnings for unreadable ones."""
    for need in needs:
        limit, used = report.limits.get(need.quota.code), 0 if need.alone else report.used.get(need.quota.code)
        if limit is not None and used is not None and used + need.asked > limit:
            yield error(need.path, "quota-exceeded", _describe(need, int(limit), used, region))
    if report.unread:
        message = Sentence(
            "Whether AWS's quotas leave room could not be read: {names}. If they don't, making it fails.",
            names="; ".join(report.unread),
        )
        yield warning("", "quotas-unread", message)


def judge_free_plan(spec: LabSpec, eligible: frozenset[str] | None) -> Iterator[Finding]:
    """The instance types that an account on AWS's free plan can't run."""
    if eligible is None:
        return
    known = ", ".join(sorted(eligible))
    for path, kind in named_types(spec):
        if kind not in eligible:
            message = Sentence(
                "The account is on AWS's free plan, which does not run {kind}. It runs {known}.", kind=kind, known=known
            )
            yield error(path, "not-in-free-plan", message)


def _describe(need: Need, limit: int, used: int, region: str) -> str:
    there = (
        Sentence("{limit} may be", limit=limit)
        if need.alone
        else Sentence("{used} of {limit} are in use in {region}", used=used, limit=limit, region=region)
    )
    command = (
        f"aws service-quotas request-service-quota-increase --region {region} --service-code {need.quota.service} "
        f"--quota-code {need.quota.code} --desired-value {used + need.asked}"
    )
    return Sentence(
        "It needs {asked} {unit} of AWS's quota '{name}', and {there}. Ask AWS for more: {command}",
        asked=need.asked,
        unit=need.unit,
        name=need.quota.name,
        there=there,
        command=command,
    )


#: The field that requests machines, their type and number, and whether they are Spot.
_Machines = Iterable[tuple[str, str, int, bool]]


def _vcpus(machines: _Machines, types: Mapping[str, InstanceTypeFacts]) -> Iterator[Need]:
    """The need by quota; its path is that of the first group that counts against it."""
    found: dict[str, Need] = {}
    for path, kind, number, spot in machines:
        quota, facts = vcpu_quota(kind, spot), types.get(kind)
        if quota is not None and facts is not None and number:
            before = found.get(quota.code, Need(quota, path, 0, "vCPUs"))
            found[quota.code] = Need(quota, before.path, before.asked + number * facts.vcpus, "vCPUs")
    yield from found.values()


def _machines(spec: LabSpec) -> Iterator[tuple[str, str, int, bool]]:
    for number, group in enumerate(spec.nodegroups):
        spot = group.capacity_type is CapacityType.SPOT
        yield f"nodegroups[{number}].instanceTypes[0]", group.instance_types[0], group.desired, spot
    if spec.work_host is not None:
        yield "workHost.instanceType", spec.work_host.instance_type, 1, False


def _network(spec: LabSpec) -> Iterator[Need]:
    if isinstance(spec.network, NewNetwork):
        yield Need(VPCS, "network", 1, "VPC")
        if spec.network.nat is NatMode.SINGLE:
            yield Need(ELASTIC_IPS, "network.nat", 1, "elastic IP")
