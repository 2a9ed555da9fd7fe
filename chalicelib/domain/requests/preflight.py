"""Judges a complete LabSpec by facts of the account: name, subnets, instance types, key pair, hosted zone, add-ons.

Pure; `services/labs/preflight.py` fetches the facts. Findings carry our own paths; `validation.in_callers_words` tells them by
the caller's. The `with_*` functions put into the spec what only the account knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network

from chalicelib.domain.core.instance_types import ami_type
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.aws_states import ClusterState, HostedZone, SubnetFacts
from chalicelib.domain.labs.spec import AddonSpec, ExistingNetwork, LabSpec, NewNetwork, Placement
from chalicelib.domain.requests.defaults import DEFAULT_ADDONS
from chalicelib.domain.teardown.evidence import LAB_TAG

#: Things that bear the name already and are named one by one.
_NAMESAKES = 5
#: Addresses that EKS wants free in a cluster subnet, and the smallest subnet it takes.
_FREE, _SMALLEST = 6, 28


def check_subnets(spec: LabSpec, facts: Sequence[SubnetFacts]) -> tuple[Finding, ...]:
    """Judge the existing subnets that a spec names; `facts` holds those that exist. Nothing for a new network."""
    if not isinstance(spec.network, ExistingNetwork):
        return ()
    found = {subnet.id: subnet for subnet in facts}
    findings: list[Finding] = []
    for path, subnet_id, public in _named(spec.network):
        if subnet_id not in found:
            findings.append(error(path, "subnet-missing", f"There is no subnet {subnet_id} in {spec.region}."))
        else:
            findings += _check_subnet(spec, path, found[subnet_id], public)
    known = [found[i] for _, i, _ in _named(spec.network) if i in found]
    return (*findings, *_check_together(spec.network, known), *_check_room(spec, spec.network, found))


def _check_room(spec: LabSpec, network: ExistingNetwork, found: Mapping[str, SubnetFacts]) -> Iterator[Finding]:
    """Each node takes an address of its subnets at least; its pods take more."""
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
            message = f"{need} machines need an address each, and {_listed(ids)} have {free} free addresses together."
            yield error(f"network.{side}", "too-few-addresses", message)


def check_dns(spec: LabSpec, without: Mapping[str, str]) -> tuple[Finding, ...]:
    """Judge the VPC of an existing network: `without` says which VPCs have what switched off that EKS needs."""
    if not isinstance(spec.network, ExistingNetwork):
        return ()
    path = "network.vpcId" if spec.network.vpc_id else "network"
    return tuple(
        error(
            path, "vpc-without-dns", f"{vpc_id} has {off} switched off, without which nodes can't join: switch on both."
        )
        for vpc_id, off in sorted(without.items())
    )


def with_subnets(spec: LabSpec, facts: Sequence[SubnetFacts]) -> LabSpec:
    """The spec with the VPC's id, where only subnets were named. A new network stays as it is."""
    if not isinstance(spec.network, ExistingNetwork) or spec.network.vpc_id or not facts:
        return spec
    return replace(spec, network=replace(spec.network, vpc_id=facts[0].vpc_id))


def check_key_pair(spec: LabSpec, exists: bool) -> tuple[Finding, ...]:
    """Judge the key pair that the spec names, if it names one."""
    if spec.ssh is None or not spec.ssh.key_name or exists:
        return ()
    message = f"EC2 has no key pair {spec.ssh.key_name} in {spec.region}: import it there, or give ssh.publicKey."
    return (error("ssh.keyName", "key-pair-missing", message),)


def check_zone(spec: LabSpec, zone: HostedZone | None) -> tuple[Finding, ...]:
    """Judge the hosted zone that was found for external-dns (asked for by id, else by domain)."""
    asked = spec.external_dns
    if asked is None:
        return ()
    path = "externalDns.hostedZoneId" if asked.hosted_zone_id else "externalDns.domain"
    if zone is None:
        name = asked.hosted_zone_id or asked.domain
        return (error(path, "zone-missing", f"Route 53 has no hosted zone {name} in this account."),)
    domain = asked.domain.rstrip(".")
    if domain and domain != zone.name and not domain.endswith(f".{zone.name}"):
        return (
            error(
                "externalDns.domain", "zone-mismatch", f"{domain} is not in the zone {zone.id}, which is {zone.name}."
            ),
        )
    if zone.private:
        return (
            warning(
                path, "private-zone", f"{zone.name} is a private zone: its names resolve in its own networks only."
            ),
        )
    return ()


