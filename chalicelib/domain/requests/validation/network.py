"""Validates a network: CIDR sizes and overlaps, two zones, subnets for each part."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from chalicelib.domain.core.names import SUBNET_ID, VPC_ID, ZONE
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import ExistingNetwork, NatMode, NewNetwork, Placement
from chalicelib.domain.requests.cidr import PRIVATE_BLOCKS, strict_network
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.subnets import named_subnets

#: EC2 makes VPCs of /16 to /28; four subnets of /24 need a /22.
_LARGEST, _SMALLEST = 16, 22
#: EKS takes Service addresses from one of these.
_SERVICES = tuple(IPv4Network(block) for block in ("10.100.0.0/16", "172.20.0.0/16"))
_DOCKER = IPv4Network("172.17.0.0/16")


def judge_network(case: ValidationContext) -> Iterator[Finding]:
    """The network itself."""
    match case.spec.network:
        case NewNetwork() as network:
            yield from _judge_zones(case, network)
            yield from _judge_cidr(case, network.cidr)
        case ExistingNetwork() as network:
            yield from _judge_ids(network)
            if len({*network.public_subnet_ids, *network.private_subnet_ids}) < 2 and not case.draft.is_partly_broken(
                "network"
            ):
                yield error(
                    "network", "too-few-subnets", "EKS needs at least two subnets, in two zones: name their ids."
                )
            if case.draft.network.cidr or case.draft.network.zones or case.draft.network.nat:
                yield error(
                    "network", "two-networks", "Give a new network (cidr, zones, nat) or existing subnets, not both."
                )


def judge_placement(case: ValidationContext) -> Iterator[Finding]:
    """Nodes and the work host have suitable subnets, and private nodes have a way out."""
    private = [i for i, g in enumerate(case.spec.nodegroups) if g.placement is Placement.PRIVATE]
    public = [i for i, g in enumerate(case.spec.nodegroups) if g.placement is Placement.PUBLIC]
    match case.spec.network:
        case NewNetwork(nat=NatMode.NONE) if private:
            message = Sentence(
                "Nodes in private subnets need NAT to fetch images: leave nat out, or ask for a single gateway."
            )
            yield error("network.nat", "no-nat", message)
        case NewNetwork(nat=NatMode.SINGLE) if private and case.draft.network.nat is None:
            path = f"nodegroups[{private[0]}].placement"
            yield warning(
                path, "nat-added", "Private nodes need a NAT gateway: one is added, at about $1.40 a day and traffic."
            )
        case ExistingNetwork() as network:
            yield from _judge_subnets_for(case, network, public, private)


def _judge_zones(case: ValidationContext, network: NewNetwork) -> Iterator[Finding]:
    if network.zones and len(set(network.zones)) != 2:
        yield error(
            "network.zones",
            "two-zones",
            "Name two different zones, not {count}; or none at all.",
            count=len(set(network.zones)),
        )
    for index, zone in enumerate(network.zones):
        if not ZONE.fullmatch(zone) or not zone.startswith(case.spec.region):
            path = f"network.zones[{index}]"
            yield error(
                path,
                "invalid-zone",
                "{zone} is no zone of {region}: they look like {region}a.",
                zone=f"{zone!r}",
                region=case.spec.region,
            )


def _judge_cidr(case: ValidationContext, text: str) -> Iterator[Finding]:
    block = strict_network(text)
    if isinstance(block, str):
        yield error("network.cidr", "invalid-cidr", block)
        return
    if not _LARGEST <= block.prefixlen <= _SMALLEST:
        large = Sentence("{text} is too large: EC2 makes VPCs up to /16.", text=text)
        small = Sentence("{text} is too small: four subnets need a /22 at least.", text=text)
        is_large = block.prefixlen < _LARGEST
        yield error("network.cidr", "cidr-too-large" if is_large else "cidr-too-small", large if is_large else small)
    if not any(block.subnet_of(private) for private in PRIVATE_BLOCKS):
        inside = ", ".join(map(str, PRIVATE_BLOCKS))
        yield error(
            "network.cidr",
            "cidr-not-private",
            "{text} is not a private range: take one inside {inside}.",
            text=text,
            inside=inside,
        )
    for services in _SERVICES:
        if block.overlaps(services):
            message = Sentence(
                "{text} overlaps {services}, from which EKS takes Service addresses.", text=text, services=str(services)
            )
            yield error("network.cidr", "cidr-overlaps", message)
    if case.spec.work_host and block.overlaps(_DOCKER):
        message = Sentence(
            "{text} overlaps {docker}, docker's bridge on the work host: its containers will not "
            "reach those addresses.",
            text=text,
            docker=str(_DOCKER),
        )
        yield warning("network.cidr", "cidr-overlaps", message)


def _judge_ids(network: ExistingNetwork) -> Iterator[Finding]:
    if network.vpc_id is not None and not VPC_ID.fullmatch(network.vpc_id):
        yield error("network.vpcId", "invalid-id", "Not a VPC id: they look like vpc-0dd338ecf29863c55.")
    seen: dict[str, str] = {}
    for path, subnet, _ in named_subnets(network):
        if not SUBNET_ID.fullmatch(subnet):
            yield error(path, "invalid-id", "Not a subnet id: they look like subnet-0b2512f8c6ae9bf30.")
        if subnet in seen:
            yield error(path, "duplicate", "{subnet} is listed already, at {name}.", subnet=subnet, name=seen[subnet])
        seen[subnet] = path


def _judge_subnets_for(
    case: ValidationContext, network: ExistingNetwork, public: list[int], private: list[int]
) -> Iterator[Finding]:
    if private and not network.private_subnet_ids:
        message = Sentence("The group is to be private, but no private subnet is named.")
        yield error(f"nodegroups[{private[0]}].placement", "no-private-subnets", message)
    if public and not network.public_subnet_ids and network.private_subnet_ids:
        message = Sentence("The group is to be public, but no public subnet is named.")
        yield error(f"nodegroups[{public[0]}].placement", "no-public-subnets", message)
    if case.spec.work_host and not network.public_subnet_ids:
        yield error("workHost", "no-public-subnets", "The work host lives in a public subnet, and none is named.")
    for index in private:
        if case.draft.nodegroups is None or case.draft.nodegroups[index].placement is None:
            message = Sentence("Only private subnets are named, so the nodes are placed there.")
            yield warning(f"nodegroups[{index}].placement", "made-private", message)
