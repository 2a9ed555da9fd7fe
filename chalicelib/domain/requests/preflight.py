"""Judges a complete LabSpec by facts of the account: name, instance types, key pair, hosted zone, add-ons.

Pure; `services/labs/preflight.py` fetches the facts. Findings have our own paths; `validation.in_callers_words` translates
them. The `with_*` functions complete the spec with facts that only the account has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.core.instance_types import ami_type
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.aws_states import ClusterState, HostedZone, SubnetFacts
from chalicelib.domain.labs.spec import AddonSpec, ExistingNetwork, LabSpec, NewNetwork
from chalicelib.domain.requests.defaults import DEFAULT_ADDONS
from chalicelib.domain.teardown.evidence import LAB_TAG

#: The most namesakes that are listed one by one.
_NAMESAKES = 5


def check_key_pair(spec: LabSpec, exists: bool) -> Iterator[Finding]:
    """Judge the key pair that the spec names, if it names one."""
    if spec.ssh is not None and spec.ssh.key_name and not exists:
        message = Sentence(
            "EC2 has no key pair {key_name} in {region}: import it there, or give ssh.publicKey.",
            key_name=spec.ssh.key_name,
            region=spec.region,
        )
        yield error("ssh.keyName", "key-pair-missing", message)


def check_zone(spec: LabSpec, zone: HostedZone | None) -> Iterator[Finding]:
    """Judge the hosted zone that was found for external-dns (asked for by id, else by domain)."""
    asked = spec.external_dns
    if asked is None:
        return
    path, domain = (
        "externalDns.hostedZoneId" if asked.hosted_zone_id else "externalDns.domain",
        asked.domain.rstrip("."),
    )
    if zone is None:
        name = asked.hosted_zone_id or asked.domain
        yield error(path, "zone-missing", "Route 53 has no hosted zone {name} in this account.", name=name)
    elif domain and domain != zone.name and not domain.endswith(f".{zone.name}"):
        message = Sentence(
            "{domain} is not in the zone {id}, which is {name}.", domain=domain, id=zone.id, name=zone.name
        )
        yield error("externalDns.domain", "zone-mismatch", message)
    elif zone.private:
        message = Sentence("{name} is a private zone: its names resolve in its own networks only.", name=zone.name)
        yield warning(path, "private-zone", message)


def check_instances(
    spec: LabSpec, offers: Collection[tuple[str, str]], facts: Sequence[SubnetFacts]
) -> Iterator[Finding]:
    """Judge the instance types: `offers` holds the region's pairs (zone, type), `facts` the existing subnets."""
    network, missing = spec.network, tuple(_zones_without(spec, offers))
    zones = {subnet.zone for subnet in facts} if isinstance(network, ExistingNetwork) else set(network.zones)
    zones -= {network.zones[index] for index in missing} if isinstance(network, NewNetwork) else set()
    yield from (_zone_missing(spec, index, offers) for index in missing)
    for path, kind in named_types(spec):
        where = {zone for zone, offered in offers if offered == kind}
        if not where:
            message = Sentence("{region} has no instance type {kind}.", region=spec.region, kind=kind)
            yield error(path, "type-not-offered", message)
        elif zones and not where & zones:
            message = Sentence(
                "{kind} is not offered in {listed}; it is in {others}.",
                kind=kind,
                listed=_listed(zones),
                others=_listed(where),
            )
            yield error(path, "type-not-offered", message)
        elif zones - where:
            message = Sentence(
                "{kind} is not offered in {listed}: only {others} can have it.",
                kind=kind,
                listed=_listed(zones - where),
                others=_listed(zones & where),
            )
            yield warning(path, "type-not-in-zone", message)


