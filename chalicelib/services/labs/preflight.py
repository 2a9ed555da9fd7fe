"""Fetches the account's facts for a request; domain/requests/preflight.py judges them before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.names import principal_of
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.explain import explain
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, InvalidRequest, ResourceGone, Transient
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.aws_states import InstanceTypeFacts, SubnetFacts
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork, LabSpec
from chalicelib.domain.requests.addon_schema import check_configurations
from chalicelib.domain.requests.defaults import admin_policy
from chalicelib.domain.requests.offers import OfferCase, Offers, judge_offers, with_offered_domain, zone_asked_for
from chalicelib.domain.requests.preflight import (
    check_addons,
    check_architectures,
    check_creators,
    check_instances,
    check_key_pair,
    check_name,
    check_namesakes,
    check_region,
    check_zone,
    with_addons,
)
from chalicelib.domain.requests.principals import (
    check_access_policies,
    check_pod_roles,
    check_principals,
    check_same_principals,
    with_principals,
)
from chalicelib.domain.requests.quotas import QuotaReport, judge_free_plan, judge_quotas, needs_of, needs_of_nodes
from chalicelib.domain.requests.subnets import check_dns, check_subnets, with_subnets
from chalicelib.ports.deps import Cloud, Deps

#: The span of a CloudTrail query that only tests whether it answers.
_JUST_NOW = timedelta(minutes=1)


def preflight(
    deps: Deps, caller: Caller, spec: LabSpec, account: str, offers: Offers, now: datetime
) -> tuple[LabSpec, tuple[Finding, ...]]:
    """The spec completed from its account, and the findings about it. Reads only facts that the spec depends on.

    Raises InvalidRequest for an account that refuses this service.
    """
    try:
        spec, findings = _preflight(deps, caller, spec, account, offers)
    except AccessDenied as refused:
        if account == deps.watch.home:
            raise
        why = explain(refused.code, str(refused)).reason
        closed = error(
            "account", "account-closed", "No lab can be made in {account}. {message}", account=account, message=why
        )
        raise InvalidRequest([closed]) from refused
    return spec, (*findings, *_doubts(deps.cloud(Place(account, spec.region)), spec, now))


def _doubts(cloud: Cloud, spec: LabSpec, now: datetime) -> tuple[Finding, ...]:
    """Warnings about doubts at the lab's end. If they can't be read, the lab is created all the same, with a warning."""
    unread: list[str] = []
    namesakes: tuple[tuple[Kind, str], ...] = ()
    try:
        namesakes = cloud.inventory.bearing_name(spec.name)
    except AwsRefused as refused:
        unread.append(str(refused))
    except Transient:
        pass  # `begin` lists them again, and stores the list.
    return (*check_namesakes(spec, namesakes, "; ".join(unread)), *check_creators(spec, _refusal(cloud, spec, now)))


def _refusal(cloud: Cloud, spec: LabSpec, now: datetime) -> str:
    """Why CloudTrail can't be asked for creators in an existing network; empty if it can, or is only busy."""
    if not isinstance(spec.network, ExistingNetwork):
        return ""
    from chalicelib.domain.teardown.creation import Lookup

    try:
        cloud.history.events(Lookup("EventName", "CreateTargetGroup", now - _JUST_NOW, now))
    except AwsRefused as refused:
        return str(refused)
    except Transient:
        pass  # The account shares two look-ups a second: CloudTrail answers, only later.
    return ""


def _preflight(
    deps: Deps, caller: Caller, spec: LabSpec, account: str, offers: Offers
) -> tuple[LabSpec, tuple[Finding, ...]]:
    if account != deps.watch.home:
        refuse_unusable_region(deps, account, spec.region)
    cloud = deps.cloud(Place(account, spec.region))
    if caller.account in (account, deps.watch.home):
        spec = with_role_paths(deps.cloud(Place(caller.account, spec.region)), caller, spec)
    subnets = _subnets(cloud, spec)
    zone = None if spec.external_dns is None else cloud.dns.zone(zone_asked_for(spec, offers))
    refused = judge_offers(OfferCase(spec, offers, caller, subnets, zone))
    about_zone = check_zone(spec, zone)
    spec = with_subnets(spec, subnets)
    spec = with_offered_domain(spec, offers, zone) if zone else spec
    offered = {addon.name: cloud.clusters.addon_versions(addon.name, spec.version) for addon in spec.addons}
    about_dns = check_dns(spec, cloud.network.without_dns(sorted({subnet.vpc_id for subnet in subnets})))
    about_addons = (*about_dns, *check_addons(spec, offered))
    spec, about_people = _people(deps, caller, with_addons(spec, offered), account)
    about_addons = (*about_addons, *check_configurations(spec, _schemas(cloud, spec)))
    found = (*_name(cloud, spec), *check_subnets(spec, subnets), *_instances(cloud, spec, subnets), *about_zone)
    return spec, (*refused, *found, *_key_pair(cloud, spec), *about_addons, *about_people)


