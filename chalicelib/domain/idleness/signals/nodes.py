"""CPU and network of the managed node groups.

CloudWatch's CPU is the mean of a group, in which one busy machine hides among many: it is judged as cores at work, mean times
CPUs. Network has no baseline on purpose: a queue consumer works at a steady pace for weeks, and its past must not hide it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instance_types import is_accelerated
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence, KubernetesUse, NodegroupUse, Series
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, before, gap, per_minute, stands_out, usual, within

CPU, NETWORK = "cpu", "network"
#: A group with this many cores at work is in use, also if earlier hours were alike: a base, and more for each node's daemons.
CORES, CORES_PER_NODE = 0.25, 0.075
#: The assumed CPUs of a node group whose machines are gone.
GONE_CPUS = 4
#: The normal variation above a group's baseline, in cores.
CORES_BREATH, CORES_BREATH_PER_NODE = 0.125, 0.0175
#: Bytes a minute and node, in and out together: 64 KiB/s. Kubelets, scrapers and log shippers of a lab stay below.
NETWORK_LIMIT = 60.0 * 64 * 1024
UNSEEN = "unseen"
#: The most nodes that are named.
TOLD_AT_MOST = 3


@dataclass(frozen=True)
class _Part:
    """The result for one node group."""

    sign: Sign
    message: str
    numbers: dict[str, float] = field(default_factory=dict)


def cpu_signal(evidence: Evidence, window: Window) -> Signal:
    """Cores at work against an absolute limit, or against each group's own baseline."""
    parts = [_cpu(group, window) for group in evidence.nodegroups if group.there or group.cpu.points]
    return _together(CPU, parts, Sentence("no nodes whose CPU could be used"))


def network_signal(evidence: Evidence, window: Window) -> Signal:
    """Bytes a minute of each node, in and out, against an absolute limit."""
    parts = [_network(group, window) for group in evidence.nodegroups if group.there or group.network_in.points]
    return _together(NETWORK, parts, Sentence("no nodes whose network could be used"))


def _cpu(group: NodegroupUse, window: Window) -> _Part:
    if group.vcpus is None:
        what = Sentence("CPU of {group}: how many CPUs its machines have is not known", group=group.name)
        return _Part(Sign.MISSING, what) if group.there else _Part(Sign.QUIET, Sentence("CPU {percent} %", percent=0))
    values = within(group.cpu, window)
    baseline = usual(before(group.cpu_before, window).values)
    cores = [value * _cpus(group) / 100 for value in values]
    limit = _core_limit(group, baseline)
    numbers = {
        "mean": _mean(values),
        "highest": max(values, default=0.0),
        "cores": max(cores, default=0.0),
        "limit": limit,
    }
    if baseline is not None:
        numbers["baseline"] = baseline
    if stands_out(cores, limit, 2 * limit):
        busy = Sentence(
            "CPU up to {percent} % in {group}, {cores} of {all}",
            percent=f"{max(values):.0f}",
            group=group.name,
            cores=f"{max(cores):.1f}",
            all=counted(_cpus(group), "core"),
        )
        return _Part(Sign.BUSY, _beside(busy, baseline), numbers)
    missing = gap(group.cpu, window)
    if missing and group.there:
        return _Part(Sign.MISSING, Sentence("CPU of {group}: {missing}", group=group.name, missing=missing))
    return _Part(Sign.QUIET, _beside(Sentence("CPU {percent} %", percent=f"{_mean(values):.0f}"), baseline), numbers)


def _beside(what: Sentence, baseline: float | None) -> Sentence:
    if baseline is None:
        return what
    return Sentence("{what} (baseline {percent} %)", what=what, percent=f"{baseline:.0f}")


def hours_at_work(evidence: Evidence, window: Window) -> tuple[datetime, ...]:
    """The hours of the week before the window in which a group had more cores at work than a resting one."""
    return tuple(
        at for group in evidence.nodegroups if group.vcpus is not None for at in _hours_of_group(group, window)
    )


def _hours_of_group(group: NodegroupUse, window: Window) -> tuple[datetime, ...]:
    earlier = before(group.cpu_before, window)
    limit = _core_limit(group, usual(earlier.values))
    return tuple(at for at, value in earlier.points if value * _cpus(group) / 100 > limit)


def _cpus(group: NodegroupUse) -> int:
    """The CPUs of the present machines; a guess for a group whose machines are all gone, and that was at work in the window."""
    return group.vcpus or GONE_CPUS


def _core_limit(group: NodegroupUse, baseline: float | None) -> float:
    """Cores at work: the absolute limit, or the limit above the group's own baseline, whichever is lower."""
    nodes = max(group.there, 1)
    absolute = CORES + CORES_PER_NODE * nodes
    if baseline is None:
        return absolute
    return min(absolute, baseline * _cpus(group) / 100 + CORES_BREATH + CORES_BREATH_PER_NODE * nodes)


