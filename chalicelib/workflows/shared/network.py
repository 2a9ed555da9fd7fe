"""Derives the network, subnets, add-ons and roles of a request for `provision`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.explain import explain
from chalicelib.domain.errors.tree import ProvisioningFailed
from chalicelib.domain.labs.arns import ec2_thing
from chalicelib.domain.labs.aws_states import SubnetFacts
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AddonSpec, ExistingNetwork, NewNetwork, Placement
from chalicelib.domain.stack.addon_roles import ADDON_ROLES, EXTERNAL_DNS, POD_IDENTITY_AGENT, VPC_CNI
from chalicelib.domain.teardown.target import target_of
from chalicelib.ports.deps import Deps


def settled_network(deps: Deps, lab: Lab) -> tuple[NewNetwork | ExistingNetwork, tuple[SubnetFacts, ...]]:
    """The spec's network with all choices made, and the facts of existing subnets. Raises ProvisioningFailed."""
    network, ec2 = lab.spec.network, deps.cloud(lab.place).network
    if isinstance(network, NewNetwork):
        return (network if network.zones else replace(network, zones=ec2.zones(lab.spec.instance_types)[:2])), ()
    wanted = (*network.public_subnet_ids, *network.private_subnet_ids)
    found = ec2.subnets(wanted)
    missing = set(wanted) - {subnet.id for subnet in found}
    vpcs = {subnet.vpc_id for subnet in found}
    if missing or len(vpcs) != 1 or network.vpc_id not in (None, *vpcs):
        text = f"{', '.join(sorted(missing))} not found" if missing else f"the subnets are in {', '.join(sorted(vpcs))}"
        raise ProvisioningFailed(explain("SubnetNotFound", text))
    return replace(network, vpc_id=vpcs.pop()), found


def guests(lab: Lab, subnets: tuple[SubnetFacts, ...]) -> Iterator[Resource]:
    """The VPC and subnets that the lab uses as a guest."""
    for vpc_id in {subnet.vpc_id for subnet in subnets}:
        yield ec2_thing(lab, Kind.VPC, vpc_id)
    for subnet in subnets:
        yield ec2_thing(lab, Kind.SUBNET, subnet.id, vpc_id=subnet.vpc_id)


def with_birth_dates(deps: Deps, lab: Lab, made: Sequence[Resource]) -> list[Resource]:
    """The stack's resources, log groups with their creation time: a name can be reused, a creation time can't."""
    named = [thing for thing in made if thing.kind is Kind.LOG_GROUP]
    found = deps.cloud(lab.place).leftovers.find(Kind.LOG_GROUP, target_of(lab, ())) if named else ()
    born = {thing.arn: thing.created_at for thing in found}
    return [replace(thing, created_at=thing.created_at or born.get(thing.arn)) for thing in made]


def output(lab: Lab, name: str) -> str:
    """An output of the lab's stack. Raises KeyError if the stack does not have it."""
    return lab.facts.stack_outputs[name]


def subnets_in(lab: Lab, placement: Placement) -> tuple[str, ...]:
    """The public or private subnets' ids."""
    name = "PublicSubnetIds" if placement is Placement.PUBLIC else "PrivateSubnetIds"
    return tuple(part for part in lab.facts.stack_outputs.get(name, "").split(",") if part)


def all_subnets(lab: Lab) -> tuple[str, ...]:
    """All subnets, public ones first."""
    return (*subnets_in(lab, Placement.PUBLIC), *subnets_in(lab, Placement.PRIVATE))


def addons_of(lab: Lab) -> tuple[AddonSpec, ...]:
    """The requested add-ons and their requirements: external-dns for its zone, the agent for Pod Identity."""
    addons = list(lab.spec.addons)
    names = {addon.name for addon in addons}
    if lab.spec.external_dns is not None and EXTERNAL_DNS not in names:
        addons.append(AddonSpec(EXTERNAL_DNS))
    with_roles = lab.spec.pod_identities or any(addon.name in ADDON_ROLES for addon in addons)
    if with_roles and POD_IDENTITY_AGENT not in names:
        addons.insert(0, AddonSpec(POD_IDENTITY_AGENT))
    return tuple(addons)


def addons_before_nodes(lab: Lab) -> tuple[AddonSpec, ...]:
    """The agent and the CNI: EKS assigns a pod's role when the pod is created, and without that role no node becomes Ready."""
    return tuple(addon for addon in addons_of(lab) if addon.name in (POD_IDENTITY_AGENT, VPC_CNI))


def roles_of_addon(lab: Lab, addon: AddonSpec) -> dict[str, str]:
    """Service account -> role ARN for an add-on that gets its permissions by Pod Identity."""
    known = ADDON_ROLES.get(addon.name)
    role = lab.facts.stack_outputs.get(f"{known.resource}Arn") if known is not None else None
    return {known.service_account: role} if known is not None and role else {}
