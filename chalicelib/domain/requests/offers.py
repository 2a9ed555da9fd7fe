"""The account's resources that labs may use: zones, networks, key pairs, roles for pods, instance types, sizes, open CIDRs.

One list for the installation, which administrators keep (`PUT /offers`). Each name of a resource of the account passes
through `judge_offers`; a change of the list never affects existing labs. Unless an administrator offers more, a lab uses
only its own resources, and instances of the common families."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.patterns import fits
from chalicelib.domain.labs.aws_states import HostedZone, SubnetFacts
from chalicelib.domain.labs.spec import ExistingNetwork, ExternalDnsSpec, LabSpec
from chalicelib.domain.requests.ceilings import AtLimit, Ceilings, MonthLimits, TeamRule, ceilings_of, types_of
from chalicelib.domain.requests.cidr import PRIVATE_BLOCKS, strict_network
from chalicelib.domain.requests.preflight import named_types
from chalicelib.domain.requests.subnets import named_subnets

#: General purpose, compute and memory, without accelerators; whole families, because a price ceiling bounds the sizes.
COMMON_FAMILIES = (
    *("t3", "t3a", "t4g", "m5", "m5a", "m6a", "m6g", "m6i", "m7a", "m7g", "m7i"),
    *("c5", "c5a", "c6a", "c6g", "c6i", "c7a", "c7g", "c7i", "r5", "r5a", "r6a", "r6g", "r6i", "r7a", "r7g", "r7i"),
)
#: More public addresses than a block of /8 count as the world, in one block or in many.
_A_LARGE_PROVIDER = 2**24
#: The longest tag whose costs are summed; DynamoDB's sort keys have at most 1,024 bytes.
_MOST_BYTES = 900
_LABS_STACK = ":stack/ekslab-lab-"


@dataclass(frozen=True)
class ZoneOffer:
    """A hosted zone, and the domain in it under which each lab gets a subdomain of its own."""

    hosted_zone_id: str
    domain: str


@dataclass(frozen=True)
class NetworkOffer:
    """Subnets that labs may use as guests: all of a VPC, some of it by id, or those of a CloudFormation stack."""

    vpc_id: str | None = None
    subnet_ids: tuple[str, ...] = ()
    stack_id: str | None = None

    def has(self, subnet: SubnetFacts) -> bool:
        """Whether this subnet is offered. A stack's id comes from the tag that only AWS writes."""
        if self.stack_id is not None:
            return subnet.stack_id == self.stack_id
        return subnet.id in self.subnet_ids or (not self.subnet_ids and subnet.vpc_id == self.vpc_id)


@dataclass(frozen=True)
class PodRoleOffer:
    """A role for pods in these owners' labs: patterns, as for administrators."""

    role_arn: str
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Offers:
    """`instance_types`: types, or families such as t3. `max_nodes` None: the settings' limit. USD: see `ceilings.py`.

    `finance`: the recipient of the monthly mails; owners get theirs only if it is set.
    """

    zones: tuple[ZoneOffer, ...] = ()
    networks: tuple[NetworkOffer, ...] = ()
    key_pairs: tuple[str, ...] = ()
    pod_roles: tuple[PodRoleOffer, ...] = ()
    instance_types: tuple[str, ...] = COMMON_FAMILIES
    max_nodes: int | None = None
    max_usd_hour: float | None = 10.0
    max_usd_lease: float | None = None
    max_usd_month: MonthLimits = MonthLimits()
    ask_usd: float | None = None
    at_limit: AtLimit = AtLimit.ASK
    cost_tags: tuple[str, ...] = ()
    finance: str | None = None
    teams: tuple[TeamRule, ...] = ()
    open_to_the_world: bool = False
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True)
class OfferCase:
    """A complete spec with the account's facts on the resources that it names."""

    spec: LabSpec
    offers: Offers
    caller: Caller
    subnets: tuple[SubnetFacts, ...] = ()
    zone: HostedZone | None = None


def judge_offers(case: OfferCase) -> tuple[Finding, ...]:
    """Everything that the spec requests and that is not offered."""
    judges = (_judge_networks, _judge_zone, _judge_key_pair, _judge_pod_roles, _judge_instances, _judge_nodes)
    found = [finding for judge in judges for finding in judge(case)]
    found += judge_world("endpoint.allowedCidrs", case.spec.endpoint.allowed_cidrs, case.offers)
    return (*found, *judge_world("ssh.cidrs", case.spec.ssh.cidrs if case.spec.ssh else (), case.offers))