def check_instances(
    spec: LabSpec, offers: Collection[tuple[str, str]], facts: Sequence[SubnetFacts]
) -> tuple[Finding, ...]:
    """Judge the instance types: `offers` holds the region's pairs (zone, type), `facts` the existing subnets."""
    network, missing = spec.network, tuple(_zones_without(spec, offers))
    zones = {subnet.zone for subnet in facts} if isinstance(network, ExistingNetwork) else set(network.zones)
    zones -= {network.zones[index] for index in missing} if isinstance(network, NewNetwork) else set()
    findings = [_zone_missing(spec, index, offers) for index in missing]
    for path, kind in named_types(spec):
        where = {zone for zone, offered in offers if offered == kind}
        if not where:
            findings.append(error(path, "type-not-offered", f"{spec.region} has no instance type {kind}."))
        elif zones and not where & zones:
            message = f"{kind} is not offered in {_listed(zones)}; it is in {_listed(where)}."
            findings.append(error(path, "type-not-offered", message))
        elif zones - where:
            message = f"{kind} is not offered in {_listed(zones - where)}: only {_listed(zones & where)} can have it."
            findings.append(warning(path, "type-not-in-zone", message))
    return tuple(findings)


def check_architectures(spec: LabSpec, known: Mapping[str, Collection[str]]) -> tuple[Finding, ...]:
    """Judge each instance type by its image: `known` maps types to the processors that EC2 tells; unknown ones are not judged."""
    images = {f"nodegroups[{number}]": group.ami_type for number, group in enumerate(spec.nodegroups)}
    found = []
    for path, kind in named_types(spec):
        image = images.get(path.partition(".")[0], "") or ami_type(kind)
        processor = "arm64" if "ARM_64" in image else "x86_64"
        if known.get(kind) and processor not in known[kind]:
            message = f"{kind} has {_listed(known[kind])}: the image {image}, for {processor}, does not run on it."
            found.append(error(path, "image-mismatch", message))
    return tuple(found)


def check_region(region: str, account: str, states: Mapping[str, str]) -> tuple[Finding, ...]:
    """Judge a region by EC2's answer, region -> opt-in status. Without an answer, nothing is judged."""
    if not states or states.get(region, "not-opted-in") != "not-opted-in":
        return ()
    if region in states:
        message = f"{region} is not enabled in account {account}: enable it there, or choose another region."
        return (error("region", "region-not-enabled", message),)
    return (error("region", "region-unknown", f"AWS has no region {region}. It has {_listed(states)}."),)


def _zones_without(spec: LabSpec, offers: Collection[tuple[str, str]]) -> Iterator[int]:
    """Which of the new network's zones offer none of the lab's types, or do not exist. Without offers nothing is known of zones."""
    known = {zone for zone, _ in offers}
    if isinstance(spec.network, NewNetwork) and known:
        yield from (index for index, zone in enumerate(spec.network.zones) if zone not in known)


def _zone_missing(spec: LabSpec, index: int, offers: Collection[tuple[str, str]]) -> Finding:
    zone = spec.network.zones[index] if isinstance(spec.network, NewNetwork) else ""
    kinds = " or ".join(dict.fromkeys(kind for _, kind in named_types(spec) if any(kind == had for _, had in offers)))
    known = _listed({zone for zone, _ in offers})
    message = f"{spec.region} has no zone {zone} where {kinds} is offered; there are {known}."
    return error(f"network.zones[{index}]", "zone-not-offered", message)


def check_name(spec: LabSpec, cluster: ClusterState | None) -> tuple[Finding, ...]:
    """Judge the name by the cluster that has it now. Whether a lab's may be had is the store's to say."""
    if cluster is None or LAB_TAG in cluster.tags:
        return ()
    message = f"{spec.region} has a cluster {spec.name} already, which is not a lab's. Choose another name."
    return (error("name", "cluster-exists", message),)


def check_namesakes(spec: LabSpec, found: Sequence[tuple[Kind, str]], unread: str = "") -> tuple[Finding, ...]:
    """Say what bears the cluster's name already: it stays, and what of the lab's looks like it is harder to prove.

    `unread`: why that could not be looked at, in AWS's words.
    """
    if unread:
        return (
            warning("name", "name-unread", f"What bears the name {spec.name} already could not be looked at: {unread}"),
        )
    if not found:
        return ()
    named = ", ".join(f"{kind} {id}" for kind, id in found[:_NAMESAKES])
    more = f" and {len(found) - _NAMESAKES} more" if len(found) > _NAMESAKES else ""
    logs = any(kind is Kind.LOG_GROUP for kind, _ in found) and spec.log_types
    text = f"The name {spec.name} is borne already, by {named}{more}. That is somebody else's and stays, whatever it says later"
    also = "; the control plane's logs will go into that log group, and stay" if logs else ""
    return (warning("name", "name-borne", f"{text}{also}. Another name makes the lab's end easier to prove."),)


def check_creators(spec: LabSpec, refusal: str) -> tuple[Finding, ...]:
    """Say what can't be proved where CloudTrail can't be read (`refusal`, AWS's words) and the network is somebody's."""
    if not refusal or not isinstance(spec.network, ExistingNetwork):
        return ()
    message = (
        f"CloudTrail's event history can't be read in {spec.region} ({refusal}). What Kubernetes makes for the lab in an existing "
        "network can't be proved to be the lab's then: it stays at the lab's end, goes on costing, and is named on the receipt."
    )
    return (warning("network", "creators-unknown", message),)


