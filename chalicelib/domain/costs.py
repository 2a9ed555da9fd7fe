"""The cost of a lab: hourly rates from a price list, and sums. USD; list prices without tax or discount.

Called by planning and by extending. A type without a known price is named, and the total is then an
"at least"; docs/reference/costs.md lists the costs that no amount includes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.sentence import Sentence, date_of, joined
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import LabSpec, NatMode, NewNetwork, NodegroupSpec, Placement

#: EBS is priced by the month; a month is 730 hours in AWS's own calculators.
HOURS_A_MONTH = 730
#: The savings of an act count for a day at most: nobody knows how long the lab would have been forgotten.
SAVED_FOR = timedelta(hours=24)
_EXTENDED, _INSTANCES, _OTHER = "extended support", "instances", "other"


@dataclass(frozen=True)
class Prices:
    """USD of one region. `instances`: the hourly price by type; a missing type has no known price.

    `source` with its date. `live`: the price list itself could be read.
    """

    region: str
    control_plane: float
    extended_extra: float
    gp3_gib_month: float
    nat_hour: float
    public_ipv4_hour: float
    instances: Mapping[str, float] = field(default_factory=dict)
    source: str = "bundled"
    as_of: date | None = None
    live: bool = True


@dataclass(frozen=True)
class CostPart:
    """One billed item, such as `2 t3.medium`, and its whole cost an hour. `kind`: the same for any number of them."""

    name: str
    usd_hour: float
    kind: str = ""


@dataclass(frozen=True)
class Cost:
    """A cost an hour. `unknown`: instance types without a known price; they are in no part."""

    parts: tuple[CostPart, ...]
    unknown: tuple[str, ...] = ()
    source: str = ""
    as_of: date | None = None

    @property
    def total(self) -> float:
        """USD an hour; a lower bound if a price is unknown."""
        return sum(part.usd_hour for part in self.parts)

    @property
    def certain(self) -> float | None:
        """USD an hour; None if a price is unknown. Plan entries hold this."""
        return None if self.unknown else self.total


@dataclass(frozen=True)
class LeasePart:
    """A part's USD an hour and for the whole lease, awake and asleep. `begins_at`: when its billing starts, if during the lease."""

    name: str
    hour: float
    hour_asleep: float
    lease: float
    lease_asleep: float
    begins_at: datetime | None = None


@dataclass(frozen=True)
class LeasePrice:
    """The cost of a lease by part. `unknown`: instance types without a known price; they are in no part."""

    parts: tuple[LeasePart, ...]
    unknown: tuple[str, ...]
    source: str
    as_of: date | None

    @property
    def lease(self) -> float:
        """USD for the whole lease, if the lab never sleeps."""
        return sum(part.lease for part in self.parts)

    @property
    def lease_asleep(self) -> float:
        """USD for the whole lease, if the lab sleeps through it."""
        return sum(part.lease_asleep for part in self.parts)

    @property
    def hour_asleep(self) -> float:
        """USD an hour asleep, at the start of the lease."""
        return sum(part.hour_asleep for part in self.parts if part.begins_at is None)


@dataclass(frozen=True)
class Machines:
    """The machines that were seen: those of a managed node group, or of none (`group` empty). `kinds`: the type of each."""

    group: str
    kinds: tuple[str, ...]


#: The type of a machine whose type was not returned.
UNKNOWN_TYPE = Sentence("machines of an unknown type")
_Seen = tuple[Machines, ...] | None


def hourly_cost(lab: Lab, prices: Prices, extended: bool, seen: _Seen = None) -> Cost:
    """The lab's present cost an hour: asleep while HIBERNATED, else awake. `extended`: its version is in extended support.

    Nodes are counted as `seen`, else as requested. Machines that the lab did not request count without disks and addresses,
    which are unknown here.
    """
    if lab.phase is Phase.HIBERNATED:
        return hibernated_cost(lab, prices, extended)
    groups = lab.spec.nodegroups if seen is None else tuple(_as_seen(lab.spec, seen))
    return _cost(lab.spec, prices, extended, groups)


def hibernated_cost(lab: Lab, prices: Prices, extended: bool, seen: _Seen = None) -> Cost:
    """The remaining cost an hour while it hibernates: the control plane, NAT, the work host, and machines outside node groups."""
    outside = [machines for machines in seen or () if not machines.group]
    return _cost(lab.spec, prices, extended, tuple(_as_seen(lab.spec, outside)))


def _as_seen(spec: LabSpec, seen: Iterable[Machines]) -> Iterator[NodegroupSpec]:
    """Machines as node groups of one type each."""
    asked = {group.name: group for group in spec.nodegroups}
    for machines in seen:
        bare = NodegroupSpec(machines.group, volume_gib=0, placement=Placement.PRIVATE)
        like = asked.get(machines.group, bare)
        kinds = Counter(machines.kinds).items()
        yield from (replace(like, instance_types=(kind,), desired=number) for kind, number in kinds)


