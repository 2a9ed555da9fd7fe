"""CPU and network of the managed node groups.

CPU is the mean of a group, so one busy machine hides among many: the limit sinks as the group grows. Network has no baseline
on purpose: a queue consumer works at one steady pace for weeks, and its own past must not excuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instance_types import is_accelerated
from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence, NodegroupUse, Series
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, before, gap, per_minute, stands_out, usual, within

CPU, NETWORK = "cpu", "network"
#: Percent. System pods, DaemonSets and scrapers stay below. The limit of larger groups is CPU_SHARED / nodes, or CPU_LEAST.
CPU_LIMIT, CPU_LEAST, CPU_SHARED = 10.0, 5.0, 20.0
#: A baseline above this is work, not noise. Above its baseline a group breathes by so much, less where it has many nodes.
CPU_BASELINE_MOST, CPU_BREATH, CPU_BREATH_LEAST, CPU_BREATH_SHARED = 8.0, 4.0, 1.5, 8.0
#: Bytes a minute and node, in and out together: 64 KiB/s. Kubelets, scrapers and log shippers of a lab stay below.
NETWORK_LIMIT = 60.0 * 64 * 1024
UNSEEN = "unseen"


@dataclass(frozen=True)
class _Part:
    """What one node group says."""

    sign: Sign
    message: str
    numbers: dict[str, float] = field(default_factory=dict)


def cpu_signal(evidence: Evidence, window: Window) -> Signal:
    """Percent of CPU against an absolute limit, or against each group's own baseline."""
    parts = [_cpu(group, window) for group in evidence.nodegroups if group.nodes or group.cpu.points]
    return _together(CPU, parts, "no nodes whose CPU could be used")


def network_signal(evidence: Evidence, window: Window) -> Signal:
    """Bytes a minute of each node, in and out, against an absolute limit."""
    parts = [_network(group, window) for group in evidence.nodegroups if group.nodes or group.network_in.points]
    return _together(NETWORK, parts, "no nodes whose network could be used")


def _cpu(group: NodegroupUse, window: Window) -> _Part:
    values = within(group.cpu, window)
    baseline = usual(before(group.cpu_before, window).values)
    limit = _cpu_limit(baseline, max(group.nodes, 1))
    beside = f" (baseline {baseline:.0f} %)" if baseline is not None else ""
    numbers = {"mean": _mean(values), "highest": max(values, default=0.0), "limit": limit}
    if baseline is not None:
        numbers["baseline"] = baseline
    if stands_out(values, limit, 2 * limit):
        return _Part(Sign.BUSY, f"CPU up to {max(values):.0f} % in {group.name}{beside}", numbers)
    missing = gap(group.cpu, window)
    if missing and group.nodes:
        return _Part(Sign.MISSING, f"CPU of {group.name}: {missing}")
    return _Part(Sign.QUIET, f"CPU {_mean(values):.0f} %{beside}", numbers)


def _cpu_limit(baseline: float | None, nodes: int) -> float:
    absolute = max(CPU_LEAST, min(CPU_LIMIT, CPU_SHARED / nodes))
    if baseline is None:
        return absolute
    breath = max(CPU_BREATH_LEAST, min(CPU_BREATH, CPU_BREATH_SHARED / nodes))
    return max(absolute, min(baseline, CPU_BASELINE_MOST) + breath)


def _network(group: NodegroupUse, window: Window) -> _Part:
    nodes = max(group.nodes, 1)
    values = [per_minute(group.network_in, value) / nodes for value in within(_both_ways(group), window)]
    numbers = {"mean": _mean(values), "highest": max(values, default=0.0), "limit": NETWORK_LIMIT}
    if stands_out(values, NETWORK_LIMIT, 2 * NETWORK_LIMIT):
        return _Part(Sign.BUSY, f"network of {group.name} up to {_describe(max(values))} a node", numbers)
    missing = gap(group.network_in, window) or gap(group.network_out, window)
    if missing and group.nodes:
        return _Part(Sign.MISSING, f"network of {group.name}: {missing}")
    return _Part(Sign.QUIET, f"network {_describe(_mean(values))} a node", numbers)


def _both_ways(group: NodegroupUse) -> Series:
    total = dict(group.network_in.points)
    for at, value in group.network_out.points:
        total[at] = total.get(at, 0.0) + value
    return Series(group.network_in.period, tuple(sorted(total.items())))


def _together(name: str, parts: Sequence[_Part], absent: str) -> Signal:
    """One signal of all groups: busy if one is, missing if one is, else quiet, told by the group with most."""
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
    """BUSY if user pods may be at work there, MISSING if nobody knows; never QUIET, since Kubernetes' own signal says that."""
    places = _places(evidence)
    if not places:
        return Signal(UNSEEN, Sign.ABSENT, "every node is measured")
    message = " and ".join(places)
    if evidence.kubernetes is None:
        return Signal(
            UNSEEN, Sign.MISSING, f"what runs on {message}: metrics don't show it, and Kubernetes can't be asked"
        )
    pods = evidence.kubernetes.user_pods
    if pods:
        return Signal(
            UNSEEN,
            Sign.BUSY,
            f"{counted(pods, 'user pod')}, and {message}, whose work no metric shows",
            {"pods": float(pods)},
        )
    return Signal(UNSEEN, Sign.ABSENT, f"no user pods that could run on {message}", {"pods": 0.0})


def _places(evidence: Evidence) -> list[str]:
    types = {kind for group in evidence.nodegroups if group.nodes for kind in group.instance_types}
    accelerated = sorted(kind for kind in types if is_accelerated(kind))
    return [
        *([f"GPU nodes ({', '.join(accelerated)})"] if accelerated else []),
        *(
            [f"{counted(evidence.instances_outside, 'instance')} outside the node groups"]
            if evidence.instances_outside
            else []
        ),
        *([counted(evidence.fargate_profiles, "Fargate profile")] if evidence.fargate_profiles else []),
    ]