def check_addons(spec: LabSpec, offered: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Judge the add-ons by EKS's offer for the version: add-on -> its versions, none if it is not offered.

    A usual add-on that nobody asked for is left out with a warning (`with_addons`). One that is not there is not judged.
    """
    findings = []
    for index, addon in enumerate(spec.addons):
        versions = offered.get(addon.name)
        message = f"EKS offers no add-on {addon.name} for Kubernetes {spec.version}"
        if versions is None:
            continue
        if not versions and _is_usual(addon):
            findings.append(warning("addons", "addon-left-out", f"{message}: the lab is made without it."))
        elif not versions:
            findings.append(error(f"addons[{index}].name", "addon-missing", f"{message}."))
        elif addon.version is not None and _resolved(addon.version, versions) is None:
            known = ", ".join(_newest_first(versions)[:5])
            message = (
                f"EKS offers no {addon.name} {addon.version} for Kubernetes {spec.version}. The newest are {known}."
            )
            findings.append(error(f"addons[{index}].version", "addon-version-missing", message))
    return tuple(findings)


def with_addons(spec: LabSpec, offered: Mapping[str, Sequence[str]]) -> LabSpec:
    """The spec with whole versions of add-ons, and without the usual ones that EKS does not offer for its version."""
    kept = [addon for addon in spec.addons if offered.get(addon.name, "?") or not _is_usual(addon)]
    whole = (
        replace(addon, version=_resolved(addon.version, offered.get(addon.name, ())) or addon.version)
        if addon.version is not None
        else addon
        for addon in kept
    )
    return replace(spec, addons=tuple(whole))


def _is_usual(addon: AddonSpec) -> bool:
    """Whether it is as labs have it that say nothing of it."""
    return addon.name in DEFAULT_ADDONS and addon == AddonSpec(addon.name)


def _resolved(asked: str, versions: Sequence[str]) -> str | None:
    """The version itself, or what eksctl makes of `latest` and of a part: the newest that has it."""
    if asked in versions:
        return asked
    part = asked.removeprefix("v")
    found = [each for each in _newest_first(versions) if asked == "latest" or part in each]
    return next(iter(found), None)


def _newest_first(versions: Sequence[str]) -> list[str]:
    """By number, not by letter: eksbuild.10 after eksbuild.9."""
    return sorted(versions, key=lambda each: [int(number) for number in re.findall(r"\d+", each)], reverse=True)


def named_types(spec: LabSpec) -> Iterator[tuple[str, str]]:
    """(path, instance type) of each that a request names."""
    for number, group in enumerate(spec.nodegroups):
        for index, kind in enumerate(group.instance_types):
            yield f"nodegroups[{number}].instanceTypes[{index}]", kind
    if spec.work_host is not None:
        yield "workHost.instanceType", spec.work_host.instance_type


def _listed(zones: Collection[str]) -> str:
    return ", ".join(sorted(zones))


def _named(network: ExistingNetwork) -> Iterator[tuple[str, str, bool]]:
    """(path, subnet id, declared public) of each subnet named."""
    for index, subnet_id in enumerate(network.public_subnet_ids):
        yield f"network.publicSubnetIds[{index}]", subnet_id, True
    for index, subnet_id in enumerate(network.private_subnet_ids):
        yield f"network.privateSubnetIds[{index}]", subnet_id, False


def _check_subnet(spec: LabSpec, path: str, subnet: SubnetFacts, declared_public: bool) -> Iterator[Finding]:
    public_nodes = any(group.placement is Placement.PUBLIC for group in spec.nodegroups)
    if declared_public and not subnet.public:
        message = (
            f"{subnet.id} is not public: it has no route to an internet gateway. List it as private, or add the route."
        )
        yield error(path, "subnet-not-public", message)
    elif declared_public and public_nodes and not subnet.maps_public_ip:
        message = (
            f"{subnet.id} gives instances no public address (MapPublicIpOnLaunch is off): its nodes could not join."
        )
        yield error(path, "no-public-addresses", message)
    elif not declared_public and subnet.public:
        yield warning(
            path, "subnet-is-public", f"{subnet.id} is listed as private, but has a route to an internet gateway."
        )
    if ip_network(subnet.cidr).prefixlen > _SMALLEST:
        yield error(path, "subnet-too-small", f"{subnet.id} is {subnet.cidr}: EKS takes /{_SMALLEST} at the smallest.")
    elif subnet.free_addresses < _FREE:
        message = f"{subnet.id} has {subnet.free_addresses} free addresses: EKS needs {_FREE} at least."
        yield error(path, "subnet-full", message)


def _check_together(network: ExistingNetwork, facts: Sequence[SubnetFacts]) -> Iterator[Finding]:
    vpcs, zones = sorted({subnet.vpc_id for subnet in facts}), sorted({subnet.zone for subnet in facts})
    if len(vpcs) > 1:
        yield error("network", "several-vpcs", f"The subnets lie in several VPCs: {', '.join(vpcs)}.")
    elif vpcs and network.vpc_id and vpcs != [network.vpc_id]:
        yield error("network.vpcId", "other-vpc", f"The subnets lie in {vpcs[0]}, not in {network.vpc_id}.")
    if len(zones) == 1:
        yield error("network", "one-zone", f"All subnets lie in {zones[0]}: EKS needs two zones.")