def lease_price(
    spec: LabSpec, prices: Prices, extended_from: datetime | None, start: datetime, end: datetime
) -> LeasePrice:
    """The cost of a lab from `start` to `end` by part. Extended support is a part if the lease reaches it, from its midnight."""
    billed = extended_from is not None and extended_from < end
    awake = _cost(spec, prices, billed, spec.nodegroups)
    asleep = {part.kind: part.usd_hour for part in _cost(spec, prices, billed, ()).parts}

    def of_lease(part: CostPart) -> LeasePart:
        begins_at = extended_from if part.kind == _EXTENDED and extended_from and extended_from > start else None
        hours, sleeping = _hours(end - (begins_at or start)), asleep.get(part.kind, 0.0)
        return LeasePart(part.name, part.usd_hour, sleeping, part.usd_hour * hours, sleeping * hours, begins_at)

    unknown = tuple(dict.fromkeys((*awake.unknown, *_unpriced(spec, prices))))
    return LeasePrice(tuple(map(of_lease, awake.parts)), unknown, prices.source, prices.as_of)


def most_hourly(spec: LabSpec, prices: Prices, extended: bool) -> float:
    """USD an hour with the largest sizes of all groups, of their dearest types; a lower bound if a price is unknown."""
    groups = tuple(
        replace(g, desired=max(g.max, g.desired), instance_types=_dearest(g, prices)) for g in spec.nodegroups
    )
    return _cost(spec, prices, extended, groups).total


def meter_of(spec: LabSpec, prices: Prices, extended_from: datetime | None, zone: str) -> Meter:
    """The meter of a lab requested at these prices. `extended_from`: when extended support is billed; None: never."""
    without = _cost(spec, prices, False, ())
    nodes = {
        group.name: _micro(_cost(spec, prices, False, (replace(group, desired=1),)).total - without.total)
        for group in spec.nodegroups
    }
    unknown = dict.fromkeys((*without.unknown, *_unpriced(spec, prices)))
    extra = 0 if extended_from is None else _micro(prices.extended_extra)
    source = describe_source(without)
    return Meter(_micro(without.total), nodes, zone, extra, extended_from, tuple(unknown), source)


@dataclass(frozen=True)
class Billed:
    """AWS's bill by usage type, such as `APN2-BoxUsage:t3.medium`, in USD. `estimated`: the bill is not final.

    `requests`: the number of Cost Explorer requests used; each is paid for.
    """

    usd: Mapping[str, float] = field(default_factory=dict)
    estimated: bool = False
    requests: int = 0


#: Usage types without their region's prefix, or their beginnings, by part of a lab.
_USAGE = {
    "AmazonEKS-Hours:perCluster": "control plane",
    "AmazonEKS-Hours:extendedSupport": _EXTENDED,
    "BoxUsage": _INSTANCES,
    "SpotUsage": _INSTANCES,
    "EBS:VolumeUsage.gp3": "gp3",
    "NatGateway-Hours": "NAT gateway",
    "PublicIPv4:InUseAddress": "public IPv4 addresses",
    "LoadBalancerUsage": "load balancers",
}
_PREFIX = pattern(r"[A-Z]{2,3}[A-Z0-9]?[0-9]?-")


def part_of_usage(usage_type: str) -> str:
    """The part of a lab for a usage type of a bill; `other` for usage that no amount includes."""
    found = _PREFIX.match(usage_type)
    plain = usage_type[found.end() :] if found else usage_type
    return next((part for begin, part in _USAGE.items() if plain == begin or plain.startswith(f"{begin}:")), _OTHER)


def parts_of_months(
    labs: Iterable[Lab], prices: Callable[[str], Prices], start: datetime, end: datetime
) -> Mapping[str, float]:
    """The labs' costs between two instants by part, in USD: their own sums, split in the ratio of present prices."""
    sums: Counter[str] = Counter()
    for lab in labs:
        asleep, nodes, extended = lab.meter.split(start, min(lab.ended_at or end, end)) if lab.meter else (0, 0, 0)
        if asleep or nodes:
            without = _by_part(_cost(lab.spec, prices(lab.region), False, ()))
            groups = _by_part(_cost(lab.spec, prices(lab.region), False, lab.spec.nodegroups))
            groups.subtract(without)
            sums.update(_shared(asleep, without))
            sums.update(_shared(nodes, groups))
        sums[_EXTENDED] += extended
    return {part: micro / MICRO for part, micro in sums.items() if micro}


def _by_part(cost: Cost) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in cost.parts:
        found[part.kind if part.kind in _USAGE.values() else _INSTANCES] += _micro(part.usd_hour)
    return found