def _network(group: NodegroupUse, window: Window) -> _Part:
    nodes = max(group.there, 1)
    values = [per_minute(group.network_in, value) / nodes for value in within(_both_ways(group), window)]
    numbers = {"mean": _mean(values), "highest": max(values, default=0.0), "limit": NETWORK_LIMIT}
    if stands_out(values, NETWORK_LIMIT, 2 * NETWORK_LIMIT):
        return _Part(
            Sign.BUSY,
            Sentence("network of {group} up to {rate} a node", group=group.name, rate=_describe(max(values))),
            numbers,
        )
    missing = gap(group.network_in, window) or gap(group.network_out, window)
    if missing and group.there:
        return _Part(Sign.MISSING, Sentence("network of {group}: {missing}", group=group.name, missing=missing))
    return _Part(Sign.QUIET, Sentence("network {rate} a node", rate=_describe(_mean(values))), numbers)


def _both_ways(group: NodegroupUse) -> Series:
    total = dict(group.network_in.points)
    for at, value in group.network_out.points:
        total[at] = total.get(at, 0.0) + value
    return Series(group.network_in.period, tuple(sorted(total.items())))


def _together(name: str, parts: Sequence[_Part], absent: str) -> Signal:
    """One signal of all groups: busy if one is, missing if one is, else quiet; the sentence names the highest group."""
    for sign in (Sign.BUSY, Sign.MISSING, Sign.QUIET):
        fitting = [part for part in parts if part.sign is sign]
        if fitting:
            most = max(fitting, key=lambda part: (part.numbers.get("highest", 0.0), part.message))
            return Signal(name, sign, most.message, most.numbers)
    return Signal(name, Sign.ABSENT, absent)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _describe(bytes_a_minute: float) -> str:
    return f"{bytes_a_minute / 60 / 1024:.0f} KiB/s"


def unseen_signal(evidence: Evidence) -> Signal:
    """BUSY if user pods may be at work there, MISSING if that is unknown; never QUIET, since Kubernetes' own signal covers that."""
    places = _places(evidence)
    if evidence.kubernetes is None:
        if not places:
            return Signal(UNSEEN, Sign.ABSENT, Sentence("every node is measured"))
        message = Sentence(
            "what runs on {places}: metrics don't show it, and Kubernetes can't be asked", places=Listed(places)
        )
        return Signal(UNSEEN, Sign.MISSING, message)
    pods, elsewhere = evidence.kubernetes.user_pods, _unmeasured(evidence, evidence.kubernetes)
    if pods and elsewhere:
        names = ", ".join(elsewhere[:TOLD_AT_MOST])
        places.append(
            Sentence("{nodes} ({names}) in no node group", nodes=counted(len(elsewhere), "node"), names=names)
        )
    if not places:
        return Signal(UNSEEN, Sign.ABSENT, Sentence("every node with a user pod is measured"))
    if pods:
        message = Sentence(
            "{pods}, and {places}, whose work no metric shows", pods=counted(pods, "user pod"), places=Listed(places)
        )
        return Signal(UNSEEN, Sign.BUSY, message, {"pods": float(pods)})
    idle = Sentence("no user pods that could run on {places}", places=Listed(places))
    return Signal(UNSEEN, Sign.ABSENT, idle, {"pods": 0.0})


def _unmeasured(evidence: Evidence, use: KubernetesUse) -> list[str]:
    """Nodes with user pods that are in no node group: Fargate's, Karpenter's, those of another account, or unknown ones."""
    return sorted(set(use.hosts) - set(evidence.measured_hosts))


def _places(evidence: Evidence) -> list[Sentence]:
    groups = [group for group in evidence.nodegroups if group.there]
    accelerated = sorted({kind for group in groups for kind in group.instance_types if is_accelerated(kind)})
    by_image = sorted(
        f"{group.ami_type}" for group in groups if not group.instance_types and _has_devices(group.ami_type)
    )
    unknown = sorted(group.name for group in groups if not group.instance_types and not _has_devices(group.ami_type))
    outside, fargate = evidence.instances_outside, evidence.fargate_profiles
    devices = dict.fromkeys([*accelerated, *by_image])
    return [
        *([Sentence("GPU nodes ({names})", names=", ".join(devices))] if devices else []),
        *([Sentence("nodes of unknown type ({names})", names=", ".join(unknown))] if unknown else []),
        *([Sentence("{instances} outside the node groups", instances=counted(outside, "instance"))] if outside else []),
        *([counted(fargate, "Fargate profile")] if fargate else []),
    ]


def _has_devices(ami_type: str) -> bool:
    """Whether EKS's image is for GPUs or Neuron devices. CUSTOM, and images for any machine, do not say."""
    return ami_type.removesuffix("_FIPS").endswith(("_NVIDIA", "_NEURON", "_GPU"))