def judge_world(path: str, cidrs: Sequence[str], offers: Offers) -> Iterator[Finding]:
    """Whether these blocks open the lab to the world, and whether that is offered."""
    blocks = [(index, block) for index, block in enumerate(map(strict_network, cidrs)) if not isinstance(block, str)]
    public = [(index, b) for index, b in blocks if not any(b.subnet_of(private) for private in PRIVATE_BLOCKS)]
    if offers.open_to_the_world or sum(block.num_addresses for _, block in public) <= _A_LARGE_PROVIDER:
        return
    index, widest = max(public, key=lambda each: each[1].num_addresses)
    here = f"{path}[{index}]"
    yield _not_offered(
        here, Sentence("Letting in the world ({widest} and the like)", widest=str(widest)), "openToTheWorld", ("false",)
    )


def most_nodes(offers: Offers, most: int) -> int:
    """The most nodes of a lab: the settings' limit, or fewer."""
    return most if offers.max_nodes is None else min(most, offers.max_nodes)


def judge_nodes(path: str, nodes: int, offers: Offers) -> Iterator[Finding]:
    """Whether this number of nodes is offered."""
    if offers.max_nodes is not None and nodes > offers.max_nodes:
        yield _not_offered(path, counted(nodes, "node"), "maxNodes", (str(offers.max_nodes),))


def cost_tags_of(offers: Offers, spec: LabSpec) -> tuple[str, ...]:
    """The tags that the lab's cost is summed by, as `key=value`, cut to the length of a table's key, each once."""
    tags = (f"{key}={spec.tags[key]}" for key in offers.cost_tags if key in spec.tags)
    return tuple(dict.fromkeys(tag.encode()[:_MOST_BYTES].decode(errors="ignore") for tag in tags))


def ceilings_for(offers: Offers, caller: Caller) -> Ceilings:
    """The cost ceilings of this caller's labs."""
    usual = Ceilings(offers.max_usd_hour, offers.max_usd_lease, offers.ask_usd, offers.max_usd_month)
    return ceilings_of(replace(usual, at_limit=offers.at_limit), offers.teams, caller)


def zone_asked_for(spec: LabSpec, offers: Offers) -> str:
    """The zone to look up: the requested id, else that of the domain's offer, else the domain as its name."""
    if spec.external_dns is None:
        return ""
    domain = spec.external_dns.domain.rstrip(".")
    offered = (offer.hosted_zone_id for offer in offers.zones if offer.domain == domain)
    return spec.external_dns.hosted_zone_id or next(offered, domain)


def with_offered_domain(spec: LabSpec, offers: Offers, zone: HostedZone) -> LabSpec:
    """The spec with the zone's id and the offered domain; unchanged without an offer."""
    offered = _zone_offer(spec, offers, zone)
    if spec.external_dns is None or offered is None:
        return spec
    return replace(spec, external_dns=ExternalDnsSpec(zone.id, offered.domain))


def with_own_subdomain(spec: LabSpec, lab_id: str) -> LabSpec:
    """The spec with a subdomain that is this lab's alone: ids are never reused."""
    if spec.external_dns is None:
        return spec
    return replace(spec, external_dns=replace(spec.external_dns, domain=f"{lab_id}.{spec.external_dns.domain}"))


def judge_list(offers: Offers) -> Iterator[Finding]:
    """The faults of a list that an administrator sends. Paths are those of its JSON."""
    for index, network in enumerate(offers.networks):
        ways = (network.vpc_id is not None or bool(network.subnet_ids), network.stack_id is not None)
        if sum(ways) != 1:
            yield error(
                f"networks[{index}]", "one-way", "Name a VPC (vpcId, some subnetIds of it) or a stack (stackId)."
            )
        if network.stack_id is not None and ":stack/" not in network.stack_id:
            message = Sentence("The stack's whole ARN, which has its id: a name may come again with other subnets.")
            yield error(f"networks[{index}].stackId", "invalid-id", message)
    for index, role in enumerate(offers.pod_roles):
        if not role.owners:
            yield error(f"podRoles[{index}].owners", "empty", 'Name whose labs it is for, such as ["*"].')
    names = [rule.team for rule in offers.teams]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield error(f"teams[{index}].team", "duplicate", "{name} has a rule already.", name=name)
    if offers.max_nodes is not None and offers.max_nodes < 0:
        yield error("maxNodes", "negative", "A number of nodes is 0 or more.")


def doubt_list(offers: Offers, teams: Collection[str] | None, most_nodes: int) -> Iterator[Finding]:
    """Parts of a list without effect. `teams`: the names of all, None if unknown; `most_nodes`: of a lab, by the settings."""
    known = (
        Sentence("the teams are {names}", names=", ".join(sorted(teams))) if teams else Sentence("there are no teams")
    )
    for index, rule in enumerate(offers.teams):
        if teams is not None and rule.team not in teams:
            message = Sentence(
                "No team is called {team}, so its rule holds for nobody: {known}.", team=rule.team, known=known
            )
            yield warning(f"teams[{index}].team", "no-such-team", message)
    if offers.max_nodes is not None and offers.max_nodes > most_nodes:
        message = Sentence(
            "A lab may have {number} nodes by this installation's settings, whatever is offered.", number=most_nodes
        )
        yield warning("maxNodes", "above-setting", message)


