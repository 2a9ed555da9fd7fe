"""Judges the existing subnets that a LabSpec names, and their VPC, by facts of the account. Part of the preflight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.aws_states import SubnetFacts
from chalicelib.domain.labs.spec import ExistingNetwork, LabSpec, Placement

#: The free addresses that EKS wants in a cluster subnet, and the smallest subnet it accepts.
_FREE, _SMALLEST = 6, 28


def check_subnets(spec: LabSpec, facts: Sequence[SubnetFacts]) -> Iterator[Finding]:
    """Judge the existing subnets that a spec names; `facts` holds those that exist. Nothing for a new network."""
    if not isinstance(spec.network, ExistingNetwork):
        return
    found = {subnet.id: subnet for subnet in facts}
    for path, subnet_id, public in named_subnets(spec.network):
        if subnet_id in found:
            yield from _check_subnet(spec, path, found[subnet_id], public)
        else:
            message = Sentence("There is no subnet {subnet_id} in {region}.", subnet_id=subnet_id, region=spec.region)
            yield error(path, "subnet-missing", message)
    known = [found[i] for _, i, _ in named_subnets(spec.network) if i in found]
    yield from _check_together(spec.network, known)
    yield from _check_room(spec, spec.network, found)


def check_dns(spec: LabSpec, without: Mapping[str, str]) -> Iterator[Finding]:
    """Judge the VPC of an existing network: `without` names the DNS settings that EKS needs and that are off, by VPC."""
    if isinstance(spec.network, ExistingNetwork):
        path = "network.vpcId" if spec.network.vpc_id else "network"
        for vpc_id, off in sorted(without.items()):
            message = Sentence(
                "{vpc_id} has {off} switched off, without which nodes can't join: switch on both.",
                vpc_id=vpc_id,
                off=off,
            )
            yield error(path, "vpc-without-dns", message)


def with_subnets(spec: LabSpec, facts: Sequence[SubnetFacts]) -> LabSpec:
    """The spec with the VPC's id, if only subnets were named. A new network is unchanged."""
    if not isinstance(spec.network, ExistingNetwork) or spec.network.vpc_id or not facts:
        return spec
    return replace(spec, network=replace(spec.network, vpc_id=facts[0].vpc_id))


def _check_room(spec: LabSpec, network: ExistingNetwork, found: Mapping[str, SubnetFacts]) -> Iterator[Finding]:
    """Each node takes at least one address of its subnets; its pods take more."""
    host = 1 if spec.work_host else 0
    sides = (
        (Placement.PUBLIC, "publicSubnetIds", network.public_subnet_ids, host),
        (Placement.PRIVATE, "privateSubnetIds", network.private_subnet_ids, 0),
    )
    for placement, side, ids, more in sides:
        known = [found[id] for id in ids if id in found]
        need = more + sum(group.desired for group in spec.nodegroups if group.placement is placement)
        free = sum(subnet.free_addresses for subnet in known)
        if len(known) == len(ids) and ids and need > free:
            message = Sentence(
                "{need} machines need an address each, and {listed} have {free} free addresses together.",
                need=need,
                listed=", ".join(sorted(ids)),
                free=free,
            )
            yield error(f"network.{side}", "too-few-addresses", message)


def named_subnets(network: ExistingNetwork) -> Iterator[tuple[str, str, bool]]:
    """(path, subnet id, declared public) of each named subnet."""
    for index, subnet_id in enumerate(network.public_subnet_ids):
        yield f"network.publicSubnetIds[{index}]", subnet_id, True
    for index, subnet_id in enumerate(network.private_subnet_ids):
        yield f"network.privateSubnetIds[{index}]", subnet_id, False


def _check_subnet(spec: LabSpec, path: str, subnet: SubnetFacts, declared_public: bool) -> Iterator[Finding]:
    public_nodes = any(group.placement is Placement.PUBLIC for group in spec.nodegroups)
    if declared_public and not subnet.public:
        message = Sentence(
            "{id} is not public: it has no route to an internet gateway. List it as private, or add the route.",
            id=subnet.id,
        )
        yield error(path, "subnet-not-public", message)
    elif declared_public and public_nodes and not subnet.maps_public_ip:
        message = Sentence(
            "{id} gives instances no public address (MapPublicIpOnLaunch is off): its nodes could not join.",
            id=subnet.id,
        )
        yield error(path, "no-public-addresses", message)
    elif not declared_public and subnet.public:
        yield warning(
            path, "subnet-is-public", "{id} is listed as private, but has a route to an internet gateway.", id=subnet.id
        )
    if ip_network(subnet.cidr).prefixlen > _SMALLEST:
        yield error(
            path,
            "subnet-too-small",
            "{id} is {cidr}: EKS takes /{smallest} at the smallest.",
            id=subnet.id,
            cidr=subnet.cidr,
            smallest=_SMALLEST,
        )
    elif subnet.free_addresses < _FREE:
        message = Sentence(
            "{id} has {free_addresses} free addresses: EKS needs {free} at least.",
            id=subnet.id,
            free_addresses=subnet.free_addresses,
            free=_FREE,
        )
        yield error(path, "subnet-full", message)


def _check_together(network: ExistingNetwork, facts: Sequence[SubnetFacts]) -> Iterator[Finding]:
    vpcs, zones = sorted({subnet.vpc_id for subnet in facts}), sorted({subnet.zone for subnet in facts})
    if len(vpcs) > 1:
        yield error("network", "several-vpcs", "The subnets lie in several VPCs: {names}.", names=", ".join(vpcs))
    elif vpcs and network.vpc_id and vpcs != [network.vpc_id]:
        yield error(
            "network.vpcId",
            "other-vpc",
            "The subnets lie in {name}, not in {vpc_id}.",
            name=vpcs[0],
            vpc_id=network.vpc_id,
        )
    if len(zones) == 1:
        yield error("network", "one-zone", "All subnets lie in {name}: EKS needs two zones.", name=zones[0])
