"""Drawings as numbers and words that templates put into SVG: a lab's network with who may reach whom, a cluster's support.

Drawn from what was asked for, by the rules of `domain/stack/`; presentation attributes only, for the Content-Security-Policy
drops styles.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import EndpointAccess, ExistingNetwork, LabSpec, NatMode, NewNetwork, Placement
from chalicelib.domain.support.deadlines import DeadlineKind, Support, deadlines_of


@dataclass(frozen=True)
class Box:
    """A rectangle with words in it."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reach:
    """Who may reach whom, by which ports."""

    source: str
    target: str
    ports: str


@dataclass(frozen=True)
class NetworkDrawing:
    """The subnets as boxes, and the security groups' rules as lines of a table. `guest`: somebody else's network."""

    title: str
    boxes: tuple[Box, ...]
    reaches: tuple[Reach, ...]
    guest: bool


def network(lab: Lab) -> NetworkDrawing:
    """Two zones, four subnets, what stands in each; in an existing network only what is known of it."""
    spec = lab.spec
    if isinstance(spec.network, ExistingNetwork):
        title = f"Guest in {spec.network.vpc_id or 'an existing VPC'}"
        return NetworkDrawing(title, _guest_boxes(spec, spec.network), _reaches(spec), guest=True)
    zones = (*spec.network.zones, "first zone", "second zone")[:2] if not spec.network.zones else spec.network.zones[:2]
    return NetworkDrawing(f"VPC {spec.network.cidr}", _boxes(spec, spec.network, zones), _reaches(spec), guest=False)


def _boxes(spec: LabSpec, new: NewNetwork, zones: tuple[str, ...]) -> tuple[Box, ...]:
    quarters = [str(block) for block in ip_network(new.cidr).subnets(prefixlen_diff=2)]
    found = []
    for row, placement in enumerate((Placement.PUBLIC, Placement.PRIVATE)):
        for column, zone in enumerate(zones):
            title = f"{placement} · {zone}"
            lines = (quarters[2 * row + column], *_inside(spec, new, placement, first=column == 0))
            found.append(Box(10 + 310 * column, 34 + 118 * row, 300, 108, str(placement), title, lines))
    return tuple(found)


def _inside(spec: LabSpec, new: NewNetwork | None, placement: Placement, first: bool) -> tuple[str, ...]:
    """What stands in a subnet. Nodes of a group are spread over both zones."""
    lines = [
        Sentence(
            "part of {number} × {type} ({name})", number=group.desired, type=group.instance_types[0], name=group.name
        )
        for group in spec.nodegroups
        if group.placement is placement
    ]
    if placement is Placement.PUBLIC and first:
        lines += [Sentence("NAT gateway")] if new is not None and new.nat is NatMode.SINGLE else []
        lines += [Sentence("work host {type}", type=spec.work_host.instance_type)] if spec.work_host else []
    return tuple(lines[:4])


def _guest_boxes(spec: LabSpec, there: ExistingNetwork) -> tuple[Box, ...]:
    found = []
    rows = ((Placement.PUBLIC, there.public_subnet_ids), (Placement.PRIVATE, there.private_subnet_ids))
    for row, (placement, subnets) in enumerate(rows):
        for column, subnet in enumerate(subnets[:2]):
            lines = _inside(spec, None, placement, first=column == 0)
            found.append(
                Box(10 + 310 * column, 34 + 118 * row, 300, 108, str(placement), f"{placement} · {subnet}", lines)
            )
    return tuple(found)


def _reaches(spec: LabSpec) -> tuple[Reach, ...]:
    """As `stack/security_groups.py` makes the groups, and EKS its own."""
    found = [
        Reach(Sentence("control plane"), Sentence("nodes"), Sentence("all")),
        Reach(Sentence("nodes and pods"), Sentence("nodes and pods"), Sentence("all")),
        Reach(Sentence("cluster security group"), Sentence("API server, nodes"), Sentence("all")),
    ]
    endpoint = spec.endpoint
    if endpoint.access is not EndpointAccess.PRIVATE:
        found += [Reach(cidr, Sentence("API server"), "443") for cidr in endpoint.allowed_cidrs]
    if endpoint.access is not EndpointAccess.PUBLIC:
        found.append(
            Reach(Sentence("inside the VPC, as the cluster security group lets in"), Sentence("API server"), "443")
        )
    for cidr in spec.ssh.cidrs if spec.ssh else ():
        found.append(Reach(cidr, Sentence("nodes and work host") if spec.work_host else Sentence("nodes"), "22"))
    if spec.work_host:
        found.append(Reach(Sentence("work host"), Sentence("API server"), "443"))
    return tuple(found)


@dataclass(frozen=True)
class Stretch:
    """A stretch of a line of time, in hundredths of its width."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class Timeline:
    """`now`: where today is; `forced`: where AWS upgrades, None if that is outside what is drawn. `title` says it in words."""

    spans: tuple[Stretch, ...]
    now: float
    forced: float | None
    title: str


#: What is drawn: a year back and two ahead.
_BACK, _AHEAD = timedelta(days=365), timedelta(days=730)


def timeline(support: Support, now: datetime) -> Timeline | None:
    """A cluster's support from a year ago to two years from now; None where no calendar dates its version."""
    known = {deadline.kind: deadline for deadline in deadlines_of(support)}
    forced, billing = known.get(DeadlineKind.FORCED_UPGRADE), known.get(DeadlineKind.EXTENDED_BILLING)
    first = billing or forced
    if first is None:
        return None
    spans = [
        _span(None, first.at, now, "standard", Sentence("standard support until {day}", day=f"{first.at:%Y-%m-%d}"))
    ]
    if billing:
        until = (
            Sentence("extended support until {day}", day=f"{forced.at:%Y-%m-%d}")
            if forced
            else Sentence("extended support from {day} on", day=f"{billing.at:%Y-%m-%d}")
        )
        spans.append(_span(billing.at, forced.at if forced else None, now, "extended", until))
    if forced:
        spans.append(
            _span(forced.at, None, now, "past", Sentence("upgraded by AWS from {day} on", day=f"{forced.at:%Y-%m-%d}"))
        )
    drawn = tuple(span for span in spans if span.width > 0)
    at = _position(forced.at, now) if forced else 0
    return Timeline(
        drawn,
        _position(now, now),
        at if 0 < at < 100 else None,
        Listed([span.title for span in drawn], between="; ") if drawn else "",
    )


def _span(begins: datetime | None, ends: datetime | None, now: datetime, kind: str, title: str) -> Stretch:
    left = 0.0 if begins is None else _position(begins, now)
    right = 100.0 if ends is None else _position(ends, now)
    return Stretch(left, round(max(right - left, 0), 2), kind, title)


def _position(at: datetime, now: datetime) -> float:
    share = (at - (now - _BACK)) / (_BACK + _AHEAD)
    return round(min(max(share, 0.0), 1.0) * 100, 2)