def _shared(amount: int, shares: Mapping[str, int]) -> Mapping[str, int]:
    """An amount in the ratio of shares; without shares it counts as instances, whose price was known then."""
    whole = sum(shares.values())
    return {part: amount * share // whole for part, share in shares.items()} if whole else {_INSTANCES: amount}


def _unpriced(spec: LabSpec, prices: Prices) -> Iterator[str]:
    yield from (kind for group in spec.nodegroups for kind in group.instance_types if kind not in prices.instances)


def _micro(amount: float) -> int:
    return round(amount * MICRO)


def _dearest(group: NodegroupSpec, prices: Prices) -> tuple[str, ...]:
    return tuple(sorted(group.instance_types, key=lambda kind: -prices.instances.get(kind, 0.0)))


def saved_hourly(lab: Lab, prices: Prices, extended: bool, act: AtCurfew, seen: _Seen = None) -> float | None:
    """USD an hour that the act saves; None if a price is unknown."""
    now, after = hourly_cost(lab, prices, extended, seen), hibernated_cost(lab, prices, extended, seen)
    if act is AtCurfew.END:
        return now.certain
    if set(now.unknown) - set(after.unknown):
        return None
    return max(now.total - after.total, 0.0)


def keeping_cost(usd_hour: float | None, since: datetime, until: datetime) -> float | None:
    """USD for keeping a lab from `since` to `until`; None if its price is unknown. Past hours cost nothing."""
    return None if usd_hour is None else usd_hour * _hours(until - since)


def saved(saved_usd_hour: float | None, at: datetime, wakes_at: datetime | None = None) -> float:
    """USD saved by an act at `at`: until the lab wakes by itself, for a day at most; 0 if the price is unknown."""
    gone_for = SAVED_FOR if wakes_at is None else min(SAVED_FOR, wakes_at - at)
    return (saved_usd_hour or 0.0) * _hours(gone_for)


def _cost(spec: LabSpec, prices: Prices, extended: bool, nodegroups: tuple[NodegroupSpec, ...]) -> Cost:
    machines = [(group.instance_types[0], group.desired) for group in nodegroups if group.desired]
    machines += [(spec.work_host.instance_type, 1)] if spec.work_host else []
    unknown = dict.fromkeys(kind for kind, _ in machines if kind not in prices.instances)
    parts = [
        CostPart(Sentence("control plane"), prices.control_plane, "control plane"),
        *([CostPart(Sentence("extended support"), prices.extended_extra, _EXTENDED)] if extended else []),
        *(
            CostPart(f"{n} {kind}", n * prices.instances[kind], kind)
            for kind, n in _by_type(machines)
            if kind not in unknown
        ),
        *_disks(nodegroups, prices),
        *_network(spec, nodegroups, prices),
    ]
    return Cost(tuple(parts), tuple(unknown), prices.source, prices.as_of)


def _by_type(machines: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    for kind in dict.fromkeys(kind for kind, _ in machines):
        yield kind, sum(number for same, number in machines if same == kind)


def _disks(nodegroups: tuple[NodegroupSpec, ...], prices: Prices) -> Iterator[CostPart]:
    gib = sum(group.desired * group.volume_gib for group in nodegroups)
    if gib:
        yield CostPart(Sentence("{gib} GiB of gp3", gib=gib), gib * prices.gp3_gib_month / HOURS_A_MONTH, "gp3")


def _network(spec: LabSpec, nodegroups: tuple[NodegroupSpec, ...], prices: Prices) -> Iterator[CostPart]:
    """A NAT gateway belongs to the lab's own network; its address is billed like those of nodes."""
    addresses = sum(group.desired for group in nodegroups if group.placement is Placement.PUBLIC)
    addresses += 1 if spec.work_host else 0
    if isinstance(spec.network, NewNetwork) and spec.network.nat is NatMode.SINGLE:
        yield CostPart(Sentence("NAT gateway"), prices.nat_hour, "NAT gateway")
        addresses += 1
    if addresses:
        name = Sentence("{n} public IPv4 address", "{n} public IPv4 addresses", n=addresses)
        yield CostPart(name, addresses * prices.public_ipv4_hour, "public IPv4 addresses")


def _hours(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0) / 3600


def usd(amount: float) -> str:
    """`$5.28`, `$1,204.00`; `less than $0.01` for an amount that would round to zero."""
    return Sentence("less than $0.01") if 0 < amount < 0.005 else f"${amount:,.2f}"


def describe_cost(cost: Cost) -> str:
    """`$0.22 an hour`; with an unknown price `at least $0.10 an hour (no price known for p5.48xlarge)`."""
    if not cost.unknown:
        return Sentence("{amount} an hour", amount=usd(cost.total))
    said = Sentence("at least {amount} an hour (no price known for {types})")
    return said.with_slots(amount=usd(cost.total), types=joined(cost.unknown, ", "))


def describe_keeping(amount: float, usd_hour: float | None) -> str:
    """`$5.28, $0.22 an hour`."""
    return (
        usd(amount)
        if usd_hour is None
        else Sentence("{amount}, {hourly} an hour", amount=usd(amount), hourly=usd(usd_hour))
    )


def describe_source(cost: Cost) -> str:
    """The source of the prices: `AWS Price List of 23 Nov 2026`."""
    if cost.as_of is None:
        return cost.source
    return Sentence("{source} of {day}", source=cost.source, day=date_of(cost.as_of))


@dataclass(frozen=True)
class Running:
    """`phases`: the number of labs by phase, without ended ones. `hourly_usd`: the cost of those that a curfew run looked at."""

    phases: Mapping[Phase, int]
    hourly_usd: float