def _judge_networks(case: OfferCase) -> Iterator[Finding]:
    network = case.spec.network
    if not isinstance(network, ExistingNetwork):
        return
    listed = [name for offer in case.offers.networks for name in _names_of(offer)]
    offered = {subnet.id for subnet in case.subnets if _is_offered(subnet, case.offers)}
    for path, subnet_id, _ in named_subnets(network):
        if subnet_id not in offered:
            yield _not_offered(path, subnet_id, "networks", listed)
    vpcs = {subnet.vpc_id for subnet in case.subnets if subnet.id in offered}
    if network.vpc_id is not None and network.vpc_id not in vpcs:
        yield _not_offered("network.vpcId", network.vpc_id, "networks", listed)


def _is_offered(subnet: SubnetFacts, offers: Offers) -> bool:
    """Whether the list offers this subnet. A subnet with tags of a lab is refused, even if the list names it."""
    if subnet.lab_id or _LABS_STACK in subnet.stack_id:
        return False
    return any(offer.has(subnet) for offer in offers.networks)


def _judge_zone(case: OfferCase) -> Iterator[Finding]:
    asked, zone = case.spec.external_dns, case.zone
    if asked is None:
        return
    listed = [f"{offer.domain} ({offer.hosted_zone_id})" for offer in case.offers.zones]
    path = "externalDns.hostedZoneId" if asked.hosted_zone_id else "externalDns.domain"
    known = zone.id if zone else zone_asked_for(case.spec, case.offers)
    if not any(known == offer.hosted_zone_id for offer in case.offers.zones):
        yield _not_offered(path, asked.hosted_zone_id or asked.domain, "zones", listed)
    elif zone is None:
        return
    elif (offered := _zone_offer(case.spec, case.offers, zone)) is None:
        yield _not_offered("externalDns.domain", asked.domain, "zones", listed)
    elif not _is_in(offered.domain, zone.name):
        text = Sentence(
            "{domain}, which labs are offered, is not in the zone {id}, which is {name}. An administrator can correct that."
        )
        yield error(
            "externalDns.domain", "not-offered", text.with_slots(domain=offered.domain, id=zone.id, name=zone.name)
        )


def _zone_offer(spec: LabSpec, offers: Offers, zone: HostedZone) -> ZoneOffer | None:
    """The offer of this zone with the requested domain; the first one if only the zone was given."""
    asked = spec.external_dns.domain.rstrip(".") if spec.external_dns else ""
    found = [offer for offer in offers.zones if offer.hosted_zone_id == zone.id]
    exact = [offer for offer in found if offer.domain == asked]
    return next(iter(exact or (found if asked in ("", zone.name) else ())), None)


def _judge_key_pair(case: OfferCase) -> Iterator[Finding]:
    key = case.spec.ssh.key_name if case.spec.ssh else None
    if key and key not in case.offers.key_pairs:
        yield _not_offered("ssh.keyName", key, "keyPairs", case.offers.key_pairs)


def _judge_pod_roles(case: OfferCase) -> Iterator[Finding]:
    mine = [offer.role_arn for offer in case.offers.pod_roles if fits((case.caller.identity,), offer.owners)]
    for index, asked in enumerate(case.spec.pod_identities):
        if asked.role_arn not in mine:
            yield _not_offered(f"podIdentities[{index}].roleArn", asked.role_arn, "podRoles", mine)


def _judge_instances(case: OfferCase) -> Iterator[Finding]:
    listed = types_of(case.offers.instance_types, case.offers.teams, case.caller)
    for path, kind in named_types(case.spec):
        if kind not in listed and kind.partition(".")[0] not in listed:
            yield _not_offered(path, kind, "instanceTypes", listed)


def _judge_nodes(case: OfferCase) -> Iterator[Finding]:
    together = sum(max(group.max, group.desired) for group in case.spec.nodegroups)
    yield from judge_nodes("nodegroups", together, case.offers)


def _names_of(offer: NetworkOffer) -> Iterator[str]:
    yield from offer.subnet_ids or filter(None, (offer.vpc_id, offer.stack_id))


def _is_in(domain: str, zone: str) -> bool:
    return domain == zone or domain.endswith(f".{zone}")


def _not_offered(path: str, what: str, name: str, listed: Sequence[str]) -> Finding:
    has = ", ".join(listed) or Sentence("nothing")
    message = Sentence(
        "{what} is not offered to labs: {name} of `ekslab get offers` has {has}. An administrator can offer more.",
        what=what,
        name=name,
        has=has,
    )
    return error(path, "not-offered", message)