def with_role_paths(cloud: Cloud, caller: Caller, spec: LabSpec) -> LabSpec:
    """The spec with the whole ARN of the caller's role in its access list: a session's ARN lacks the role's path."""
    known = principal_of(caller.arn)
    if known is None or ":role/" not in known or all(entry.principal_arn != known for entry in spec.access):
        return spec
    whole = cloud.roles.role_arn(known.rpartition("/")[2]) or known
    access = (replace(e, principal_arn=whole) if e.principal_arn == known else e for e in spec.access)
    return replace(spec, access=tuple(access))


def _name(cloud: Cloud, spec: LabSpec) -> tuple[Finding, ...]:
    try:
        return tuple(check_name(spec, cloud.clusters.describe(spec.name)))
    except ResourceGone:
        return ()


def _subnets(cloud: Cloud, spec: LabSpec) -> tuple[SubnetFacts, ...]:
    if not isinstance(spec.network, ExistingNetwork):
        return ()
    return cloud.network.subnets((*spec.network.public_subnet_ids, *spec.network.private_subnet_ids))


def _instances(cloud: Cloud, spec: LabSpec, subnets: tuple[SubnetFacts, ...]) -> tuple[Finding, ...]:
    offered = check_instances(spec, cloud.network.offers(spec.instance_types), subnets)
    types = cloud.network.instance_types(spec.instance_types)
    fitting = check_architectures(spec, {kind: facts.architectures for kind, facts in types.items()})
    return (*offered, *fitting, *_quotas(cloud, spec, types))


def judge_more_nodes(deps: Deps, lab: Lab, more: Mapping[str, int], paths: Mapping[str, str]) -> tuple[Finding, ...]:
    """Findings of AWS's quotas about additional nodes of an existing lab. An unreadable quota is a warning."""
    if not any(number > 0 for number in more.values()):
        return ()
    cloud = deps.cloud(lab.place)
    try:
        types = cloud.network.instance_types(tuple(group.instance_types[0] for group in lab.spec.nodegroups))
    except (AwsRefused, Transient) as problem:
        return tuple(judge_quotas((), QuotaReport(unread=(str(problem),)), lab.region))
    needs = needs_of_nodes(lab.spec, more, paths, types)
    return tuple(judge_quotas(needs, cloud.quotas.read([need.quota for need in needs]), lab.region))


def _quotas(cloud: Cloud, spec: LabSpec, types: Mapping[str, InstanceTypeFacts]) -> tuple[Finding, ...]:
    needs = needs_of(spec, types)
    report = cloud.quotas.read([need.quota for need in needs])
    return (*judge_quotas(needs, report, spec.region), *judge_free_plan(spec, report.eligible))


def _schemas(cloud: Cloud, spec: LabSpec) -> dict[str, str]:
    """Add-on -> the schema of its configuration, if it has one."""
    configured = [addon for addon in spec.addons if addon.configuration is not None]
    return {one.name: cloud.clusters.addon_schema(one.name, spec.version, one.version) for one in configured}


def _people(deps: Deps, caller: Caller, spec: LabSpec, account: str) -> tuple[LabSpec, tuple[Finding, ...]]:
    """The spec with whole ARNs of its principals, and the findings about them, their policies and the roles of pods."""
    cloud, roles = deps.cloud(Place(account, spec.region)), [one.role_arn for one in spec.pod_identities]
    arns = {entry.principal_arn for entry in spec.access} - {principal_of(caller.arn)}
    read = {account, deps.watch.home}
    known: dict[str, str | None] = {
        arn: deps.cloud(Place(owner, spec.region)).roles.principal_arn(arn)
        for arn in sorted({*arns, *roles})
        if (owner := arn.split(":")[4]) in read
    }
    known |= {entry.principal_arn: entry.principal_arn for entry in spec.access if entry.principal_arn not in arns}
    usual = admin_policy(spec.region)
    unusual = any(policy.policy_arn != usual for entry in spec.access for policy in entry.policies)
    policies = cloud.clusters.access_policies() if unusual else frozenset[str]()
    about_entries = (*check_principals(spec, known), *check_same_principals(spec, known))
    about_rights = (*check_access_policies(spec, policies), *check_pod_roles(spec, known))
    return with_principals(spec, known), (*about_entries, *about_rights)


def _key_pair(cloud: Cloud, spec: LabSpec) -> tuple[Finding, ...]:
    if spec.ssh is None or not spec.ssh.key_name:
        return ()
    return tuple(check_key_pair(spec, cloud.network.key_pair_exists(spec.ssh.key_name)))


def refuse_unusable_region(deps: Deps, account: str, region: str) -> None:
    """Raise InvalidRequest for a region that does not exist or is not enabled in the account. Unknown is not refused.

    Call it before any read there: such a region has no endpoint that answers.
    """
    usual = deps.limits.default_region
    if (account, region) == (deps.watch.home, usual):
        return
    try:
        states = deps.cloud(Place(account, usual)).network.regions()
    except (AccessDenied, Transient):
        return
    if found := tuple(check_region(region, account, states)):
        raise InvalidRequest(found)
