"""A lab's network as numbers and words for an SVG template: the places of its subnets, and the allowed traffic.

Drawn from the specification, by the rules of `domain/stack/` and of the step `open_security_groups`. As wide as a telephone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_network

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import EndpointAccess, ExistingNetwork, LabSpec, NatMode, NewNetwork, Placement

WIDTH, LINE = 340, 16
#: Lines of addresses, and of node groups, in one box; characters of a name.
_MOST, _LONGEST = 3, 20


class Party(StrEnum):
    """A source or target of traffic."""

    API_ADDRESSES = "api-addresses"
    SSH_ADDRESSES = "ssh-addresses"
    CONTROL_PLANE = "control-plane"
    WORK_HOST = "work-host"
    NODES = "nodes"


TITLES: Mapping[Party, str] = {
    Party.API_ADDRESSES: Sentence("allowed addresses"),
    Party.SSH_ADDRESSES: Sentence("addresses for ssh"),
    Party.CONTROL_PLANE: Sentence("control plane"),
    Party.WORK_HOST: Sentence("work host"),
    Party.NODES: Sentence("nodes and pods"),
}
_KINDS = {Placement.PUBLIC: Sentence("public subnet"), Placement.PRIVATE: Sentence("private subnet")}


@dataclass(frozen=True)
class Reach:
    """Allowed traffic: source, target and ports; the addresses, if from outside."""

    source: Party
    target: Party
    ports: str
    cidrs: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses, or the source's name."""
        return self.cidrs or (TITLES[self.source],)

    @property
    def target_title(self) -> str:
        return TITLES[self.target]


@dataclass(frozen=True)
class Box:
    """A rectangle with words in it."""

    x: int
    y: int
    width: int
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    height: int = 0

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def fitting(self, lines: int | None = None) -> Box:
        """With the height of its lines, or of this number of lines."""
        return replace(self, height=30 + LINE * (len(self.lines) if lines is None else lines))


@dataclass(frozen=True)
class Arrow:
    """A connection, as SVG's path data, with its label at a place. `both`: in both directions."""

    path: str
    label: str = ""
    x: int = 0
    y: int = 0
    both: bool = False


@dataclass(frozen=True)
class Drawing:
    """`frame`: the border around the boxes, if any."""

    title: str
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    frame: Box | None = None


def reaches(spec: LabSpec) -> tuple[Reach, ...]:
    """The traffic that the security groups allow, those of the lab's stack and the one of EKS."""
    return tuple(_from_outside(spec)) + tuple(_inside(spec))


def _from_outside(spec: LabSpec) -> Iterator[Reach]:
    if spec.endpoint.access is not EndpointAccess.PRIVATE and spec.endpoint.allowed_cidrs:
        yield Reach(Party.API_ADDRESSES, Party.CONTROL_PLANE, "443", spec.endpoint.allowed_cidrs)
    if spec.ssh and spec.ssh.cidrs:
        if spec.work_host:
            yield Reach(Party.SSH_ADDRESSES, Party.WORK_HOST, "22", spec.ssh.cidrs)
        yield Reach(Party.SSH_ADDRESSES, Party.NODES, "22", spec.ssh.cidrs)


def _inside(spec: LabSpec) -> Iterator[Reach]:
    if spec.work_host:
        yield Reach(Party.WORK_HOST, Party.CONTROL_PLANE, "443")
    yield Reach(Party.CONTROL_PLANE, Party.NODES, Sentence("all"))
    yield Reach(Party.NODES, Party.CONTROL_PLANE, Sentence("all"))
    yield Reach(Party.NODES, Party.NODES, Sentence("all"))


def draw_groups(spec: LabSpec) -> Drawing:
    """The allowed traffic: addresses on top, control plane and work host below them, nodes at the bottom."""
    known = reaches(spec)
    boxes = {reach.source: _addresses(reach) for reach in known if reach.cidrs}
    y = max((box.bottom + 40 for box in boxes.values()), default=8)
    plane = Box(8, y, 144, Party.CONTROL_PLANE, TITLES[Party.CONTROL_PLANE], (Sentence("API server"),))
    boxes[Party.CONTROL_PLANE] = plane.fitting()
    if spec.work_host:
        host = Box(188, y, 116, Party.WORK_HOST, TITLES[Party.WORK_HOST], (spec.work_host.instance_type,))
        boxes[Party.WORK_HOST] = host.fitting()
    y = boxes[Party.CONTROL_PLANE].bottom + 44
    boxes[Party.NODES] = Box(8, y, 324, Party.NODES, TITLES[Party.NODES], tuple(_groups(spec))).fitting()
    height = boxes[Party.NODES].bottom + 26
    return Drawing(Sentence("Who may reach whom"), height, tuple(boxes.values()), tuple(_arrows(known, boxes)))


def _addresses(reach: Reach) -> Box:
    shown = reach.cidrs if len(reach.cidrs) <= _MOST else reach.cidrs[: _MOST - 1]
    more = len(reach.cidrs) - len(shown)
    lines = (*shown, *([Sentence("and {number} more", number=more)] if more else []))
    return Box(
        8 if reach.source is Party.API_ADDRESSES else 180, 8, 152, reach.source, TITLES[reach.source], lines
    ).fitting()