def check_architectures(spec: LabSpec, known: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Judge each instance type by its image: `known` maps types to EC2's processors; unknown ones are not judged."""
    images = {f"nodegroups[{number}]": group.ami_type for number, group in enumerate(spec.nodegroups)}
    for path, kind in named_types(spec):
        image = images.get(path.partition(".")[0], "") or ami_type(kind)
        processor = "arm64" if "ARM_64" in image else "x86_64"
        if known.get(kind) and processor not in known[kind]:
            message = Sentence(
                "{kind} has {listed}: the image {image}, for {processor}, does not run on it.",
                kind=kind,
                listed=_listed(known[kind]),
                image=image,
                processor=processor,
            )
            yield error(path, "image-mismatch", message)


def check_region(region: str, account: str, states: Mapping[str, str]) -> Iterator[Finding]:
    """Judge a region by EC2's answer, region -> opt-in status. Without an answer, nothing is judged."""
    if states.get(region) == "not-opted-in":
        message = Sentence(
            "{region} is not enabled in account {account}: enable it there, or choose another region.",
            region=region,
            account=account,
        )
        yield error("region", "region-not-enabled", message)
    elif states and region not in states:
        message = Sentence("AWS has no region {region}. It has {listed}.", region=region, listed=_listed(states))
        yield error("region", "region-unknown", message)


def _zones_without(spec: LabSpec, offers: Collection[tuple[str, str]]) -> Iterator[int]:
    """The new network's zones that offer none of the lab's types, or do not exist. Without offers, zones are not judged."""
    known = {zone for zone, _ in offers}
    if isinstance(spec.network, NewNetwork) and known:
        yield from (index for index, zone in enumerate(spec.network.zones) if zone not in known)


def _zone_missing(spec: LabSpec, index: int, offers: Collection[tuple[str, str]]) -> Finding:
    zone = spec.network.zones[index] if isinstance(spec.network, NewNetwork) else ""
    kinds = " or ".join(dict.fromkeys(kind for _, kind in named_types(spec) if any(kind == had for _, had in offers)))
    known = _listed({zone for zone, _ in offers})
    message = Sentence(
        "{region} has no zone {zone} where {kinds} is offered; there are {known}.",
        region=spec.region,
        zone=zone,
        kinds=kinds,
        known=known,
    )
    return error(f"network.zones[{index}]", "zone-not-offered", message)


def check_name(spec: LabSpec, cluster: ClusterState | None) -> Iterator[Finding]:
    """Judge the name by its present cluster. The store decides about names of other labs."""
    if cluster is not None and LAB_TAG not in cluster.tags:
        message = Sentence(
            "{region} has a cluster {name} already, which is not a lab's. Choose another name.",
            region=spec.region,
            name=spec.name,
        )
        yield error("name", "cluster-exists", message)


def check_namesakes(spec: LabSpec, found: Sequence[tuple[Kind, str]], unread: str = "") -> Iterator[Finding]:
    """List resources that already bear the cluster's name: they stay, and make the lab's own harder to prove.

    `unread`: why they could not be listed, in AWS's words.
    """
    if unread:
        message = Sentence(
            "What bears the name {name} already could not be looked at: {unread}", name=spec.name, unread=unread
        )
        yield warning("name", "name-unread", message)
    elif found:
        named: str = ", ".join(f"{kind} {id}" for kind, id in found[:_NAMESAKES])
        more = len(found) - _NAMESAKES
        named = Sentence("{names} and {number} more", names=named, number=more) if more > 0 else named
        logs = any(kind is Kind.LOG_GROUP for kind, _ in found) and spec.log_types
        text = Sentence(
            "The name {name} is borne already, by {named}. That is somebody else's and stays, whatever it says later. Another "
            "name makes the lab's end easier to prove.",
            name=spec.name,
            named=named,
        )
        also = Sentence("The control plane's logs will go into that log group, and stay.")
        yield warning("name", "name-borne", Listed((text, also), between=" ") if logs else text)


def check_creators(spec: LabSpec, refusal: str) -> Iterator[Finding]:
    """Warn of missing proofs if CloudTrail can't be read (`refusal`, AWS's words) and the network is somebody's."""
    if refusal and isinstance(spec.network, ExistingNetwork):
        message = Sentence(
            "CloudTrail's event history can't be read in {region} ({refusal}). What Kubernetes makes "
            "for the lab in an existing network can't be proved to be the lab's then: it stays at "
            "the lab's end, goes on costing, and is named on the receipt.",
            region=spec.region,
            refusal=refusal,
        )
        yield warning("network", "creators-unknown", message)


def check_addons(spec: LabSpec, offered: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Judge the add-ons by EKS's offer for the version: add-on -> its versions, empty if not offered.

    A default add-on that is not offered is dropped with a warning (`with_addons`). An add-on without an answer is not judged.
    """
    for index, addon in enumerate(spec.addons):
        versions = offered.get(addon.name)
        slots = {"name": addon.name, "version": spec.version}
        if versions is None:
            continue
        if not versions and _is_usual(addon):
            message = Sentence(
                "EKS offers no add-on {name} for Kubernetes {version}: the lab is made without it.", **slots
            )
            yield warning("addons", "addon-left-out", message)
        elif not versions:
            message = Sentence("EKS offers no add-on {name} for Kubernetes {version}.", **slots)
            yield error(f"addons[{index}].name", "addon-missing", message)
        elif addon.version is not None and _resolved(addon.version, versions) is None:
            known = ", ".join(_newest_first(versions)[:5])
            message = Sentence(
                "EKS offers no {name} {version} for Kubernetes {kubernetes}. The newest are {known}.",
                name=addon.name,
                version=addon.version,
                kubernetes=spec.version,
                known=known,
            )
            yield error(f"addons[{index}].version", "addon-version-missing", message)


def with_addons(spec: LabSpec, offered: Mapping[str, Sequence[str]]) -> LabSpec:
    """The spec with whole versions of add-ons, without the default ones that EKS does not offer for its version."""
    kept = [addon for addon in spec.addons if offered.get(addon.name, "?") or not _is_usual(addon)]
    whole = (
        replace(addon, version=_resolved(addon.version, offered.get(addon.name, ())) or addon.version)
        if addon.version is not None
        else addon
        for addon in kept
    )
    return replace(spec, addons=tuple(whole))


def _is_usual(addon: AddonSpec) -> bool:
    """Whether it is a default add-on with default settings."""
    return addon.name in DEFAULT_ADDONS and addon == AddonSpec(addon.name)


def _resolved(asked: str, versions: Sequence[str]) -> str | None:
    """The version itself, or eksctl's reading of `latest` and of a partial version: the newest match."""
    if asked in versions:
        return asked
    part = asked.removeprefix("v")
    found = [each for each in _newest_first(versions) if asked == "latest" or part in each]
    return next(iter(found), None)


def _newest_first(versions: Sequence[str]) -> list[str]:
    """By number, not by letter: eksbuild.10 after eksbuild.9."""
    return sorted(versions, key=lambda each: [int(number) for number in re.findall(r"\d+", each)], reverse=True)


def named_types(spec: LabSpec) -> Iterator[tuple[str, str]]:
    """(path, instance type) of each type that a request names."""
    for number, group in enumerate(spec.nodegroups):
        for index, kind in enumerate(group.instance_types):
            yield f"nodegroups[{number}].instanceTypes[{index}]", kind
    if spec.work_host is not None:
        yield "workHost.instanceType", spec.work_host.instance_type


def _listed(zones: Collection[str]) -> str:
    return ", ".join(sorted(zones))
