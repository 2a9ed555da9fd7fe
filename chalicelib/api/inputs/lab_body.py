"""Reads our own body: from a mapping to a Draft, with a finding by its path for every field that does not fit the schema.

A field that does not fit is removed and the rest read again, so that one wrong field hides no other.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.api.inputs.lab_schema import AccessBody, NetworkBody, NodegroupBody, ScheduleBody
from chalicelib.api.inputs.schema_errors import fit
from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.labs import spec
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.requests.defaults import admin_policy
from chalicelib.domain.requests.draft import Draft, ExternalDnsDraft, NetworkDraft, NodegroupDraft, SshDraft
from chalicelib.domain.requests.schedule_input import ScheduleDraft


def read_own(document: Mapping[str, object]) -> tuple[Draft, tuple[Finding, ...]]:
    """Read a body of our own; the draft holds the valid fields."""
    body, findings, broken = fit(document)
    endpoint, ssh, dns = body.endpoint, body.ssh, body.external_dns
    draft = Draft(
        name=body.name,
        account=body.account,
        region=body.region,
        version=body.version,
        network=_network(body.network),
        endpoint_access=spec.EndpointAccess(endpoint.access) if endpoint and endpoint.access else None,
        allowed_cidrs=tuple(endpoint.allowed_cidrs) if endpoint and endpoint.allowed_cidrs is not None else None,
        nodegroups=None if body.nodegroups is None else tuple(_nodegroup(group) for group in body.nodegroups),
        ssh=SshDraft(ssh.key_name, ssh.public_key, None if ssh.cidrs is None else tuple(ssh.cidrs)) if ssh else None,
        external_dns=ExternalDnsDraft(dns.hosted_zone_id, dns.domain) if dns else None,
        work_host=spec.WorkHostSpec(body.work_host.instance_type) if body.work_host else None,
        addons=tuple(spec.AddonSpec(a.name, a.version, a.configuration, a.tags or {}) for a in body.addons or ()),
        access=None if body.access is None else tuple(_access(entry, body.region) for entry in body.access),
        access_role=body.access_role,
        pod_identities=tuple(
            spec.PodIdentitySpec(each.namespace, each.service_account, each.role_arn)
            for each in body.pod_identities or ()
        ),
        log_types=tuple(body.log_types or ()),
        tags=body.tags or {},
        lease_hours=body.lease_hours,
        volumes=spec.VolumePolicy(body.volumes) if body.volumes else None,
        support_policy=spec.SupportPolicy(body.support_policy) if body.support_policy else None,
        schedule=schedule_draft(body.schedule),
        broken=broken,
    )
    return draft, findings


def schedule_draft(body: ScheduleBody | None) -> ScheduleDraft:
    """The schedule's fields as written; null removes `holidays` and `wake`."""
    if body is None:
        return ScheduleDraft()
    said = body.model_fields_set
    return ScheduleDraft(
        time_zone=body.time_zone,
        curfew=body.curfew,
        weekdays=None if body.weekdays is None else tuple(body.weekdays),
        holidays=body.holidays,
        quiet_dates=None if body.quiet_dates is None else tuple(body.quiet_dates),
        at_curfew=AtCurfew(body.at_curfew) if body.at_curfew else None,
        wake=body.wake,
        without=frozenset(name for name in ("holidays", "wake") if name in said and getattr(body, name) is None),
    )


def _network(body: NetworkBody | None) -> NetworkDraft:
    if body is None:
        return NetworkDraft()
    return NetworkDraft(
        cidr=body.cidr,
        zones=tuple(body.zones or ()),
        nat=spec.NatMode(body.nat) if body.nat else None,
        vpc_id=body.vpc_id,
        public_subnet_ids=tuple(body.public_subnet_ids or ()),
        private_subnet_ids=tuple(body.private_subnet_ids or ()),
    )


def _nodegroup(body: NodegroupBody) -> NodegroupDraft:
    return NodegroupDraft(
        name=body.name,
        instance_types=tuple(body.instance_types or ()),
        desired=body.desired,
        min=body.min,
        max=body.max,
        volume_gib=body.volume_gib,
        capacity_type=spec.CapacityType(body.capacity_type) if body.capacity_type else None,
        placement=spec.Placement(body.placement) if body.placement else None,
        labels=body.labels or {},
        taints=tuple(spec.Taint(taint.key, taint.value, taint.effect) for taint in body.taints or ()),
        tags=body.tags or {},
        disable_pod_imds=body.disable_pod_imds,
    )


def _access(body: AccessBody, region: str | None) -> spec.AccessSpec:
    """An entry with neither policies nor groups is an administrator's: an entry without permissions makes no sense."""
    policies = tuple(
        spec.AccessPolicySpec(each.policy_arn, tuple(each.namespaces or ())) for each in body.policies or ()
    )
    if body.type == "STANDARD" and body.policies is None and body.groups is None:
        policies = (spec.AccessPolicySpec(admin_policy(region or "")),)
    return spec.AccessSpec(body.principal_arn, policies, tuple(body.groups or ()), body.type)