def _groups(spec: LabSpec) -> Iterator[str]:
    for group in spec.nodegroups[:_MOST]:
        yield f"{_short(group.name)}: {group.desired} × {group.instance_types[0]}"
    if len(spec.nodegroups) > _MOST:
        yield Sentence("and {number} more", number=len(spec.nodegroups) - _MOST)


def _arrows(known: Sequence[Reach], boxes: Mapping[Party, Box]) -> Iterator[Arrow]:
    """From a source's edge to its target's, each in a lane of its own."""
    for reach in known:
        source, target = boxes[reach.source], boxes[reach.target]
        match reach.source, reach.target:
            case Party.WORK_HOST, Party.CONTROL_PLANE:
                end = target.x + target.width
                yield Arrow(f"M{source.x} {source.y + 26}H{end}", reach.ports, end + 10, source.y + 20)
            case Party.NODES, Party.NODES:
                yield Arrow(f"M140 {source.bottom}v18h60v-18", reach.ports, 208, source.bottom + 15)
            case Party.NODES, Party.CONTROL_PLANE:
                yield Arrow(f"M104 {source.y}V{target.bottom}", reach.ports, 110, target.bottom + 26)
            case Party.SSH_ADDRESSES, Party.NODES:
                yield Arrow(f"M316 {source.bottom}V{target.y}", reach.ports, 319, target.y - 16)
            case _, _:
                lane = 240 if reach.target is Party.WORK_HOST else 40
                yield Arrow(f"M{lane} {source.bottom}V{target.y}", reach.ports, lane + 6, target.y - 16)


def draw_subnets(spec: LabSpec) -> Drawing:
    """Two zones, four subnets, and the parts in each; for an existing network only the known facts."""
    network = spec.network
    if isinstance(network, ExistingNetwork):
        rows = _rows(spec, (network.public_subnet_ids, network.private_subnet_ids), (), nat=False)
        return _framed(Sentence("Guest in {vpc}", vpc=network.vpc_id or "VPC"), rows, (), ())
    zones = network.zones[:2] if network.zones else (Sentence("first zone"), Sentence("second zone"))
    nat = network.nat is NatMode.SINGLE
    rows = _rows(spec, (zones, zones), [str(each) for each in ip_network(network.cidr).subnets(prefixlen_diff=2)], nat)
    gateway = Box(196, 4, 138, "gateway", Sentence("internet gateway"), height=24)
    ways = (Arrow("M265 28V46", both=True), Arrow("M196 16H158V46", both=True))
    return _framed(f"VPC {network.cidr}", rows, (gateway,), (*ways, *_to_nat(rows)) if nat else ways)


def _framed(title: str, rows: Sequence[Box], more: tuple[Box, ...], ways: tuple[Arrow, ...]) -> Drawing:
    bottom = max((box.bottom for box in rows), default=40) + 10
    return Drawing(title, bottom + 2, (*more, *rows), ways, Box(1, 36, WIDTH - 2, "vpc", "", height=bottom - 36))


def _to_nat(rows: Sequence[Box]) -> tuple[Arrow, ...]:
    """From the private subnets to the gateway in the first public one."""
    end, start = rows[0].bottom, rows[-1].y
    middle = (end + start) // 2
    return Arrow(f"M60 {start}V{end}", "NAT", 66, middle + 12), Arrow(f"M252 {start}V{middle}H120V{end}")


def _rows(spec: LabSpec, titles: tuple[Sequence[str], ...], cidrs: Sequence[str], nat: bool) -> tuple[Box, ...]:
    upper = _row(spec, Placement.PUBLIC, titles[0], cidrs[:2], 46)
    y = max((box.bottom for box in upper), default=36) + (34 if nat else 10)
    return *upper, *_row(spec, Placement.PRIVATE, titles[1], cidrs[2:], y)


def _row(spec: LabSpec, placement: Placement, titles: Sequence[str], cidrs: Sequence[str], y: int) -> list[Box]:
    """Two subnets beside each other, of one height. `titles`: their zones, or ids."""
    found = []
    for column, title in enumerate(titles[:2]):
        lines = [title, *cidrs[column : column + 1], *_standing(spec, placement, first=column == 0)]
        if column and len(titles) > 2:
            lines.append(Sentence("and {number} more subnets", number=len(titles) - 2))
        found.append(Box(10 + 165 * column, y, 155, str(placement), _KINDS[placement], tuple(lines)))
    return [box.fitting(max(len(each.lines) for each in found)) for box in found]


def _standing(spec: LabSpec, placement: Placement, first: bool) -> Iterator[str]:
    """The parts in a subnet. Nodes of a group are spread over both zones."""
    new = spec.network if isinstance(spec.network, NewNetwork) else None
    if placement is Placement.PUBLIC and first:
        yield from [Sentence("NAT gateway")] if new is not None and new.nat is NatMode.SINGLE else []
        yield from [TITLES[Party.WORK_HOST], spec.work_host.instance_type] if spec.work_host else []
    groups = [group for group in spec.nodegroups if group.placement is placement]
    for group in groups[:_MOST]:
        yield _short(group.name)
        yield f"{group.desired} × {group.instance_types[0]}"
    if len(groups) > _MOST:
        yield Sentence("and {number} more", number=len(groups) - _MOST)
    if placement is Placement.PRIVATE and new is not None and new.nat is NatMode.NONE:
        yield Sentence("no way to the internet")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
